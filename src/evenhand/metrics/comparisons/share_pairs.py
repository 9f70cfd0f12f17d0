"""The extreme ends over ordered pairs of independent shares, each by a score test of its own limit.

Limits by a score test are found by iteration. So all pairs are ranked by normal margins first (Agresti and Coull's),
those that rank high are tested at the end of the first one, and only those that are beyond it are refined.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from evenhand.metrics.comparisons.pairs import FEW, Bound, outermost
from evenhand.metrics.inference.contrasts import (
    SELECTING,
    Extremes,
    contrast_critical,
    every_group,
    may_be_extreme,
)
from evenhand.metrics.inference.intervals import z_of
from evenhand.metrics.inference.two_shares import (
    ARRAYS,
    NUMBERS,
    Pair,
    beyond_difference,
    beyond_ratio,
    share_end,
    share_ends,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from evenhand.metrics.counts.arrays import Floats, Indices
    from evenhand.metrics.inference.two_shares import How

    Critical = Callable[[float], float]
    Ranked = tuple[Indices, Indices]

SCORE: Final = "score test of the limit"
"""The method's name."""
LEAST: Final = {"difference": -1.0, "ratio": 1e-12}
"""The least that is tested."""
NEAR: Final = 0.05
"""How far below the extreme a pair may rank to be tested, in margins of the extreme one."""
ROUGH: Final = {"difference": 2.0, "ratio": 5.0}
"""And how far more for each row, or event, of its groups."""
MOST: Final = 256
"""Pairs that are tested at most."""
FEW_GROUPS: Final = 5
"""Groups of which all pairs are tested."""
SMALL: Final = 0.1
"""How rough margins may be; where those of one group are rougher, all pairs are tested, up to ten times as many."""
ROUNDING: Final = 1e-12
"""Two critical values that differ by less, relatively, are the same."""
FEW_PAIRS: Final = 20
"""Pairs that are tested one by one."""


class Shares(NamedTuple):
    """Events and sizes of the groups that are compared, (n,) each, and their places."""

    events: Floats
    size: Floats
    place: Indices

    def pair(self, first: int | np.intp, second: int | np.intp) -> Pair[float]:
        """Return two groups to compare, as numbers."""
        events, size = self.events, self.size
        return Pair(float(events[first]), float(size[first]), float(events[second]), float(size[second]))


def ends_beyond(how: How, pairs: Pair[Floats], limit: float, z: float) -> Floats:
    """Return the high ends of (n,) pairs where they are beyond a limit, and the limit itself where they are not."""
    test = beyond_difference if how == "difference" else beyond_ratio
    ends, least = np.full(pairs.events.shape, limit), np.full(pairs.events.shape, -z)
    at = np.flatnonzero(test(pairs, np.clip(ends, -1, 1e12), lambda _: least, ARRAYS) > 0)
    of = (pairs.events, pairs.size, pairs.other_events, pairs.other_size)
    ends[at] = share_ends(how, Pair(*(part[at] for part in of)), -least[at], np.full(len(at), -1.0))
    return ends


class Ends(NamedTuple):
    """The ends of the greatest comparison over ordered pairs of groups."""

    low: Bound
    """The low end that holds for all pairs together."""
    plain_low: Bound
    """The low end without a correction."""
    high: Bound
    """The high end."""
    critical: float
    """The critical value behind the first."""


def of_shares(how: How, shares: Shares, level: float) -> Ends:
    """Return the ends of the greatest of p1 - p2, or of p1 / p2, over ordered pairs of groups."""
    z, two = z_of(level), len(shares.events) == 2
    may_be = every_group(2) if two else _extremes(shares, level)
    critical = _critical_of_two(level) if two else contrast_critical(may_be, level)
    plain_low, _ = greatest_end(how, shares, _ranked(how, shares, z, 1, None), lambda _: z, 1)
    low, used = plain_low, _critical_at(how, shares, plain_low, critical)
    if not math.isclose(used, z, rel_tol=ROUNDING):  # no end is lower by a lesser critical value
        low, used = greatest_end(how, shares, _ranked(how, shares, critical(math.inf), 1, may_be), critical, 1)
    high, _ = greatest_end(how, shares, _ranked(how, shares, z, -1, None), lambda _: z, -1)
    return Ends(low, max(plain_low, low), high, used)  # not below it by rounding


@cache
def _critical_of_two(level: float) -> Critical:
    return contrast_critical(every_group(2), level)


def _critical_at(how: How, shares: Shares, low: Bound, critical: Critical) -> float:
    """Return the critical value at a low end; infinite at the least that is tested, where none is found."""
    if low.end <= LEAST[how]:
        return math.inf
    first, second = map(shares.place.tolist().index, low.pair)
    found: list[float] = []

    def told(apart: float) -> float:
        found.append(critical(abs(apart)))
        return found[-1]

    test = beyond_difference if how == "difference" else beyond_ratio
    test(shares.pair(first, second), low.end, told, NUMBERS)
    return found[-1]


def _extremes(shares: Shares, level: float) -> Extremes:
    def ends(z: float) -> tuple[Floats, Floats]:
        rate, variance, _ = _about("difference", shares, z)
        return rate - z * np.sqrt(variance), rate + z * np.sqrt(variance)

    return may_be_extreme(ends, len(shares.events), level, SELECTING)


def greatest_end(how: How, shares: Shares, pairs: Ranked, critical: Critical, sign: int) -> tuple[Bound, float]:
    """Return the greatest low (sign 1) or high (-1) end over pairs, and the critical value by which it was found."""
    test, (firsts, seconds) = (beyond_difference if how == "difference" else beyond_ratio), pairs
    used = 0.0

    def signed(apart: float) -> float:
        nonlocal used
        used = critical(abs(apart))
        return sign * used

    found = (int(firsts[0]), int(seconds[0]))
    best = share_end(how, shares.pair(*found), signed, sign)
    of_best = used
    rivals = _beyond(how, shares, pairs, max(best, LEAST[how]), sign * critical(math.inf))
    for at in rivals if math.isfinite(best) else ():
        pair = shares.pair(firsts[at], seconds[at])
        if test(pair, max(best, LEAST[how]), signed, NUMBERS) > 0:
            end = share_end(how, pair, signed, sign)
            if end > best:
                best, found, of_best = end, (int(firsts[at]), int(seconds[at])), used
    return Bound(best, (int(shares.place[found[0]]), int(shares.place[found[1]]))), of_best


def _beyond(how: How, shares: Shares, pairs: Ranked, end: float, critical: float) -> Iterable[int]:
    """Return the places of pairs that may be beyond an end, by the critical value that is nearest."""
    first, second = pairs
    if len(first) <= FEW_PAIRS:
        return range(1, len(first))
    test = beyond_difference if how == "difference" else beyond_ratio
    events, size, z = shares.events, shares.size, np.full(len(first), critical)
    pair = Pair(events[first], size[first], events[second], size[second])
    return np.flatnonzero(test(pair, np.full(len(first), end), lambda _: z, ARRAYS) > 0).tolist()


def _about(how: How, shares: Shares, z: float) -> tuple[Floats, Floats, Floats]:
    """Return rates, or their logarithms, with their variances and how rough these are (Agresti and Coull 1998)."""
    n = shares.size + z * z
    p = (shares.events + z * z / 2) / n
    if how == "difference":
        return p, p * (1 - p) / n, ROUGH[how] / n
    return np.log(p), (1 - p) / (p * n), ROUGH[how] / (p * n)


def _ranked(how: How, shares: Shares, z: float, sign: int, may_be: Extremes | None) -> Ranked:
    """Return the ordered pairs that may be extreme, the one that ranks first at the front."""
    number = len(shares.events)
    if how == "ratio" and sign < 0 and shares.events.min() <= 0:  # nothing bounds a ratio to 0 events
        return np.array([np.argmax(shares.events / shares.size)]), np.array([np.argmin(shares.events)])
    if number == 2:
        return _of_two(shares, z)
    value, variance, rough = _about(how, shares, z)
    kept = np.arange(number)
    if number > FEW:
        margin = z * np.sqrt(variance)
        kept = outermost(np.column_stack([value, value - margin, value + margin]))
        value, variance, rough = value[kept], variance[kept], rough[kept]
    margins: Floats = z * np.sqrt(variance[:, None] + variance)
    order = value - value[:, None] + sign * margins
    order.flat[:: len(kept) + 1] = np.inf
    if may_be is not None:
        order[~may_be.high[kept]], order[:, ~may_be.low[kept]] = np.inf, np.inf
    at = int(order.argmin())
    most = order.flat[at] + NEAR * margins.flat[at]
    small = bool(rough.max() > SMALL)
    near = np.isfinite(order) if small or number <= FEW_GROUPS else order - rough[:, None] - rough <= most
    chosen, order, tested = np.flatnonzero(near), order.ravel(), 10 * MOST if small else MOST
    if len(chosen) > tested:
        chosen = chosen[np.argpartition(order[chosen], tested)[:tested]]
    first, second = np.divmod(chosen[np.argsort(order[chosen])], len(kept))
    return kept[first], kept[second]


def _of_two(shares: Shares, z: float) -> Ranked:
    """Return both ordered pairs of two groups, that of the greater share first: their margins are the same."""
    (one, other), (rows, others) = shares.events.tolist(), shares.size.tolist()
    half = z * z / 2
    first = int((one + half) / (rows + 2 * half) < (other + half) / (others + 2 * half))
    return np.array([first, 1 - first]), np.array([1 - first, first])
