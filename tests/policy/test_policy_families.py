"""Sixteen limits at their truth: by itself each fails in 2.5 %, some one in a fifth; together by Holm in 2.5 %."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import PolicyError
from evenhand.findings import AuditRecord, Finding, Interval
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.policy.deciding import compare
from evenhand.policy.families import fail_together
from evenhand.policy.verdict import Judgement

if TYPE_CHECKING:
    from evenhand.keys import Key
    from evenhand.policy.limits import Policy

LIMITS = 16
TRUTH = 0.8


def record_of(hits: np.ndarray, rows: int) -> AuditRecord:
    """Return a record in which so many of the rows of each group are decided right."""
    truth = np.arange(rows * len(hits)) % 2
    decided = np.where((np.arange(rows) < hits[:, None]).ravel(), truth, 1 - truth)
    names = np.repeat([f"g{at:02}" for at in range(len(hits))], rows)
    return eh.audit_predictions(truth.tolist(), decided.tolist(), sensitive_features={"group": names.tolist()})


def policy_of(family: str, bound: float = TRUTH) -> Policy:
    limits = {f"accuracy[group=g{at:02}]": {"at_least": bound} for at in range(LIMITS)}
    return eh.load_policy({"defaults": {"family": family}, "limits": limits})


def share(key: Key, hits: int, rows: int, level: float) -> Finding:
    """Return the finding of a share of rows."""
    low, high = clopper_pearson([hits], [rows], z_of(level))
    return Finding(key, "performance", hits / rows, Interval(float(low[0]), float(high[0]), level, "exact"), rows)


def judged(findings: dict[Key, tuple[int, int]], policy: Policy, claims: tuple[Key, ...] = ()) -> list[Judgement]:
    """Return the judgements of shares, together as the policy says; of claims no count gives another interval."""
    found = []
    for limit in policy.limits:
        finding = share(limit.key, *findings[limit.key], policy.confidence)
        status = compare(finding, limit, policy)
        found.append(Judgement(limit, limit.key, status, finding, "", status != "passed"))

    def again(judgement: Judgement, level: float) -> Finding | None:
        return None if judgement.key in claims else share(judgement.key, *findings[judgement.key], level)

    return fail_together(found, policy, again)


def test_some_limit_at_its_truth_fails_as_rarely_as_stated_by_holm_and_often_without() -> None:
    rng, rounds, rows = np.random.default_rng(3), 600, 300
    policies, failed = {family: policy_of(family) for family in ("limit", "holm")}, {"limit": 0, "holm": 0}
    for _ in range(rounds):
        hits = rng.binomial(rows, TRUTH, LIMITS).tolist()
        for family, policy in policies.items():
            findings = {limit.key: (hit, rows) for limit, hit in zip(policy.limits, hits, strict=True)}
            failed[family] += any(one.status == "failed" for one in judged(findings, policy))
    assert failed["limit"] > 0.15 * rounds
    assert failed["holm"] <= 0.025 * rounds + 3 * np.sqrt(0.025 * rounds)


def test_what_is_far_outside_fails_and_what_is_left_is_judged_at_the_level_that_is_left() -> None:
    hits = np.full(LIMITS, 290)
    hits[:3] = 100, 120, 222
    record = record_of(hits, 300)
    alone, together = (eh.judge(record, policy_of(family)) for family in ("limit", "holm"))
    statuses = {str(judgement.key): judgement.status for judgement in together.judgements}
    assert [statuses[f"accuracy[group=g0{at}]"] for at in range(4)] == ["failed", "failed", "undecided", "passed"]
    assert sum(judgement.status == "failed" for judgement in alone.judgements) == 3
    assert any("Holm" in str(remark) for remark in together.remarks)
    assert not any("Holm" in str(remark) for remark in alone.remarks)


def test_the_interval_that_is_shown_is_the_one_that_judged() -> None:
    rng = np.random.default_rng(5)
    for _ in range(3):
        record = record_of(rng.binomial(200, rng.uniform(0.6, 0.95, LIMITS)), 200)
        for judgement in eh.judge(record, policy_of("holm")).judgements:
            assert judgement.finding is not None
            interval = judgement.finding.interval
            assert interval is not None and interval.low is not None and interval.high is not None
            assert (judgement.status == "failed") == (interval.high < TRUTH)
            assert (judgement.status == "passed") == (interval.low >= TRUTH)


def test_a_claim_whose_interval_no_counts_give_does_not_fail_by_holm() -> None:
    for family, wanted in (("limit", "failed"), ("holm", "undecided")):
        policy = policy_of(family)
        findings = {limit.key: (150, 300) for limit in policy.limits}
        first = judged(findings, policy, claims=(policy.limits[0].key,))[0]
        assert (first.status, first.stops) == (wanted, True)
        assert ("no counts give" in str(first.reason)) == (family == "holm")


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(PolicyError, match="family is 'hochberg'"):
        eh.load_policy({"defaults": {"family": "hochberg"}, "limits": {"accuracy": {"at_least": 0.5}}})
