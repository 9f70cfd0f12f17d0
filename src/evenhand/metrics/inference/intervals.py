"""Intervals that cover, vectorised over groups. Chosen by measured coverage; see docs/design/intervals.md."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Side


LARGE: Final = 2_000
"""Events and non-events above which the exact interval is found by an expansion."""


def z_of(level: float) -> float:
    """Return the normal critical value of a two-sided confidence."""
    return NormalDist().inv_cdf(0.5 + level / 2)


@cache
def simultaneous_z(groups: int, level: float) -> float:
    """Return the critical value, in standard errors of a difference, for all pairs of groups at once (Tukey).

    Its one-sided error over all pairs is (1 - level) / 2, as that of an unadjusted end is for its pair.
    """
    if groups < 2:
        return z_of(level)
    wanted = 1 - (1 - level) / 2
    low, high = 0.0, 60.0
    for _ in range(80):  # halved until both ends are neighbouring numbers; scipy.stats would take a second to load
        middle = (low + high) / 2
        if _range_below(middle, groups) < wanted:
            low = middle
        else:
            high = middle
    return high / float(np.sqrt(2))


def _range_below(width: float, groups: int) -> float:
    """Return the chance that so many standard normal numbers lie within `width` of each other."""
    from scipy.special import ndtr

    x = np.linspace(-9.0, 9.0, 721)  # of a smooth function that vanishes at both ends the plain sum is exact
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    within = np.maximum(ndtr(x + width) - ndtr(x), 0.0)
    return float(groups * (density * within ** (groups - 1)).sum() * (x[1] - x[0]))


def sidak_z(groups: int, level: float) -> float:
    """Return the critical value at which one-sided bounds of independent groups hold together."""
    one_sided = 1 - (1 - level) / 2
    return NormalDist().inv_cdf(one_sided ** (1 / max(groups, 1)))


def wilson(events: ArrayLike, n: ArrayLike, z: float) -> tuple[Floats, Floats]:
    """Return Wilson's score interval of a proportion; nan where n is 0.

    Source: Wilson (1927), JASA 22. `events` and `n` may be effective (weighted) counts.
    """
    k, size = np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (k + z * z / 2) / (size + z * z)
        half = z / (size + z * z) * np.sqrt(np.maximum(k * (size - k), 0) / size + z * z / 4)
        low = np.where(k <= 0, 0.0, middle - half)
        high = np.where(k >= size, 1.0, middle + half)
    empty = size <= 0
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def clopper_pearson(events: ArrayLike, n: ArrayLike, z: float) -> tuple[Floats, Floats]:
    """Return the exact interval of a proportion; nan where n is 0.

    Either side errs at most as stated. Source: Clopper and Pearson (1934), Biometrika 26. `events` and `n` may be
    effective (weighted) counts.
    """
    k, size = np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64)
    misses = np.maximum(size - k, 0.0)
    low, high = beta_limits((k, misses + 1), (k + 1, misses), z)
    empty = size <= 0
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def beta_limits(low: tuple[Floats, Floats], high: tuple[Floats, Floats], z: float) -> tuple[Floats, Floats]:
    """Return the low quantile of one beta distribution and the high one of another, each from its two parameters.

    The low end is 0 where the first parameter of its distribution is, the high end 1 where the second of its is.
    """
    tail = 1 - NormalDist().cdf(z)
    below = np.where(low[0] > 0, _beta_quantile(np.maximum(low[0], 1e-9), low[1], -z, tail), 0.0)
    above = np.where(high[1] > 0, _beta_quantile(high[0], np.maximum(high[1], 1e-9), z, 1 - tail), 1.0)
    return below, above


def _beta_quantile(a: Floats, b: Floats, z: float, below: float) -> Floats:
    """Return the quantile of Beta(a, b) with `below` of the distribution below it; z is the normal's for the same.

    Where both parameters are large a normal expansion (Abramowitz and Stegun 26.5.22) is as good as the exact value
    (a tail differs by less than 1e-5) and its cost does not grow with them.
    """
    from scipy.special import betaincinv

    large = np.minimum(a, b) > LARGE
    found = np.empty(large.shape)
    found[~large] = betaincinv(a[~large], b[~large], below)
    if large.any():
        p, q = 1 / (2 * a[large] - 1), 1 / (2 * b[large] - 1)
        curve, harmonic = (z * z - 3) / 6, 2 / (p + q)
        w = -z * np.sqrt(harmonic + curve) / harmonic - (q - p) * (curve + 5 / 6 - 2 / (3 * harmonic))
        found[large] = a[large] / (a[large] + b[large] * np.exp(2 * w))
    return found


def difference_interval(a: Side, b: Side) -> tuple[Floats, Floats]:
    """Return the interval of a - b from the estimate, low and high end of each (square-and-add).

    Over Wilson limits this is Newcombe's method 10 (Newcombe 1998a, Statistics in Medicine 17); over other limits it
    is MOVER (Zou and Donner 2008). Over exact limits each side errs at most 3.5 % where Wilson's let one side err up
    to 10 % for rare events.
    """
    gap = a[0] - b[0]
    low = gap - np.hypot(a[0] - a[1], b[2] - b[0])  # ends of a group of one row are too far away to be squared
    high = gap + np.hypot(a[2] - a[0], b[0] - b[1])
    return low, high


CORNER: Final = (0.2, 0.3)
"""From this gap of two shares on their limits are those near a corner, fully so as much further on."""
SKEW: Final = (0.37, 2.3)
"""How much less than by squares margins add up there: fitted to exact limits of sums of two equal Poisson counts."""


def share_difference_interval(a: Side, b: Side) -> tuple[Floats, Floats]:
    """Return the interval of a - b for two shares from the estimate, low and high end of each.

    It is `difference_interval`, but for gaps near -1 or 1. There what is left to the corner is a sum of two small, skew
    shares, and square-and-add leaves too little: one side errs up to 7 % where one rate is below .03 and the other
    above .97. The margins are added with an exponent between 2 and 1.15 instead, the smaller the more of what is left
    they are, as the exact limits of a sum of two Poisson counts ask for. Each side then errs at most 3.3 % for groups
    of ten rows and more (docs/design/intervals.md).
    """
    gap = a[0] - b[0]
    low = gap - _joined(a[0] - a[1], b[2] - b[0], -gap)
    high = gap + _joined(a[2] - a[0], b[0] - b[1], gap)
    return low, high


def added_difference_interval(a: Side, b: Side) -> tuple[Floats, Floats]:
    """Return the interval of a - b whose margins are added: for estimates that are biased, as calibration errors are.

    Square-and-add takes both estimates for centred; a calibration error of few rows is above the true one, by more in
    the group that is calibrated the better, and so their gap is too small.
    """
    return a[1] - b[2], a[2] - b[1]


def _joined(one: Floats, other: Floats, gap: Floats) -> Floats:
    """Return two margins together, on the side on which `gap` is the nearer to 1 the greater it is."""
    one, other = np.maximum(one, 0), np.maximum(other, 0)  # below 0 by rounding only, and no power is taken of that
    near = np.clip((gap - CORNER[0]) / CORNER[1], 0, 1)
    if not near.any():
        return np.asarray(np.sqrt(one**2 + other**2))
    taken = np.minimum((one + other) / np.maximum(1 - gap, 1e-12), 1)
    power = 0.5 + SKEW[0] * taken ** SKEW[1] * near
    return np.asarray((one ** (1 / power) + other ** (1 / power)) ** power)


def ratio_interval(a: Side, b: Side) -> tuple[Floats, Floats]:
    """Return the interval of a / b from the estimate, low and high end of each (MOVER-R).

    The upper end is infinite where b's low end is 0. Source: Donner and Zou (2012), Statistical Methods in Medical
    Research 21; written so that no denominator vanishes before its quotient does.
    """
    (p, p_low, p_high), (q, q_low, q_high) = a, b
    product = p * q
    with np.errstate(invalid="ignore", divide="ignore"):
        over, under = p_low * (2 * p - p_low), q_high * (2 * q - q_high)
        root = np.sqrt(np.maximum(product**2 - over * under, 0))
        low = np.where(over <= 0, 0.0, over / (product + root))
        over, under = p_high * (2 * p - p_high), q_low * (2 * q - q_low)
        root = np.sqrt(np.maximum(product**2 - over * under, 0))
        high = np.where(under <= 0, np.inf, (product + root) / under)
    return low, high


def scaled_ends(
    value: Floats, error: Floats, z: float, lowest: float | None, highest: float | None
) -> tuple[Floats, Floats]:
    """Return the ends of an estimate with a normal error, on a scale that keeps them inside its range.

    The scale is the logit between two bounds, the logarithm above one, and the plain one otherwise. At a bound itself,
    where no scale helps, the end is plain and cut.
    """
    plain = value - z * error, value + z * error
    least, most = (-np.inf if lowest is None else lowest), (np.inf if highest is None else highest)
    cut = np.maximum(plain[0], least), np.minimum(plain[1], most)
    if lowest is None:
        return cut
    inside = (value > least) & (value < most)
    above = np.where(inside, value - least, 1.0)
    if highest is None:
        factor = np.exp(np.minimum(z * error / above, 700))
        low, high = least + above / factor, least + above * factor
    else:
        below = np.where(inside, most - value, 1.0)
        half = np.minimum(z * error * (most - least) / (above * below), 700)
        odds = above / below
        low, high = (least + (most - least) * part / (1 + part) for part in (odds * np.exp(-half), odds * np.exp(half)))
    return np.where(inside, low, cut[0]), np.where(inside, high, cut[1])
