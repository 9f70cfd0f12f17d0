"""Shapley's weights for a leaf: a product of conditions, each met by the row, by the background row, or by both."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@lru_cache(maxsize=4)
def weights(most: int) -> NDArray[np.float64]:
    """Return (most + 1, most + 1): ``(a - 1)! c! / (a + c)!`` at a, c; 0 where a is 0.

    A leaf counts only if the a players whose conditions the background row fails come from the row, and the c players
    whose conditions the row fails come from the background row. Each of the a then adds this share of the leaf's value,
    and each of the c takes away the share at c, a.
    """
    a, c = np.arange(most + 1.0)[:, None], np.arange(1.0, most + 1)[None, :]
    shares = np.zeros((most + 1, most + 1))
    shares[1:, 0] = 1 / a[1:, 0]
    shares[1:, 1:] = np.cumprod(c / (a[1:] + c), axis=1) / a[1:]
    shares.setflags(write=False)
    return shares


@lru_cache(maxsize=32)
def quadrature(players: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points t and weights on (0, 1) that are exact for polynomials of degree ``players - 1``.

    ``(a - 1)! c! / (a + c)!`` is the integral of ``t^(a - 1) (1 - t)^c``, so that a few points do for all a and c at
    once (Gauss-Legendre).
    """
    points, shares = np.polynomial.legendre.leggauss((players + 1) // 2)
    return (points + 1) / 2, shares / 2


@lru_cache(maxsize=32)
def bits_set(players: int) -> NDArray[np.int64]:
    """Return (2^players,): how many bits of each pattern are 1."""
    patterns = np.arange(1 << players)
    return np.asarray(sum((patterns >> bit) & 1 for bit in range(players)) + np.zeros_like(patterns), dtype=np.int64)
