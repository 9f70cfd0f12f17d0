"""Copies for publication: what other audits state, means, weights, several versions, and all formats."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from counts_solver import Cell, Solver
from test_report_public import audited, differences, drawn, part, pinned, read_back, solved

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.metrics import parse_disparity
from evenhand.records import digest, to_plain, write_record
from evenhand.report.formats.catalogue import FORMATS
from evenhand.report.rendering import render
from evenhand.report.suppression import PUBLIC, suppressed
from evenhand.report.telling import counted, counts_people

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

ROLES: dict[str, Any] = {"label": "paid", "favourable": 1, "sensitive_features": ["race", "sex"], "explain": False}
ASKED = ["performance", "fairness", "robustness", "uncertainty", "data_quality", "disclosure", "generalization"]


def people(rows: int, seed: int) -> pd.DataFrame:
    """Return rows of unequal groups, some of which occur twice."""
    rng = np.random.default_rng(seed)
    race = rng.choice(list("abcd"), rows, p=[0.6, 0.28, 0.105, 0.015])
    table = pd.DataFrame({"income": rng.normal(size=rows).round(1), "debt": rng.normal(size=rows).round(1)})
    table["age"] = rng.integers(20, 70, rows)
    table["race"], table["sex"] = race, rng.choice(["f", "m"], rows)
    table["paid"] = (table["income"] - table["debt"] + rng.normal(size=rows) > 0).astype(int)
    return pd.concat([table, table.iloc[:30]], ignore_index=True)


@pytest.fixture(scope="module")
def many() -> AuditRecord:
    """An audit of rows, some of which were among the fitted, by audits that state shares of their own."""
    fitted = people(900, 1)
    rows = pd.concat([people(900, 2), fitted.iloc[:25]], ignore_index=True)
    return eh.audit(
        lambda X: 1 / (1 + np.exp(1.5 * (X["debt"] - X["income"]))), rows, members=fitted, robustness=True,
        uncertainty=True, quasi_identifiers=["age", "sex"], audits=ASKED, **ROLES,
    )  # fmt: skip


def family(record: AuditRecord, metric: str, qualifiers: tuple[tuple[str, str], ...]) -> list[Finding]:
    """Return what is told of a share: its values as those of a selection rate, and its gaps as gaps of one."""
    found = []
    for finding in record.findings:
        split = parse_disparity(finding.key.metric)
        if finding.key.metric == metric and finding.key.qualifiers == qualifiers:
            found.append(
                replace(finding, key=Key.of("selection_rate", dict(finding.key.group)), groups=(), deciding=None)
            )
        elif split and split[0] == metric and finding.key.qualifiers == qualifiers and finding.component == metric:
            key = Key.of("selection_rate_difference", finding.key.columns)
            found.append(replace(finding, key=key, component="selection_rate"))
    return found


def counted_people(
    full: AuditRecord, metric: str, qualifiers: tuple[tuple[str, str], ...]
) -> dict[Cell, tuple[int, int]]:
    """Return how many people a share counts, and of how many, in every group; nothing of what is no share of rows."""
    values = [f for f in family(full, metric, qualifiers) if f.key.metric == "selection_rate"]
    defined = [(f, f.estimate) for f in values if f.estimate is not None]
    if counted(metric) or not all(f.unit == "share" and value >= 0 and counts_people(f, False) for f, value in defined):
        return {}
    return {tuple(sorted(f.key.group)): (round(f.support * value), f.support) for f, value in defined}


def known_of_shares(full: AuditRecord, public: AuditRecord) -> list[str]:
    """Return the small counts of people that shares of rows tell too well, whichever audit states them."""
    known, told_of = [], 0
    families = {(f.key.metric, f.key.qualifiers) for f in full.findings if len(f.key.group) == len(f.key.columns)}
    for metric, qualifiers in sorted(families):
        counts, told = counted_people(full, metric, qualifiers), tuple(family(public, metric, qualifiers))
        if not counts or all(finding.estimate is None for finding in told):
            continue
        told_of += 1
        solver = Solver(max(rows for _, rows in counts.values()))
        solver.add(0, counts, replace(public, findings=told, tallies=()))
        for cell in counts:
            for leaf in ((1, 0), (1, 1)):  # a share has two counts
                solver._rate(0, cell, [leaf], 0.0)
        for cell, (count, rows) in counts.items():
            for leaf, value in (((0, 1), count), ((0, 0), rows - count)):
                low, high = solver.range({(0, cell): 1.0}, [leaf])
                assert low <= value <= high, (metric, cell)
                if value < PUBLIC and high - low < PUBLIC // 2:
                    known.append(f"{metric}{qualifiers} {cell} {leaf}: {value} in [{low}, {high}]")
    assert told_of, "some shares are shown"
    return known


def test_no_small_count_of_another_audit_can_be_solved(many: AuditRecord) -> None:
    """A gap of shares of which one counts few was shown with both shares in it."""
    assert not known_of_shares(many, suppressed(many, PUBLIC))


def test_shown_gaps_are_between_shown_values(many: AuditRecord) -> None:
    copy = suppressed(many, PUBLIC)
    assert many["unique_share_difference[sex]"].estimate is not None
    for finding in copy.findings:
        if finding.estimate is not None and finding.component and not counted(finding.component):
            for value in (each for each in finding.groups if each.group):
                group = dict(zip(finding.key.columns, value.group.split(", "), strict=True))
                told = copy.get(Key.of(finding.component, group))
                assert told is not None and told.estimate == value.estimate, finding.name


def test_no_number_is_of_few_rows_and_hashes_of_all_rows_leave(many: AuditRecord) -> None:
    copy = suppressed(many, PUBLIC)
    assert 0 < (many["k_anonymity"].estimate or 0) < PUBLIC and copy["k_anonymity"].withheld
    assert "content_hash" in many.provenance["members"]
    assert not [name for name in json.dumps(copy.provenance).split('"') if name.endswith("_hash")]
    assert not [f.name for f in copy.findings if f.key.metric == "generalization_gap" and f.estimate is not None]


def test_shares_of_which_one_holds_the_other_differ_by_enough_people(many: AuditRecord) -> None:
    rows = 1000
    unique = Finding(Key.of("unique_share"), "disclosure", 30 / rows, support=rows)
    small = Finding(Key.of("small_class_share"), "disclosure", 33 / rows, support=rows)
    found = tuple(f for f in many.findings if f.key.metric not in ("unique_share", "small_class_share"))
    copy = suppressed(replace(many, findings=(*found, unique, small)), PUBLIC)
    assert copy["unique_share"].withheld and copy["small_class_share"].estimate is not None


def test_a_mean_that_is_the_same_for_everybody_and_the_value_of_one_are_not_shown() -> None:
    rng = np.random.default_rng(0)
    truth, group = rng.normal(size=501), np.repeat(["a", "b", "c"], [200, 201, 100])
    said = truth + rng.normal(size=501) * (group != "c")
    record = eh.audit_predictions(truth, y_score=said, task="regression", sensitive_features={"group": group})
    copy = suppressed(record, PUBLIC)
    for metric in ("mean_absolute_error", "median_absolute_error", "mean_squared_error", "r2"):
        assert copy[f"{metric}[group=c]"].withheld, metric
        assert copy[metric].estimate is None or copy[f"{metric}[group=a]"].withheld, "what is left of the total is c"
    for finding in copy.findings:
        if finding.estimate is not None and finding.unit == "number" and not finding.estimate.is_integer():
            assert finding.estimate == float(f"{finding.estimate:.3g}"), finding.name


def test_rates_of_weighted_rows_count_few_people_whatever_their_weights() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(["a", "b", "c", "d"], [400, 250, 120, 30])
    truth, decided = rng.integers(0, 2, 800), rng.integers(0, 2, 800)
    decided[-30:] = [1] * 27 + [0] * 3
    weights = rng.uniform(0.5, 3, 800)
    record = eh.audit_predictions(truth, decided, sensitive_features={"group": group}, sample_weight=weights)
    copy = suppressed(record, PUBLIC)
    assert copy["selection_rate[group=d]"].withheld, "three of thirty are not selected"
    shown = copy["selection_rate"].estimate
    assert shown is not None and shown == float(f"{shown:.3g}"), "who knows all weights could find the rows"


def test_several_classes_are_shown_where_every_count_is_large() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(["a", "b"], [1500, 200])
    truth = rng.integers(0, 3, 1700)
    decided = np.where(rng.random(1700) < 0.7, truth, rng.integers(0, 3, 1700))
    names = np.array(["x", "y", "z"])
    record = eh.audit_predictions(names[truth], names[decided], sensitive_features={"group": group})
    copy = suppressed(record, PUBLIC)
    small = np.histogram2d(truth[group == "b"], decided[group == "b"], bins=(3, 3))[0]
    assert small.min() < PUBLIC <= 200 - small.trace()
    shown = {f.key.metric for f in copy.findings if f.key.group and f.estimate is not None and counted(f.key.metric)}
    assert shown == {"accuracy"}, "with the totals, classes of a would give those of b"
    assert copy["macro_recall"].estimate is not None, "of all rows every count is large"
    assert copy["accuracy[group=b]"].estimate is not None


def test_copies_of_three_versions_hold_together() -> None:
    """The third is made with both, and refused without the first, which the second was made with."""
    rows = drawn(0, 1500)
    full = [audited(part(rows, n)) for n in (900, 1200, 1500)]
    one = suppressed(full[0], PUBLIC)
    two = suppressed(full[1], PUBLIC, one)
    with pytest.raises(InputError, match="made with an earlier one"):
        suppressed(full[2], PUBLIC, two)
    three = suppressed(full[2], PUBLIC, [read_back(one), read_back(two)])
    assert three.provenance["published_before"] == digest(two)
    assert three.provenance["published_earlier"] == [digest(one)]
    solver = solved(*zip(full, (one, two, three), strict=True))
    solver.nobody_left()
    for at, record in enumerate(full):
        assert not pinned(solver, at, record)
    for at in (0, 1):
        assert not differences(solver, full[at], full[at + 1], at, at + 1)
    assert not differences(solver, full[0], full[2], 0, 2)


def test_a_copy_is_neither_judged_nor_an_earlier_audit_nor_rerun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the rows of the fit, the copy once broke the schema; as a baseline it passed for a full record."""
    rows = people(600, 3)
    record = eh.audit(lambda X: X["income"] > X["debt"], rows, members=people(600, 4), audits=["disclosure"], **ROLES)
    full, copy, policy = (str(tmp_path / name) for name in ("audit.json", "public.json", "policy.toml"))
    write_record(full, record)
    Path(policy).write_text('schema = 1\n[limits]\n"small_class_share" = { at_most = 0.99 }\n', "utf-8")
    assert exit_code(["report", full, "--profile", "public", "-f", f"json={copy}"]) == 0
    for words, told in (
        (["gate", copy, "-p", policy], "copy for publication"),
        (["gate", full, "-p", policy, "--baseline", copy], "earlier audit is a copy for publication"),
        (["verify", copy, "--rerun", "--data", full], "copy for publication"),
        (["compare", copy, full], "A copy for publication has no counts to compare"),
    ):
        assert exit_code(words) == 2, words
        assert told in capsys.readouterr().err, words
    assert exit_code(["verify", copy]) == 0, "nobody changed it"


def twins() -> tuple[AuditRecord, AuditRecord]:
    """Return records that differ in nothing but in which of two withheld groups two people are."""
    rng = np.random.default_rng(5)
    race = np.array(list("a" * 560 + "b" * 323 + "c" * 9 + "d" * 8))
    rng.shuffle(race)
    sex, truth = rng.choice(["f", "m"], 900), (rng.random(900) < 0.6).astype(int)
    score = np.clip(0.35 * truth + 0.65 * rng.random(900), 0, 1).round(3)
    other = race.copy()
    refused = np.flatnonzero((race == "c") & (sex == "f") & (score < 0.5))[0]
    taken = np.flatnonzero((race == "d") & (sex == "f") & (score >= 0.5))[0]
    other[[refused, taken]] = ["d", "c"]
    one, two = (
        eh.audit_predictions(truth, y_score=score, favourable=1, sensitive_features={"race": r, "sex": sex})
        for r in (race, other)
    )
    return one, two


def test_every_format_is_the_same_whatever_is_withheld() -> None:
    """A key that is there for all but the group with the highest rate, or the name of the widest gap, told of it."""
    one, two = twins()
    assert one["selection_rate[race=c]"] != two["selection_rate[race=c]"]
    limits = {
        "accuracy": {"at_least": 0.5}, "recall[race=*]": {"at_least": 0.999},
        "selection_rate_difference[sex]": {"at_most": 0.2},
        "selection_rate_ratio[race]": {"at_least": 0.8}, "equalized_odds_difference[race]": {"at_most": 0.1},
    }  # fmt: skip
    verdicts = [eh.judge(record, eh.load_policy({"limits": limits})) for record in (one, two)]
    assert len({tuple(sorted((str(j.key), j.status) for j in v.judgements)) for v in verdicts}) == 1
    assert json.dumps(to_plain(suppressed(one, PUBLIC))) == json.dumps(to_plain(suppressed(two, PUBLIC)))
    for name, form in FORMATS.items():
        if not form.of:
            texts = [render(r, v, name, suppress_below=PUBLIC) for r, v in zip((one, two), verdicts, strict=True)]
            assert texts[0] == texts[1], name


def test_every_format_shows_what_the_json_copy_holds_and_no_more() -> None:
    """Who has the JSON copy can make every other format of it."""
    record = twins()[0]
    copy = read_back(suppressed(record, PUBLIC))
    for name in ("html", "markdown", "json", "text", "csv", "model-card", "cyclonedx", "ll144"):
        assert render(record, None, name, suppress_below=PUBLIC) == render(copy, None, name), name
