"""Shapley values pair by pair: one explained row against one background row, over the players in which they differ.

A player that is equal in both rows has the value 0 there and costs nothing. Each pair has a random order and
that order's reverse, which leaves noise only where three or more players interact, and that averages over the
background. The sum of a pair's values is f(x) - f(b) by construction, whatever was sampled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.explaining.blocks import deal
from evenhand.explaining.draws import random_orders
from evenhand.explaining.planning import costs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.evaluating import Evaluator
    from evenhand.explaining.planning import Plan
    from evenhand.explaining.table import CodedTable

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]
    Codes: TypeAlias = NDArray[np.int32]

FLUSH: Final = 2**16
"""Composed rows that are collected before the model predicts them."""

CELLS: Final = 2**24
"""Codes that are held at once: fewer rows are collected of wide tables."""

FEW: Final = 100_000
"""Evaluations that are no cost to speak of."""

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
    order_variance: NDArray[np.float64] | None = None
    """(n, m): the variance of the values from the random orders alone, 0 where none was drawn; None when not known."""
    by_repetition: NDArray[np.float64] | None = None
    """(repetitions, n, m): the values by each random order alone; None with one order, or where none was drawn."""
    summands: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    """For a score that is a sum over players: the summands of the explained rows (n, m) and of the background (b, m),
    what is constant among those of the first player."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs that differ in the same number of players."""

    rows: Ints
    background: Ints
    size: int
    at: Ints


@dataclass(frozen=True, slots=True)
class _Asked:
    """Composed rows, and how to use their scores."""

    codes: Codes
    settle: Callable[[Floats], None]


@dataclass(frozen=True, slots=True)
class Sums:
    """What one run over the background has summed up."""

    sums: NDArray[np.float64]
    """(blocks, n, m, outputs)."""
    used: int
    """Background rows that were done."""
    enumerated: NDArray[np.float64] | None = None
    """The part of `sums` from enumerated pairs, where requested."""


class PairEngine:
    """The computation of one table's pairs.

    `evaluate`: the model as a function of codes; `table`: the rows and the background; `plan`: which pairs are
    enumerated; `seed`: seed of the random orders.
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
        self._fb = np.zeros((table.background.shape[1], evaluate.outputs))
        self._fb[plan.order] = ends[n:]

    @property
    def affordable(self) -> int:
        """How many random orders of every pair the budget pays for; at least one."""
        return max(self._plan.budget // max(self._plan.evaluations, 1), 1)

    def pays_for(self, rows: int, orders: int) -> bool:
        """Return whether the budget pays for further orders of the first background rows, too.

        Without one, they may take a tenth of the evaluations, or few.
        """
        plan = self._plan
        further = orders * int(costs(plan)[plan.counts[:, :rows]].sum())
        return further <= (plan.budget - plan.evaluations if plan.stated else max(plan.evaluations // 10, FEW))

    def run(
        self,
        *,
        repetition: int = 0,
        deadline: float | None = None,
        progress: Progress | None = None,
        apart: bool = False,
        most: int | None = None,
    ) -> Sums:
        """Compute the pairs, a few background rows at a time, until all are done or the time is up.

        `repetition`: which random order each sampled pair gets (pairs are enumerated in the first one only);
        `deadline`: a value of `time.monotonic`; at least one background row is always done; `progress`: called with the
        evaluations done and planned; `apart`: whether the enumerated pairs are also summed up by themselves;
        `most`: the background rows to do, the first ones of the plan; all of them without.
        """
        n, players = self._table.rows.shape[1], len(self._table.names)
        used = len(self._plan.order) if most is None else min(most, len(self._plan.order))
        block = deal(used)
        sums = np.zeros((int(block.max()) + 1, n, players, self._evaluate.outputs))
        enumerated = np.zeros_like(sums) if apart else None
        widest = max(1, 2**22 // (n * players))
        step = widest if deadline is None else 1
        done = 0
        while done < used:
            part = slice(done, min(done + step, used))
            started = time.monotonic()
            for place, values in zip(range(part.start, part.stop), self._round(part, repetition), strict=True):
                sums[block[place]] += values
                if enumerated is not None:
                    exact = self._plan.counts[:, place] <= max(self._plan.exact_up_to, 1)
                    enumerated[block[place]][exact] += values[exact]
            done = part.stop
            if progress is not None:
                progress(self._evaluate.evaluations, self._plan.evaluations + n + used)
            if deadline is not None:
                now = time.monotonic()
                if now >= deadline:
                    break
                # Larger steps ask the model less often; none may take more than a tenth of the time that is left.
                pace = max((now - started) / (part.stop - part.start), 1e-6)
                step = max(1, min(widest, int(0.1 * (deadline - now) / pace)))
        return Sums(sums, done, enumerated)

    def means(self, sums: NDArray[np.float64], used: int, output: int = 0) -> PairMeans:
        """Return the means of one output of sums over the first `used` background rows."""
        rows = np.bincount(deal(used)).astype(np.int64)
        values = sums[: len(rows), ..., output] / rows[:, None, None]
        base = float(self._fb[self._plan.order[:used], output].mean())
        return PairMeans(values, rows, base, self._fx[:, output])

    def _round(self, part: slice, repetition: int) -> Floats:
        """Return (background rows, n, players, outputs): the values of all pairs with these background rows."""
        n, players = self._table.rows.shape[1], len(self._table.names)
        chosen = self._plan.order[part]
        phi = np.zeros((len(chosen) * n, players, self._evaluate.outputs))
        waiting: list[_Asked] = []
        held = 0
        for asked in self._compose(self._plan.counts[:, part].T.ravel(), chosen, phi, repetition):
            waiting.append(asked)
            held += asked.codes.shape[1]
            if held >= self._most_rows:
                self._flush(waiting)
                waiting, held = [], 0
        self._flush(waiting)
        return phi.reshape(len(chosen), n, players, -1)

    def _flush(self, waiting: list[_Asked]) -> None:
        if not waiting:
            return
        scores = self._evaluate(np.concatenate([asked.codes for asked in waiting], axis=1))
        start = 0
        for asked in waiting:
            stop = start + asked.codes.shape[1]
            asked.settle(scores[start:stop])
            start = stop

    def _compose(self, counts: NDArray[np.int16], chosen: Ints, phi: Floats, repetition: int) -> Iterator[_Asked]:
        n = self._table.rows.shape[1]
        cost = costs(self._plan)
        for size in np.unique(counts):
            if repetition and size <= max(self._plan.exact_up_to, 1):
                continue
            at = np.flatnonzero(counts == size)
            if size == 1:
                self._single(_Pairs(at % n, chosen[at // n], 1, at), phi)
            elif size > 1:
                each = max(1, self._most_rows // int(cost[size]))
                for start in range(0, len(at), each):
                    part = at[start : start + each]
                    yield from self._bucket(_Pairs(part % n, chosen[part // n], int(size), part), phi, repetition)

    def _bucket(self, pairs: _Pairs, phi: Floats, repetition: int) -> Iterator[_Asked]:
        x, b, differs = self._sides(pairs)
        split, exact = self._evaluate.split, pairs.size <= self._plan.exact_up_to
        if exact:
            which = np.nonzero(differs)[1].reshape(len(pairs.at), pairs.size)
        else:
            which = random_orders(self._seed, pairs.rows, pairs.background, repetition, differs)
        settle = self._settle_subsets if exact else self._settle_walks
        if split is None:
            compose = _subsets if exact else _walks
            yield _Asked(compose(x, b, which, pairs.size), lambda scores: settle(pairs, which, phi, scores))
            return
        scores = (split.subsets if exact else split.walk)(pairs.rows, pairs.background, which[:, : pairs.size])
        self._evaluate.evaluations += scores.size
        settle(pairs, which, phi, self._evaluate.decided(scores))

    def _sides(self, pairs: _Pairs) -> tuple[Codes, Codes, NDArray[np.bool_]]:
        x = self._table.rows[:, pairs.rows]
        b = self._table.background[:, pairs.background]
        return x, b, np.ascontiguousarray((x != b).T)

    def _single(self, pairs: _Pairs, phi: Floats) -> None:
        """A pair that differs in one player gives it the whole difference, and no evaluation."""
        _, _, differs = self._sides(pairs)
        phi[pairs.at, differs.argmax(axis=1)] = self._fx[pairs.rows] - self._fb[pairs.background]

    def _settle_subsets(self, pairs: _Pairs, which: Ints, phi: Floats, scores: Floats) -> None:
        d, many = pairs.size, len(pairs.at)
        v = np.empty((many, 2**d, self._evaluate.outputs))
        v[:, 0], v[:, -1] = self._fb[pairs.background], self._fx[pairs.rows]
        v[:, 1:-1] = scores.reshape(many, 2**d - 2, -1)
        # The empty subset is taken as zero, so that large scores lose no digits.
        v -= v[:, :1].copy()
        phi[pairs.at[:, None], which] = np.moveaxis(np.moveaxis(v, 1, 2) @ shapley_coefficients(d), 1, 2)

    def _settle_walks(self, pairs: _Pairs, order: Ints, phi: Floats, scores: Floats) -> None:
        d, many = pairs.size, len(pairs.at)
        v = np.empty((many, 2, d + 1, self._evaluate.outputs))
        v[:, 0, 0] = v[:, 1, d] = self._fb[pairs.background]
        v[:, 1, 0] = v[:, 0, d] = self._fx[pairs.rows]
        v[:, :, 1:d] = scores.reshape(many, 2, d - 1, -1)
        forward, backward = np.diff(v[:, 0], axis=1), -np.diff(v[:, 1], axis=1)
        phi[pairs.at[:, None], order[:, :d]] = (forward + backward) / 2


def _subsets(x: Codes, b: Codes, which: Ints, d: int) -> Codes:
    """Return the codes of all subsets of the d players of each pair but the empty and the full one."""
    many, subsets = len(which), np.arange(1, 2**d - 1)
    codes = np.repeat(b[:, :, None], len(subsets), axis=2)
    for slot in range(d):
        inside = np.flatnonzero((subsets >> slot) & 1)
        player = which[:, slot]
        codes[player[:, None], np.arange(many)[:, None], inside[None, :]] = x[player, np.arange(many)][:, None]
    return codes.reshape(len(x), -1)


def _walks(x: Codes, b: Codes, order: Ints, d: int) -> Codes:
    """Return the codes along the first d places of each order, and along its reverse."""
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
    lengths = np.arange(1, d)[None, :]
    codes = np.empty((len(x), len(order), 2, d - 1), dtype=np.int32)
    for player in range(len(x)):
        early = rank[:, player, None] < lengths
        codes[player, :, 0] = np.where(early, x[player][:, None], b[player][:, None])
        codes[player, :, 1] = np.where(early, b[player][:, None], x[player][:, None])
    return codes.reshape(len(x), -1)


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
