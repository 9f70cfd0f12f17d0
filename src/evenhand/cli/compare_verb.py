"""``evenhand compare``: what changed between two audits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.cli.places import LIMITS, NEAREST, has_policy, usual_policy
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.output.printing import put
from evenhand.output.sanitising import plain
from evenhand.policy.changes import by_chance, strongest
from evenhand.policy.wording import limit_text, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy.changes import Change, Kind
    from evenhand.policy.verdict import Judgement

MOST: Final = 40
"""Changes that are shown without --all."""


@click.command(name="compare")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@file_flag("--policy", "-p", help=f"Compare the verdicts of this policy, limit by limit.  [default: {NEAREST}, if any]")
@file_flag("--old-predictions", help="File written by --keep-predictions for OLD.")
@file_flag("--new-predictions", help="The same for NEW: changes are paired by row.")
@click.option("--all", "everything", is_flag=True, help="Show every finding and every limit, within noise or not.")
@quiet_flag
def command(
    old: Path,
    new: Path,
    policy: Path | None,
    old_predictions: Path | None,
    new_predictions: Path | None,
    everything: bool,
) -> None:
    """Show what changed from OLD to NEW (two audit.json): what changed the verdict first, then what is beyond noise.

    The verdict is of --policy, or of the policy.toml that the gate would take. A change has an interval: paired row by
    row with the predictions that both audits kept, else of two independent audits. Of a thousand findings some leave 0
    by chance: those are within noise, and are counted. Two models on the same rows can also be audited together: audit
    with --original.

    \b
    Examples:
      evenhand compare last_release.json audit.json --policy policy.toml
      evenhand compare old.json new.json --old-predictions old.parquet --new-predictions new.parquet
    """
    from evenhand.cli.pairs import paired
    from evenhand.errors import InputError
    from evenhand.policy.baseline import refuse_other_subject
    from evenhand.policy.changes import changes
    from evenhand.records import read_record

    before, after = read_record(old), read_record(new)
    if any("suppressed_below" in record.provenance for record in (before, after)):
        raise InputError("A copy for publication has no counts to compare. Name the full records.")
    refuse_other_subject(after, before)
    pairs = paired(after, new_predictions, before, old_predictions)
    limits = policy or (usual_policy() if has_policy() else None)
    if limits is not None:
        put_all(_verdicts(before, after, limits, everything))
    found = changes(before, after, pairs)
    put_all([*_aligned(found, everything), *counted(found)])
    summarize([], ["evenhand", "report", new, "--policy", limits or LIMITS, "--baseline", old])


def put_all(lines: Iterable[str]) -> None:
    """Print lines to stdout."""
    for line in lines:
        put(line)


def _verdicts(before: AuditRecord, after: AuditRecord, place: Path, everything: bool) -> Iterator[str]:
    """Yield the verdicts, then the limits that changed them: new, worse, better or fixed; the others are counted."""
    from evenhand.policy import judge, load_policy
    from evenhand.policy.baseline import became

    policy = load_policy(place).without("signature")  # none is checked here
    old, new = (judge(one, policy, baseline=before, new_threshold=True) for one in (before, after))
    yield f"verdict: {old.status} -> {new.status}"
    were = {(str(judgement.limit), str(judgement.key)): judgement for judgement in old.judgements}
    as_before = 0
    for judgement in new.judgements:
        word = became(judgement.before, judgement.status)
        if str(word) == "unchanged" and not everything:
            as_before += 1
            continue
        was = were.get((str(judgement.limit), str(judgement.key)))
        yield f"{word:<9}  {judgement.key}  {_told(judgement, was)}"
    if as_before:
        yield f"{as_before:,} of {len(new.judgements):,} limits are as before."


def _told(judgement: Judgement, was: Judgement | None) -> str:
    """Return a limit's status before and now, with what was measured, and whether it stops a release."""
    before = judgement.before or "absent"
    statuses = judgement.status if before == judgement.status else f"{before} -> {judgement.status}"
    values = "" if judgement.limit.required else f"  {_values(was, judgement)}  limit {limit_text(judgement.limit)}"
    return f"{statuses}{values}" + ("  stops" if judgement.stops else "")


def _values(was: Judgement | None, judgement: Judgement) -> str:
    before = None if was is None else was.finding
    return f"{measured(before, judgement.limit)} -> {measured(judgement.finding, judgement.limit)}"


def _aligned(found: Sequence[Change], everything: bool) -> Iterator[str]:
    """Yield the changes, strongest first and no more than `MOST`; with `everything` all findings in their order."""
    beyond = strongest(found)
    shown = [change for change in found if change.kind != "same" or everything] if everything else beyond[:MOST]
    names = [plain(str(change.key)) for change in shown]
    width = max(map(len, names), default=0)
    for name, change in zip(names, shown, strict=True):
        yield f"{name:<{width}}  {_shown(change)}"
    if not everything and len(beyond) > MOST:
        yield f"and {len(beyond) - MOST:,} more that changed; show all with --all"


def counted(found: Sequence[Change]) -> Iterator[str]:
    """Yield one line on what changed beyond noise, and one on what cannot be compared."""
    kinds = Counter(change.kind for change in found)
    compared = sum(change.interval is not None for change in found)
    beyond = kinds["changed"]
    first = f"{beyond:,} findings changed beyond noise" if beyond else "No finding changed beyond noise"
    alone = by_chance(found)
    chance = f" ({alone:,} exclude 0 on their own, as some of so many do by chance)" if alone else ""
    yield f"{first}; of {compared:,} compared {kinds['noise']:,} are within noise{chance}."
    words: dict[Kind, str] = {
        "bare": "without an interval",
        "undefined": "undefined in one",
        "new": "only in NEW",
        "gone": "only in OLD",
    }
    left = [f"{kinds[kind]:,} {word}" for kind, word in words.items() if kinds[kind]]
    if left:
        yield f"Not compared: {', '.join(left)}; show them with --all."


def _shown(change: Change) -> str:
    if change.before is None or change.now is None:
        there = change.now or change.before
        assert there is not None  # one of both audits states it
        return f"{change.kind:<9}  {_finding(there)}"
    told = f"{change.kind:<9}  {_finding(change.before)} -> {_finding(change.now)}"
    if change.interval is None or change.estimate is None:
        return told
    ends = ", ".join("..." if end is None else f"{end:.3f}" for end in (change.interval.low, change.interval.high))
    return f"{told}; {'paired' if change.paired else 'change'} {change.estimate:+.3f} [{ends}]"


def _finding(finding: Finding) -> str:
    if finding.estimate is None:
        return "undefined"
    if finding.interval is None:
        return f"{finding.estimate:.4g}"
    ends = ("..." if end is None else f"{end:.3f}" for end in (finding.interval.low, finding.interval.high))
    return f"{finding.estimate:.3f} [{', '.join(ends)}] (n={finding.support:,})"
