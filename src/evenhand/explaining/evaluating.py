"""Asking the model for mixed rows: each distinct row once, in tables of a size that stays in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.draws import mixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.explaining.summing import Walker
    from evenhand.explaining.table import CodedTable

FIXED_BATCH: Final = 2048
"""The batch of a model whose answers depend on it: always full, so that at least its size is always the same."""


class Evaluator:
    """The model as a function of codes (players, rows), with one output or two: the score, and the decision by it.

    `ask` goes from codes to scores (rows,) on the explained scale; `width` is how many columns the model reads of a
    row; `fixed_batch` is for a model that depends on its batch. A score at or above `decide_at` is decided positive,
    and the decision, 0 or 1, is then a second output of the same rows. `split` is the same model with its first layer
    taken apart, or as a sum, for whole walks from one row to another.
    """

    def __init__(
        self,
        ask: Callable[[NDArray[np.int32]], NDArray[np.float64]],
        table: CodedTable,
        *,
        width: int,
        fixed_batch: bool = False,
        decide_at: float | None = None,
        split: Walker | None = None,
    ) -> None:
        self.evaluations = 0
        self.split = split
        self.outputs = 1 if decide_at is None else 2
        self._ask = ask
        self._decide_at = decide_at
        self._cardinalities = table.cardinalities
        self._fixed = fixed_batch
        self._chunk = FIXED_BATCH if fixed_batch else max(2048, min(8192, 2**19 // max(width, 1)))
        self._seen = 0
        self._alike = 0

    def __call__(self, codes: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return (rows, outputs) of the composed rows."""
        self.evaluations += codes.shape[1]
        if self._fixed or not self._worth_looking():
            return self.decided(self._in_chunks(codes))
        first, inverse = distinct(codes, self._cardinalities)
        self._seen += codes.shape[1]
        self._alike += codes.shape[1] - len(first)
        if len(first) == codes.shape[1]:
            return self.decided(self._in_chunks(codes))
        return self.decided(self._in_chunks(np.ascontiguousarray(codes[:, first]))[inverse])

    def decided(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scores (...) with the requested outputs as a last axis (..., outputs)."""
        if self._decide_at is None:
            return scores[..., None]
        return np.stack([scores, (scores >= self._decide_at).astype(np.float64)], axis=-1)

    def _worth_looking(self) -> bool:
        """Looking for equal rows is given up where next to none were found among the first 250,000."""
        return self._seen < 250_000 or self._alike > 0.01 * self._seen

    def _in_chunks(self, codes: NDArray[np.int32]) -> NDArray[np.float64]:
        scores = np.empty(codes.shape[1])
        for start in range(0, len(scores), self._chunk):
            part = codes[:, start : start + self._chunk]
            rows = part.shape[1]
            if self._fixed and rows < self._chunk:
                part = part[:, np.resize(np.arange(rows), self._chunk)]
            scores[start : start + rows] = self._ask(part)[:rows]
        return scores


def distinct(codes: NDArray[np.int32], cardinalities: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each distinct column of `codes`, in order, and for every row the index of its like.

    Rows are compared by one number: their place in the product of all levels where that fits 63 bits, else a hash,
    whose answer is then compared code by code and thrown away if two different rows met.
    """
    rows = codes.shape[1]
    fits = np.sum(np.log2(np.asarray(cardinalities, dtype=np.float64))) < 63
    keys = np.zeros(rows, dtype=np.uint64)
    for player, size in enumerate(cardinalities):
        keys = keys * np.uint64(size) if fits else mixed(keys)
        keys += codes[player].astype(np.uint64)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    first, inverse = _in_order(first, inverse)
    if not fits and not all(np.array_equal(row[first][inverse], row) for row in codes):
        return np.arange(rows), np.arange(rows)
    return first, inverse


def _in_order(first: NDArray[np.int64], inverse: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[inverse]
