"""What is watched for drift: shares that a baseline knows, each with its range at the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from evenhand.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats
    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.windows import Counts

    Shares: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64]]"
    """Events and rows, (K,) each."""

DriftKind: TypeAlias = Literal["input", "prediction", "share", "calibration"]


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """One series that may drift: K shares of rows that its bins make.

    Of numbers these are the shares at or below each edge, whose greatest change is the Kolmogorov distance on the bins,
    and the share of missing values; of categories the share of each. The greatest change of a share is at most the
    total variation distance: what is shown of the one is shown of the other.
    """

    key: str
    """``drift[age]``, ``drift[score]``, ``share[sex=female]``, ``calibration``."""
    kind: DriftKind
    """What it is."""
    names: tuple[str, ...]
    """(K,) what each share is of."""
    shares: Callable[[Counts], Shares]
    """From counts to events and rows."""
    before: Shares
    """The same at the audit."""

    def range(self, error: float) -> tuple[Floats, Floats]:
        """Return the ends (K,) between which the shares were at the audit, all together but for an error of `error`."""
        return exact_ends(*self.before, error / (2 * len(self.names)))


def exact_ends(events: NDArray[np.int64], rows: NDArray[np.int64], error: float) -> tuple[Floats, Floats]:
    """Return the exact ends of shares, each but for an error of `error` (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    k, n = np.asarray(events, dtype=float), np.asarray(rows, dtype=float)
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, betaincinv(np.maximum(k, 0.5), n - k + 1, error), 0.0)
        high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 0.5), 1 - error), 1.0)
    return low, high


def watched_of(baseline: Baseline) -> tuple[Watched, ...]:
    """Return everything that is watched for drift, in the order in which it is shown."""
    found = [
        _bins(f"drift[{column.name}]", "input", f"input.{at}", column) for at, column in enumerate(baseline.columns)
    ]
    if baseline.score is not None:
        found.append(_bins("drift[score]", "prediction", "score.0", baseline.score))
    cells = np.asarray(baseline.parts[0].counts, dtype=np.int64)
    decided = cells.sum(axis=(0, 1))
    found.append(
        Watched(
            "drift[decision]",
            "prediction",
            baseline.classes[1:],
            _decisions,
            (decided[1:], _same(decided[1:], decided.sum())),
        )
    )
    for at, part in baseline.single:
        sizes = np.asarray(part.counts, dtype=np.int64).sum(axis=(1, 2))
        for group, labels in enumerate(part.groups):
            key = str(Key.of("share", {part.columns[0]: labels[0]}))
            before = sizes[[group]], np.asarray([decided.sum()])
            found.append(Watched(key, "share", (labels[0],), _share(at, group), before))
    if baseline.calibration and baseline.score is not None:
        rows, events = np.asarray(baseline.calibration, dtype=np.int64).T
        used = np.flatnonzero(rows > 0)
        names = tuple(baseline.score.names[at] for at in used)
        found.append(Watched("calibration", "calibration", names, _calibrated(used), (events[used], rows[used])))
    return tuple(found)


def _bins(key: str, kind: DriftKind, name: str, column: object) -> Watched:
    from evenhand.monitoring.columns import Column

    assert isinstance(column, Column)  # of a baseline

    many, ordered = len(column.names), column.kind == "numbers"

    def shares(counts: Counts) -> Shares:
        held = counts.get(name)
        cells = np.zeros(many, dtype=np.int64) if held is None else held.reshape(-1, many).sum(axis=0)
        return _shares(ordered, cells)

    names = column.names if column.kind != "numbers" else (*column.names[:-2], column.names[-1])
    return Watched(key, kind, names, shares, _shares(column.kind == "numbers", np.asarray(column.counts)))


def _shares(ordered: bool, cells: NDArray[np.int64]) -> Shares:
    """Return shares of bins; of ordered ones those up to each edge among rows with a value, and of missing ones."""
    rows = cells.sum()
    if not ordered:
        return cells, _same(cells, rows)
    reached = np.cumsum(cells[:-2])
    return np.append(reached, cells[-1]), np.append(_same(reached, rows - cells[-1]), rows)


def _same(like: NDArray[np.int64], rows: np.int64) -> NDArray[np.int64]:
    return np.full(len(like), rows, dtype=np.int64)


def _decisions(counts: Counts) -> Shares:
    held = counts.get("decided.0")
    if held is None:
        return np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    return held[0, 1:], _same(held[0, 1:], held.sum())


def _share(at: int, group: int) -> Callable[[Counts], Shares]:
    def shares(counts: Counts) -> Shares:
        if "decided.0" not in counts:
            return np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        return counts[f"decided.{at}"][group].sum(keepdims=True), counts["decided.0"].sum(keepdims=True).reshape(1)

    return shares


def _calibrated(used: NDArray[np.intp]) -> Callable[[Counts], Shares]:
    def shares(counts: Counts) -> Shares:
        held = counts.get("calibration")
        if held is None:
            return np.zeros(len(used), dtype=np.int64), np.zeros(len(used), dtype=np.int64)
        return held[used, 1], held[used, 0]

    return shares
