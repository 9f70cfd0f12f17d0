"""Rows needed to decide an undecided limit, if the observed rates are the true ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from evenhand.errors import shorten
from evenhand.messages import message
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evenhand.findings import AuditRecord, Finding, GroupValue
    from evenhand.policy.limits import Limit

CHANCE: Final = 0.8
"""The power for which rows are computed."""
PRACTICAL: Final = 10_000_000
"""More rows than this are not practical."""
NAMED: Final = 3
"""More groups than this are counted and not named."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The value of one group, with its rows and error."""

    name: str
    value: float
    variance: float
    """Of the value, times `support`: its standard error is sqrt(variance / rows in the denominator)."""
    support: int
    rows: int


def rows_needed(finding: Finding, limit: Limit, record: AuditRecord | None = None) -> tuple[int, str] | None:
    """Return about how many more rows decide a limit with a power of 80 %, and of which groups; None for no number.

    The distance between a value and the limit must be the critical value plus the 80 % point of the normal
    distribution, in standard errors; those follow from the intervals. A limit on an extreme over groups passes when
    every group, or pair of groups, is inside it, so each of them gets the rows that it needs; it fails by the one
    outside. Of two groups the smaller gets rows first, and both alike once they are equal.
    """
    if finding.estimate is None or finding.undefined_groups or finding.unit in ("bytes", "seconds"):
        return None
    known = [part for part in finding.groups if part.estimate is not None and part.support > 0]
    distance = abs(finding.estimate - limit.bound)
    if not known or distance < 1e-12:
        return None
    if len(known) == 1:
        return _one(finding, known[0], limit, distance)
    if _outside(finding, limit):
        extreme = [_of(part, finding) for part in known]
        return _total(_wanted(extreme, finding, limit, _critical(finding, limit) + _quantile(CHANCE)))
    return _all(finding, limit, record, [_of(part, finding) for part in known])


def _quantile(chance: float) -> float:
    return NormalDist().inv_cdf(chance)


def _critical(finding: Finding, limit: Limit) -> float:
    """Return the critical value of the end that decides: the one on the limit's side of the estimate."""
    level = finding.interval.level if finding.interval is not None else 0.95
    plain = _quantile(0.5 + level / 2)
    low, high = finding.critical or (plain, plain)
    assert finding.estimate is not None  # asked for by the caller
    return low if finding.estimate > limit.bound else high


def _one(finding: Finding, part: GroupValue, limit: Limit, distance: float) -> tuple[int, str] | None:
    """Return the rows for a single value: its interval gives the standard error."""
    assert finding.estimate is not None  # asked for by the caller
    critical, group = _critical(finding, limit), _of(part, finding)
    ends = (None, None) if finding.interval is None else (finding.interval.low, finding.interval.high)
    end = ends[0] if finding.estimate > limit.bound else ends[1]
    variance = group.variance
    least = _exact_end(finding.estimate, limit.bound, critical) if finding.unit == "share" else 0.0
    if end is not None and math.isfinite(end) and end != finding.estimate and not least:
        variance = ((finding.estimate - end) / critical) ** 2 * group.support
    needed = max(variance * ((critical + _quantile(CHANCE)) / distance) ** 2, least)
    return _total([(group, needed)])


def _exact_end(estimate: float, bound: float, critical: float) -> float:
    """Return the rows at which the exact interval of 0 of n, or n of n, reaches the bound; 0 for rates between.

    The exact end of n of n is tail**(1/n), where the normal distribution has no width at all.
    """
    if estimate not in (0.0, 1.0) or not 0 < bound < 1:
        return 0.0
    tail = 1 - NormalDist().cdf(critical)
    return math.log(tail) / math.log(bound if estimate == 1.0 else 1 - bound)


def _all(finding: Finding, limit: Limit, record: AuditRecord | None, extreme: list[_Group]) -> tuple[int, str] | None:
    """Return the rows with which every group, or pair of groups, is inside the limit."""
    rates = EQUALIZED_ODDS if finding.key.metric.startswith("equalized_odds") else ()
    tables = [_groups_of(record, finding, rate) for rate in rates or (finding.component,)]
    tables = [table for table in tables if len(table) > 1] or [extreme]
    wanted: list[tuple[_Group, float]] = []
    many = 1
    for _ in range(2):  # all groups that lack rows must be inside at once
        reach = _critical(finding, limit) + _quantile(CHANCE ** (1 / many))
        wanted = [part for table in tables for part in _wanted(table, finding, limit, reach)]
        many = max(1, len({group.name for group, _ in wanted}))
    return _total(wanted)


def _wanted(groups: Sequence[_Group], finding: Finding, limit: Limit, reach: float) -> list[tuple[_Group, float]]:
    """Return how many rows in the denominator each group needs; those that have them are left out."""
    how = finding.key.metric.rpartition("_")[2]
    if how in ("min", "max"):
        far = [abs(group.value - limit.bound) for group in groups]
        one = [group.variance * (reach / max(distance, 1e-9)) ** 2 for group, distance in zip(groups, far, strict=True)]
        parts = list(zip(groups, one, strict=True))
        outside = (groups[0] if how == "min" else groups[-1]) if _outside(finding, limit) else None
        return [(group, need) for group, need in parts if outside in (None, group) and need > group.support]
    needed: dict[_Group, float] = {}
    for pair in combinations(groups, 2):
        lesser, greater = sorted(pair, key=lambda group: group.value)
        for group, need in _two(lesser, greater, limit.bound, reach, ratio=finding.unit == "ratio"):
            needed[group] = max(needed.get(group, 0.0), need)
    return [(group, need) for group, need in needed.items() if need > group.support]


def _outside(finding: Finding, limit: Limit) -> bool:
    assert finding.estimate is not None  # asked for by the caller
    return finding.estimate > limit.bound if limit.at_most is not None else finding.estimate < limit.bound


def _two(lesser: _Group, greater: _Group, bound: float, reach: float, *, ratio: bool) -> Iterable[tuple[_Group, float]]:
    """Return the rows of both groups with which the interval of their gap ends before the bound."""
    p, q = lesser.value, max(greater.value, 1e-9)
    gap = p / q if ratio else greater.value - p
    scales = (1 / q**2, p**2 / q**4) if ratio else (1.0, 1.0)  # by the delta method: d(p/q) = dp/q - p dq/q^2
    parts = [(group, group.variance * scale) for group, scale in zip((lesser, greater), scales, strict=True)]
    parts.sort(key=lambda part: part[0].support)
    (small, small_variance), (large, large_variance) = parts
    width = (max(abs(gap - bound), 1e-9) / reach) ** 2
    left = width - large_variance / large.support
    if left > 0 and small_variance / left <= max(large.support, small.support):
        return [(small, small_variance / left)]
    both = (small_variance + large_variance) / width
    return [(small, both), (large, both)]


def _groups_of(record: AuditRecord | None, finding: Finding, rate: str) -> list[_Group]:
    """Return every group of the record with its value of a rate, as the audit stated it."""
    if record is None:
        return []
    columns, qualifiers, found = finding.key.columns, finding.key.qualifiers, []
    for stated in record.findings:
        key = stated.key
        if key.group and stated.groups and (key.metric, key.columns, key.qualifiers) == (rate, columns, qualifiers):
            part, value = stated.groups[0], stated.estimate
            if value is not None and part.support > 0:
                found.append(_Group(_name(key.group), value, _variance(part, stated), part.support, part.rows))
    return found


def _of(part: GroupValue, finding: Finding) -> _Group:
    """Return one of the groups that a finding names."""
    assert part.estimate is not None  # undefined groups are left out above
    columns = finding.key.columns
    name = f"{columns[0]}={part.group}" if len(columns) == 1 and part.group else part.group
    name = name or _name(finding.key.group)
    return _Group(name, part.estimate, _variance(part, None), part.support, part.rows)


def _name(group: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{column}={value}" for column, value in group)


def _variance(part: GroupValue, stated: Finding | None) -> float:
    """Use the interval where there is one; else p (1 - p), with half an event so that 0 or 1 is not certain."""
    interval = None if stated is None else stated.interval
    if interval is not None and interval.low is not None and interval.high is not None:
        assert stated is not None and stated.estimate is not None  # what has an interval has a value
        longer = max(interval.high - stated.estimate, stated.estimate - interval.low)
        if math.isfinite(longer) and longer > 0:
            return (longer / _quantile(0.5 + interval.level / 2)) ** 2 * part.support
    assert part.estimate is not None  # undefined groups are left out above
    p = (part.estimate * part.support + 0.5) / (part.support + 1)
    p = min(max(p, 1e-9), 1 - 1e-9)
    return p * (1 - p)


def _total(wanted: Iterable[tuple[_Group, float]]) -> tuple[int, str] | None:
    """Convert rows in denominators to rows of the groups, rounded up to two digits, with the groups in words."""
    more: dict[str, float] = {}
    for group, need in wanted:
        rows = (need - group.support) * group.rows / group.support
        more[group.name] = max(more.get(group.name, 1.0), rows)
    total = sum(more.values())
    if not more or not math.isfinite(total) or total > PRACTICAL:
        return None
    names = [shorten(name) for name in sorted(more, key=lambda name: -more[name]) if name]
    rows = _rounded(max(total, 1.0))
    if len(names) > NAMED:
        return rows, message("{n} groups together", n=len(names))
    if len(names) < 2:
        return rows, "".join(names)
    return rows, message("{names} and {last}", names=tuple(names[:-1]), last=names[-1])


def _rounded(rows: float) -> int:
    step = int(10 ** max(len(str(math.ceil(rows))) - 2, 0))
    return math.ceil(rows / step) * step
