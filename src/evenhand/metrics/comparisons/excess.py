"""Count the rows that a group is treated worse on than at a reference rate: (rate - reference) x n, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.comparisons.pairs import difference_of
from evenhand.metrics.comparisons.references import together_z
from evenhand.metrics.inference.intervals import sidak_z, simultaneous_z

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Indices, Side
    from evenhand.metrics.values.rates import Measured


@dataclass(frozen=True, slots=True, eq=False)
class Excess:
    """Rows harmed beyond a reference rate, for some groups; the low and high ends hold for all of them at once."""

    groups: Indices
    """(K,) positions of the groups."""
    estimate: Floats
    """(K,) rows; below 0 where a group is treated better than the reference."""
    low: Floats
    """(K,) low ends."""
    high: Floats
    """(K,) high ends."""
    reference: int | None = None
    """The group that all others are compared with; None where the reference is no group."""


def excess_over_best(values: Measured, harm: int, level: float) -> Excess | None:
    """Return the excess of each group over the group that is shown to be treated best.

    That is the one whose bound on the harmed side is the best, not the one with the luckiest estimate: three rows of
    which none is harmed show nothing. The ends are those of all pairs at once, so that the choice costs nothing.

    Parameters
    ----------
    values : Measured
        A rate, or the change of one, of G groups.
    harm : int
        1 where a higher value is the harm, -1 where a lower one is.
    level : float
        Two-sided confidence.
    """
    known = np.flatnonzero(values.defined)
    if len(known) < 2:
        return None
    low, high = values.ends(simultaneous_z(len(known), level) * values.apart)
    worst_case = high if harm > 0 else -low
    best = int(known[np.argmin(worst_case[known])])
    others = known[known != best]
    mine = _side(values.estimate, low, high, others)
    theirs = _side(values.estimate, low, high, np.full(len(others), best))
    return _excess(values, others, harm, mine[0] - theirs[0], difference_of(values.metric)(mine, theirs), best)


def excess_over(values: Measured, other: Measured, weight: Floats, harm: int, level: float) -> Excess | None:
    """Return the excess of each group over what it is compared with: the rest, all rows, or one group.

    `weight` (G,) is the share of a group in its reference, 0 where it is no part of it.
    """
    known = np.flatnonzero(values.defined & other.defined)
    if not len(known):
        return None
    z = together_z(len(known), level) * values.apart
    mine, theirs = (_side(part.estimate, *part.ends(z), known) for part in (values, other))
    scale = 1 - weight[known]
    low, high = difference_of(values.metric)(mine, theirs)
    return _excess(values, known, harm, scale * (mine[0] - theirs[0]), (scale * low, scale * high))


def excess_beyond(values: Measured, bound: float, harm: int, level: float) -> Excess | None:
    """Return the excess of each group over a rate that a limit allows; values must be of the same level."""
    known = np.flatnonzero(values.defined)
    if not len(known):
        return None
    one = len(values.estimate) == 1
    low, high = (values.low, values.high) if one else values.ends(sidak_z(len(known), level))
    gap = values.estimate[known] - bound
    return _excess(values, known, harm, gap, (low[known] - bound, high[known] - bound))


def _side(estimate: Floats, low: Floats, high: Floats, at: Indices) -> Side:
    return estimate[at], low[at], high[at]


def _excess(
    values: Measured, groups: Indices, harm: int, gap: Floats, ends: tuple[Floats, Floats], reference: int | None = None
) -> Excess:
    """Return gaps of rates as rows; where a lower value is the harm, their ends change places."""
    rows = values.support[groups]
    low, high = ends if harm > 0 else (-ends[1], -ends[0])
    return Excess(groups, harm * gap * rows, low * rows, high * rows, reference)
