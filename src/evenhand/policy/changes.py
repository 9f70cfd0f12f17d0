"""What changed between two audits beyond noise, and what did not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.findings import Absent
from evenhand.policy.regression_limits import independent_change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.findings import AuditRecord, Finding, Interval
    from evenhand.keys import Key
    from evenhand.policy.baseline import Pairs

Kind: TypeAlias = Literal["changed", "noise", "same", "bare", "undefined", "new", "gone"]
"""``bare``: without an interval nothing tells noise from change; ``undefined``: it has a value in one audit only."""

EXACT: Final = frozenset({"file_bytes", "parameters", "nonzero_parameters", "macs", "size_ratio"})
"""What is counted and not estimated: each difference is a change."""
FALSE_SHARE: Final = 0.05
"""The share of changes called real that may be none, on average."""


@dataclass(frozen=True, slots=True)
class Change:
    """A finding in two audits."""

    key: Key
    """Its name."""
    kind: Kind
    """What became of it."""
    before: Finding | None = None
    """The finding of the earlier audit."""
    now: Finding | None = None
    """The finding of the later audit."""
    estimate: float | None = None
    """The change, now minus before."""
    interval: Interval | None = None
    """Its interval: paired over rows that both audits kept, else of independent audits."""
    paired: bool = False
    """Whether rows were paired."""
    surprise: float = 1.0
    """The two-sided p-value that its interval gives."""


def changes(before: AuditRecord, after: AuditRecord, pairs: Pairs | None = None) -> tuple[Change, ...]:
    """Compare every finding that either audit states; the other may compute it from its counts.

    A change has an interval: paired where both audits kept their predictions, else by square-and-add over the two
    intervals (Zou and Donner 2008), as of independent audits. An audit states a thousand findings, of which some leave
    0 by chance; so a change is told from noise by the procedure of Benjamini and Hochberg (1995) over all that have an
    interval: of those called changed, at most 5 % are none, on average.

    Parameters
    ----------
    before, after : AuditRecord
        The earlier and the later audit, of the same label.
    pairs : Pairs, optional
        The rows that both audits share.

    Returns
    -------
    tuple of Change
        In the order in which the later audit states them.
    """
    stated: dict[Key, Finding] = {}
    for finding in (*after.findings, *before.findings):
        if not finding.volatile:
            stated.setdefault(finding.key, finding)
    found = [_change(before, after, finding, pairs) for finding in stated.values()]
    last = _last_beyond_noise([change.surprise for change in found if change.interval is not None])
    return tuple(_settled(change, last) for change in found)


def strongest(found: Sequence[Change]) -> list[Change]:
    """Return what changed beyond noise, the least likely by chance first."""
    return sorted((change for change in found if change.kind == "changed"), key=lambda change: change.surprise)


def by_chance(found: Sequence[Change]) -> int:
    """Return how many of those within noise have an interval without 0, as some do by chance."""
    return sum(change.kind == "noise" and not _holds_zero(change.interval) for change in found)


def _change(before: AuditRecord, after: AuditRecord, stated: Finding, pairs: Pairs | None) -> Change:
    key, level = stated.key, None if stated.interval is None else stated.interval.level
    now, was = after.find(key, level), before.find(key, level)
    if isinstance(was, Absent):
        return Change(key, "new", now=stated)
    if isinstance(now, Absent):
        return Change(key, "gone", before=stated)
    if now.estimate is None or was.estimate is None:
        return Change(key, "same" if now.estimate is was.estimate else "undefined", was, now)
    change = None if pairs is None or level is None else pairs.change(key, level)
    if change is not None:
        estimate, interval = change.estimate, change.interval
    else:
        estimate, interval = independent_change(now, was)
    if interval is None or estimate is None:
        kind: Kind = "same" if now.estimate == was.estimate else "changed" if key.metric in EXACT else "bare"
        return Change(key, kind, was, now, estimate, surprise=0.0)
    return Change(key, "noise", was, now, estimate, interval, change is not None, _surprise(estimate, interval))


def _surprise(estimate: float, interval: Interval) -> float:
    """Return the p-value of no change: how far the interval would have to widen to reach 0."""
    nearer = interval.low if estimate > 0 else interval.high
    if estimate == 0 or nearer is None:
        return 1.0
    margin = abs(estimate - nearer)
    if margin == 0:
        return 0.0
    deviations = NormalDist().inv_cdf((1 + interval.level) / 2) * abs(estimate) / margin
    return 2 * NormalDist().cdf(-deviations)


def _last_beyond_noise(surprises: Sequence[float]) -> float:
    """Return the greatest p-value that is no noise among all of them; below 0 where every one is."""
    passing = _passing(sorted(surprises))
    return max(passing, default=-1.0)


def _passing(ordered: Sequence[float]) -> Iterator[float]:
    for rank, surprise in enumerate(ordered, 1):
        if surprise <= FALSE_SHARE * rank / len(ordered):
            yield surprise


def _settled(change: Change, last: float) -> Change:
    if change.interval is None or change.surprise > last or _holds_zero(change.interval):
        return change
    return replace(change, kind="changed")


def _holds_zero(interval: Interval | None) -> bool:
    if interval is None or interval.low is None or interval.high is None:
        return True
    return interval.low <= 0 <= interval.high
