"""``evenhand compare``: what changed between two audits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.output.printing import put
from evenhand.output.sanitising import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenhand.evidence.pairing import PairedPredictions
    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key


@click.command(name="compare")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@file_flag("--policy", "-p", help="Compare the verdicts of this policy, limit by limit.")
@file_flag("--old-predictions", help="File written by --keep-predictions for OLD.")
@file_flag("--new-predictions", help="The same for NEW: changes are paired by row.")
@click.option("--all", "everything", is_flag=True, help="Also show findings whose intervals overlap.")
def command(
    old: Path,
    new: Path,
    policy: Path | None,
    old_predictions: Path | None,
    new_predictions: Path | None,
    everything: bool,
) -> None:
    """Show what changed from OLD to NEW (two audit.json).

    With the predictions that both audits kept, rates are compared row by row; a change is one whose paired interval
    excludes 0. Without them a finding is called changed when its two intervals do not overlap: a cautious rule for two
    audits on different rows. Two models on the same rows can also be audited together: audit with --original.

    \b
    Examples:
      evenhand compare last_release.json audit.json --policy policy.toml
      evenhand compare old.json new.json --old-predictions old.parquet --new-predictions new.parquet
    """
    from evenhand.cli.pairs import paired
    from evenhand.policy.baseline import refuse_other_subject
    from evenhand.records import read_record

    before, after = read_record(old), read_record(new)
    refuse_other_subject(after, before)
    pairs = paired(after, new_predictions, before, old_predictions)
    if policy is not None:
        for line in _verdicts(before, after, policy):
            put(line)
    rows = [(plain(name), text) for name, text in _findings(before, after, pairs, everything)]
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        put(f"{name:<{width}}  {text}")
    if not rows:
        put("No finding changed by more than both intervals allow. Show all with --all.")


def _verdicts(before: AuditRecord, after: AuditRecord, place: Path) -> Iterator[str]:
    """Yield the outcome of each limit: new, worse, unchanged, better or fixed."""
    from evenhand.policy import judge, load_policy
    from evenhand.policy.baseline import became

    policy = load_policy(place).without("signature")  # none is checked here
    old, new = (judge(one, policy, baseline=before, new_threshold=True) for one in (before, after))
    for judgement in new.judgements:
        was = judgement.before or "absent"
        word = became(judgement.before, judgement.status)
        told = judgement.status if was == judgement.status else f"{was} -> {judgement.status}"
        yield f"{word:<9}  {judgement.key}  {told}"
    yield f"verdict: {old.status} -> {new.status}"


def _findings(
    before: AuditRecord, after: AuditRecord, pairs: PairedPredictions | None, everything: bool
) -> Iterator[tuple[str, str]]:
    """Yield the change of each finding that either audit states; the other may compute it from counts."""
    from evenhand.findings import Absent

    stated: dict[Key, Finding] = {}
    for finding in (*after.findings, *before.findings):
        if not finding.volatile:
            stated.setdefault(finding.key, finding)
    for finding in stated.values():
        level = finding.interval.level if finding.interval is not None else None
        now, was = after.find(finding.key, level), before.find(finding.key, level)
        if isinstance(was, Absent):
            yield finding.name, f"new      {_shown(finding)}"
        elif isinstance(now, Absent):
            yield finding.name, f"gone     {_shown(finding)}"
        elif (told := _change(was, now, pairs, everything)) is not None:
            yield finding.name, told


def _change(was: Finding, now: Finding, pairs: PairedPredictions | None, everything: bool) -> str | None:
    """Describe the change of a finding; None where it did not change, unless `everything`."""
    level = now.interval.level if now.interval is not None else None
    change = pairs.change(now.key, level) if pairs is not None and level is not None else None
    apart = _apart(was, now) if change is None else _excludes_zero(change)
    if not apart and not everything:
        return None
    told = f"{_shown(was)} -> {_shown(now)}"
    if change is not None:
        return f"{'changed' if apart else 'paired '}  {told}; paired {_shown(change)}"
    return f"{'changed' if apart else 'overlap'}  {told}"


def _excludes_zero(change: Finding) -> bool:
    low, high = (change.interval.low, change.interval.high) if change.interval is not None else (None, None)
    return low is not None and high is not None and not low <= 0 <= high


def _apart(old: Finding, new: Finding) -> bool:
    if old.estimate is None or new.estimate is None:
        return old.estimate is not new.estimate
    if old.interval is None or new.interval is None:
        return old.estimate != new.estimate
    return _below(old, new) or _below(new, old)


def _below(left: Finding, right: Finding) -> bool:
    assert left.interval is not None and right.interval is not None  # checked by the caller
    high, low = left.interval.high, right.interval.low
    return high is not None and low is not None and high < low


def _shown(finding: Finding) -> str:
    if finding.estimate is None:
        return "undefined"
    if finding.interval is None:
        return f"{finding.estimate:.4g}"
    low, high = finding.interval.low, finding.interval.high
    ends = ["..." if end is None else f"{end:.3f}" for end in (low, high)]
    return f"{finding.estimate:.3f} [{', '.join(ends)}] (n={finding.support:,})"
