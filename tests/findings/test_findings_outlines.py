"""What a console shows of records and their parts: short, of one line each, with the way on."""

from __future__ import annotations

import numpy as np
import pytest

import evenhand as eh
from evenhand.headlines import headlines
from evenhand.metrics import Tally
from evenhand.outlines import MOST_LINES, WIDEST, figure, outline

TRUTH = np.tile([1, 0, 1, 1], 300)
SAID = np.tile([1, 0, 0, 1, 1, 0], 200)
GROUPS = {f"feature{at}": np.array([f"g{(row // (at + 1)) % 9}" for row in range(1200)]) for at in range(4)}


@pytest.fixture(scope="module")
def record() -> eh.AuditRecord:
    return eh.audit_predictions(TRUTH, SAID, sensitive_features=GROUPS, intersections=1, favourable=1)


@pytest.fixture(scope="module")
def verdict(record: eh.AuditRecord) -> eh.Verdict:
    return eh.judge(
        record, {f"recall[{name}=*]": {"at_least": 0.6} for name in GROUPS} | {"accuracy": {"at_least": 0.9}}
    )


def lines_of(thing: object) -> list[str]:
    lines = repr(thing).splitlines()
    assert 1 <= len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDEST
    return lines


def test_a_record_says_what_was_audited_and_how_to_go_on(record: eh.AuditRecord) -> None:
    lines = lines_of(record)
    assert lines[0] == "Audit of predictions on predictions: 1,200 rows, label y_true (positive: 1)"
    first = record["balanced_accuracy"]
    assert first.interval is not None
    low, high = figure(first.interval.low), figure(first.interval.high)
    assert lines[1].split() == ["balanced_accuracy", figure(first.estimate), f"[{low},", f"{high}]"]
    assert any(line.strip().startswith("selection_rate_ratio[feature3]") for line in lines)
    assert "record.to_frame()" in lines[-2]
    assert "eh.judge(record" in lines[-1]
    said = lines[-2].partition("record['")[2].partition("']")[0]
    assert said in record


def test_what_is_read_first_is_what_is_worst(record: eh.AuditRecord) -> None:
    first = headlines(record.findings)
    assert [found.name for found in first.overall] == ["balanced_accuracy", "accuracy"]
    assert not first.changes
    assert len(first.gaps) == len(GROUPS)
    assert all(found.estimate is not None for found in first)
    worst = [max(abs(record[f"equalized_odds_difference[{name}]"].estimate or 0),
                 1 - (record[f"selection_rate_ratio[{name}]"].estimate or 0)) for name in GROUPS]  # fmt: skip
    assert first.gaps[0][0].key.columns == (f"feature{worst.index(max(worst))}",)


def test_completion_knows_every_key(record: eh.AuditRecord) -> None:
    keys = record._ipython_key_completions_()
    assert keys == [finding.name for finding in record.findings]
    assert all(key in record for key in keys[:50])


def test_findings_and_intervals_are_a_line_or_two(record: eh.AuditRecord) -> None:
    found = record["recall[feature1=g2]"]
    assert found.interval is not None
    assert lines_of(found)[0].startswith(f"recall[feature1=g2]: {figure(found.estimate)}  [")
    assert f"of {found.support} rows" in repr(found)
    assert repr(found.interval).endswith(f"at 0.95 ({found.interval.method})")
    undefined = eh.audit_predictions([0, 0, 1], [0, 1, 1], sensitive_features={"g": ["a", "a", "b"]})["recall[g=a]"]
    assert lines_of(undefined)[0].startswith("recall[g=a]: undefined")
    assert len(lines_of(undefined)) == 2, "an undefined value has its reason"


def test_a_verdict_begins_with_its_sentence_and_its_worst_limit(verdict: eh.Verdict) -> None:
    lines = lines_of(verdict)
    assert lines[0].startswith("Failed:")
    first = verdict.judgements[0]
    assert any(line.split()[:2] == [first.status, str(first.key)] for line in lines)
    assert any(line.strip().startswith("... and ") for line in lines), "what does not fit is counted"
    assert lines_of(first)[0].startswith(first.status)


def test_a_verdict_is_a_frame(verdict: eh.Verdict) -> None:
    frame = verdict.to_frame()
    assert list(frame["key"]) == [str(judgement.key) for judgement in verdict.judgements]
    assert list(frame["status"]) == [judgement.status for judgement in verdict.judgements]
    assert frame["low"].dtype == frame["at_most"].dtype == "float64"
    assert (frame["estimate"] >= frame["low"]).all()


def test_a_policy_a_set_a_tally_and_a_plan_are_short(record: eh.AuditRecord) -> None:
    policy = eh.load_policy({f"recall[feature1=g{at}]": {"at_least": 0.5, "advisory": at > 3} for at in range(9)} | {
        f"accuracy[feature2=g{at}]": {"at_least": 0.5} for at in range(9)})  # fmt: skip
    lines = lines_of(policy)
    assert lines[0] == "Policy policy: 18 limits, 13 of them blocking"
    assert lines_of(policy.limits[8])[0].endswith("advisory")
    data = eh.read_evaluation_set({"y": TRUTH, "x": SAID, **GROUPS}, label="y", sensitive_features=list(GROUPS))
    assert lines_of(data)[0] == "data: 1,200 rows, label y (positive: 1, else 0)"
    assert "g0 134" in lines_of(data)[1]
    assert lines_of(Tally.count(TRUTH, SAID)) == ["Tally of 1,200 rows: 1 groups, 2 classes"]
    assert "accuracy >= 0.7" in lines_of(eh.plan({"accuracy": {"at_least": 0.7}}, like=record))[1]


def test_names_from_the_data_stay_on_their_line() -> None:
    made = outline("a\nb", [("x\ny", "\x1b[2J"), ("z" * 500, "1")], ["end"])
    assert len(made.splitlines()) == 4
    assert "\x1b" not in made
    assert max(map(len, made.splitlines())) <= WIDEST
