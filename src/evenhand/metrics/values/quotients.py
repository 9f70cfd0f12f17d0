"""The quotient of two means of the same rows, with limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.values.means import Means
    from evenhand.metrics.values.rates import Ends

FURTHER: Final = 2
"""Rows without correlation that are added to those seen."""


def quotient(top: Means, bottom: Means, both: Means, bottom_ends: Ends) -> tuple[Floats, Ends]:
    """Return ``top / bottom``, (G,), and what finds its limits.

    The limits of both means are joined on the logarithm by square-and-add with their correlation (Zou and Donner 2008,
    Statistics in Medicine 27), of which two standard errors less are taken than is seen. The high end is infinite
    where the mean below may be 0.

    Parameters
    ----------
    top, bottom : Means
        Means of numbers of at least 0.
    both : Means
        Means of the sum of both numbers.
    bottom_ends : callable
        The limits of `bottom`.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(bottom.mean > 0, top.mean / bottom.mean, np.nan)
        shared = (both.error**2 - top.error**2 - bottom.error**2) / (2 * top.error * bottom.error)
    freedom = np.maximum(bottom.freedom, 1)
    seen = np.clip(np.nan_to_num(shared), -1, 1) * freedom / (freedom + FURTHER)
    correlation = np.maximum(seen - 2 * (1 - seen**2) / np.sqrt(freedom), -1)

    def ends(z: float) -> tuple[Floats, Floats]:
        (low, high), (least, most) = top.ends(z, log=True), bottom_ends(z)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # too high for a number: without an end
            below, above = np.log(top.mean / np.maximum(low, 0)), np.log(high / top.mean)
            under, over = np.log(bottom.mean / np.maximum(least, 0)), np.log(most / bottom.mean)
            low = value * np.exp(-_joined(below, over, correlation))
            high = value * np.exp(_joined(above, under, correlation))
        return low, np.where(least > 0, high, np.inf)

    return value, ends


def _joined(one: Floats, other: Floats, correlation: Floats) -> Floats:
    """Return two margins of a difference together, given the correlation of its sides."""
    return np.asarray(np.sqrt(np.maximum(one**2 + other**2 - 2 * correlation * one * other, 0.0)))
