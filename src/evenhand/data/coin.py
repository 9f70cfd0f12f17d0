"""Which rows a fit learns from, decided by coins, so that who was in can be guessed and the guesses counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.data.hashing import hash_content
from evenhand.lots import uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data.evaluation_set import EvaluationSet
    from evenhand.findings import Plain

CHOSEN: Final = 1
"""Of the two draws of a row the one that says whether a coin decides about it."""
INSIDE: Final = 2
"""The one that is the coin."""


@dataclass(frozen=True, slots=True)
class Coin:
    """Rows that are in or out of a fit by independent fair coins, each a function of a seed and of the row itself.

    A row that stands more than once among the candidates is always in: nobody could say which of them was guessed.
    The source of the audit that rests on it is Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1)
    training run", NeurIPS.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = eh.load_loanapp()
    >>> coin = Coin.of(rows, 0.5, seed=1)
    >>> drawn, inside = coin.flipped(rows)
    >>> bool(0.4 < inside[drawn].mean() < 0.6), bool(inside[~drawn].all())
    (True, True)
    """

    share: float
    """The share of the rows about which a coin decides."""
    seed: int
    """What the coins are drawn from."""
    columns: tuple[str, ...]
    """The columns that make a row, beside its label and its inputs."""
    candidates: str
    """The fingerprint of all rows about which was decided, those that were left out among them."""

    @classmethod
    def of(cls, data: EvaluationSet, share: float, seed: int) -> Coin:
        """Return the coins of a table's rows.

        Parameters
        ----------
        data : EvaluationSet
            All candidates.
        share : float
            The share of them about which a coin decides.
        seed : int
            What the coins are drawn from.
        """
        columns = tuple(sorted(data.features))
        return cls(share, seed, columns, _named(data, columns))

    def knows(self, data: EvaluationSet) -> bool:
        """Return whether these rows are the candidates, in any order.

        Parameters
        ----------
        data : EvaluationSet
            Rows with the same columns, or others.
        """
        return set(self.columns) <= set(map(str, data.table.columns)) and self.candidates == _named(data, self.columns)

    def flipped(self, data: EvaluationSet) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return (n,) about which rows a coin decided, and (n,) which rows are in.

        Parameters
        ----------
        data : EvaluationSet
            The candidates.
        """
        rows = data.row_hashes(self.columns)
        _, place, times = np.unique(rows, return_inverse=True, return_counts=True)
        drawn = (uniform(rows, self.seed, CHOSEN) < self.share) & (times[place] == 1)
        return drawn, ~drawn | (uniform(rows, self.seed, INSIDE) < 0.5)

    def to_plain(self) -> dict[str, Plain]:
        """Return the coins as plain data, as a model's file keeps them."""
        return {
            "share": self.share, "seed": self.seed, "columns": list(self.columns), "candidates": self.candidates,
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Coin:
        """Return the coins of such data.

        Parameters
        ----------
        plain : mapping
            What `to_plain` returned.
        """
        columns = tuple(map(str, cast("list[str]", plain["columns"])))
        return cls(
            float(cast("float", plain["share"])), int(cast("int", plain["seed"])), columns, str(plain["candidates"])
        )


def _named(data: EvaluationSet, columns: tuple[str, ...]) -> str:
    return hash_content(data.row_hashes(columns), columns)
