"""Product-limit curves of follow-up that may end before the event: of the event, and of being censored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

OWN_CURVE: Final = 10
"""Rows followed to the horizon from which on a group has a censoring curve of its own."""
POOLED: Final = -1
"""The stratum of rows whose group has too few rows for a curve of its own: theirs is that of all rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The chance that something has not happened yet, a step at each time at which it happened.

    Examples
    --------
    >>> curve = event_curve([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0])
    >>> curve.after([0.5, 1.0, 3.0]).tolist(), curve.before([1.0, 3.0]).tolist()
    ([1.0, 0.75, 0.375], [1.0, 0.75])
    """

    times: NDArray[np.float64]
    """(J,) when it happened, each time once, in order."""
    happened: NDArray[np.float64]
    """(J,) rows, or their weights, to which it happened then."""
    at_risk: NDArray[np.float64]
    """(J,) rows, or their weights, to which it could have happened then."""
    chance: NDArray[np.float64]
    """(J,) the chance that it has not happened up to and at that time."""

    def after(self, time: ArrayLike) -> NDArray[np.float64]:
        """Return the chance that it has not happened up to and at each time."""
        return self._steps(np.searchsorted(self.times, np.asarray(time, dtype=np.float64), side="right"))

    def before(self, time: ArrayLike) -> NDArray[np.float64]:
        """Return the chance that it has not happened before each time."""
        return self._steps(np.searchsorted(self.times, np.asarray(time, dtype=np.float64), side="left"))

    def _steps(self, passed: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.asarray(np.concatenate([[1.0], self.chance])[passed])


def event_curve(time: ArrayLike, event: ArrayLike, weight: ArrayLike | None = None) -> Curve:
    """Return the chance of no event yet (Kaplan and Meier 1958): who is censored at a time was at risk at it.

    Parameters
    ----------
    time : (n,) array
        How long each row was followed.
    event : (n,) array of 0 and 1
        Whether the event ended it; else it is censored.
    weight : (n,) array, optional
        Sampling weights.
    """
    return _curve(time, event, weight, censoring=False)


def censoring_curve(time: ArrayLike, event: ArrayLike, weight: ArrayLike | None = None) -> Curve:
    """Return the chance of not being censored yet: who has the event at a time can no longer be censored at it.

    The parameters are those of `event_curve`.

    Examples
    --------
    >>> censoring_curve([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0]).before([2.0, 3.0, 4.0]).round(3).tolist()
    [1.0, 0.667, 0.667]
    """
    return _curve(time, event, weight, censoring=True)


def _curve(time: ArrayLike, event: ArrayLike, weight: ArrayLike | None, *, censoring: bool) -> Curve:
    times, happens = np.asarray(time, dtype=np.float64), np.asarray(event) == 1
    one = np.ones(len(times)) if weight is None else np.asarray(weight, dtype=np.float64)
    found, place = np.unique(times, return_inverse=True)
    events, leaving = (_sums(place, part, len(found)) for part in (one * happens, one))
    at_risk = np.cumsum(leaving[::-1])[::-1]
    happened = leaving - events if censoring else events
    at_risk = at_risk - events if censoring else at_risk
    there = _sums(place, (happens != censoring) & (one > 0), len(found)) > 0
    happened, at_risk = np.minimum(happened[there], at_risk[there]), at_risk[there]
    left = np.where(np.isclose(happened, at_risk, rtol=1e-12, atol=0), 0.0, 1 - happened / at_risk)
    return Curve(found[there], happened, at_risk, np.asarray(np.cumprod(left), dtype=np.float64))


def _sums(place: NDArray[np.intp], part: NDArray[Any], size: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(place, part, minlength=size), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Censoring:
    """How rows are censored: one curve for all, or one for each stratum.

    Examples
    --------
    >>> overall = Censoring.of([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], [0, 0, 0, 0])
    >>> overall.weights([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], 3.0).round(2).tolist()
    [1.0, 0.0, 1.5, 1.5]
    """

    of_row: NDArray[np.intp]
    """(n,) which curve is that of each row."""
    curves: tuple[Curve, ...]
    """The censoring curves."""

    @classmethod
    def of(cls, time: ArrayLike, event: ArrayLike, strata: ArrayLike, weight: ArrayLike | None = None) -> Censoring:
        """Return the censoring curves of rows.

        Parameters
        ----------
        time, event, weight : (n,) arrays
            As for `event_curve`.
        strata : (n,) integer array
            Rows of one number share a curve; those of `POOLED` have that of all rows.
        """
        times, events, known = np.asarray(time), np.asarray(event), np.asarray(strata)
        one = None if weight is None else np.asarray(weight)
        found, of_row = np.unique(known, return_inverse=True)

        def curve(stratum: Any) -> Curve:
            rows = np.ones(len(times), dtype=bool) if stratum == POOLED else known == stratum
            return censoring_curve(times[rows], events[rows], None if one is None else one[rows])

        return cls(of_row.astype(np.intp), tuple(curve(stratum) for stratum in found))

    def free(self, time: ArrayLike) -> NDArray[np.float64]:
        """Return (m, K) the chance under each curve of not being censored before each time."""
        return np.column_stack([curve.before(time) for curve in self.curves])

    def weights(self, time: ArrayLike, event: ArrayLike, horizon: float) -> NDArray[np.float64]:
        """Return (n,) the inverse of the chance that what happened to each row by the horizon is known; 0 of unknown.

        A row whose event was seen counts for all that had the event at its time and were censored before; one that was
        followed to the horizon for all that were censored before the horizon (Graf et al. 1999, Statistics in Medicine
        18; Uno et al. 2007, JASA 102).

        Parameters
        ----------
        time, event : (n,) arrays
            The same rows as the curves are of.
        horizon : float
            In the unit of the time.
        """
        times, happened = np.asarray(time, dtype=np.float64), np.asarray(event) == 1
        seen = np.minimum(times, horizon)
        free = self.free(seen)[np.arange(len(seen)), self.of_row]
        known = (times >= horizon) | happened
        return np.where(known, 1 / np.where(known, free, 1.0), 0.0)


def strata_of(codes: ArrayLike, time: ArrayLike, horizon: float) -> NDArray[np.intp]:
    """Return (n,) the stratum of each row: its group, or `POOLED` where fewer than ten are followed to the horizon.

    Parameters
    ----------
    codes : (n,) integer array
        The group of each row, from 0.
    time : (n,) array
        How long it was followed.
    horizon : float
        In the unit of the time.

    Examples
    --------
    >>> strata_of([0] * 10 + [1], [5.0] * 11, 4.0).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1]
    """
    group = np.asarray(codes).astype(np.intp)
    followed = np.bincount(group, np.asarray(time) >= horizon, minlength=int(group.max(initial=0)) + 1)
    return np.where(followed[group] >= OWN_CURVE, group, POOLED)
