"""What would decide an undecided limit: about how many more rows, if the observed rates are the true ones."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from evenhand.errors import shorten

if TYPE_CHECKING:
    from evenhand.findings import Finding, GroupValue
    from evenhand.policy.limits import Limit

CHANCE: Final = 0.8
"""The chance to decide that the rows are counted for."""
PRACTICAL: Final = 10_000_000
"""More rows than this are no practical number."""


def rows_needed(finding: Finding, limit: Limit) -> tuple[int, str] | None:
    """Return about how many more rows decide a limit with a chance of 80 %, and of which group; None for no number.

    The distance between estimate and limit must be the critical value plus the 80 % point of the normal distribution,
    in standard errors. Rows are added to the group that has fewer in the denominator, and to both alike once they are
    equal, by the rates observed.
    """
    groups = [_named(part, finding) for part in finding.groups if part.estimate is not None and part.support > 0]
    if finding.estimate is None or not groups or finding.undefined_groups or finding.unit in ("bytes", "seconds"):
        return None
    distance = abs(finding.estimate - limit.bound)
    if distance < 1e-12:
        return None
    critical = _critical(finding, limit)
    reach = distance / (critical + NormalDist().inv_cdf(CHANCE))
    if len(groups) == 1:
        least = _exact_end(groups[0].estimate, limit.bound, critical) if finding.unit == "share" else 0.0
        return _one(groups[0], reach, least)
    return _two(groups, reach, ratio=finding.unit == "ratio")


def _named(part: GroupValue, finding: Finding) -> GroupValue:
    """Return the value with its group as a sentence calls it: ``sex=female``, cut where it is very long."""
    columns = finding.key.columns
    named = len(columns) == 1 and part.group
    return replace(part, group=shorten(f"{columns[0]}={part.group}" if named else part.group))


def _critical(finding: Finding, limit: Limit) -> float:
    """The critical value of the end that would decide: the one on the limit's side of the estimate."""
    level = finding.interval.level if finding.interval is not None else 0.95
    plain = NormalDist().inv_cdf(0.5 + level / 2)
    low, high = finding.critical or (plain, plain)
    assert finding.estimate is not None  # asked for by the caller
    return low if finding.estimate > limit.bound else high


def _one(group: GroupValue, reach: float, least: float) -> tuple[int, str] | None:
    return _more(group, max(_variance(group) / reach**2, least))


def _exact_end(estimate: float | None, bound: float, critical: float) -> float:
    """Return the rows at which the exact interval of 0 of n, or n of n, reaches the bound; 0 for rates between.

    The exact end of n of n is tail**(1/n), where the normal distribution has no width at all.
    """
    if estimate not in (0.0, 1.0) or not 0 < bound < 1:
        return 0.0
    tail = 1 - NormalDist().cdf(critical)
    return math.log(tail) / math.log(bound if estimate == 1.0 else 1 - bound)


def _variance(group: GroupValue) -> float:
    """p (1 - p), with half an event added so that a rate of 0 or 1 does not look certain."""
    assert group.estimate is not None  # undefined groups are left out above
    p = (group.estimate * group.support + 0.5) / (group.support + 1)
    p = min(max(p, 1e-9), 1 - 1e-9)
    return p * (1 - p)


def _two(groups: list[GroupValue], reach: float, *, ratio: bool) -> tuple[int, str] | None:
    lesser, greater = groups[0], groups[-1]
    scales = _ratio_scales(lesser, greater) if ratio else (1.0, 1.0)
    parts = [(group, _variance(group) * scale) for group, scale in zip((lesser, greater), scales, strict=True)]
    parts.sort(key=lambda part: part[0].support)
    (small, small_variance), (large, large_variance) = parts
    left = reach**2 - large_variance / large.support
    if left > 0 and small_variance / left <= large.support:
        return _more(small, small_variance / left)
    both = (small_variance + large_variance) / reach**2
    first, second = _more(small, both), _more(large, both)
    if first is None or second is None:
        return None
    return first[0] + second[0], f"{first[1]} and {second[1]}"


def _ratio_scales(lesser: GroupValue, greater: GroupValue) -> tuple[float, float]:
    """By the delta method: d(p/q) = dp/q - p dq/q^2."""
    p, q = lesser.estimate or 0.0, max(greater.estimate or 0.0, 1e-9)
    return 1 / q**2, p**2 / q**4


def _more(group: GroupValue, needed: float) -> tuple[int, str] | None:
    """From rows in the denominator to more rows of the group, rounded up to two digits."""
    rows = (needed - group.support) * group.rows / group.support
    if not math.isfinite(rows) or rows > PRACTICAL:
        return None
    return _rounded(max(rows, 1.0)), group.group


def _rounded(rows: float) -> int:
    step = int(10 ** max(len(str(math.ceil(rows))) - 2, 0))
    return math.ceil(rows / step) * step
