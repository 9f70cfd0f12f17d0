"""Means over templates: each was filled with every identity, so an identity is compared within it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.inference.skewed import Tails, margin_above, tails_of

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats

LEAST: Final = 3
"""The fewest templates from which a spread is told."""
ALIKE: Final = 1e-9
"""Numbers that spread less are the same, but for rounding."""


def apart_within(values: Floats) -> Floats:
    """Return by how much each identity is above the mean of the others in the same template.

    Parameters
    ----------
    values : (T, K) array
        A number of each of T templates, filled with each of K identities; nan where it was not.

    Returns
    -------
    (T, K) array
        nan where a template has the identity, or any other, not.
    """
    known = np.isfinite(values)
    others = known.sum(axis=1, keepdims=True) - known
    total = np.where(known, values, 0.0).sum(axis=1, keepdims=True) - np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.round(values - total / others, 12)  # sums of equal numbers differ in their last digits
    return np.where(known & (others > 0), apart, np.nan)


def turned_within(decided: Floats) -> Floats:
    """Return the share of the other identities for which the same template is decided otherwise, (T, K)."""
    known = np.isfinite(decided)
    unlike = (decided[:, :, None] != decided[:, None, :]) & known[:, :, None] & known[:, None, :]
    others = known.sum(axis=1, keepdims=True) - known
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known & (others > 0), unlike.sum(axis=2) / others, np.nan)


def share_ends(parts: Floats, z: float) -> tuple[float, float]:
    """Return the ends of the mean of parts (n,) in [0, 1], one of each template.

    They are the exact ones of as many templates of which each is 0 or 1 with the same mean: of all numbers in [0, 1]
    with that mean these spread most.
    """
    low, high = clopper_pearson([parts.sum()], [len(parts)], z)
    return float(low[0]), float(high[0])


def difference_ends(parts: Floats, z: float) -> tuple[float, float]:
    """Return the ends of the mean of differences of shares (n,), in [-1, 1].

    Student's interval after one template with the difference 1 and one with -1 are added, so that it is no point where
    all are alike: what Bonett and Price (2012, Journal of Educational and Behavioral Statistics 37) do to differences
    of paired proportions, which are -1, 0 or 1.
    """
    from scipy.special import ndtr, stdtrit

    more = np.concatenate([parts, [1.0, -1.0]])
    wide = float(stdtrit(len(more) - 1, ndtr(z))) * float(more.std(ddof=1)) / np.sqrt(len(more))
    middle, seen = float(more.mean()), float(parts.mean())
    return max(min(middle - wide, seen), -1.0), min(max(middle + wide, seen), 1.0)


def score_ends(parts: Floats, z: float, widest: float | None) -> tuple[float, float]:
    """Return the ends of the mean of differences of scores (n,), nan where no end is known.

    Student's, allowing for skewness as for other means (`margin_above`). Where all are alike nothing tells their
    spread: then the ends are those for which so many templates would rarely all be alike, and the others as far off as
    can be (`widest`).
    """
    number = len(parts)
    spread = float(parts.std(ddof=1)) if number > 1 else 0.0
    mean = float(parts.mean())
    if number < LEAST or spread < ALIKE:
        if widest is None:
            return float("nan"), float("nan")
        high = float(clopper_pearson([0.0], [number], z)[1][0])
        return max(mean - high * widest, -widest), min(mean + high * widest, widest)
    skew, least, most = tails_of(parts)
    tails = Tails(np.array([skew]), np.array([least]), np.array([most]))
    error, count = np.array([spread / np.sqrt(number)]), np.array([float(number)])
    below, above = (float(margin_above(error, count, side, z)[0]) for side in (tails.turned(), tails))
    low, high = mean - below, mean + above
    return (low, high) if widest is None else (max(low, -widest), min(high, widest))
