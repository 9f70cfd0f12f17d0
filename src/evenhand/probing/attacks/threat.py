"""What an attacker may do: by how much each row may be moved, and within which range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Norm", "Threat", "threat_of"]

Norm: TypeAlias = Literal["linf", "l2"]
"""How a move is measured: its greatest number, or its Euclidean length."""
BUDGETS: Final[dict[Norm, float]] = {"linf": 8 / 255, "l2": 0.5}
"""The budgets of RobustBench (Croce et al. 2021), as shares of the range of the inputs."""
WHOLE_RANGE: Final = 255.0


@dataclass(frozen=True, slots=True)
class Threat:
    """How far each row may be moved, on the scale of the inputs.

    Examples
    --------
    >>> Threat("linf", 8.0, 0.0, 255.0, whole=True).settled(np.array([[9.7, 300.0]]), np.array([[0, 250]]))
    array([[  8, 255]])
    """

    norm: Norm
    """How a move is measured."""
    radius: float
    """The longest move."""
    low: float
    """The least number that an input may hold."""
    high: float
    """The greatest number that an input may hold."""
    whole: bool = False
    """Whether inputs hold whole numbers."""

    def settled(self, moved: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
        """Return moved rows as the model is given them: within budget and range, in the type of the rows.

        Parameters
        ----------
        moved, rows : (n, ...) arrays
            The moved rows, and where they started.
        """
        start = rows.astype(np.float64)
        change = np.asarray(moved, dtype=np.float64) - start
        if self.norm == "linf":
            change = np.clip(change, -self.radius, self.radius)
        else:
            flat = change.reshape(len(change), int(np.prod(change.shape[1:])))
            length = np.sqrt((flat**2).sum(axis=1))
            factor = np.minimum(1.0, self.radius / np.maximum(length, 1e-12))
            change = (flat * factor[:, None]).reshape(change.shape)
        inside = np.clip(start + change, self.low, self.high)
        if self.whole:  # towards the start, so that no move becomes longer
            inside = start + np.trunc(inside - start)
        return inside.astype(rows.dtype)

    def widest(self, size: int) -> Threat:
        """Return the threat under which each row may become any other.

        Parameters
        ----------
        size : int
            How many numbers a row holds.
        """
        span = self.high - self.low
        return replace(self, radius=span if self.norm == "linf" else span * float(np.sqrt(size)))


def threat_of(rows: NDArray[Any], norm: Norm = "linf", budget: float | None = None) -> Threat:
    """Return the threat that a budget means for some rows.

    The range of whole numbers of 8 bits is 0 to 255, that of fractions between 0 and 1 is 0 to 1, and that of others
    the one from their least to their greatest number.

    Parameters
    ----------
    rows : (n, ...) array
        Rows that a model reads.
    norm : "linf" or "l2"
        How a move is measured.
    budget : float, optional
        The longest move as a share of the range; 8/255, or 0.5 in Euclidean length, when not given.

    Returns
    -------
    Threat

    Examples
    --------
    >>> threat_of(np.zeros((2, 4), dtype=np.uint8), budget=0.1)
    Threat(norm='linf', radius=25.5, low=0.0, high=255.0, whole=True)
    >>> round(threat_of(np.array([[0.2, 0.9]])).radius, 4)
    0.0314
    """
    whole = rows.dtype.kind in "iub"
    least, most = (float(rows.min()), float(rows.max())) if rows.size else (0.0, 1.0)
    low, high = (0.0, WHOLE_RANGE) if rows.dtype == np.uint8 else (0.0, 1.0)
    if rows.dtype != np.uint8 and not (least >= 0.0 and most <= 1.0):
        low, high = least, most
    share = BUDGETS[norm] if budget is None else budget
    return Threat(norm, share * (high - low), low, high, whole)
