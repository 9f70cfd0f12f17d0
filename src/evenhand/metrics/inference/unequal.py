"""Limits of a share of unequal units: of weighted rows, or of clusters of rows.

An exact limit of a share is what the share would be with one more row: Clopper and Pearson's high end is a quantile of
Beta(k + 1, n - k), whose mean counts one more hit. Where units are unequal, one more is not one row: it is a unit as
heavy as the one in which an average hit is found. Its Beta has the mean with that unit added, and the variance between
units about that mean. Where all units weigh the same, it is Clopper and Pearson's.

With weights this is the binomial analogue of Fay and Feuer (1997), Statistics in Medicine 16, whose gamma limits of a
weighted sum of Poisson counts add one event of the greatest weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats

Beta: TypeAlias = "tuple[Floats, Floats]"
"""Both parameters of a beta distribution, (G,) each."""

UNSEEN: Final = 3.0
"""How many times as heavy as the others a weighted row may be of which none has been seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Sums over the units of each group; a unit has a mass of rows that count (hits) and of rows that do not."""

    hits: Floats
    """(G,) sums of hits."""
    misses: Floats
    """(G,) sums of misses."""
    hit_squares: Floats
    """(G,) sums of each unit's hits, squared."""
    cross: Floats
    """(G,) sums of each unit's hits times its misses."""
    miss_squares: Floats
    """(G,) sums of each unit's misses, squared."""
    row_squares: Floats
    """(G,) sums of each row's weight, squared; rows where they are not weighted."""
    spread: Floats | None
    """(G,) rows for each row that the weights are worth (the design effect of Kish); None where none is weighted."""

    def turned(self) -> Units:
        """Return the units with hits for misses."""
        return replace(
            self, hits=self.misses, misses=self.hits, hit_squares=self.miss_squares, miss_squares=self.hit_squares
        )


def betas(units: Units) -> tuple[Beta, Beta]:
    """Return the distributions whose quantiles are the low and the high end of the share of hits.

    At an end of 0 or 1 the first, or second, parameter is 0.
    """
    b, a = _with_one_more(units.turned())
    return (a, b), _with_one_more(units)


def _with_one_more(units: Units) -> Beta:
    """Return the distribution of the share with one more unit of hits."""
    with np.errstate(invalid="ignore", divide="ignore"):
        one = _heavy(units)
        mass = units.hits + units.misses + one
        mean, square = (units.hits + one) / mass, one**2
        between = (1 - mean) ** 2 * (units.hit_squares + square) + mean**2 * units.miss_squares
        between -= 2 * mean * (1 - mean) * units.cross
        worth = mean * (1 - mean) * mass**2 / between
        worth = np.minimum(worth, mass**2 / (units.row_squares + square))  # clusters are worth no more than their rows
        missed = units.misses > 0
        return np.where(missed, mean * worth, 1.0), np.where(missed, (1 - mean) * worth, 0.0)


def _heavy(units: Units) -> Floats:
    """Return the mass of one more unit of hits: that in which an average hit, or an average row, is found.

    Of weighted rows it is taken once more as heavy as the weights are spread: the variance of a sum rests on rows as
    heavy as that, and few of them may have been drawn. (Of lognormal weights it is so exactly.)
    """
    mass = units.hits + units.misses
    average = (units.hit_squares + 2 * units.cross + units.miss_squares) / mass
    seen = units.hits > 0
    one = np.where(seen, np.fmax((units.hit_squares + units.cross) / units.hits, average), average)
    return one if units.spread is None else np.where(seen, one * units.spread, UNSEEN * average)
