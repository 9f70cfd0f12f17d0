"""`always_valid = true`: limits judged by intervals that hold at all times."""

from __future__ import annotations

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import PolicyError


def record(n: int = 4_000, seed: int = 0) -> eh.AuditRecord:
    rng = np.random.default_rng(seed)
    y, group = rng.integers(0, 2, n), rng.choice(["a", "b"], n)
    score = np.clip(0.4 * y + rng.normal(0.3, 0.25, n), 0, 1)
    return eh.audit_predictions(y, y_score=score, sensitive_features={"group": group})


RECORD = record()
LIMITS = {
    "accuracy": {"at_least": 0.7},
    "recall_difference[group]": {"at_most": 0.06},
    "equalized_odds_difference[group]": {"at_most": 0.2},
    "recall[group=*]": {"at_least": 0.9},
}


def judged(always_valid: bool, limits: dict[str, dict[str, object]] = LIMITS) -> eh.Verdict:  # type: ignore[assignment]
    return eh.judge(RECORD, {"defaults": {"always_valid": always_valid}, "limits": limits})


def test_defaults_hold_for_every_limit_and_a_limit_may_say_otherwise() -> None:
    limits = {"accuracy": {"at_least": 0.7}, "recall": {"at_least": 0.5, "always_valid": False}}
    methods = {str(one.key): one.finding.interval.method for one in judged(True, limits).judgements}  # type: ignore[union-attr,arg-type]
    assert methods == {"accuracy": "always valid", "recall": "clopper-pearson"}


def test_what_passes_or_fails_at_all_times_does_so_once() -> None:
    once = {str(one.key): one.status for one in judged(False).judgements}
    always = {str(one.key): one.status for one in judged(True).judgements}
    assert set(once) == set(always)
    assert all(once[key] == status for key, status in always.items() if status != "undecided")
    assert "passed" in always.values()
    assert "failed" in always.values()


def test_the_verdict_says_so() -> None:
    assert any("hold at all times" in str(remark) for remark in judged(True).remarks)
    assert not any("at all times" in str(remark) for remark in judged(False).remarks)


def test_the_advice_is_of_intervals_as_wide() -> None:
    limits = {"recall_difference[group]": {"at_most": 0.06}}
    (one,), (always,) = (judged(always, limits).judgements for always in (False, True))  # type: ignore[arg-type]
    assert always.status == "undecided"
    assert "as wide as those that hold at all times" in always.sentence
    assert "at all times" not in one.sentence
    if one.needed_rows is not None and always.needed_rows is not None:
        assert always.needed_rows > one.needed_rows


def test_a_claim_has_an_asymptotic_interval_or_decides_nothing() -> None:
    limits = {"roc_auc": {"at_least": 0.6}, "roc_auc_difference[group]": {"at_most": 0.5}}
    found = {str(one.key): one for one in judged(True, limits).judgements}  # type: ignore[arg-type]
    area, gap = found["roc_auc"], found["roc_auc_difference[group]"]
    assert area.status == "passed"
    assert area.finding.interval.method.startswith("always valid, asymptotic")  # type: ignore[union-attr]
    assert gap.status == "undecided"
    assert "There is no interval of it that holds at all times" in gap.sentence


def test_a_drop_is_judged_by_both_intervals() -> None:
    limits = {"accuracy": {"max_drop": 0.2}}
    policy = {"defaults": {"always_valid": True}, "limits": limits}
    (found,) = eh.judge(RECORD, policy, baseline=record(seed=1)).judgements
    (usual,) = eh.judge(RECORD, {"limits": limits}, baseline=record(seed=1)).judgements
    wide, narrow = (one.finding.interval for one in (found, usual))  # type: ignore[union-attr]
    assert found.status == "passed"
    assert wide.high > narrow.high  # type: ignore[union-attr,operator]
    assert wide.method == "always valid, asymptotic; mover of two independent audits"  # type: ignore[union-attr]


@pytest.mark.parametrize("table", ["defaults", "limit"])
def test_it_is_true_or_false(table: str) -> None:
    limit: dict[str, object] = {"at_least": 0.7}
    policy = {"defaults": {}, "limits": {"accuracy": limit}}
    (limit if table == "limit" else policy["defaults"])["always_valid"] = "yes"
    with pytest.raises(PolicyError, match="always_valid = 'yes' has the wrong type"):
        eh.load_policy(policy)


def test_a_declaration_knows_nothing_of_it() -> None:
    policy = {
        "defaults": {"always_valid": True},
        "limits": {"accuracy": {"at_least": 0.1}, "declared[oversight]": {"required": True}},
    }
    assert [limit.always_valid for limit in eh.load_policy(policy).limits] == [True, False]
