"""Critical values for the greatest of many differences, for the side on which a limit fails.

The hypothesis is that no pair of groups differs by more than t. The region in which it is kept is convex, so its chance
is least at a corner of the hypothesis (normal densities are log-concave): some groups high, the others t lower. There
only the pairs of a high and a low group are at the limit, the others are t or 2 t inside it. So the value falls from
Tukey's, for t = 0, to that of the greatest of about a quarter of all pairs as t grows to one standard error.

Groups that are shown to be neither highest nor lowest drop out first (Romano, Shaikh and Wolf 2014, Econometrica 82):
of five groups with one that is clearly low, four pairs are left.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from evenhand.metrics.inference.intervals import sidak_z
from evenhand.metrics.inference.two_shares import all_between

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Floats, Indices, Marks

STEP: Final = 0.1
LIMITS: Final = 24
"""At so many limits, so many standard errors of a difference apart, critical values are found; others lie between."""
HALVED: Final = 20
"""How often the distance between the least and the greatest value that it may have is halved: it is rounded up."""
SELECTING: Final = 0.08
"""The part of a side's error that is spent on telling which groups may be extreme: .002 of .025."""
SPARE: Final = 0.02
"""The part by which the error may be greater: with two groups the plain value then serves from t = 0.8 standard errors
on, where the other direction adds a chance of less than .0005."""


class Extremes(NamedTuple):
    """Which groups may have the greatest value, and which the least, (G,) each."""

    high: Marks
    low: Marks

    @property
    def all_of_them(self) -> bool:
        """Whether no group is left out on either side."""
        return bool(self.high.all() and self.low.all())


def may_be_extreme(ends: Callable[[float], tuple[Floats, Floats]], groups: int, level: float, part: float) -> Extremes:
    """Return the groups that may be extreme, by ends that hold for all groups together (Sidak).

    Parameters
    ----------
    ends : callable
        From a critical value to (G,) low and (G,) high ends.
    groups : int
    level : float
        Two-sided confidence of the whole.
    part : float
        The part of the error of one side that may be spent on it.
    """
    low, high = ends(sidak_z(2 * groups, 1 - (1 - level) * part))
    return Extremes(~(high < np.nanmax(low, initial=-np.inf)), ~(low > np.nanmin(high, initial=np.inf)))


def every_group(groups: int) -> Extremes:
    """Return that any group may be extreme."""
    return Extremes(np.ones(groups, dtype=bool), np.ones(groups, dtype=bool))


def contrast_critical(may_be: Extremes, level: float) -> Callable[[float], float]:
    """Return what gives the critical value of the greatest difference from its limit, in standard errors.

    Parameters
    ----------
    may_be : Extremes
        Where some groups are left out, what was spent on telling that (`SELECTING`) is taken off here.
    level : float
        Two-sided confidence; the test errs by (1 - level) / 2.
    """
    level = level if may_be.all_of_them else 1 - (1 - level) * (1 - SELECTING)
    high, low = int(may_be.high.sum()), int(may_be.low.sum())
    either, groups = int((may_be.high & may_be.low).sum()), int((may_be.high | may_be.low).sum())
    if not either:
        alone = sidak_z(high * low, level)  # differences of disjoint sets are never negatively correlated
        return lambda _: alone
    many = min(max(groups // 2, high - either, 1), high, groups - 1)  # as even as can be: most pairs are at the limit
    values = _values(many, groups - many, level)

    def at(apart: float) -> float:
        place = min(apart / STEP, LIMITS - 1.0)
        before = min(int(place), LIMITS - 2)
        return values[before] + (place - before) * (values[before + 1] - values[before])

    return at


@cache
def _values(high: int, low: int, level: float) -> tuple[float, ...]:
    wanted, limits = 1 - (1 - level) / 2 * (1 + SPARE), math.sqrt(2) * STEP * np.arange(LIMITS, dtype=np.float64)
    plain, every = sidak_z(1, level), sidak_z((high + low) * (high + low - 1) + 1, level)  # at most Bonferroni's
    least, most = np.full(LIMITS, plain - 0.05), np.full(LIMITS, every)

    def above(values: Floats, which: Indices) -> Floats:
        return _range_within(limits[which] + math.sqrt(2) * values, limits[which], high, low) - wanted

    at_least, at_most = (above(end, np.arange(LIMITS)) for end in (least, most))
    found, inside = np.where(at_least > 0, least, most), np.flatnonzero((at_least <= 0) & (at_most > 0))
    found[inside] = all_between(above, inside, *(part[inside] for part in (least, at_least, most, at_most)))
    for _ in range(HALVED):
        middle = (least + most) / 2
        least, most = np.where(middle < found, middle, least), np.where(middle < found, most, middle)
    return tuple(np.maximum(most, plain).tolist())


def _range_within(width: Floats, limit: Floats, high: int, low: int) -> Floats:
    """Return the chance that `high` normal numbers around `limit` and `low` ones around 0 lie within a width."""
    from scipy.special import ndtr

    x = np.linspace(-8.0, 8.0, 97)  # of a smooth function that vanishes at both ends the plain sum is exact
    density, step = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi), x[1] - x[0]
    width, limit = width[:, None], limit[:, None]
    below = np.maximum(ndtr(x + width) - ndtr(x), 0.0) ** (low - 1)
    least_low = low * below * np.maximum(ndtr(x + width - limit) - ndtr(x - limit), 0.0) ** high
    own = np.maximum(ndtr(x + width) - ndtr(x), 0.0) ** (high - 1)
    least_high = high * own * np.maximum(ndtr(x + limit + width) - ndtr(x + limit), 0.0) ** low
    return np.asarray((density * (least_low + least_high)).sum(axis=1) * step)
