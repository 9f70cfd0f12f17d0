"""How far sampled values are from the exact ones of the whole background, and what a smaller error would take."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.blocks import block_errors, pooled
from evenhand.messages import message

if TYPE_CHECKING:
    from evenhand.explaining.engine import PairMeans

USUAL: Final = 0.1
"""The error above which a sentence tells it, where none is requested."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Sums over all values: their variances given the whole background, and their squares."""

    between: float
    """Variance of the values between background rows, of an average over one row."""
    noise: float
    """Variance from the random orders, of an average over one row."""
    variance: float
    """Variance of the values as they are."""
    squares: float
    """Squares of the exact values, as estimated; not above 0 where the noise hides them."""
    used: int
    """Background rows that were used."""
    of: int
    """Background rows that there are."""

    @property
    def error(self) -> float:
        """Root of the variances over the squares; infinite where the noise hides the values."""
        if self.variance == 0:
            return 0.0
        return float(np.sqrt(self.variance / self.squares)) if self.squares > 0 else float("inf")

    def times(self, error: float) -> float:
        """Return how many times as many evaluations an error takes: more background rows, then more orders.

        A mean over k of B rows has the variance ``between (1 / k - 1 / B) + noise / k``.
        """
        wanted = error**2 * self.squares
        rows = (self.between + self.noise) / (wanted + self.between / self.of)
        return rows / self.used if rows <= self.of else self.noise / (wanted * self.used)


def reached(means: PairMeans, of: int) -> Reached | None:
    """Return how near sampled values are to those of `of` background rows; None where nothing shows it.

    Where some rows are left out and the part of the random orders is not known, the variance is that of a background
    of which infinitely many rows were left out, which makes the error no smaller.
    """
    used, values = int(means.block_rows.sum()), pooled(means.block_values, means.block_rows)
    noise = None if means.order_variance is None else float(means.order_variance.sum()) * used
    errors = block_errors(means.block_values, means.block_rows)
    if noise is None if used == of else errors is None:
        return None
    whole = 0.0 if errors is None else float((errors**2).sum()) * used
    between = max(whole - (noise or 0.0), 0.0)
    variance = whole / used if noise is None else between * (1 / used - 1 / of) + noise / used
    return Reached(between, noise or 0.0, variance, float((values**2).sum()) - variance, used, of)


def missed(found: Reached | None, requested: float | None, evaluations: int) -> str:
    """Return a sentence where the error is above the requested one; without a request, above a tenth."""
    wanted = USUAL if requested is None else requested
    if found is None or found.error <= wanted:
        return ""
    if not np.isfinite(found.error):
        return message(
            "{evaluations:,} evaluations of the model leave the values hidden in noise: their estimated sampling error "
            "is above their size.", evaluations=evaluations,
        )  # fmt: skip
    needed = about(evaluations * found.times(wanted))
    if requested is None:
        return message(
            "After {evaluations:,} evaluations of the model, the estimated sampling error of the values is {error:.1%} "
            "of their size. About {needed:,} evaluations would make it {wanted:.0%}.",
            evaluations=evaluations, error=found.error, needed=needed, wanted=wanted,
        )  # fmt: skip
    return message(
        "After {evaluations:,} evaluations of the model, the estimated sampling error of the values is {error:.1%} of "
        "their size, above the {wanted:.1%} requested. About {needed:,} evaluations would reach that.",
        evaluations=evaluations, error=found.error, needed=needed, wanted=wanted,
    )  # fmt: skip


def about(evaluations: float) -> int:
    """Return a number of evaluations with two figures, rounded up."""
    whole = ceil(min(evaluations, 1e18))
    step = int("1" + "0" * max(len(str(whole)) - 2, 0))
    return -(-whole // step) * step
