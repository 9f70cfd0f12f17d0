"""Scores of mixed rows of a tree ensemble, from the words of the two rows that are mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.explaining.trees.words import DE_BRUIJN, SHIFT, cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.explaining.summing import Floats, Ints
    from evenhand.explaining.trees.forest import Forest
    from evenhand.explaining.trees.words import Words

    UInts: TypeAlias = NDArray[np.uint64]
    Way: TypeAlias = Callable[[UInts, UInts, Ints, Floats], Floats]

HELD: Final = 1 << 26
"""Words that are kept for all rows; of more rows they are made when asked for."""
CELLS: Final = 1 << 17
"""Words that numpy looks up at a time."""


class TreeWalker:
    """A forest that is walked from one row to another without composing rows; a `Walker`.

    `rows` (n, columns), `background` (b, columns): as the forest reads them; `owner` (columns,): the player of each
    column; `transform`: from the forest's score to the score that is asked for, the same where None.
    """

    def __init__(
        self,
        forest: Forest,
        rows: NDArray[np.float64],
        background: NDArray[np.float64],
        owner: NDArray[np.int64],
        players: int,
        transform: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    ) -> None:
        self.asked = 0
        self._base, self._transform = forest.base, transform
        self._words = cut(forest, owner, players)
        self._mine, self._theirs = _Kept(self._words, rows), _Kept(self._words, background)

    def walk(self, rows: Ints, background: Ints, order: Ints) -> Floats:
        """Return (pairs, 2, d - 1), as in `Walker`."""
        places = 2 * order.shape[1]
        return self._in_parts(rows, background, order, _walks, np.empty((len(rows), 2, order.shape[1] - 1)), places)

    def subsets(self, rows: Ints, background: Ints, which: Ints) -> Floats:
        """Return (pairs, 2^d - 2), as in `Walker`."""
        places = 2 << ((which.shape[1] + 1) // 2)
        return self._in_parts(rows, background, which, _subsets, np.empty((len(rows), 2 ** which.shape[1] - 2)), places)

    def _in_parts(self, rows: Ints, background: Ints, which: Ints, way: Way, scores: Floats, places: int) -> Floats:
        """Fill the scores a few pairs at a time, where a pair takes so many words of each tree."""
        values = self._words.values
        step = max(1, CELLS // (places * max(len(values), 1)))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            scores[part] = way(self._mine(rows[part]), self._theirs(background[part]), which[part], values)
        scores += self._base
        return scores if self._transform is None else self._transform(scores)


class _Kept:
    """The words of rows: all of them where they are few, else of those that are asked for."""

    def __init__(self, words: Words, X: NDArray[np.float64]) -> None:
        self._words, self._X = words, X
        fits = len(X) * words.players * len(words.values) <= HELD
        self._all = words.of(X) if fits else None

    def __call__(self, rows: Ints) -> UInts:
        """Return (rows, players, words)."""
        if self._all is not None:
            return self._all[rows]
        some, place = np.unique(rows, return_inverse=True)
        return self._words.of(self._X[some])[place]


def _walks(mine: UInts, theirs: UInts, order: Ints, values: Floats) -> Floats:
    rest = _rest(theirs, order)[:, None]
    mine, theirs = (np.take_along_axis(words, order[:, :, None], axis=1) for words in (mine, theirs))
    scores = np.empty((len(order), 2, order.shape[1] - 1))
    for way, (first, last) in enumerate(((mine, theirs), (theirs, mine))):
        begun = np.bitwise_and.accumulate(first, axis=1)[:, :-1]
        ended = np.bitwise_and.accumulate(last[:, ::-1], axis=1)[:, -2::-1]
        scores[:, way] = _look_up(begun & ended & rest, values)
    return scores


def _subsets(mine: UInts, theirs: UInts, which: Ints, values: Floats) -> Floats:
    rest, d = _rest(theirs, which)[:, None], which.shape[1]
    mine, theirs = (np.take_along_axis(words, which[:, :, None], axis=1) for words in (mine, theirs))
    low = _doubled(rest, mine[:, : d // 2], theirs[:, : d // 2])
    high = _doubled(~np.zeros_like(rest), mine[:, d // 2 :], theirs[:, d // 2 :])
    scores = np.empty((len(which), high.shape[1], low.shape[1]))
    for place in range(high.shape[1]):
        scores[:, place] = _look_up(low & high[:, place, None], values)
    return scores.reshape(len(which), -1)[:, 1:-1]


def _doubled(words: UInts, mine: UInts, theirs: UInts) -> UInts:
    """Return (pairs, 2^players, words): for all subsets of a few players, what is left of `words` (pairs, 1, words)."""
    for player in range(mine.shape[1]):
        words = np.concatenate([words & theirs[:, player, None], words & mine[:, player, None]], axis=1)
    return words


def _rest(theirs: UInts, which: Ints) -> UInts:
    """Return (pairs, words): what the players that are not among `which` leave; they have the same in both rows."""
    others = theirs.copy()
    np.put_along_axis(others, which[:, :, None], ~np.uint64(0), axis=1)
    return np.asarray(np.bitwise_and.reduce(others, axis=1), dtype=np.uint64)


def _look_up(words: UInts, values: Floats) -> Floats:
    """Return the sums (...) of the values of the leaves that are left in (..., words)."""
    place = ((words * DE_BRUIJN) >> SHIFT).astype(np.intp)
    place += 64 * np.arange(len(values))
    return np.asarray(values.ravel().take(place).sum(axis=-1), dtype=np.float64)
