"""Scores of mixed rows of a tree ensemble, from the words of the two rows that are mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.explaining.trees.compiling import compiled
from evenhand.explaining.trees.walk_loops import add_subsets, add_walks
from evenhand.explaining.trees.words import DE_BRUIJN, SHIFT, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from evenhand.explaining.summing import Floats, Ints
    from evenhand.explaining.trees.forest import Forest
    from evenhand.explaining.trees.words import Words

    UInts: TypeAlias = NDArray[np.uint64]
    Loop: TypeAlias = Callable[..., None]

HELD: Final = 1 << 25
"""Words that are kept for all rows; of more rows they are made when asked for."""
CELLS: Final = 1 << 15
"""Words that numpy looks up at a time."""
WORTH_IT: Final = 100_000_000
"""Words of all walks from which loading the compiled loops takes less than they save."""


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
        words = cut(forest, owner, players)
        self._values, self._each = words.values, max(players * len(words.values), 1)
        self._mine, self._theirs = _Kept(words, rows), _Kept(words, background)
        self._compile = 2 * len(rows) * len(background) * self._each >= WORTH_IT and compiled(add_walks) is not None

    def walk(self, rows: Ints, background: Ints, order: Ints) -> Floats:
        """Return (pairs, 2, d - 1), as in `Walker`."""
        loop, scores = add_walks if self._compile else _add_walks, np.zeros((len(rows), 2, order.shape[1] - 1))
        return self._filled(loop, rows, background, order, scores)

    def subsets(self, rows: Ints, background: Ints, which: Ints) -> Floats:
        """Return (pairs, 2^d - 2), as in `Walker`."""
        loop, scores = add_subsets if self._compile else _add_subsets, np.zeros((len(rows), 2 ** which.shape[1] - 2))
        return self._filled(loop, rows, background, which, scores)

    def _filled(self, loop: Loop, rows: Ints, background: Ints, which: Ints, scores: Floats) -> Floats:
        """Fill the scores by as many pairs at a time as words may be held for."""
        run = (compiled(loop) or loop) if self._compile else loop
        step = max(1, HELD // self._each)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            mine, at = self._mine(rows[part])
            theirs, other = self._theirs(background[part])
            # Each layout of an array would be compiled for itself.
            given = (np.require(array, requirements=["C", "W"]) for array in (at, other, which[part], self._values))
            run(mine, theirs, *given, scores[part])
        scores += self._base
        return scores if self._transform is None else self._transform(scores)


class _Kept:
    """The words of rows: all of them where they are few, else of those that are asked for."""

    def __init__(self, words: Words, X: NDArray[np.float64]) -> None:
        self._words, self._X = words, X
        fits = len(X) * words.players * len(words.values) <= HELD
        self._all = words.of(X) if fits else None

    def __call__(self, rows: Ints) -> tuple[UInts, Ints]:
        """Return (some, players, words), and at which of these each row is."""
        if self._all is not None:
            return self._all, rows
        some, place = np.unique(rows, return_inverse=True)
        return self._words.of(self._X[some]), place


def _add_walks(
    mine: UInts, theirs: UInts, rows: Ints, background: Ints, order: Ints, values: Floats, scores: Floats
) -> None:
    """Do what `add_walks` does, with arrays."""
    for part in _parts(len(order), 2 * order.shape[1] * len(values)):
        players, rest = order[part], _rest(theirs, background[part], order[part])
        x, b = mine[rows[part, None], players], theirs[background[part, None], players]
        for way, (first, last) in enumerate(((x, b), (b, x))):
            left = np.bitwise_and.accumulate(first, axis=1)[:, :-1]
            left &= np.bitwise_and.accumulate(last[:, ::-1], axis=1)[:, -2::-1]
            scores[part, way] += _look_up(left if rest is None else left & rest[:, None], values)


def _add_subsets(
    mine: UInts, theirs: UInts, rows: Ints, background: Ints, which: Ints, values: Floats, scores: Floats
) -> None:
    """Do what `add_subsets` does, with arrays."""
    d = which.shape[1]
    for part in _parts(len(which), (2 << (d - d // 2)) * len(values)):
        players, rest = which[part], _rest(theirs, background[part], which[part])
        x, b = mine[rows[part, None], players], theirs[background[part, None], players]
        whole = np.full((len(x), 1, len(values)), ~np.uint64(0))
        low = _doubled(whole if rest is None else rest[:, None], x[:, : d // 2], b[:, : d // 2])
        high = _doubled(whole, x[:, d // 2 :], b[:, d // 2 :])
        found = [_look_up(low & high[:, place, None], values) for place in range(high.shape[1])]
        scores[part] += np.concatenate(found, axis=1)[:, 1:-1]


def _parts(pairs: int, each: int) -> Iterator[slice]:
    step = max(1, CELLS // max(each, 1))
    return (slice(start, start + step) for start in range(0, pairs, step))


def _doubled(words: UInts, mine: UInts, theirs: UInts) -> UInts:
    """Return (pairs, 2^players, words): for all subsets of a few players, what is left of `words` (pairs, 1, words)."""
    for player in range(mine.shape[1]):
        words = np.concatenate([words & theirs[:, player, None], words & mine[:, player, None]], axis=1)
    return words


def _rest(theirs: UInts, background: Ints, which: Ints) -> UInts | None:
    """Return (pairs, words): what the players that are not among `which` leave, or None where there are none.

    They have the same values in both rows.
    """
    if which.shape[1] == theirs.shape[1]:
        return None
    others = theirs[background]
    others[np.arange(len(which))[:, None], which] = ~np.uint64(0)
    return np.asarray(np.bitwise_and.reduce(others, axis=1), dtype=np.uint64)


def _look_up(words: UInts, values: Floats) -> Floats:
    """Return the sums (...) of the values of the leaves that are left in (..., words)."""
    place = words * DE_BRUIJN
    place >>= SHIFT
    place += np.arange(0, 64 * len(values), 64, dtype=np.uint64)
    return np.asarray(values.ravel()[place.view(np.int64)].sum(axis=-1), dtype=np.float64)
