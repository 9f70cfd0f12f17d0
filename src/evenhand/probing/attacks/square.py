"""Square attack (Andriushchenko et al. 2020, ECCV): a random search that needs nothing but a model's scores.

Each query moves one square of a row to the ends of the budget, and keeps the move where the margin does not grow; the
squares become smaller by their schedule. Images have squares over all channels, rows of numbers stretches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.probing.attacks.answers import Answer
    from evenhand.probing.attacks.threat import Threat

__all__ = ["search_squares"]

FIRST: Final = 0.8
"""Share of a row that the first square covers, as in AutoAttack."""
HALVED: Final = (10, 50, 200, 500, 1_000, 2_000, 4_000, 6_000, 8_000)
"""Queries of 10,000 at which it is halved."""
OF: Final = 10_000
CHANNELS: Final = 4
"""The most channels of an image that has them last."""


def search_squares(
    answer: Answer, rows: NDArray[Any], truth: NDArray[Any], threat: Threat, queries: int, seed: int
) -> NDArray[Any]:
    """Return the place with the least margin that a search found for each row.

    Parameters
    ----------
    answer : callable
        From rows and their truth to whether each is decided rightly, and by what margin.
    rows : (n, ...) array
        The rows.
    truth : (n,) array of int
        Their classes.
    threat : Threat
        The budget, of the greatest number.
    queries : int
        How often each row is asked at most.
    seed : int
        Of the search.

    Examples
    --------
    >>> from evenhand.probing.attacks.answers import of_two
    >>> from evenhand.probing.attacks.threat import threat_of
    >>> rows = np.full((2, 3), [0.4, 0.7, 0.5])
    >>> mean = lambda asked, truth: of_two(asked.mean(axis=1), truth, 0.5)
    >>> found = search_squares(mean, rows, np.array([1, 1]), threat_of(rows, budget=0.25), queries=50, seed=0)
    >>> mean(found, np.array([1, 1]))[0].tolist()
    [False, False]
    """
    if not len(rows) or queries < 1:
        return rows.copy()
    rng = np.random.default_rng([seed, 33])
    channels, height, width, last = layout(rows.shape[1:])
    frame = (len(rows), channels, height, width)

    def turned(planes: NDArray[Any]) -> NDArray[Any]:
        moved = np.moveaxis(planes, 1, -1) if last else planes
        return moved.reshape(rows.shape)

    stripes = rng.choice([-threat.radius, threat.radius], (len(rows), channels, 1, width))
    change = np.broadcast_to(stripes, frame).copy()
    found = threat.settled(rows + turned(change), rows)
    right, margin = answer(found, truth)
    for query in range(1, queries):
        alive = np.flatnonzero(right)
        if not len(alive):
            break
        tried = _squared(change[alive], _side(query, queries, height, width), threat.radius, rng)
        moved = np.moveaxis(tried, 1, -1) if last else tried
        asked = threat.settled(rows[alive] + moved.reshape(len(alive), *rows.shape[1:]), rows[alive])
        still, by = answer(asked, truth[alive])
        kept = (by <= margin[alive]) | ~still
        better = alive[kept]
        found[better], margin[better], right[better] = asked[kept], by[kept], still[kept]
        change[better] = tried[kept]
    return found


def layout(shape: tuple[int, ...]) -> tuple[int, int, int, bool]:
    """Return channels, height and width of a row, and whether channels come last; numbers are one line.

    Examples
    --------
    >>> layout((3, 32, 30)), layout((28, 28)), layout((32, 30, 3)), layout((13,))
    ((3, 32, 30, False), (1, 28, 28, False), (3, 32, 30, True), (1, 1, 13, False))
    """
    if len(shape) == 2:
        return 1, shape[0], shape[1], False
    if len(shape) == 3:
        last = shape[2] <= CHANNELS < shape[0]
        return (shape[2], shape[0], shape[1], True) if last else (shape[0], shape[1], shape[2], False)
    return 1, 1, int(np.prod(shape)), False


def _side(query: int, queries: int, height: int, width: int) -> tuple[int, int]:
    """Return height and width of the square of a query."""
    share = FIRST / 2 ** sum(query * OF >= mark * queries for mark in HALVED)
    if height == 1:
        return 1, min(max(round(share * width), 1), width)
    side = max(round(float(np.sqrt(share * height * width))), 1)
    return min(side, height), min(side, width)


def _squared(
    change: NDArray[np.float64], side: tuple[int, int], radius: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return moves with one square of each set to an end of the budget, another for each channel."""
    rows, channels, height, width = change.shape
    top, left = (rng.integers(0, size - edge + 1, rows) for size, edge in zip((height, width), side, strict=True))
    down, across = np.arange(height), np.arange(width)
    inside = ((down >= top[:, None]) & (down < top[:, None] + side[0]))[:, None, :, None] & (
        (across >= left[:, None]) & (across < left[:, None] + side[1])
    )[:, None, None, :]
    ends = rng.choice([-radius, radius], (rows, channels, 1, 1))
    return np.where(inside, ends, change)
