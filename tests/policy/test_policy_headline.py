"""The headline: what to do, and how many limits stop it; those that only warn are counted apart."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import pytest

import evenhand as eh
from evenhand.findings import AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.policy import headline
from evenhand.words import language

ENDS = {"passed": (0.85, 0.95), "failed": (0.6, 0.7), "undecided": (0.75, 0.85)}
TODAY = date(2026, 6, 1)
NAMES = ("accuracy", "recall", "precision", "f1_score", "specificity")


def stated(name: str, status: str) -> Finding:
    low, high = ENDS[status]
    part = GroupValue("", (low + high) / 2, 100, 100)
    interval = Interval(low, high, 0.95, "wilson")
    return Finding(Key.parse(name), "performance", part.estimate, interval, support=100, groups=(part,))


def verdict_of(*statuses: str, **effects: dict[str, Any]) -> eh.Verdict:
    named = dict(zip(NAMES, statuses, strict=False))
    limits = {name: {"at_least": 0.8, **effects.get(name, {})} for name in named}
    waivers = [
        {"limit": name, "reason": "RISK-1", "owner": "me", "expires": date(2026, 7, 1)}
        for name in named
        if limits[name].pop("waived", False)
    ]
    record = AuditRecord(tuple(stated(name, status) for name, status in named.items()))
    return eh.judge(record, eh.load_policy({"limits": limits, "waivers": waivers}), today=TODAY)


@pytest.mark.parametrize(
    ("statuses", "text", "counts"),
    [
        (("passed", "passed"), "Release: no limit stops it", "2 limits passed"),
        (("failed", "passed"), "Do not release: 1 limit stops it", "1 limit passed"),
        (("failed", "failed", "passed"), "Do not release: 2 limits stop it", "1 limit passed"),
        (
            ("failed", "undecided", "passed"),
            "Do not release: 2 limits stop it",
            "1 failed, 1 undecided; 1 limit passed",
        ),
        (("undecided", "passed"), "Not shown yet: 1 limit is undecided", "1 limit passed"),
        (("undecided", "undecided"), "Not shown yet: 2 limits are undecided", "0 limits passed"),
    ],
)
def test_it_says_what_to_do(statuses: tuple[str, ...], text: str, counts: str) -> None:
    verdict = verdict_of(*statuses)
    found = headline(verdict)
    assert (found.text, found.counts, found.aside, found.status) == (text, counts, "", verdict.status)


def test_what_only_warns_is_counted_apart() -> None:
    """An advisory failure, a waived one and an undecided one that the policy allows: all stop nothing."""
    verdict = verdict_of(
        "failed", "failed", "undecided", "passed",
        accuracy={"advisory": True}, recall={"waived": True}, precision={"undecided": "warn"},
    )  # fmt: skip
    found = headline(verdict)
    assert verdict.exit_code == 0
    assert found.text == "Release: no limit stops it"
    assert found.aside == "3 more did not pass and only warn (1 advisory, 1 allowed by the policy, 1 waived)"
    alone = headline(verdict_of("failed", "passed", accuracy={"advisory": True}))
    assert alone.aside == "1 more did not pass and only warns (advisory)"


def test_each_has_its_shape() -> None:
    assert [headline(verdict_of(status)).sign for status in ENDS] == ["●", "▲", "□"]
    assert headline(None).sign == "○"


def test_without_a_policy_it_is_measured_and_not_judged() -> None:
    assert headline(None).text == headline(None, AuditRecord(())).text == "Measured, not judged"


def study(*verdicts: Literal["passed", "failed", "undecided"] | None, policy: bool = True) -> AuditRecord:
    tried = [
        {"name": f"m{at}", "recipes": [], "balance": [], "failure": "", "verdict": one, "sentence": None}
        for at, one in enumerate(verdicts)
    ]
    smallest = next((each["name"] for each in tried if each["verdict"] == "passed"), None)
    judged = {"name": "policy.toml", "sha256": "0" * 64} if policy else None
    return AuditRecord((), provenance={"study": {"candidates": tried, "smallest": smallest, "policy": judged}})  # type: ignore[arg-type,typeddict-item]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (study("failed", "passed"), "Release m1: of 2 models the smallest that passes"),
        (study("failed", "failed", None), "Do not release: of 3 models none passes"),
        (study("failed", "undecided"), "Not shown yet: no model passes, 1 of 2 is undecided"),
        (study(None, policy=False), "Measured, not judged"),
    ],
)
def test_a_study_has_one_verdict(record: AuditRecord, text: str) -> None:
    assert headline(None, record).text == text


def test_it_is_said_in_chinese() -> None:
    say = language("zh-CN").say
    verdict = verdict_of("failed", "undecided", "failed", precision={"advisory": True})
    found = headline(verdict)
    assert all(
        any("\u4e00" <= char <= "\u9fff" for char in say(part)) for part in (found.text, found.counts, found.aside)
    )
