"""What the page says of explanations, proxies and reasons: of real audits, no more than their records show."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.evidence.swarming import swarm as counted
from evenhand.explaining.planning import UNTHINKABLE, Plan
from evenhand.explaining.surrogate import surrogate
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.report.drawings import Figure, Heat, Swarm, Table
from evenhand.report.figures.swarms import swarm
from evenhand.report.numbers import show, with_interval
from evenhand.report.page import build_page
from evenhand.report.sections import compression, explanation_checks, explanations, provenance, reliance, training
from evenhand.report.sections.judged import Judged

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Unit
    from evenhand.report.sections.section import Section
    from evenhand.report.view import Block

AUDITS = Path(__file__).parents[1] / "golden" / "audits"
NOBODY = Judged(None)


@cache
def audited(name: str) -> AuditRecord:
    return eh.read_record(AUDITS / name / "audit.json")


def blocks(section: Section, record: AuditRecord) -> dict[str, Block]:
    return {block.name: block for part in section.parts(record, NOBODY) for block in part.blocks}


def an_interval(estimate: float, low: float, high: float, metric: str = "gap_part", unit: Unit = "score") -> str:
    finding = Finding(Key.of(metric), "explanation", estimate, Interval(low, high, 0.95, "t"), support=9, unit=unit)
    return with_interval(finding, 3)


def test_the_means_of_a_swarm_are_exact_and_not_those_of_its_bins() -> None:
    values = np.array([[4.0, 0.002], [-4.0, -0.001], [4.0, 0.004], [-4.0, -0.003]])
    data = pd.DataFrame({"wide": [1, 0, 1, 0], "narrow": [9, 1, 9, 1]})
    made = SimpleNamespace(values=values, data=data, feature_names=("wide", "narrow"))
    _, reach, means = counted(made)  # type: ignore[arg-type]
    assert reach == 4.0
    assert means == [[-4.0, None, None, None, 4.0], [-0.002, None, None, None, 0.003]]


def test_a_swarm_says_how_many_rows_it_draws_and_has_no_means_where_the_record_has_none() -> None:
    record = audited("compas")
    drawn = swarm(record)
    assert isinstance(drawn, Swarm)
    assert str(drawn.title) == "Attributions of 33 of 100 explained rows, by the feature's own value"
    assert drawn.strips[-1].label == "juv_misd_count" and drawn.strips[-1].text == "0.004 … -0.049"
    old = dict(record.provenance)
    old.pop("attribution_means")
    before = swarm(replace(record, provenance=old))  # type: ignore[arg-type]
    assert isinstance(before, Swarm) and before.table.silent and not before.heading
    assert [strip.text for strip in before.strips] == [""] * 6


def test_a_proxy_of_a_gap_that_chance_explains_has_no_part_of_it() -> None:
    compas = blocks(reliance.SECTION, audited("compas"))
    assert "proxies" not in compas
    unshown = compas["proxies-unshown"]
    assert isinstance(unshown, Table)
    assert unshown.rows == (("age for race (Other vs African-American)", "-0.628 [-1.380, 0.186]", "59"),)
    assert reliance.answer(audited("compas"), NOBODY).state == "plain"
    adult = blocks(reliance.SECTION, audited("adult"))["proxies"]
    assert isinstance(adult, Figure) and adult.dots[0].label == "marital_status for sex (Female vs Male)"
    assert reliance.answer(audited("adult"), NOBODY).state == "notable"


def test_what_tells_a_group_is_ordered_by_what_is_certain_of_it() -> None:
    for name in ("compas", "demo", "adult"):
        told = blocks(reliance.SECTION, audited(name))["reliance-told"]
        assert isinstance(told, Table)
        ends = [float(area.split("[")[1].split(",")[0]) for _, _, area in told.rows]
        assert ends == sorted(ends, reverse=True) and ends[-1] > 0.5
        assert not any(column == "(score)" for column, _, _ in told.rows)


@pytest.mark.parametrize(
    ("name", "scale"), [("compas", "log-odds"), ("demo", "log-odds"), ("states", "the prediction")]
)
def test_an_axis_of_explanations_is_named_by_its_scale(name: str, scale: str) -> None:
    found = blocks(explanations.SECTION, audited(name)) | blocks(explanation_checks.SECTION, audited(name))
    axes = {key: block.axis for key, block in found.items() if isinstance(block, (Figure, Swarm))}
    assert axes["importance"] == axes["swarm"] == scale
    assert axes["explanations-alike"] == "similarity"
    assert axes.get("selection_gap-0", "difference of shares") == "difference of shares"
    assert "score" not in {str(axis) for axis in axes.values()}


def test_an_interval_ends_where_its_metric_does_and_has_the_digits_of_its_estimate() -> None:
    assert an_interval(0.033, -0.332, 1.362, "selection_gap_part") == "0.033 [-0.332, 1.000]"
    assert an_interval(0.033, -0.332, 1.362) == "0.033 [-0.332, 1.362]"
    assert an_interval(-0.087, -0.164, -1.9e-5) == "-0.087 [-0.164, 0.000]"
    assert an_interval(-1.0e-4, -6.0e-4, 5.0e-4) == "-0.00010 [-0.00060, 0.00050]"
    assert an_interval(-0.4214, -0.4214 - 1e-16, -0.4214 + 1e-16) == "-0.421"
    assert show(8.96e-5, "number") == "0.0000896" and show(-5e-21, "number") == "> -0.000001"


def test_importances_by_group_say_of_how_many_rows_and_few_rows_set_no_shade() -> None:
    grid = blocks(explanations.SECTION, audited("compas"))["importance-given"]
    assert isinstance(grid, Heat) and str(grid.title).endswith(": 7 of 8 groups, 6 of 6 features")
    assert grid.columns[1] == "sex=Male (n=78)" and grid.columns[-1] == "race=Native American (n=1)"
    assert {cells[-1][0] for _, cells in grid.rows} == {0}, "one row has no shade"
    assert max(shade for shade, _ in grid.rows[0][1]) == 5, "and it is not what the others are compared with"
    states = blocks(explanations.SECTION, audited("states"))["importance-given"]
    assert isinstance(states, Heat) and states.columns[1] == "state 34 (n=10)"
    assert len(states.rows) == 7 and str(states.title).endswith(": 8 of 45 groups, 7 of 22 features")


@pytest.mark.parametrize("name", ["demo", "adult", "compas"])
def test_the_widest_gap_is_drawn_and_says_over_how_many_rows(name: str) -> None:
    record = audited(name)
    (drawn,) = (b for key, b in blocks(explanations.SECTION, record).items()
                if key.startswith("selection_gap") and isinstance(b, Figure))  # fmt: skip
    widest = max((f for f in record.findings if f.key.metric == "selection_gap"), key=lambda f: abs(f.estimate or 0))
    assert widest.key.qualifier("given") in str(drawn.title).replace(" (n=", "\n")
    assert str(drawn.title).endswith(f"in all, over {widest.support} explained rows")


def test_the_changes_of_reliance_by_compression_begin_with_the_greatest() -> None:
    found = blocks(compression.SECTION, audited("demo"))["compression-features"]
    assert isinstance(found, Table)
    sizes = [abs(float(text.split(" ")[0])) for _, text in found.rows]
    assert len(sizes) > 5 and sizes == sorted(sizes, reverse=True)


def test_a_part_that_knows_the_costs_only_is_called_that() -> None:
    (costs,) = training.SECTION.parts(audited("compas"), NOBODY)
    (fitted,) = training.SECTION.parts(audited("demo"), NOBODY)
    assert (str(costs.title), str(fitted.title)) == ("What it costs", "How it was trained")


def test_a_regression_is_not_told_as_a_classifier() -> None:
    said = " ".join(section.reason for section in audited("states").sections)
    assert "The model predicts a number, so the prediction itself is explained." in said and "label" not in said
    facts = blocks(provenance.SECTION, audited("states"))["provenance-table"]
    assert isinstance(facts, Table) and not any("threshold" in name for name, _ in facts.rows)


def test_a_leaf_of_the_small_tree_has_no_condition_that_another_implies() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"n": rng.integers(0, 30, 400), "kind": rng.choice(list("abcd"), 400)})
    scores = 0.3 * table["n"].to_numpy() ** 1.5 + 20 * (table["kind"] == "b") + 5 * (table["kind"] == "c")
    rules = [rule for rule, _, _ in surrogate(table, scores.to_numpy(dtype=float)).rules]
    assert len(rules) > 4
    for rule in rules:
        asked = [condition.rsplit(" ", 1)[0] for condition in str(rule).split(" and ")]
        assert all(asked.count(which) == 1 for which in asked if which != "kind is not"), rule


def test_evaluations_are_written_out_and_bounded() -> None:
    def said(differing: int) -> str:
        counts = np.full((10, 20), differing, dtype=np.int16)
        return Plan(np.arange(20), counts, 2, 1, 0, 20, 1, False).why(1)

    assert "at least 210,000,000,000 evaluations" in said(30)
    assert f"at least {UNTHINKABLE:,} evaluations" in said(3000)


def test_a_number_too_small_to_be_written_out_is_not_said_to_equal_its_bound() -> None:
    small = Finding(Key.of("mutual_information", ["race"]), "reliance", 5e-21, support=9, unit="number")
    glossary = build_page(replace(audited("compas"), findings=(small,)), None).glossary
    (entry,) = (each for each in glossary if each.name == "mutual_information")
    assert entry.here == "mutual_information[race] < 0.000001"
