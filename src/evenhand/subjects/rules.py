"""Rules over a model's scores: with which chance a score is decided for, in each group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import ModelError, shorten
from evenhand.lots import texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain

BETWEEN: Final = "\x1f"
"""What stands between the values of a group's columns in its name: the unit separator, which no value has."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The chance of a positive decision as a function of the score, constant between edges.

    A threshold is one edge: no chance below it, certainty from it on. Two edges with a chance between them are a
    randomized threshold.

    Examples
    --------
    >>> import numpy as np
    >>> Steps((0.4, 0.6), (0.0, 0.5, 1.0)).of(np.array([0.3, 0.4, 0.6])).tolist()
    [0.0, 0.5, 1.0]
    """

    edges: tuple[float, ...]
    """Scores in order; a score at an edge is above it."""
    chances: tuple[float, ...]
    """One more than edges, each in [0, 1]."""

    def __post_init__(self) -> None:
        """Raise ModelError where these are no steps."""
        numbers = (*self.edges, *self.chances)
        if len(self.chances) != len(self.edges) + 1 or not all(np.isfinite(numbers)):
            raise ModelError(f"A rule has {len(self.edges)} edges and {len(self.chances)} chances; one more is needed.")
        if list(self.edges) != sorted(self.edges) or not all(0 <= chance <= 1 for chance in self.chances):
            raise ModelError("The edges of a rule are in order, and its chances are between 0 and 1.")

    def of(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n,) the chance of each score.

        Parameters
        ----------
        scores : NDArray[np.float64]
            (n,) scores.
        """
        return np.asarray(self.chances)[np.searchsorted(np.asarray(self.edges), scores, side="right")]

    @property
    def certain(self) -> bool:
        """Whether no lot is drawn."""
        return all(chance in (0.0, 1.0) for chance in self.chances)

    @property
    def threshold(self) -> float | None:
        """The one threshold that it is; None where it is another rule."""
        return self.edges[0] if self.chances == (0.0, 1.0) else None

    @classmethod
    def at(cls, threshold: float) -> Steps:
        """Return the rule of one threshold.

        Parameters
        ----------
        threshold : float
            A score at or above it is decided for.
        """
        return cls((float(threshold),), (0.0, 1.0))

    def to_plain(self) -> dict[str, Plain]:
        """Return it as plain data."""
        return {"edges": list(self.edges), "chances": list(self.chances)}


@dataclass(frozen=True, slots=True)
class Rule:
    """Steps for each group; one for all where there are no columns.

    Examples
    --------
    >>> rule = Rule(Steps.at(0.5), ("sex",), {"f": Steps.at(0.4)})
    >>> rule.certain
    True
    """

    rest: Steps
    """For rows of no group below: those of groups that were not met in the fit."""
    columns: tuple[str, ...] = ()
    """The sensitive features that make the groups."""
    groups: Mapping[str, Steps] = field(default_factory=dict)
    """By the values of the columns as text, joined by `BETWEEN`."""
    bins: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Edges between the groups of numeric columns."""

    def names(self, table: pd.DataFrame) -> NDArray[np.object_]:
        """Return (n,) the group of each row.

        Parameters
        ----------
        table : pd.DataFrame
            Rows with the columns of the rule.
        """
        parts = [_values(table[column], self.bins.get(column)) for column in self.columns]
        found: NDArray[np.object_] = parts[0]
        for more in parts[1:]:
            found = found + BETWEEN + more
        return found

    def chances(self, batch: object, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n,) the chance of a positive decision.

        Parameters
        ----------
        batch : table
            The rows; looked at where there are columns.
        scores : NDArray[np.float64]
            (n,) their scores.
        """
        found = self.rest.of(scores)
        if self.columns:
            names = self.names(batch)  # type: ignore[arg-type]
            for name, steps in self.groups.items():
                here = names == name
                found[here] = steps.of(scores[here])
        return found

    @property
    def certain(self) -> bool:
        """Whether no lot is drawn."""
        return all(steps.certain for steps in (self.rest, *self.groups.values()))

    @property
    def threshold(self) -> float | None:
        """The one threshold for all that it is; None where it is another rule."""
        return None if self.columns else self.rest.threshold

    def to_plain(self) -> dict[str, Plain]:
        """Return it as plain data, as files and records keep it."""
        return {
            "columns": list(self.columns),
            "rest": self.rest.to_plain(),
            "groups": {name: steps.to_plain() for name, steps in sorted(self.groups.items())},
            "bins": {column: [*map(float, edges)] for column, edges in self.bins.items()},
        }

    @classmethod
    def from_plain(cls, plain: object) -> Rule:
        """Return the rule of such data.

        Parameters
        ----------
        plain : mapping
            What `to_plain` returned.

        Raises
        ------
        ModelError
            When it is something else.
        """
        try:
            groups = {str(name): _steps(part) for name, part in plain["groups"].items()}  # type: ignore[index]
            bins = {str(name): [*map(float, part)] for name, part in plain["bins"].items()}  # type: ignore[index]
            columns = tuple(map(str, plain["columns"]))  # type: ignore[index]
            return cls(_steps(plain["rest"]), columns, groups, bins)  # type: ignore[index]
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise ModelError(f"This is no rule over scores: {shorten(problem, 200)}.") from None


def _steps(plain: Mapping[str, Sequence[float]]) -> Steps:
    return Steps(tuple(map(float, plain["edges"])), tuple(map(float, plain["chances"])))


def _values(column: pd.Series, edges: Sequence[float] | None) -> NDArray[np.object_]:
    """Return values as text, and where there are edges the number of edges at or below each."""
    if edges is None:
        return texts(column)
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    found = np.searchsorted(np.asarray(edges), numbers, side="right").astype(str).astype(object)
    found[np.isnan(numbers)] = ""
    return found
