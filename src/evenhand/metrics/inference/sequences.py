"""Bounds of several proportions together at all times, each by its evidence.

Proportions of different rows have evidences that may be multiplied. So a difference is above a limit as far as, for
every pair of proportions that keeps it, there is evidence that the first is above its one or the second below its
other: half the product of both evidences and a quarter of each reach 1 / error. The product is worth more for groups
of about one size, each alone for a group beside a much larger one; their mean is within 4 % of the better one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import numpy as np

from evenhand.metrics.inference.always_valid import share_bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Indices

TOGETHER: Final = 0.5
"""What the product of two evidences is weighted by."""
ALONE: Final = 0.25
"""And each of them."""
SPLITS: Final = 65
"""Ways of sharing the evidence that are looked at first."""
FINER: Final = (9, 9, 9)
"""And those around the worst one, each time."""
LEAST: Final = -20.0
"""How little evidence is asked of one proportion where that of the other is alone; a logarithm."""

NARROWEST: Final = 500.0
"""Rows at which asymptotic sequences are narrowest, beside those of a fixed number of rows."""
TIGHTEST: Final = 8.0
"""The variance of the mixing distribution there, in squared standard errors."""
METHOD: Final = "always valid"
"""The name of an interval that holds at all times."""
ROUGHLY: Final = "always valid, asymptotic"
"""The name of one that does so as rows grow."""


class Curve(Protocol):
    """The bounds of the values of groups, by the logarithm of the evidence against what is beyond them."""

    @property
    def direct(self) -> bool:
        """Whether many bounds are found in little time."""

    def low(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the low bounds of some of the groups; shapes are broadcast."""

    def high(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the high bounds."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Proportions, each of rows of its own.

    See Also
    --------
    evenhand.metrics.inference.always_valid.share_bound : Its bounds.
    """

    events: Floats
    """(G,) events."""
    size: Floats
    """(G,) rows."""

    @property
    def direct(self) -> bool:
        """Whether many bounds are found in little time."""
        return True

    def low(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the low bounds."""
        return share_bound(self.events[groups], self.size[groups], evidence)

    def high(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the high bounds."""
        k, n = self.events[groups], self.size[groups]
        return 1 - share_bound(n - k, n, evidence)


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """Values that are a rising function of others."""

    of: Curve
    by: Callable[[Floats], Floats]

    @property
    def direct(self) -> bool:
        """Whether many bounds are found in little time."""
        return self.of.direct

    def low(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the low bounds."""
        return self.by(self.of.low(groups, evidence))

    def high(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the high bounds."""
        return self.by(self.of.high(groups, evidence))


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Values that rise with a first and fall with a second one, which rest on different rows."""

    first: Curve
    second: Curve
    by: Callable[[Floats, Floats], Floats]

    @property
    def direct(self) -> bool:
        """Whether many bounds are found in little time."""
        return False

    def low(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the low bounds."""
        at, wanted = (part.ravel() for part in np.broadcast_arrays(groups, evidence))
        found = joined_low(self.by, (self.first, at), (self.second, at), wanted)
        return found.reshape(np.broadcast_shapes(np.shape(groups), np.shape(evidence)))

    def high(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the high bounds."""
        turned = Joined(self.second, self.first, lambda second, first: -self.by(first, second))
        return -turned.low(groups, evidence)


def joined_low(
    by: Callable[[Floats, Floats], Floats],
    first: tuple[Curve, Indices],
    second: tuple[Curve, Indices],
    evidence: Floats,
) -> Floats:
    """Return the low bounds of what rises with a first and falls with a second value, for (P,) pairs.

    Parameters
    ----------
    by : callable
        From both values to theirs together, such as their difference.
    first, second : (Curve, (P,) array)
        Curves of independent values, and the group of each pair in them.
    evidence : (P,) array
        The logarithm of the evidence against all that is below.
    """
    (one, at), (other, beside), wanted = first, second, np.asarray(evidence, dtype=np.float64)[:, None]
    stop = widest_lead(wanted)
    start, found = -stop, np.full(len(wanted), np.inf)
    for splits in (SPLITS, *FINER):
        lead = start + (stop - start) * np.linspace(0.0, 1.0, splits)
        own, others = shared(lead, wanted)
        values = by(one.low(at[:, None], own), other.high(beside[:, None], others))
        worst = values.argmin(axis=1)[:, None]
        found = np.minimum(found, np.take_along_axis(values, worst, axis=1)[:, 0])
        ends = (np.maximum(worst - 1, 0), np.minimum(worst + 1, splits - 1))
        start, stop = (np.take_along_axis(lead, end, axis=1) for end in ends)
    return found


def widest_lead(evidence: ArrayLike) -> Floats:
    """Return the greatest lead of one evidence above the other that is looked at."""
    return np.asarray(np.maximum(evidence, 0.0) - np.log(ALONE) - LEAST)


def shared(lead: Floats, evidence: Floats) -> tuple[Floats, Floats]:
    """Return the two evidences that together are `evidence`, the first by `lead` above the second; all logarithms.

    Together they are worth TOGETHER times their product and ALONE times each.
    """
    c = ALONE * np.cosh(lead / 2)
    middle = evidence - np.log(c + np.sqrt(c**2 + TOGETHER * np.exp(evidence)))
    return middle + lead / 2, middle - lead / 2


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """The values of some of the groups."""

    of: Curve
    groups: Indices

    @property
    def direct(self) -> bool:
        """Whether many bounds are found in little time."""
        return self.of.direct

    def low(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the low bounds."""
        return self.of.low(self.groups[groups], evidence)

    def high(self, groups: Indices, evidence: Floats) -> Floats:
        """Return the high bounds."""
        return self.of.high(self.groups[groups], evidence)


@dataclass(frozen=True, slots=True, eq=False)
class Asymptotic:
    """Values whose usual intervals hold at all times where their critical values are those of a boundary."""

    size: Floats
    """(G,) rows."""

    def critical(self, evidence: float) -> float:
        """Return the critical value at which the intervals of all groups, and of two together, hold at all times."""
        least = float(self.size.min()) / 2 if len(self.size) else 1.0
        most = float(self.size.max()) if len(self.size) else 1.0
        return max(boundary(least, evidence), boundary(most, evidence))


Sequence: TypeAlias = Curve | Asymptotic
"""What makes intervals of groups hold at all times."""


def picked(of: Sequence | None, groups: slice | Indices, number: int) -> Sequence | None:
    """Return the sequence of some of the groups."""
    if of is None or isinstance(of, Asymptotic):
        return of
    return Picked(of, np.arange(number)[groups])


def boundary(rows: float, evidence: float) -> float:
    """Return the number of standard errors that a sum of rows passes at no time but for an error of exp(-evidence).

    Of a sum with normal increments, by mixing the likelihood ratios of the drifts above 0 with half a normal
    distribution; of others it holds as rows grow. Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024),
    Annals of Statistics 52, "Time-uniform central limit theory and asymptotic confidence sequences".

    Parameters
    ----------
    rows : float
        Rows so far.
    evidence : float
        The logarithm of one over the error of one side.

    Examples
    --------
    >>> [round(boundary(rows, 3.689), 2) for rows in (50, 500, 5000, 50000)]
    [3.85, 3.04, 3.24, 3.56]
    """
    from scipy.special import log_ndtr

    x = rows * TIGHTEST / NARROWEST
    low, high = 0.0, 40.0 + 8 * math.sqrt(evidence)
    for _ in range(60):
        middle = (low + high) / 2
        reached = x * middle**2 / (2 * (1 + x)) + math.log(2) + log_ndtr(middle * math.sqrt(x / (1 + x)))
        low, high = (middle, high) if reached - math.log1p(x) / 2 < evidence else (low, middle)
    return high
