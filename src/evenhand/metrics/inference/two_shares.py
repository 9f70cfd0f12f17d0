"""Limits of the difference and the ratio of two independent shares, by inverting a score test of the limit itself.

At a limit t the rates are those of greatest likelihood for which p1 - p2 = t (Miettinen and Nurminen 1985; Farrington
and Manning 1990) or p1 / p2 = t, and the statistic is the distance of the estimates from t in standard errors at those
rates. Plain, one side of it errs up to 15 % near rates of 0 and 1, where counts are skew and jump in steps. So it is
corrected for its skewness (Laud 2017, Pharmaceutical Statistics 16) and by half a step of the counts, both only for the
part that moves a tail by more than about a fifth of itself: where rates are moderate nothing is corrected, and near the
corners nearly all. docs/design/intervals.md has the errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Floats, Indices

    How: TypeAlias = Literal["difference", "ratio"]
    Critical: TypeAlias = "Callable[[N], N]"

N = TypeVar("N", float, NDArray[np.float64])

SKEW: Final = 0.028 * 1.96**3
"""Skewness, over six, that is left uncorrected, times z cubed: it moves a tail by z cubed times as much."""
STEP: Final = 0.014 * 1.96
"""The part of a step that is left uncorrected, times z, for a variance of one squared step."""
ALIGNED: Final = {"difference": 1.0, "ratio": 0.87}
"""How much of the finer step counts even where the other group blurs it: steps of p1 and t p2 are rarely aligned."""
BLUR: Final = 2 * math.pi**2
"""The waves of a step fade with the exponent of this times the squared spread of the other group, in steps."""
TINY: Final = 1e-60
FARTHEST: Final = 30.0
"""The logarithm beyond which a ratio is 0 or infinite."""
CLOSE: Final = 1e-9
"""How near an end is found, of a difference or of the logarithm of a ratio."""


@dataclass(frozen=True, slots=True)
class _Arithmetic(Generic[N]):
    """The functions of numbers, or of arrays, so that the test is written once."""

    sqrt: Callable[[N], N]
    cos: Callable[[N], N]
    acos: Callable[[N], N]
    exp: Callable[[N], N]
    log: Callable[[N], N]
    copysign: Callable[[N, N], N]
    greater: Callable[[N, N | float], N]
    lesser: Callable[[N, N | float], N]


NUMBERS: Final[_Arithmetic[float]] = _Arithmetic(
    math.sqrt, math.cos, math.acos, math.exp, math.log, math.copysign, max, min
)
ARRAYS: Final[_Arithmetic[NDArray[np.float64]]] = _Arithmetic(
    np.sqrt, np.cos, np.arccos, np.exp, np.log, np.copysign, np.maximum, np.minimum
)


@dataclass(frozen=True, slots=True)
class Pair(Generic[N]):
    """Two shares: events and size of each; sizes may be effective ones, and so no whole numbers."""

    events: N
    size: N
    other_events: N
    other_size: N


def beyond_difference(pair: Pair[N], t: N, critical: Critical[N], on: _Arithmetic[N]) -> N:
    """Return by how much the statistic of p1 - p2 = t is above a critical value (below 0: t is not too small).

    Parameters
    ----------
    pair : Pair
    t : number or array
    critical : callable
        From the distance between t and 0, in standard errors, to the critical value, signed.
    on : the functions of numbers or of arrays
    """
    x, n, y, m = pair.events, pair.size, pair.other_events, pair.other_size
    total = n + m  # the cubic of Farrington and Manning in q = p2, solved by the cosine
    square = ((n + 2 * m) * t - total - x - y) / (3 * total)
    linear = ((m * t - total - 2 * y) * t + x + y) / (3 * total)
    half = square**3 - 1.5 * square * linear + 0.5 * y * t * (1 - t) / total
    root = on.copysign(on.sqrt(on.greater(square**2 - linear, TINY)), half)
    angle = on.acos(on.greater(on.lesser(half / root**3, 1.0), -1.0))
    q = 2 * root * on.cos((math.pi + angle) / 3) - square
    q = on.lesser(on.greater(on.greater(q, 0.0), -t), on.lesser(1 - t, 1.0))
    return _beyond(x / n - y / m - t, t, (q + t, q), pair, 1.0 + 0 * t, critical, "difference", on)


def beyond_ratio(pair: Pair[N], t: N, critical: Critical[N], on: _Arithmetic[N]) -> N:
    """Return by how much the statistic of p1 / p2 = t is above a critical value; see `beyond_difference`."""
    x, n, y, m = pair.events, pair.size, pair.other_events, pair.other_size
    middle = n * t + x + m + y * t
    q = 2 * (x + y) / (middle + on.sqrt(on.greater(middle**2 - 4 * (n + m) * t * (x + y), 0.0)))
    q = on.lesser(on.lesser(q, 1.0), 1 / t)
    return _beyond(x / n - t * y / m, q * (t - 1), (q * t, q), pair, t, critical, "ratio", on)


def _beyond(
    gap: N, away: N, rates: tuple[N, N], pair: Pair[N], t: N, critical: Critical[N], how: How, on: _Arithmetic[N]
) -> N:
    """Return by how much the corrected statistic of a gap is above the critical value.

    `away` is how far equal rates are from the limit; `t` the weight of the second share in the gap.
    """
    (p, q), n, m, greater, over, under = (
        rates,
        pair.size,
        pair.other_size,
        on.greater,
        1 / pair.size,
        t / pair.other_size,
    )
    one, two = p * (1 - p) * over, t * q * (1 - q) * under
    variance = greater((one + two) * ((n + m) / greater(n + m - 1, 0.5)), TINY)
    error = on.sqrt(variance)
    z = critical(away / error)
    size = abs(z)
    blurred = greater(over * on.exp(-BLUR * two / over**2), under * on.exp(-BLUR * one / under**2))
    jump = greater(blurred, ALIGNED[how] * on.lesser(over, under))
    half = greater(jump / 2 - STEP / size * variance / jump, 0.0)
    plain = on.copysign(greater(abs(gap) - half, 0.0), gap) / error
    skew = (one * (1 - 2 * p) * over - two * (1 - 2 * q) * under) / (6 * variance * error)
    skew = on.copysign(greater(abs(skew) - SKEW / size**3, 0.0), skew)
    turned = plain + skew  # the root of s + skew (s^2 - 1) = plain
    return 2 * turned / (1 + on.sqrt(greater(1 + 4 * skew * turned, 0.0))) - z


def share_interval(how: How, pair: Pair[Floats], z: float | Floats) -> tuple[Floats, Floats]:
    """Return the interval of p1 - p2, or of p1 / p2, for arrays of pairs.

    Parameters
    ----------
    how : {"difference", "ratio"}
    pair : Pair
        Arrays of one shape; sizes above 0.
    z : float or array
        Critical value. The upper end of a ratio is infinite where the second share has no events.
    """
    of = np.broadcast_arrays(pair.events, pair.size, pair.other_events, pair.other_size, z)
    x, n, y, m, critical = (np.tile(part.ravel(), 2) for part in of)
    ends = share_ends(how, Pair(x, n, y, m), critical, np.repeat([1.0, -1.0], len(x) // 2))
    low, high = ends.reshape(2, *of[0].shape)
    return low, high


def share_ends(how: How, pair: Pair[Floats], z: Floats, sign: Floats) -> Floats:
    """Return the low (sign 1) or high (-1) ends of `share_end` for arrays of pairs, all by one search.

    Parameters
    ----------
    how : {"difference", "ratio"}
    pair : Pair
        (n,) each; sizes above 0.
    z, sign : (n,) arrays
        Critical values, above 0, and which end of each pair is sought.
    """
    found, searched = np.where(sign > 0, 0.0, np.inf), np.arange(len(z))
    if how == "ratio":
        searched = np.flatnonzero(np.where(sign > 0, pair.events, pair.other_events) > 0)
    of = np.array([pair.events, pair.size, pair.other_events, pair.other_size, sign * z, sign])[:, searched]

    def beyond(limits: Floats, which: Indices) -> Floats:
        x, n, y, m, critical, side = of[:, which]
        if how == "difference":
            return np.asarray(side * beyond_difference(Pair(x, n, y, m), limits, lambda _: critical, ARRAYS))
        return np.asarray(side * beyond_ratio(Pair(x, n, y, m), np.exp(limits), lambda _: critical, ARRAYS))

    x, n, y, m, critical, side = of
    (p, one), (q, two) = (_about(how, *share, abs(critical), ARRAYS) for share in ((x, n), (y, m)))
    spread = side * np.sqrt(one + two)
    ends = _roots(beyond, p - q - abs(critical) * spread, -spread, 1.0 if how == "difference" else FARTHEST)
    found[searched] = ends if how == "difference" else np.exp(ends)
    return found


def share_end(how: How, pair: Pair[float], critical: Critical[float], sign: int) -> float:
    """Return the low (sign 1) or high (-1) end of p1 - p2, or of p1 / p2, for one pair.

    `critical` gives a critical value of that sign from the distance between a limit and equality, in standard errors.
    """
    if how == "ratio" and (pair.events if sign > 0 else pair.other_events) <= 0:
        return 0.0 if sign > 0 else math.inf

    def beyond(limit: float) -> float:
        if how == "difference":
            return sign * beyond_difference(pair, limit, critical, NUMBERS)
        return sign * beyond_ratio(pair, math.exp(limit), critical, NUMBERS)

    z = abs(critical(math.inf))
    p, one = _about(how, pair.events, pair.size, z, NUMBERS)
    q, two = _about(how, pair.other_events, pair.other_size, z, NUMBERS)
    margin = z * math.sqrt(one + two)
    found = _root(beyond, p - q - sign * margin, -sign * margin / z, 1.0 if how == "difference" else FARTHEST)
    return found if how == "difference" else math.exp(found)


def _about(how: How, events: N, size: N, z: N, on: _Arithmetic[N]) -> tuple[N, N]:
    """Return a share or its logarithm with its variance, by Agresti and Coull's rate: where to begin."""
    n = size + z * z
    p = (events + z * z / 2) / n
    return (p, p * (1 - p) / n) if how == "difference" else (on.log(p), (1 - p) / (p * n))


def _root(of: Callable[[float], float], start: float, slope: float, reach: float) -> float:
    """Return where a function is 0 between -reach and reach; the end that it is nearest to 0 at where it is not.

    `slope` is how far the place moves for one unit of the function, with the sign of the direction in which it rises.
    """
    at = min(max(start, -reach), reach)
    here = of(at)
    step = slope * (1.05 * abs(here) + 0.01) * (-1 if here > 0 else 1)
    while True:
        other = min(max(at + step, -reach), reach)
        there = of(other)
        if (there > 0) != (here > 0):
            return _between(of, at, here, other, there)
        if abs(other) >= reach:
            return other
        at, here, step = other, there, 3 * step


def _between(of: Callable[[float], float], at: float, here: float, other: float, there: float) -> float:
    """Return where a function is 0 between two places at which its signs differ (Chandrupatla 1997)."""
    part = here / (here - there)
    while abs(other - at) > CLOSE:
        next_at = at + part * (other - at)
        value = of(next_at)
        if (value > 0) == (here > 0):
            third, beyond = at, here
        else:
            third, beyond, other, there = other, there, at, here
        at, here = next_at, value
        if here == 0:
            return at
        part = _part(at, here, other, there, third, beyond)
    return at if abs(here) < abs(there) else other


def _part(a: float, fa: float, b: float, fb: float, c: float, fc: float) -> float:
    """Return the next place between a and b, as a part: by inverse quadratic interpolation where it is safe."""
    part = 0.5
    if fc not in (fa, fb):
        x, f = (a - b) / (c - b), (fa - fb) / (fc - fb)
        if 1 - math.sqrt(1 - min(x, 1.0)) < f < math.sqrt(max(x, 0.0)):
            part = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    least = min(0.5 * CLOSE / max(abs(b - a), TINY), 0.5)
    return min(max(part, least), 1 - least)


def _roots(of: Callable[[Floats, Indices], Floats], start: Floats, slope: Floats, reach: float) -> Floats:
    """Return where functions are 0, each as `_root` finds it; `of` gives the values of some of them."""
    at, left = np.clip(start, -reach, reach), np.arange(len(start))
    here, inside = of(at, left), np.zeros(len(start), dtype=bool)
    other, there = at.copy(), here.copy()
    step = slope * (1.05 * np.abs(here) + 0.01) * np.where(here > 0, -1, 1)
    while len(left):
        other[left] = np.clip(at[left] + step[left], -reach, reach)
        there[left] = of(other[left], left)
        inside[left] = (there[left] > 0) != (here[left] > 0)
        left = left[~inside[left] & (np.abs(other[left]) < reach)]
        at[left], here[left], step[left] = other[left], there[left], 3 * step[left]
    which = np.flatnonzero(inside)
    other[which] = all_between(of, which, at[which], here[which], other[which], there[which])
    return other


def all_between(
    of: Callable[[Floats, Indices], Floats], which: Indices, at: Floats, here: Floats, other: Floats, there: Floats
) -> Floats:
    """Return where functions are 0 between two places each, as `_between` finds it, in steps of all that are left."""
    found, left = np.empty(len(which)), np.arange(len(which))
    part = here / (here - there)
    while True:
        done = np.abs(other - at) <= CLOSE
        found[left[done]] = np.where(np.abs(here) < np.abs(there), at, other)[done]
        if done.any():
            left = left[~done]
            at, here, other, there, part = (each[~done] for each in (at, here, other, there, part))
        if not len(left):
            return found
        next_at = at + part * (other - at)
        value = of(next_at, which[left])
        same = (value > 0) == (here > 0)
        third, beyond = np.where(same, at, other), np.where(same, here, there)
        other, there = np.where(same, other, at), np.where(same, there, here)
        at, here = next_at, value
        other = np.where(here == 0, at, other)  # found: nothing is left between
        part = _parts(at, here, other, there, third, beyond)


@np.errstate(invalid="ignore", divide="ignore")
def _parts(a: Floats, fa: Floats, b: Floats, fb: Floats, c: Floats, fc: Floats) -> Floats:
    """Return the next places between a and b, as parts; see `_part`."""
    x, f = (a - b) / (c - b), (fa - fb) / (fc - fb)
    safe = (1 - np.sqrt(1 - np.minimum(x, 1)) < f) & (f < np.sqrt(np.maximum(x, 0))) & (fc != fa) & (fc != fb)
    curved = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    least = np.minimum(0.5 * CLOSE / np.maximum(np.abs(b - a), TINY), 0.5)
    return np.asarray(np.clip(np.where(safe, curved, 0.5), least, 1 - least))
