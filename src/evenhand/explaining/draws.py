"""Random orders that depend on the seed and the pair alone, so that every model predicts the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return SplitMix64's output for each word (Steele, Lea and Flood 2014): a bijection that looks random."""
    words = words + _STEP
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def _words(values: NDArray[np.integer] | int) -> NDArray[np.uint64]:
    return np.atleast_1d(np.asarray(values, dtype=np.int64)).view(np.uint64)


def random_orders(
    seed: int,
    rows: NDArray[np.int64],
    background: NDArray[np.int64],
    repetition: int,
    differs: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return (pairs, players): a random order of the players that differ, then the others.

    The draw is a hash of (seed, row, background row, repetition, player): it depends neither on the model nor on which
    or how many pairs are computed together.
    """
    pair = mixed(mixed(mixed(_words(seed)) ^ _words(repetition)) ^ _words(rows))
    pair = mixed(pair ^ _words(background))
    keys = mixed(pair[:, None] ^ mixed(_words(np.arange(differs.shape[1])))[None, :])
    keys = np.where(differs, keys >> np.uint64(1), np.uint64(2**64 - 1))
    return np.asarray(np.argsort(keys, axis=1, kind="stable"), dtype=np.int64)
