"""How much worse a slice is that a search found: estimates without the search's luck, and limits that allow for it.

The end by which a limit fails is simultaneous over all slices: it is the inversion of the test that found the slice, at
the threshold of the search, so that it is above 0 for each slice that is found and for no other. The other end is not
adjusted: a slice that was picked because it looks bad is seldom worse than it looks. In between the estimate is
corrected for the search: it is the effect for which half of the slices that pass the threshold would look worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.counts.sums import sums_by
from evenhand.metrics.inference.intervals import clopper_pearson, share_difference_interval

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Marks
    from evenhand.metrics.slices.lattice import Rows, Slice
    from evenhand.metrics.slices.search import Search

HALVINGS: Final = 45
NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Effect:
    """What holds for a slice that was found."""

    estimate: float
    """How much higher its rate is than that of the other rows; of a gap, the gap inside it. Corrected for the search.
    """
    low: float
    """Simultaneous over all slices that were searched."""
    high: float
    """Not adjusted."""
    rates: Floats
    """(2,) the rates of [rest, slice] as they were counted; (2, 2) by group where the slice is found by a gap."""
    rows: Floats
    """Rows, in the same order."""
    p: float
    """The chance that any slice looks as bad, if none is worse in truth."""


def effect(found: Slice, search: Search, rows: Rows, level: float) -> Effect:
    """Return how much worse a slice is.

    Parameters
    ----------
    found : Slice
        One of those of the search.
    search : Search
        What was searched.
    rows : Rows
        The rows that were searched.
    level : float
        Confidence of both ends together.
    """
    inside = found.members(rows.codes)
    size, hits, number = (_by_side(rows, inside, values) for values in (rows.mass, rows.mass * rows.marks, None))
    back = corrected(found.z, search.threshold)
    ends = (search.threshold, back, NORMAL.inv_cdf(0.5 + level / 2))
    worth, events = size / np.array(found.inflation)[:, None], hits / np.array(found.inflation)[:, None]
    low, middle, high = (_of_rate if rows.group is None else _of_gap)(worth, events, ends)
    rates = (hits / size)[0] if rows.group is None else (hits / size).T
    p = search.chance.p(found.z) if search.chance is not None else 1.0
    return Effect(middle, low, high, rates, number[0] if rows.group is None else number.T, p)


def corrected(z: float, threshold: float) -> float:
    """Return by how many standard errors a z above the threshold is too great, at most up to the threshold.

    A normal z whose mean is less by this is above the seen one in half of the cases in which it is above the threshold.
    """
    low, high = 0.0, threshold
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        # the chances to be above what was seen, and above the threshold, of a normal with mean z - middle
        seen, passed = NORMAL.cdf(-middle), NORMAL.cdf(z - middle - threshold)
        low, high = (middle, high) if seen > passed / 2 else (low, middle)
    return low


def _by_side(rows: Rows, inside: Marks, values: Floats | None) -> Floats:
    """Return sums (g, [rest, slice]) of values, or rows."""
    counts = np.ones(len(rows)) if values is None else values
    return sums_by(2 * rows.place + inside, counts, 2 * rows.groups).reshape(rows.groups, 2)


def _of_rate(size: Floats, hits: Floats, ends: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return low end, estimate and high end of the difference of two rates, so many roots of the deviance away."""
    (rest, n_rest), (inside, n_inside) = ((float(hits[0, at]), float(size[0, at])) for at in (0, 1))
    low, middle = (difference_end(inside, n_inside, rest, n_rest, -z) for z in ends[:2])
    return low, middle, difference_end(inside, n_inside, rest, n_rest, ends[2])


def difference_end(a: float, n: float, b: float, m: float, z: float) -> float:
    """Return the difference a / n - b / m at which the signed root of the deviance is -z: its profile likelihood.

    `n` and `m` may be effective numbers of rows.
    """
    gap = a / n - b / m
    most = _likelihood(a, n, a / n) + _likelihood(b, m, b / m)
    near, far = gap, (1.0 if z > 0 else -1.0)
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        other = _constrained(a, n, b, m, middle)
        deviance = 2 * (most - _likelihood(a, n, other + middle) - _likelihood(b, m, other))
        near, far = (middle, far) if deviance < z * z else (near, middle)
    return near


def _constrained(a: float, n: float, b: float, m: float, gap: float) -> float:
    """Return the most likely second rate, where the first is higher by `gap`."""
    low, high = max(0.0, -gap), min(1.0, 1.0 - gap)
    for _ in range(HALVINGS):
        p = (low + high) / 2
        q = p + gap
        slope = b / max(p, 1e-12) - (m - b) / max(1 - p, 1e-12) + a / max(q, 1e-12) - (n - a) / max(1 - q, 1e-12)
        low, high = (p, high) if slope > 0 else (low, p)
    return (low + high) / 2


def _likelihood(events: float, rows: float, rate: float) -> float:
    found = 0.0
    if events > 0:
        found += events * log(max(rate, 1e-12))
    if rows - events > 1e-9:
        found += (rows - events) * log(max(1 - rate, 1e-12))
    return found


def _of_gap(size: Floats, hits: Floats, ends: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return low end, estimate and high end of the gap inside a slice, group 1 less group 0."""
    rate, smooth = hits / size, (hits + 0.5) / (size + 1)
    variance = smooth * (1 - smooth) / size
    gap = float(rate[1, 1] - rate[0, 1])
    limits = []
    for z in (ends[0], ends[2]):
        low, high = clopper_pearson(hits[:, 1], size[:, 1], z)
        sides = [(rate[at, 1:], low[at : at + 1], high[at : at + 1]) for at in (1, 0)]
        limits.append(share_difference_interval(*sides))
    low_end, high_end = float(limits[0][0][0]), float(limits[1][1][0])
    # the gap moves with the difference from the other rows by its part of their variance
    middle = gap - ends[1] * float(variance[:, 1].sum()) / sqrt(float(variance.sum()))
    return low_end, min(max(middle, low_end), high_end), high_end
