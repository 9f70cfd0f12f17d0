"""Judging: three verdicts that rest on intervals, one exit code, and words that never contradict them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evenhand as eh
from evenhand.findings import AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.policy import lines
from evenhand.policy.limits import Limit
from evenhand.policy.wording import measured, number

TODAY = date(2026, 6, 1)


def finding(
    estimate: float | None, low: float | None = None, high: float | None = None, key: str = "accuracy", **more: object
) -> Finding:
    interval = None if low is None and high is None else Interval(low, high, 0.95, "wilson")
    values: dict[str, object] = {"support": 100, "groups": (GroupValue("", estimate, 100, 100),), **more}
    return Finding(Key.parse(key), "performance", estimate, interval, **values)  # type: ignore[arg-type]


def judged(found: Finding | list[Finding], limits: dict[str, dict[str, object]], **more: object) -> eh.Verdict:
    findings = found if isinstance(found, list) else [found]
    return eh.judge(AuditRecord(tuple(findings)), eh.load_policy({"limits": limits, **more}), today=TODAY)


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most"),
    [(0.81, 0.9, "passed", "failed"), (0.8, 0.9, "passed", "undecided"), (0.7, 0.79, "failed", "passed"),
     (0.7, 0.8, "undecided", "passed"), (0.7, 0.9, "undecided", "undecided")],
)  # fmt: skip
def test_the_whole_interval_decides(low: float, high: float, at_least: str, at_most: str) -> None:
    found = finding((low + high) / 2, low, high, "selection_rate")
    assert judged(found, {"selection_rate": {"at_least": 0.8}}).status == at_least
    assert judged(found, {"selection_rate": {"at_most": 0.8}}).status == at_most


def test_exit_codes() -> None:
    limits: dict[str, dict[str, object]] = {"accuracy": {"at_least": 0.8}}
    assert judged(finding(0.9, 0.85, 0.95), limits).exit_code == 0
    assert judged(finding(0.7, 0.65, 0.75), limits).exit_code == 1
    assert judged(finding(0.8, 0.7, 0.9), limits).exit_code == 3


def test_a_failure_outweighs_an_open_question() -> None:
    found = [finding(0.7, 0.65, 0.75), finding(0.8, 0.7, 0.9, "recall")]
    verdict = judged(found, {"accuracy": {"at_least": 0.8}, "recall": {"at_least": 0.8}})
    assert verdict.exit_code == 1
    assert [judgement.status for judgement in verdict.judgements] == ["failed", "undecided"]


def test_without_an_interval_a_value_is_exact() -> None:
    found = finding(1000.0, key="file_bytes", unit="bytes")
    assert judged(found, {"file_bytes": {"at_most": 1000}}).status == "passed"
    assert judged(found, {"file_bytes": {"at_most": 999}}).status == "failed"


def test_what_is_undefined_or_missing_has_not_passed() -> None:
    undefined = finding(None, key="recall", undefined="No row whose truth is positive.")
    assert judged(undefined, {"recall": {"at_least": 0.1}}).exit_code == 3
    assert judged(undefined, {"recall": {"at_least": 0.1, "undefined": "pass"}}).exit_code == 0
    assert judged([], {"recall": {"at_least": 0.1}}).exit_code == 3
    assert judged([], {"recall": {"at_least": 0.1, "missing": "warn"}}).exit_code == 0


def test_an_undefined_group_can_fail_a_limit_and_never_pass_it() -> None:
    def gap(low: float, high: float) -> Finding:
        return finding(
            (low + high) / 2, low, high, "recall_difference[race]", undefined_groups=("tiny",), note="tiny has none."
        )

    limits: dict[str, dict[str, object]] = {"recall_difference[race]": {"at_most": 0.1}}
    assert judged(gap(0.2, 0.4), limits).status == "failed"
    assert judged(gap(0.0, 0.05), limits).status == "undecided"
    assert "tiny" in judged(gap(0.0, 0.05), limits).judgements[0].sentence


def test_an_advisory_limit_is_shown_and_stops_nothing() -> None:
    found = [finding(0.5, 0.4, 0.6), finding(0.9, 0.85, 0.95, "recall")]
    verdict = judged(found, {"accuracy": {"at_least": 0.8, "advisory": True}, "recall": {"at_least": 0.8}})
    assert verdict.exit_code == 0
    assert "failed (advisory)" in "\n".join(lines(verdict))


def test_an_advisory_limit_stops_nothing_when_it_is_open_either() -> None:
    found = finding(0.9, 0.85, 0.95)
    for absent in ("recall", "roc_auc"):
        limits: dict[str, dict[str, object]] = {absent: {"at_least": 0.8, "advisory": True}}
        assert judged(found, {"accuracy": {"at_least": 0.8}, **limits}).exit_code == 0
    undecided = finding(0.8, 0.7, 0.9, "recall")
    verdict = judged([found, undecided], {"accuracy": {"at_least": 0.8}, "recall": {"at_least": 0.8, "advisory": True}})
    assert verdict.exit_code == 0


def test_undecided_stops_unless_the_policy_says_otherwise() -> None:
    found = finding(0.8, 0.7, 0.9)
    for effect, code in (("stop", 3), ("warn", 0), ("pass", 0)):
        assert judged(found, {"accuracy": {"at_least": 0.8, "undecided": effect}}).exit_code == code
        assert judged(found, {"accuracy": {"at_least": 0.8}}, defaults={"undecided": effect}).exit_code == code


def test_each_group_gets_its_own_judgement() -> None:
    found = [finding(0.9, 0.8, 0.95, f"recall[race={group}]") for group in ("a", "b", '"c"')]
    found.append(finding(0.9, 0.8, 0.95, "recall[race=a,sex=f]"))
    verdict = judged(found, {"recall[race=*]": {"at_least": 0.5}})
    assert {str(judgement.key) for judgement in verdict.judgements} == {str(f.key) for f in found[:3]}
    assert judged([], {"recall[race=*]": {"at_least": 0.5}}).exit_code == 3


def test_a_limit_in_another_spelling_is_the_same_limit() -> None:
    found = finding(0.7, 0.6, 0.75, "selection_rate_ratio[sex]")
    assert judged(found, {"demographic_parity_ratio[sex]": {"at_least": 0.8}}).exit_code == 1


def test_another_confidence_than_the_records_is_a_policy_error() -> None:
    with pytest.raises(eh.EvenhandError, match=r"defaults\.confidence is 0\.9.*--level 0\.9"):
        judged(finding(0.9, 0.8, 0.95), {"accuracy": {"at_least": 0.5}}, defaults={"confidence": 0.9})


ENDS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


BOUNDS = st.tuples(st.floats(0.001, 0.999), st.floats(0.001, 0.999)).map(sorted)


@given(ends=ENDS, bounds=BOUNDS, most=st.booleans())
def test_relaxing_a_limit_never_turns_passed_into_anything_else(
    ends: list[float], bounds: list[float], most: bool
) -> None:
    strict, loose = (bounds[0], bounds[1]) if most else (bounds[1], bounds[0])
    found, side = finding(sum(ends) / 2, *ends, "selection_rate"), "at_most" if most else "at_least"
    rank = {"failed": 0, "undecided": 1, "passed": 2}
    before, after = (judged(found, {"selection_rate": {side: bound}}).status for bound in (strict, loose))
    assert rank[after] >= rank[before]


@settings(max_examples=300)
@given(value=st.floats(0, 1), bound=st.integers(0, 1000).map(lambda part: part / 1000), near=st.booleans())
def test_a_number_shown_is_on_the_same_side_of_the_limit(value: float, bound: float, near: bool) -> None:
    if near:
        value = min(max(bound + (value - 0.5) * 1e-4, 0.0), 1.0)
    if 0 < abs(value - bound) < 1e-11:
        return
    shown = float(number(value, bound))
    assert (shown > bound) == (value > bound)
    assert (shown < bound) == (value < bound)


def test_both_ends_are_shown_away_from_the_limit() -> None:
    found = finding(0.85, 0.7996, 0.9)
    assert measured(found, Limit(found.key, at_least=0.8)) == "0.85 [0.7996, 0.90]"


WAIVER = {"limit": "accuracy", "reason": "RISK-311", "owner": "risk@example.org", "expires": date(2026, 8, 1)}


def waived(estimate: float, **more: object) -> eh.Verdict:
    found = finding(estimate, estimate - 0.05, estimate + 0.05)
    return judged(found, {"accuracy": {"at_least": 0.8}}, waivers=[{**WAIVER, **more}])


def test_a_waiver_lets_a_failure_through_until_its_day() -> None:
    assert waived(0.7).exit_code == 0
    assert "waived until 2026-08-01 by risk@example.org: RISK-311" in "\n".join(lines(waived(0.7)))
    expired = waived(0.7, expires=date(2026, 5, 31))
    assert expired.exit_code == 1
    assert any("expired on 2026-05-31" in remark for remark in expired.remarks)


def test_a_waiver_covers_down_to_what_was_accepted() -> None:
    assert waived(0.72, accept_to=0.7).exit_code == 0
    breached = waived(0.69, accept_to=0.7)
    assert breached.exit_code == 1
    assert any("no longer covers" in remark for remark in breached.remarks)


def test_what_was_accepted_is_a_greatest_value_for_a_limit_from_above() -> None:
    for accepted, code in ((0.35, 0), (0.25, 1)):
        found = finding(0.3, 0.25, 0.35, "recall_difference[sex]")
        waiver = {**WAIVER, "limit": "recall_difference[sex]", "accept_to": accepted}
        assert judged(found, {"recall_difference[sex]": {"at_most": 0.1}}, waivers=[waiver]).exit_code == code


def test_a_waiver_holds_on_its_last_day() -> None:
    assert waived(0.7, expires=TODAY).exit_code == 0


def test_a_waiver_that_does_not_hold_yet_is_told() -> None:
    early = waived(0.7, starts=date(2026, 6, 2))
    assert early.exit_code == 1
    assert any("does not hold before 2026-06-02" in remark for remark in early.remarks)
    assert waived(0.7, starts=TODAY).exit_code == 0


def test_a_waiver_holds_for_half_a_year_at_most() -> None:
    assert waived(0.7, expires=date(2026, 11, 28)).exit_code == 0
    long = waived(0.7, expires=date(2026, 11, 29))
    assert long.exit_code == 1
    assert any("more than 180 days ahead" in remark for remark in long.remarks)


def test_a_waiver_of_one_group_covers_no_other() -> None:
    found = [finding(0.5, 0.4, 0.6, f"recall[race={group}]") for group in ("a", "b")]
    verdict = judged(found, {"recall[race=*]": {"at_least": 0.8}}, waivers=[{**WAIVER, "limit": "recall[race=a]"}])
    assert {str(judgement.key): judgement.stops for judgement in verdict.judgements} == {
        "recall[race=a]": False,
        "recall[race=b]": True,
    }
    both = judged(found, {"recall[race=*]": {"at_least": 0.8}}, waivers=[{**WAIVER, "limit": "recall[race=*]"}])
    assert both.exit_code == 0


def test_a_waived_value_is_no_waived_drop() -> None:
    now, before = (
        replace(finding(*part), direction="higher_is_better") for part in ((0.7, 0.69, 0.71), (0.9, 0.89, 0.91))
    )
    for key, code in (("accuracy", 1), ("accuracy[;vs=baseline]", 0)):
        policy = eh.load_policy(
            {"limits": {"accuracy": {"at_least": 0.5, "max_drop": 0.1}}, "waivers": [{**WAIVER, "limit": key}]}
        )
        verdict = eh.judge(AuditRecord((now,)), policy, baseline=AuditRecord((before,)), today=TODAY)
        assert verdict.exit_code == code


def test_an_unused_waiver_is_told() -> None:
    assert any("is not used" in remark for remark in waived(0.95).remarks)


def test_small_groups_are_named() -> None:
    rows = {"sex": ["f"] * 5 + ["m"] * 200}
    record = eh.audit_predictions([1, 0, 1, 0, 1] * 41, [1, 0, 1, 0, 0] * 41, sensitive_features=rows)
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.1}}, "defaults": {"minimum_group_size": 30}})
    assert any("sex=f (5)" in remark for remark in eh.judge(record, policy, today=TODAY).remarks)


class TestAgainstABaseline:
    """Non-inferiority to an earlier audit: how much worse may it be?"""

    def verdict(self, now: Finding, before: Finding | None, **limit: float) -> eh.Verdict:
        baseline = None if before is None else AuditRecord((before,))
        policy = eh.load_policy({"limits": {now.name: limit or {"at_least": 0.5, "max_drop": 0.03}}})
        return eh.judge(AuditRecord((now,)), policy, baseline=baseline, today=TODAY)

    @pytest.mark.parametrize(
        ("now", "before", "status"),
        [((0.9, 0.89, 0.91), (0.9, 0.89, 0.91), "passed"), ((0.8, 0.79, 0.81), (0.9, 0.89, 0.91), "failed"),
         ((0.9, 0.85, 0.95), (0.92, 0.88, 0.96), "undecided")],
    )  # fmt: skip
    def test_passed_failed_undecided(
        self, now: tuple[float, float, float], before: tuple[float, float, float], status: str
    ) -> None:
        found = self.verdict(*(replace(finding(*part), direction="higher_is_better") for part in (now, before)))
        assert found.status == status
        assert {str(judgement.key) for judgement in found.judgements} == {"accuracy", "accuracy[;vs=baseline]"}

    def test_getting_better_is_no_drop_in_either_direction(self) -> None:
        now, before = (
            replace(finding(*part, "log_loss"), direction="lower_is_better")
            for part in ((0.3, 0.29, 0.31), (0.5, 0.49, 0.51))
        )
        assert self.verdict(now, before, max_drop=0.01).status == "passed"
        assert self.verdict(before, now, max_drop=0.01).status == "failed"

    def test_without_a_baseline_it_has_not_passed(self) -> None:
        found = self.verdict(finding(0.9, 0.89, 0.91), None)
        assert found.exit_code == 3
        assert any("--baseline" in judgement.sentence for judgement in found.judgements)

    def test_the_interval_of_the_drop_covers(self) -> None:
        import numpy as np

        from evenhand.metrics.inference.intervals import clopper_pearson
        from evenhand.policy.regression_limits import drop

        rng = np.random.default_rng(1)
        missed = 0
        for _ in range(500):
            parts = []
            for p in (0.86, 0.9):
                k = rng.binomial(300, p)
                low, high = clopper_pearson([k], [300], 1.959964)
                parts.append(replace(finding(k / 300, low[0], high[0]), direction="higher_is_better"))
            interval = drop(*parts).interval  # type: ignore[union-attr]
            assert interval is not None
            missed += not (interval.low or 0) <= 0.04 <= (interval.high or 0)
        assert missed / 500 <= 0.07


def test_the_first_limit_of_an_undefined_value_is_told_in_words() -> None:
    record = eh.audit_predictions([1] * 40, [1, 0] * 20, task="binary", sensitive_features={"sex": ["f", "m"] * 20})
    verdict = eh.judge(record, {"limits": {"false_positive_rate": {"at_most": 0.1}}})
    assert "First: false_positive_rate is undefined, the limit is <= 0.10." in verdict.sentence
