"""Repeat random orders a fixed number of times, or until a requested error is reached."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.engine import PairMeans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.engine import PairEngine, Progress, Sums

MOST_REPETITIONS: Final = 64
"""Random orders for each pair at which the asking for a smaller error ends."""


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
    are drawn, or the time is up; `sampled`: False where every pair is enumerated, so that one run is enough.
    """
    wanted = 1 if not sampled else permutations if error is None else max(permutations, 2)
    first = engine.run(deadline=deadline, progress=progress, apart=wanted > 1)
    runs = [first.sums]
    while len(runs) < wanted:
        again = engine.run(repetition=len(runs), deadline=deadline, progress=progress)
        if again.used < first.used or first.enumerated is None:
            break
        runs.append(again.sums + first.enumerated)
        if error is not None and len(runs) == wanted:
            wanted = _more(runs, first, error, wanted)
    return [_joined(engine, runs, first, output) for output in range(outputs)]


def repetition_errors(by_repetition: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return (n, m): standard errors from the random orders alone, None with fewer than two."""
    if by_repetition is None or len(by_repetition) < 2:
        return None
    return np.asarray(by_repetition.std(axis=0, ddof=1) / np.sqrt(len(by_repetition)), dtype=np.float64)


def sampling_error(by_repetition: NDArray[np.float64] | None) -> float | None:
    """Return the root of the summed squared standard errors of the mean, relative to that of the values."""
    errors = repetition_errors(by_repetition)
    if by_repetition is None or errors is None:
        return None
    size = float(np.linalg.norm(by_repetition.mean(axis=0)))
    return float(np.linalg.norm(errors)) / size if size else 0.0


def _more(runs: list[NDArray[np.float64]], first: Sums, error: float, drawn: int) -> int:
    reached = sampling_error(_values_of_each(runs, first, 0))
    if reached is None or reached <= error:
        return drawn
    # At most four times as many at once: the error of few orders is itself uncertain.
    return min(max(ceil(drawn * (reached / error) ** 2), drawn + 1), 4 * drawn, MOST_REPETITIONS)


def _values_of_each(runs: list[NDArray[np.float64]], first: Sums, output: int) -> NDArray[np.float64]:
    return np.stack([run[..., output].sum(axis=0) for run in runs]) / first.used


def _joined(engine: PairEngine, runs: list[NDArray[np.float64]], first: Sums, output: int) -> PairMeans:
    means = engine.means(sum(runs[1:], start=runs[0]) / len(runs), first.used, output)
    each = _values_of_each(runs, first, output) if len(runs) > 1 else None
    return PairMeans(means.block_values, means.block_rows, means.base_value, means.predictions, each)
