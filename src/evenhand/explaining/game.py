"""A model as the game that explanations and their audits play: mixed rows of codes in, scores out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from evenhand.explaining.checks import checked_players, checked_tables
from evenhand.explaining.evaluating import Evaluator
from evenhand.explaining.preparing import prepared
from evenhand.explaining.scores import Link, LinkedScore
from evenhand.explaining.table import CodedTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.subjects import Subject


class Mixing(Protocol):
    """What gives the scores of rows whose players come from explained rows or from background rows."""

    own: NDArray[np.float64]
    """(n,): the scores of the rows as they are."""

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Players, explained rows, background rows."""
        ...

    def mixed(
        self, rows: NDArray[np.int64], background: NDArray[np.int64], from_row: NDArray[np.bool_], /
    ) -> NDArray[np.float64]:
        """Return the score of each mixed row."""
        ...


class Game:
    """The scores of rows whose players come from explained rows or from background rows.

    `model`: as for `explain`; `X`, `background`: the n rows and the b rows that are mixed; `players`: groups of
    columns; `link`: the scale.
    """

    def __init__(
        self,
        model: Subject | Callable[..., object],
        X: pd.DataFrame,
        background: pd.DataFrame,
        *,
        players: Mapping[str, Sequence[str]] | None = None,
        link: Link = "logit",
    ) -> None:
        background = checked_tables(X, background)
        self.score = LinkedScore(model, link)
        self.score.settle(X)
        self.own = self.score(X)
        self.table = CodedTable(X, background, checked_players(X, players))
        self.parts = prepared(self.score, self.table, pd.concat([X, background], ignore_index=True), self.own)
        self._evaluate = Evaluator(self._ask, self.table, width=len(self.table.columns))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Players, explained rows, background rows."""
        return (*self.table.rows.shape, self.table.background.shape[1])

    def _ask(self, codes: NDArray[np.int32]) -> NDArray[np.float64]:
        if self.parts is None:
            return self.score(self.table.decode(codes))
        return self.parts.score(self.parts.parts.compose(codes))

    def mixed(
        self, rows: NDArray[np.int64], background: NDArray[np.int64], from_row: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return the score of each mixed row.

        `rows`, `background` (k,): which row and which background row each mixes; `from_row` (players, k): which players
        come from the row.
        """
        codes = np.where(from_row, self.table.rows[:, rows], self.table.background[:, background])
        return np.asarray(self._evaluate(np.ascontiguousarray(codes))[:, 0])


def occlusion(game: Mixing) -> NDArray[np.float64]:
    """Return (n, m): the score less its mean with one player taken from every background row in turn.

    The leave-one-out value: what a feature adds to a row that keeps all others. It is not a Shapley value, covers
    interactions of the row alone, and costs m evaluations a pair.
    """
    players, n, b = game.sizes
    rows, background = np.repeat(np.arange(n), b), np.tile(np.arange(b), n)
    values = np.empty((n, players))
    for player in range(players):
        kept = np.ones((players, len(rows)), dtype=bool)
        kept[player] = False
        values[:, player] = game.own - game.mixed(rows, background, kept).reshape(n, b).mean(axis=1)
    return values
