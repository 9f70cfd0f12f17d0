"""Shapley values pair by pair: one explained row against one background row, over the players in which they differ.

A player that is alike in both rows has the value 0 there and costs nothing. Each pair has its own random order and
that order's reverse, which leaves noise only where three or more players interact, and that averages over the
background. The sum of a pair's values is f(x) - f(b) by construction, whatever was sampled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.blocks import deal
from evenhand.explaining.draws import random_orders
from evenhand.explaining.planning import costs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.evaluating import Evaluator
    from evenhand.explaining.planning import Plan
    from evenhand.explaining.table import CodedTable

FLUSH: Final = 2**16
"""Composed rows that are collected before the model is asked."""

CELLS: Final = 2**24
"""Codes that are held at once: fewer rows are collected of wide tables."""

Progress = Callable[[int, int], None]
"""Called with the evaluations done and those planned."""


@dataclass(frozen=True, slots=True)
class PairMeans:
    """The means over each block of the background."""

    block_values: NDArray[np.float64]
    """(blocks, n, m)."""
    block_rows: NDArray[np.int64]
    """(blocks,): background rows in each."""
    base_value: float
    """The mean score of the background rows used."""
    predictions: NDArray[np.float64]
    """(n,): the scores of the explained rows, as the engine composed them."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs that differ in the same number of players."""

    rows: NDArray[np.int64]
    background: NDArray[np.int64]
    size: int
    at: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Composed rows and what is to be done with their scores."""

    codes: NDArray[np.int32]
    settle: Callable[[NDArray[np.float64]], None]


class PairEngine:
    """The computation of one table's pairs.

    Parameters
    ----------
    evaluate : Evaluator
        The model as a function of codes.
    table : CodedTable
        The rows and the background.
    plan : Plan
        Which pairs are enumerated.
    seed : int
        Seed of the random orders.
    """

    def __init__(self, evaluate: Evaluator, table: CodedTable, plan: Plan, seed: int) -> None:
        self._evaluate = evaluate
        self._table = table
        self._plan = plan
        self._seed = seed
        n = table.rows.shape[1]
        self._most_rows = max(1, min(FLUSH, CELLS // len(table.names)))
        ends = evaluate(np.concatenate([table.rows, table.background[:, plan.order]], axis=1))
        self._fx = ends[:n]
        self._fb = np.zeros(table.background.shape[1])
        self._fb[plan.order] = ends[n:]

    def run(self, *, deadline: float | None = None, progress: Progress | None = None) -> PairMeans:
        """Compute the pairs, a few background rows at a time, until all are done or the time is up.

        Parameters
        ----------
        deadline : float, optional
            A value of `time.monotonic`; at least one background row is always done.
        progress : callable, optional
            Told the evaluations done and planned.
        """
        n, players = self._table.rows.shape[1], len(self._table.names)
        used = len(self._plan.order)
        block = deal(used)
        sums = np.zeros((int(block.max()) + 1, n, players))
        most = max(1, 2**22 // (n * players))
        step = most if deadline is None else 1
        done = 0
        while done < used:
            part = slice(done, min(done + step, used))
            started = time.monotonic()
            for place, values in zip(range(part.start, part.stop), self._round(part), strict=True):
                sums[block[place]] += values
            done = part.stop
            if progress is not None:
                progress(self._evaluate.evaluations, self._plan.evaluations + n + used)
            if deadline is not None:
                now = time.monotonic()
                if now >= deadline:
                    break
                # Larger steps ask the model less often; none may take more than a tenth of the time that is left.
                step = max(
                    1, min(most, int(0.1 * (deadline - now) / max((now - started) / (part.stop - part.start), 1e-6)))
                )
        return self._means(sums, block[:done])

    def _means(self, sums: NDArray[np.float64], block: NDArray[np.int64]) -> PairMeans:
        rows = np.bincount(block)
        values = sums[: len(rows)] / rows[:, None, None]
        base = float(self._fb[self._plan.order[: len(block)]].mean())
        return PairMeans(values, rows.astype(np.int64), base, self._fx)

    def _round(self, part: slice) -> NDArray[np.float64]:
        """Return (background rows, n, players): the values of all pairs with these background rows."""
        n, players = self._table.rows.shape[1], len(self._table.names)
        chosen = self._plan.order[part]
        phi = np.zeros((len(chosen) * n, players))
        waiting: list[_Asked] = []
        held = 0
        for asked in self._compose(self._plan.counts[:, part].T.ravel(), chosen, phi):
            waiting.append(asked)
            held += asked.codes.shape[1]
            if held >= self._most_rows:
                self._flush(waiting)
                waiting, held = [], 0
        self._flush(waiting)
        return phi.reshape(len(chosen), n, players)

    def _flush(self, waiting: list[_Asked]) -> None:
        if not waiting:
            return
        scores = self._evaluate(np.concatenate([asked.codes for asked in waiting], axis=1))
        start = 0
        for asked in waiting:
            stop = start + asked.codes.shape[1]
            asked.settle(scores[start:stop])
            start = stop

    def _compose(
        self, counts: NDArray[np.int16], chosen: NDArray[np.int64], phi: NDArray[np.float64]
    ) -> Iterator[_Asked]:
        n = self._table.rows.shape[1]
        cost = costs(self._plan)
        for size in np.unique(counts):
            at = np.flatnonzero(counts == size)
            pairs = _Pairs(at % n, chosen[at // n], int(size), at)
            if size == 1:
                self._single(pairs, phi)
            elif size > 1:
                each = max(1, self._most_rows // int(cost[size]))
                for start in range(0, len(at), each):
                    yield from self._bucket(_cut(pairs, slice(start, start + each)), phi)

    def _bucket(self, pairs: _Pairs, phi: NDArray[np.float64]) -> Iterator[_Asked]:
        x, b, differs = self._sides(pairs)
        if pairs.size <= self._plan.exact_up_to:
            yield self._enumerate(pairs, x, b, differs, phi)
            return
        for repetition in range(self._plan.permutations):
            order = random_orders(self._seed, pairs.rows, pairs.background, repetition, differs)
            yield self._permute(pairs, x, b, order, phi)

    def _sides(self, pairs: _Pairs) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
        x = self._table.rows[:, pairs.rows]
        b = self._table.background[:, pairs.background]
        return x, b, np.ascontiguousarray((x != b).T)

    def _single(self, pairs: _Pairs, phi: NDArray[np.float64]) -> None:
        """A pair that differs in one player gives it the whole difference, and no evaluation."""
        _, _, differs = self._sides(pairs)
        phi[pairs.at, differs.argmax(axis=1)] = self._fx[pairs.rows] - self._fb[pairs.background]

    def _enumerate(
        self,
        pairs: _Pairs,
        x: NDArray[np.int32],
        b: NDArray[np.int32],
        differs: NDArray[np.bool_],
        phi: NDArray[np.float64],
    ) -> _Asked:
        d, many = pairs.size, len(pairs.at)
        subsets = np.arange(1, 2**d - 1)
        slot = np.maximum(np.cumsum(differs, axis=1) - 1, 0)
        codes = np.empty((len(x), many, len(subsets)), dtype=np.int32)
        for player in range(len(x)):
            inside = (subsets[None, :] >> slot[:, player, None]) & 1
            codes[player] = np.where(inside, x[player][:, None], b[player][:, None])
        which = np.nonzero(differs)[1].reshape(many, d)

        def settle(scores: NDArray[np.float64]) -> None:
            v = np.empty((many, 2**d))
            v[:, 0], v[:, -1] = self._fb[pairs.background], self._fx[pairs.rows]
            v[:, 1:-1] = scores.reshape(many, len(subsets))
            # The empty subset is taken as zero, so that large scores lose no digits.
            phi[pairs.at[:, None], which] = (v - v[:, :1]) @ shapley_coefficients(d)

        return _Asked(codes.reshape(len(x), -1), settle)

    def _permute(
        self,
        pairs: _Pairs,
        x: NDArray[np.int32],
        b: NDArray[np.int32],
        order: NDArray[np.int64],
        phi: NDArray[np.float64],
    ) -> _Asked:
        d, many, k = pairs.size, len(pairs.at), self._plan.permutations
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
        lengths = np.arange(1, d)[None, :]
        codes = np.empty((len(x), many, 2, d - 1), dtype=np.int32)
        for player in range(len(x)):
            early = rank[:, player, None] < lengths
            codes[player, :, 0] = np.where(early, x[player][:, None], b[player][:, None])
            codes[player, :, 1] = np.where(early, b[player][:, None], x[player][:, None])

        def settle(scores: NDArray[np.float64]) -> None:
            v = np.empty((many, 2, d + 1))
            v[:, 0, 0] = v[:, 1, d] = self._fb[pairs.background]
            v[:, 1, 0] = v[:, 0, d] = self._fx[pairs.rows]
            v[:, :, 1:d] = scores.reshape(many, 2, d - 1)
            forward, backward = np.diff(v[:, 0], axis=1), -np.diff(v[:, 1], axis=1)
            phi[pairs.at[:, None], order[:, :d]] += (forward + backward) / (2 * k)

        return _Asked(codes.reshape(len(x), -1), settle)


def _cut(pairs: _Pairs, part: slice) -> _Pairs:
    return _Pairs(pairs.rows[part], pairs.background[part], pairs.size, pairs.at[part])


@lru_cache(maxsize=24)
def shapley_coefficients(players: int) -> NDArray[np.float64]:
    """Return (2^d, d): phi = v @ C for the values v of all subsets, bit j of the index being player j.

    ``phi_j = sum over S without j of |S|! (d - |S| - 1)! / d! * (v(S + j) - v(S))`` (Shapley 1953).
    """
    subsets = np.arange(2**players)
    inside = (subsets[:, None] >> np.arange(players)[None, :]) & 1
    size = inside.sum(axis=1)
    weight = np.array([factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)])
    with_it = np.where(size > 0, weight[np.maximum(size - 1, 0)], 0.0)
    without = np.where(size < players, weight[np.minimum(size, players - 1)], 0.0)
    return np.where(inside == 1, with_it[:, None], -without[:, None])
