"""What sections say of the committed audits: each sentence names the groups that have its numbers."""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.browsing import AUDITS

import evenhand as eh
from evenhand.findings import AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key, group_name
from evenhand.report.drawings import Drawing, Figure, Table
from evenhand.report.figures.findings import figure
from evenhand.report.formats.html import Terms, environment
from evenhand.report.sections.answering import beyond, others_apart
from evenhand.report.sections.catalogue import parts

if TYPE_CHECKING:
    from evenhand.report.drawings import Dot
    from evenhand.report.view import Part

NAMES = ("demo", "compas", "adult", "countries", "states")


@cache
def record_of(name: str) -> AuditRecord:
    return eh.read_record(AUDITS / name / "audit.json")


@cache
def parts_of(name: str) -> dict[str, Part]:
    """Return the parts of an audit's page by name."""
    verdict = eh.judge(record_of(name), eh.load_policy(AUDITS / name / "policy.toml"))
    return {part.name: part for found in parts(record_of(name), verdict) for part in found}


def table_of(name: str, part: str, table: str) -> Table:
    """Return a table of a part, or that of a figure."""
    blocks = parts_of(name)[part].blocks
    tables = [block.table if isinstance(block, Drawing) else block for block in blocks]
    return next(found for found in tables if found.name == table)


def a_gap(name: str, key: str) -> eh.Finding:
    found = record_of(name).get(key)
    assert found is not None
    return found


def test_a_gap_is_told_with_the_shares_of_the_groups_that_it_names() -> None:
    said = beyond(a_gap("compas", "selection_rate_difference[race]"))
    assert "as Caucasian (22 %) and African-American (43 %) show; other pairs are further apart" in said
    rates = {group: a_gap("compas", f"selection_rate[race={group}]") for group in ("Caucasian", "African-American")}
    assert [f"{100 * (rate.estimate or 0):.0f} %" for rate in rates.values()] == ["22 %", "43 %"]
    assert beyond(a_gap("compas", "selection_rate_difference[sex]")).endswith("least for Female, most for Male.")


@pytest.mark.parametrize("name", ["demo", "compas"])
def test_the_difference_of_a_group_section_is_that_of_the_groups_named_with_it(name: str) -> None:
    record, told = record_of(name), 0
    for part in (part for key, part in parts_of(name).items() if re.fullmatch(r"groups-\d+", key)):
        text = " ".join(part.lead)
        found = re.search(r"as counted, between (.*) \(n=([\d,]+)\) and (.*) \(n=([\d,]+)\), is (\S+) ", text)
        columns = part.title.removeprefix("Groups by ").split(" × ")
        gap = a_gap(name, f"selection_rate_difference[{','.join(columns)}]")
        assert (found is not None) == others_apart(gap), part.title
        if found is not None:
            most, least = (record[f"selection_rate[{found[at].replace(', ', ',')}]"] for at in (1, 3))
            assert f"{(most.estimate or 0) - (least.estimate or 0):.2f}" == found[5]
            assert [most.support, least.support] == [int(found[at].replace(",", "")) for at in (2, 4)]
            told += 1
    assert told


def test_the_ratio_that_is_stated_is_the_one_shown_to_be_lowest() -> None:
    said = parts_of("compas")["impact"].answer
    assert said == "Favourable rate of race=African-American: 0.70 [0.63, 0.79] of that of Other (n=102)."


@pytest.mark.parametrize("name", ["demo", "compas", "adult"])
def test_every_impact_ratio_names_its_reference(name: str) -> None:
    table = table_of(name, "impact", "impact-ratios")
    assert all(re.search(r"\(n=[\d,]+\)", row[3]) for row in table.rows)
    few = any(int(re.findall(r"n=([\d,]+)", row[3])[0].replace(",", "")) < 30 for row in table.rows)
    assert few == any("fewer than 30 rows" in said for said in parts_of(name)["impact"].lead)


def test_p_values_say_how_they_are_adjusted() -> None:
    assert "p-value, adjusted (Holm)" in table_of("compas", "chance", "chance-groups").head
    assert "p-value" in table_of("compas", "chance", "chance-highest").head  # these are two tests of one pair


def test_gaps_by_chance_are_ones_that_a_metric_can_have() -> None:
    chance = parts_of("states")["chance"]
    rows = {row[1]: row for row in table_of("states", "chance", "chance-gaps").rows}
    assert set(rows) == {"R squared", "Share at or below the prediction"}
    assert rows["Share at or below the prediction"][3] == "–"  # 1.09 in the record
    assert not any("p-value" in name for name in table_of("states", "chance", "chance-gaps").head)
    assert "Of mean absolute error, " in " ".join(chance.lead)
    assert not any("p-value is" in said for said in chance.lead)


@pytest.mark.parametrize("name", NAMES)
def test_no_column_is_empty(name: str) -> None:
    for part in parts_of(name).values():
        for block in part.blocks:
            table = block.table if isinstance(block, Drawing) else block
            for at, head in enumerate(table.head):
                assert head or any(row[at] for row in table.rows), (table.name, at)


def test_where_groups_are_many_every_figure_has_those_at_the_ends() -> None:
    drawn = [block for block in parts_of("states")["groups-0"].blocks if isinstance(block, Figure)]
    assert [len(block.dots) for block in drawn[:3]] == [13, 13, 13]
    assert len({block.name for block in drawn}) == len(drawn)
    (fit,) = (block for block in drawn if block.name == "groups-0-ends-r2")
    found = (f for f in record_of("states").findings if f.key.metric == "r2" and f.key.group)
    known = [(group_name(f.key.group), f.interval) for f in found if f.interval is not None]
    lowest = {name for name, interval in sorted(known, key=lambda each: each[1].high or 0)[:6]}
    assert lowest <= {dot.label for dot in fit.dots}


def ends_of(dot: Dot) -> list[float]:
    return [float(end) for end in re.findall(r"-?[\d.]+", dot.text.replace(",", ", "))[1:]]


def test_an_axis_is_as_wide_as_its_estimates_and_intervals_beyond_it_have_arrows() -> None:
    (drawn,) = (block for block in parts_of("states")["groups-0"].blocks if block.name == "groups-0-ends-r2")
    assert isinstance(drawn, Figure)
    assert (drawn.axis, drawn.ticks[0], drawn.ticks[-1]) == ("R squared", "-1.0", "1.0")
    for dot in drawn.dots:
        low, high = ends_of(dot)
        assert dot.opens == (low < -1, high > 1), dot.text
    assert any(dot.opens[0] for dot in drawn.dots)


def test_numbers_from_a_thousand_have_separators_and_no_decimals() -> None:
    cells = [cell for row in table_of("states", "groups-0", "groups-0-table").rows for cell in row]
    assert any("[-18,908, 1.00]" in cell for cell in cells)
    assert not any(re.search(r"\d{4}\.", cell) for cell in cells)


@pytest.mark.parametrize("name", ["demo", "compas", "adult"])
def test_what_is_drawn_comes_first_in_its_table(name: str) -> None:
    drawn = [
        block
        for part in parts_of(name).values()
        for block in part.blocks
        if isinstance(block, Figure) and block.name.endswith("-disparities")
    ]
    assert drawn
    for block in drawn:
        rows = [(dot.label, dot.text) for dot in block.dots]
        assert rows == [row[:2] for row in block.table.rows[: len(rows)]]
        assert block.table.folded == f"The {len(block.table.rows)} disparities as a table"


def test_a_disparity_and_its_groups_are_in_the_same_unit() -> None:
    table = table_of("states", "groups-0", "groups-0-gaps")
    (least,) = (row for row in table.rows if row[0] == "Mean squared error of the lowest group")
    assert least[1].startswith("0.000310 [")
    assert least[2].startswith("state 20 0.000310 (n=1); ")
    named = {row[3] for row in table.rows if row[0].startswith("R squared")}
    assert named == {"state 11; state 2; state 20"}


def test_a_histogram_and_its_table_show_the_same_shares() -> None:
    table = table_of("compas", "groups-0", "groups-0-scores-table")
    bins = [tuple(map(float, row[0].split(" – "))) for row in table.rows]
    assert all(one[1] == two[0] for one, two in itertools.pairwise(bins))
    for column in (1, 2):
        shares = [float(row[column].split(" %")[0]) for row in table.rows]
        assert sum(shares) == pytest.approx(100, abs=1)


def test_performance_is_drawn_on_the_axis_of_shares() -> None:
    (drawn,) = (block for block in parts_of("compas")["performance"].blocks if block.name == "performance-all")
    assert isinstance(drawn, Figure)
    assert drawn.ticks[-1] == "1.0"
    assert "Mean score per base rate" in {row[0] for row in table_of("compas", "performance", "performance-more").rows}


def test_a_figure_says_how_many_rows_are_in_the_table_only() -> None:
    finding = a_gap("compas", "selection_rate_difference[sex]")
    drawn = figure("many", "Many", [(f"row {at}", finding, "plain", None) for at in range(50)])
    assert drawn.left == 50 - len(drawn.dots) > 0
    page = environment(None).from_string('{% import "partials/charts.svg.j2" as c with context %}{{ c.draw(f) }}')
    html = page.render(f=drawn, _=lambda text, **places: text.format(**places), terms=Terms(()))
    assert f"{drawn.left} more in the table" in html


def test_subgroups_are_told_once_with_their_rows_and_in_the_same_digits() -> None:
    part = parts_of("demo")["slices"]
    drawn, table = part.blocks  # neither is a part of the other, so there is no tree
    assert isinstance(drawn, Figure)
    assert isinstance(table, Table)
    assert drawn.table.within == table.name
    assert [(dot.label, dot.rows, dot.text) for dot in drawn.dots] == [(row[0], row[1], row[4]) for row in table.rows]
    assert [row[1] for row in table.rows] == ["21", "22"]
    assert f"higher by {table.rows[0][4]}, corrected for the search." in part.answer
    assert not any(opens for dot in drawn.dots for opens in dot.opens)
    assert "loanamt <100" in part.answer
    assert "=<" not in part.answer + "".join(row[0] for row in table.rows)


def test_rows_left_out_and_the_smallest_groups_are_of_what_is_named() -> None:
    rows = dict(row[:2] for row in table_of("demo", "data", "data-facts").rows)
    assert rows["Rows left out"].startswith("18 of the 1,989 rows of the source, before any split: ")
    alone = [int(row[1].replace(",", "")) for row in table_of("demo", "data", "data-groups").rows]
    assert (
        parts_of("demo")["data"].answer == f"591 rows; fewest in a group by one feature: {min(alone)} (race=hispanic)."
    )
    states = {row[0] for row in table_of("states", "data", "data-groups").rows if row[1] == "1"}
    named = re.findall(r"\((.*)\)", parts_of("states")["data"].answer)[0].split(", ")
    assert set(named) == states
    assert len(states) == 3


@pytest.mark.parametrize("name", NAMES)
def test_what_did_not_run_is_named(name: str) -> None:
    part = parts_of(name)["limitations"]
    absent = [said.removeprefix("Not run: ").split(".")[0] for said in part.lead if said.startswith("Not run: ")]
    told, _, more = part.answer.partition("not run: ")[2].rstrip(".").partition(" and ")
    assert told.split(", ") == absent[:6]
    assert more == (f"{len(absent) - 6} more" if len(absent) > 6 else "")
    assert ("thresholds" in parts_of(name)) == (name != "states")


@pytest.mark.parametrize("name", ["demo", "compas", "adult"])
def test_both_thresholds_have_their_accuracy(name: str) -> None:
    said = parts_of(name)["thresholds"].answer
    best, used = (float(found) for found in re.findall(r"\((0\.\d{3})\)", said))
    assert used == round(record_of(name)["accuracy"].estimate or 0, 3) <= best


def test_small_groups_are_called_by_feature_and_value() -> None:
    (said,) = (said for said in parts_of("compas")["fairness"].lead if "fewer than 30" in said)
    assert said.startswith(
        "Groups with fewer than 30 rows, all of them counted: race=Asian (9); race=Native American (4); "
    )


def test_a_p_value_that_seems_to_contradict_the_groups_is_explained() -> None:
    assert any("the widest gap as counted" in said for said in parts_of("compas")["chance"].lead)
    truth, decided, group = [0, 1] * 200, [0, 1, 1, 1] * 100, ["a"] * 200 + ["b"] * 200
    record = eh.audit_predictions(truth, decided, sensitive_features={"site": group}, audits=["fairness", "chance"])
    (chance,) = (part for found in parts(record, None) for part in found if part.name == "chance")
    assert not any("the widest gap as counted" in said for said in chance.lead)


@pytest.mark.parametrize(("estimate", "said"), [(0.06, "higher by 0.060"), (0.0001, "narrowly")])
def test_a_subgroup_is_said_to_be_worse_by_nothing_in_no_case(estimate: float, said: str) -> None:
    from evenhand.report.sections.judged import Judged
    from evenhand.report.sections.slices import answer

    groups = (GroupValue("rest", 0.2, 900, 900), GroupValue("race=black", 0.8, 10, 10))
    interval = Interval(0.0, 0.7, 0.95, "simultaneous over slices, profile likelihood")
    found = Finding(Key.of("error_rate", {"race": "black"}), "slices", estimate, interval, groups=groups)
    told = str(answer(AuditRecord((found,)), Judged(None)).sentence)
    assert said in told
    assert "higher by 0.000" not in told
