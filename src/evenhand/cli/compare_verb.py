"""``evenhand compare``: what changed between two audits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord, Finding


@click.command(name="compare")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--policy", "-p", type=click.Path(path_type=Path), help="Compare the verdicts of this policy, limit by limit."
)
@click.option("--all", "everything", is_flag=True, help="Show findings whose intervals overlap, too.")
def command(old: Path, new: Path, policy: Path | None, everything: bool) -> None:
    """Show what changed from OLD to NEW (two audit.json).

    A finding is called changed when its two intervals do not overlap: that is a cautious rule for two audits on
    different rows. For two models on the same rows, audit the new one with --original: it compares them row by row.

    \b
    Example: evenhand compare last_release.json audit.json --policy policy.toml
    """
    from evenhand.records import read_record

    before, after = read_record(old), read_record(new)
    if policy is not None:
        for line in _verdicts(before, after, policy):
            click.echo(line)
    rows = list(_findings(before, after, everything))
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        click.echo(f"{name:<{width}}  {text}")
    if not rows:
        click.echo("No finding changed by more than both intervals allow. Show all with --all.")


def _verdicts(before: AuditRecord, after: AuditRecord, place: Path) -> Iterator[str]:
    from evenhand.policy import judge, load_policy

    policy = load_policy(place)
    old, new = judge(before, policy), judge(after, policy)
    earlier = {str(judgement.limit): judgement.status for judgement in old.judgements}
    for judgement in new.judgements:
        was = earlier.get(str(judgement.limit), "absent")
        name = judgement.finding.name if judgement.finding is not None else str(judgement.limit.key)
        yield f"{was} -> {judgement.status}  {name}" if was != judgement.status else f"still {was}  {name}"
    yield f"verdict: {old.status} -> {new.status}"


def _findings(before: AuditRecord, after: AuditRecord, everything: bool) -> Iterator[tuple[str, str]]:
    earlier = {finding.key: finding for finding in before.findings}
    for finding in after.findings:
        if finding.volatile:
            continue
        was = earlier.pop(finding.key, None)
        if was is None:
            yield finding.name, f"new      {_shown(finding)}"
        elif _apart(was, finding):
            yield finding.name, f"changed  {_shown(was)} -> {_shown(finding)}"
        elif everything:
            yield finding.name, f"overlap  {_shown(was)} -> {_shown(finding)}"
    for finding in earlier.values():
        if not finding.volatile:
            yield finding.name, f"gone     {_shown(finding)}"


def _apart(old: Finding, new: Finding) -> bool:
    if old.estimate is None or new.estimate is None:
        return old.estimate is not new.estimate
    if old.interval is None or new.interval is None:
        return old.estimate != new.estimate
    return _below(old, new) or _below(new, old)


def _below(left: Finding, right: Finding) -> bool:
    assert left.interval is not None and right.interval is not None  # asked for by the caller
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
