"""Deriving costs what the number of findings does, and what agrees to the last digit is kept as it was stated."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import RecordError
from evenhand.keys import canonical_key
from evenhand.messages import Message
from evenhand.metrics.answers import NoAnswerError, answering, counts
from evenhand.metrics.answers.questions import Question, question, takes_all_groups
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.comparisons import disparity_changes
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.policy.deriving import derive

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.comparisons.disparities import Measuring
    from evenhand.metrics.comparisons.disparity_changes import Moved
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.values.rates import Measured

AUDITS = Path(__file__).parents[1] / "golden" / "audits"
ROWS = 1_200


@cache
def audited(groups: int) -> eh.AuditRecord:
    """Return an audit of rows in so many groups; the last has no positive label."""
    rng = np.random.default_rng(3)
    group = np.arange(ROWS) % groups
    truth = np.where(group == groups - 1, 0, rng.integers(0, 2, ROWS))
    decided = np.where(rng.random(ROWS) < 0.8, truth, 1 - truth)
    return eh.audit_predictions(truth, decided, sensitive_features={"g": [f"g{at:03}" for at in group]})


def counting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[int]:
    """Count the calls of a function or method."""
    calls, usual = [], getattr(owner, name)

    def counted(*given: Any, **more: Any) -> Any:
        calls.append(1)
        return usual(*given, **more)

    monkeypatch.setattr(owner, name, counted)
    return calls


@pytest.mark.parametrize(
    ("owner", "name"),
    [(answering, "measure"), (answering, "question"), (counts, "arrays"), (answering.Answers, "of_groups")],
)
def test_what_is_measured_does_not_grow_with_the_groups(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    few, many = audited(6), audited(60)
    calls = counting(monkeypatch, owner, name)
    derive(few)
    before = len(calls)
    derive(many)
    assert 0 < before == len(calls) - before


def test_each_group_is_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    record = audited(60)
    calls = counting(monkeypatch, answering, "value_finding")
    derive(record)
    assert len(calls) <= len(record.findings)


def forged(record: eh.AuditRecord, key: str, change: Callable[[eh.Finding], eh.Finding]) -> eh.AuditRecord:
    changed = tuple(change(found) if found.name == key else found for found in record.findings)
    assert changed != record.findings, key
    return replace(record, findings=changed)


def test_what_agrees_is_kept_and_what_does_not_is_refused() -> None:
    record = audited(6)
    assert derive(record).record == record
    wrong = forged(record, "recall[g=g000]", lambda found: replace(found, support=found.support + 1))
    with pytest.raises(RecordError, match="by its counts on"):
        derive(wrong)


@pytest.mark.parametrize("part", ["deciding", "critical", "unadjusted", "withheld", "uncovered"])
def test_nothing_is_kept_that_counts_do_not_give(part: str) -> None:
    record = audited(6)
    gap = record["recall_difference[g]"]
    assert gap.interval is not None
    given = {"withheld": True, "uncovered": "so it is said", "unadjusted": replace(gap.interval, low=0.0, high=1.0)}
    wrong = forged(
        record, "recall[g=g001]", lambda found: replace(found, **{part: given.get(part, getattr(gap, part))})
    )
    try:
        found = derive(wrong).record
    except RecordError:
        return
    assert found == record


def test_the_sentence_of_what_is_undefined_is_that_of_the_counts() -> None:
    record = audited(6)
    own = record["recall[g=g005]"].undefined
    assert isinstance(own, Message)
    other = Message("{text}", {"text": str(own)})  # it reads alike in English, and not in Chinese
    findings = tuple(replace(found, undefined=other) if found.undefined == own else found for found in record.findings)
    found = derive(replace(record, findings=findings)).record["recall[g=g005]"].undefined
    assert isinstance(found, Message)
    assert found.id == own.id


def test_findings_of_groups_that_were_left_out_are_told() -> None:
    record = audited(6)
    gone = {"recall[g=g002]", "accuracy[g=g004]", "selection_rate_ratio[g=g005;vs=highest]"}
    assert gone <= {found.name for found in record.findings}
    some = replace(record, findings=tuple(found for found in record.findings if found.name not in gone))
    told = derive(some).record.findings
    assert gone <= {found.name for found in told}
    assert len(told) == len(record.findings)


def test_a_rate_is_measured_once_under_both_models_for_all_that_compression_changed_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = eh.read_record(AUDITS / "demo" / "audit.json")
    measured: list[str] = []
    changes: list[tuple[str, bytes]] = []

    def change(rate: str, joint: JointTally, level: float) -> Measured:
        changes.append((rate, joint.counts.tobytes()))
        return measure_change(rate, joint, level)

    def moving(rate: str, joint: JointTally, changed: Measured, level: float, by: Measuring) -> Moved:
        def measuring(metric: str, tally: Tally, at: float) -> Measured:
            measured.append(metric)
            return by(metric, tally, at)

        return disparity_changes.moved(rate, joint, changed, level, measuring)

    monkeypatch.setattr(answering, "USUAL", answering.USUAL._replace(change=change))
    monkeypatch.setattr(answering, "moved", moving)
    derive(record)
    asked = [asked for found in record.findings if (asked := changed_gap_of(found)) is not None]
    rates = {
        (rate, gap.columns)
        for gap in asked
        for rate in (EQUALIZED_ODDS if gap.metric == "equalized_odds" else (gap.metric,))
    }
    assert len(measured) == 2 * len(rates) < 2 * len(asked)
    assert len(changes) == len(set(changes)) >= len(rates)


def changed_gap_of(found: eh.Finding) -> Question | None:
    """Return what a finding asks, where it is a change of a gap."""
    key = canonical_key(found.key)
    try:
        asked = None if takes_all_groups(key) else question(key)
    except NoAnswerError:
        return None
    return asked if asked is not None and asked.of_gap else None
