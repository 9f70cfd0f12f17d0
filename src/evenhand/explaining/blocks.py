"""Errors from blocks of the background: what another sample of it, and other random orders, would have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCKS: Final = 10
"""How many blocks the background is dealt into: nine degrees of freedom, and still ten rows a block for a hundred."""


def deal(rows: int) -> NDArray[np.int64]:
    """Return the block of each background row, in the order of use: 0, 1, ... 9, 0, 1 ... so that any start is even."""
    return np.arange(rows, dtype=np.int64) % min(BLOCKS, max(rows, 1))


def dealt(rows: int, seed: int) -> list[NDArray[np.int64]]:
    """Return the background rows of each block, in an order drawn by the seed."""
    order, block = np.random.default_rng(seed).permutation(rows), deal(rows)
    return [order[block == number] for number in range(int(block.max()) + 1)]


def pooled(block_values: NDArray[np.float64], block_rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean over all background rows from the means of the blocks, shape of one block."""
    share = block_rows / block_rows.sum()
    return np.asarray(np.tensordot(share, block_values, axes=1), dtype=np.float64)


def block_errors(block_values: NDArray[np.float64], block_rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the standard error of the pooled mean, or None with fewer than two blocks.

    ``sqrt(K / (K - 1) * sum_k share_k^2 (block_k - pooled)^2)``, which for even blocks is the usual s / sqrt(K).
    """
    blocks = len(block_rows)
    if blocks < 2:
        return None
    share = (block_rows / block_rows.sum())[:, None, None]
    spread = block_values - pooled(block_values, block_rows)[None]
    return np.asarray(np.sqrt(blocks / (blocks - 1) * np.sum((share * spread) ** 2, axis=0)), dtype=np.float64)


def without_each(block_values: NDArray[np.float64], block_rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (blocks, n, m): the pooled values with one block left out, for a jackknife of what is not linear."""
    total = block_rows.sum()
    sums = total * pooled(block_values, block_rows)[None] - block_rows[:, None, None] * block_values
    return np.asarray(sums / (total - block_rows)[:, None, None], dtype=np.float64)


def jackknife_variance(left_out: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the jackknife variance over the first axis: (K - 1) / K * sum (theta_k - mean)^2."""
    blocks = len(left_out)
    spread = left_out - left_out.mean(axis=0, keepdims=True)
    return np.asarray((blocks - 1) / blocks * np.sum(spread**2, axis=0), dtype=np.float64)


def jackknife_third(left_out: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the third cumulant of a mean over blocks from (K, ...) means that each leave one block out."""
    blocks = len(left_out)
    off = (blocks - 1) * (left_out.mean(axis=0) - left_out)
    return np.asarray(unbiased_third(blocks) * (off**3).sum(axis=0) / blocks**3, dtype=np.float64)


def unbiased_third(size: int) -> float:
    """Return by how much a third moment about the mean of a sample is too small."""
    return size**2 / (max(size - 1, 1) * max(size - 2, 1))


def t_quantile(level: float, freedom: float) -> float:
    """Return the two-sided critical value of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))
