"""Repeat random orders a fixed number of times, or until a requested error is reached."""

from __future__ import annotations

import time
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.blocks import pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.engine import PairEngine, PairMeans, Progress, Sums

MOST_REPETITIONS: Final = 64
"""Random orders for each pair at which the asking for a smaller error ends."""

PROBED: Final = (8, 4, 2)
"""Background rows whose pairs get two further orders where each pair has one, so that the orders' error is known: as
many of these as the budget pays for."""


def run_repeated(
    engine: PairEngine,
    *,
    permutations: int,
    error: float | None,
    outputs: int,
    sampled: bool,
    deadline: float | None,
    progress: Progress | None,
) -> list[PairMeans]:
    """Return the means of each output over the background and over the random orders.

    `permutations`: random orders for each pair, each with its reverse; at least so many; `error`: the sampling error of
    the first output to be reached, relative to the size of the values: orders are added until it is, `MOST_REPETITIONS`
    are drawn, the budget is spent or the time is up; `sampled`: False where every pair is enumerated, so that one run
    is enough.
    """
    most = engine.affordable if error is not None else permutations
    wanted = 1 if not sampled else permutations if error is None else max(permutations, min(2, most))
    first = engine.run(deadline=deadline, progress=progress, apart=wanted > 1)
    runs = [first.sums]
    while len(runs) < wanted:
        again = engine.run(repetition=len(runs), deadline=deadline, progress=progress)
        if again.used < first.used or first.enumerated is None:
            break
        runs.append(again.sums + first.enumerated)
        if error is not None and len(runs) == wanted:
            wanted = min(_more(runs, first, error, wanted), max(most, wanted))
    means = [_joined(engine, runs, first, output) for output in range(outputs)]
    if len(runs) > 1:
        return means
    noise = _probed(engine, first, deadline) if sampled else np.zeros(first.sums.shape[1:])
    return [replace(found, order_variance=None if noise is None else noise[..., at]) for at, found in enumerate(means)]


def repetition_errors(by_repetition: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return (n, m): standard errors from the random orders alone, None with fewer than two."""
    if by_repetition is None or len(by_repetition) < 2:
        return None
    return np.asarray(by_repetition.std(axis=0, ddof=1) / np.sqrt(len(by_repetition)), dtype=np.float64)


def sampling_error(means: PairMeans | None) -> float | None:
    """Return the root of the summed variances from the random orders, relative to that of the squared values."""
    if means is None or means.order_variance is None:
        return None
    return _relative(means.order_variance, pooled(means.block_values, means.block_rows))


def _relative(variance: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    size = float(np.linalg.norm(values))
    return float(np.sqrt(variance.sum())) / size if size else 0.0


def _probed(engine: PairEngine, first: Sums, deadline: float | None) -> NDArray[np.float64] | None:
    """Return (n, m, outputs): the variance of the mean of one order a pair, from two more orders of a few pairs."""
    rows = next((rows for rows in PROBED if rows <= first.used and engine.pays_for(rows, 2)), 0)
    if not rows or (deadline is not None and time.monotonic() >= deadline):
        return None
    one, other = (engine.run(repetition=again, deadline=deadline, most=rows) for again in (1, 2))
    if other.used < rows:
        return None
    return np.asarray(((one.sums - other.sums) ** 2).sum(axis=0) / (2 * rows * first.used), dtype=np.float64)


def _more(runs: list[NDArray[np.float64]], first: Sums, error: float, drawn: int) -> int:
    each = _values_of_each(runs, first, 0)
    errors = repetition_errors(each)
    reached = 0.0 if errors is None else _relative(errors**2, each.mean(axis=0))
    if reached <= error:
        return drawn
    # At most four times as many at once: the error of few orders is itself uncertain.
    return min(max(ceil(drawn * (reached / error) ** 2), drawn + 1), 4 * drawn, MOST_REPETITIONS)


def _values_of_each(runs: list[NDArray[np.float64]], first: Sums, output: int) -> NDArray[np.float64]:
    return np.stack([run[..., output].sum(axis=0) for run in runs]) / first.used


def _joined(engine: PairEngine, runs: list[NDArray[np.float64]], first: Sums, output: int) -> PairMeans:
    means = engine.means(sum(runs[1:], start=runs[0]) / len(runs), first.used, output)
    if len(runs) == 1:
        return means
    each = _values_of_each(runs, first, output)
    errors = repetition_errors(each)
    return replace(means, by_repetition=each, order_variance=None if errors is None else errors**2)
