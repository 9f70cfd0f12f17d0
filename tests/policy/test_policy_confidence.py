"""Judging at another confidence than the audit's: computed again from the counts, or told."""

from __future__ import annotations

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import PolicyError
from evenhand.findings import Absent, AuditRecord, Interval


def audited(level: float, favourable: int | None = 0, *, weighted: bool = False) -> AuditRecord:
    rng = np.random.default_rng(2)
    race = rng.choice(["a", "b", "c"], 500, p=[0.6, 0.35, 0.05])
    sex = rng.choice(["f", "m"], 500)
    truth = rng.integers(0, 2, 500)
    score = np.clip(0.3 * truth + rng.random(500) * 0.7, 0, 1)
    return eh.audit_predictions(
        truth,
        y_score=score,
        sensitive_features={"race": race, "sex": sex},
        sample_weight=rng.uniform(0.5, 2, 500) if weighted else None,
        favourable=favourable,
        level=level,
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("favourable", [0, 1, None])
def test_computed_again_is_as_audited_again(favourable: int | None, weighted: bool) -> None:
    before, wanted = (audited(level, favourable, weighted=weighted) for level in (0.95, 0.9))
    redone = 0
    for finding in before.findings:
        again = before.find(finding.key, 0.9)
        assert not isinstance(again, Absent)
        if again is finding:
            continue
        redone += 1
        asked = wanted[finding.name]
        assert again.estimate == asked.estimate
        for own, other in ((again.interval, asked.interval), (again.unadjusted, asked.unadjusted)):
            assert (own is None) == (other is None), finding.name
            if own is not None and other is not None:
                assert (own.low, own.high) == pytest.approx((other.low, other.high), abs=1e-12), finding.name
                assert own.level == 0.9
    assert redone > 100


def test_what_no_count_can_say_is_told() -> None:
    record = audited(0.95)
    policy = eh.load_policy({"limits": {"roc_auc": {"at_least": 0.5}}, "defaults": {"confidence": 0.9}})
    with pytest.raises(PolicyError, match=r"roc_auc has an interval of 0\.95.*--level 0\.9"):
        eh.judge(record, policy)
    assert record.find("roc_auc", 0.9) is record["roc_auc"]


def test_a_verdict_at_a_higher_confidence_decides_less() -> None:
    record = audited(0.95)
    low = record["accuracy"].interval
    assert isinstance(low, Interval)
    limits = {"accuracy": {"at_least": (low.low or 0) - 0.002}}
    found = {
        confidence: eh.judge(record, eh.load_policy({"limits": limits, "defaults": {"confidence": confidence}}))
        for confidence in (0.8, 0.95, 0.999)
    }
    assert [verdict.status for verdict in found.values()] == ["passed", "passed", "undecided"]
    for confidence, verdict in found.items():
        finding = verdict.judgements[0].finding
        assert finding is not None
        assert finding.interval is not None
        assert finding.interval.level == confidence


def test_a_drop_is_computed_again_on_both_sides() -> None:
    record = audited(0.95)
    content = {"limits": {"accuracy": {"max_drop": 0.2}}, "defaults": {"confidence": 0.8}}
    (judgement,) = eh.judge(record, eh.load_policy(content), baseline=record).judgements
    assert judgement.finding is not None
    assert judgement.finding.interval is not None
    assert judgement.finding.interval.level == 0.8
