"""The exit code, the status, the sentence and every format agree in every cell of status, effect, waiver and age."""

from __future__ import annotations

import itertools
import re
from datetime import date
from xml.etree import ElementTree as ET

import pytest

import evenhand as eh
from evenhand.findings import AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key

TODAY = date(2026, 6, 1)
ENDS = {"passed": (0.85, 0.95), "failed": (0.5, 0.6), "undecided": (0.7, 0.9)}
CELLS = list(
    itertools.product(
        ("passed", "failed", "undecided", "missing"),
        ("blocking", "advisory"),
        ("stop", "pass"),
        (False, True),
        (None, "passed", "failed", "undecided"),
    )
)


def stated(key: str, status: str) -> tuple[Finding, ...]:
    if status == "missing":
        return ()
    low, high = ENDS[status]
    parts = (GroupValue("", (low + high) / 2, 100, 100),)
    return (Finding(Key.parse(key), "x", (low + high) / 2, Interval(low, high, 0.95, "wilson"), 100, groups=parts),)


def verdict_of(status: str, kind: str, effect: str, waived: bool, before: str | None) -> tuple[AuditRecord, eh.Verdict]:
    """Judge one limit in that state, with another that always passes."""
    record = AuditRecord((*stated("accuracy", status), *stated("recall", "passed")))
    limit = {"at_least": 0.8, "advisory": kind == "advisory", "undecided": effect, "missing": effect}
    waiver = {"limit": "accuracy", "reason": "RISK-1", "owner": "me", "expires": date(2026, 7, 1)}
    policy = eh.load_policy(
        {
            "limits": {"accuracy": limit, "recall": {"at_least": 0.8}},
            "waivers": [waiver] if waived else [],
        }
    )
    earlier = None if before is None else AuditRecord((*stated("accuracy", before), *stated("recall", "passed")))
    return record, eh.judge(record, policy, baseline=earlier, new_only=earlier is not None, today=TODAY)


def expected(status: str, kind: str, effect: str, waived: bool, before: str | None) -> tuple[int, str]:
    """Return the exit code, and why the limit stops nothing though it did not pass."""
    open_ = status in ("undecided", "missing")
    rank = {"failed": 0, "undecided": 1, "missing": 1, "passed": 2}
    if status == "passed" or kind == "advisory":
        return 0, ""
    if open_ and effect == "pass":
        return 0, "allowed by the policy"
    if before is not None and rank[before] <= rank[status]:
        return 0, "not new"
    if waived:
        return 0, "waived"
    return (3 if open_ else 1), ""


@pytest.mark.parametrize(("status", "kind", "effect", "waived", "before"), CELLS)
def test_all_that_is_said_agrees(status: str, kind: str, effect: str, waived: bool, before: str | None) -> None:
    record, verdict = verdict_of(status, kind, effect, waived, before)
    code, excuse = expected(status, kind, effect, waived, before)
    assert verdict.exit_code == code
    words = {0: "Passed", 1: "Failed", 3: "Undecided"}
    assert verdict.sentence.startswith(words[code])
    blocking = 2 if kind == "blocking" else 1
    passed = 1 + (kind == "blocking" and status == "passed")
    assert f"{passed} of {blocking} blocking limits passed" in verdict.sentence
    shown = "failed" if status == "failed" else "undecided"
    if excuse:
        assert verdict.sentence == (
            f"Passed with exceptions: {passed} of {blocking} blocking limits passed; without stopping: "
            f"1 {shown} ({excuse})."
        )
    else:
        failed, undecided = int(code == 1), int(code == 3)
        assert f", {failed} failed, {undecided} undecided." in verdict.sentence
        assert "exceptions" not in verdict.sentence
    numbers = list(map(int, re.findall(r"(\d+) (?:failed|undecided)", verdict.sentence)))
    assert passed + sum(numbers) == blocking, "every blocking limit is counted once"
    assert (code != 0) == any(judgement.stops for judgement in verdict.judgements)

    suite = ET.fromstring(eh.render(record, verdict, "junit")).find("testsuite")
    assert suite is not None
    assert (int(suite.get("failures", "")) > 0) == (code != 0)
    assert ("::error" in eh.render(record, verdict, "github")) == (code != 0)
    severities = re.findall('"severity": "(critical|major|blocker)"', eh.render(record, verdict, "gitlab"))
    assert (len(severities) > 0) == (code != 0)
    assert f'"exit_code": {code}' in eh.render(record, verdict, "json")


def test_the_sentences_of_the_issue() -> None:
    for waived, before, why in ((True, None, "waived"), (False, "failed", "not new")):
        _, verdict = verdict_of("failed", "blocking", "stop", waived, before)
        assert not verdict.sentence.startswith("Passed: ")
        assert f"1 failed ({why})" in verdict.sentence


def test_a_failure_beside_a_waived_one_is_counted_apart() -> None:
    record = AuditRecord((*stated("accuracy", "failed"), *stated("recall", "failed")))
    waiver = {"limit": "accuracy", "reason": "RISK-1", "owner": "me", "expires": date(2026, 7, 1)}
    limits = {"accuracy": {"at_least": 0.8}, "recall": {"at_least": 0.8}}
    verdict = eh.judge(record, eh.load_policy({"limits": limits, "waivers": [waiver]}), today=TODAY)
    assert verdict.exit_code == 1
    assert verdict.tally == (
        "Failed: 0 of 2 blocking limits passed, 1 failed, 0 undecided; without stopping: 1 failed (waived)."
    )
