"""The value of a count metric for every group, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.metrics.catalogue import METRICS, Cells, Metric
from evenhand.metrics.intervals import clopper_pearson, z_of
from evenhand.metrics.names import canonical, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.metrics.tally import Tally

    Floats: TypeAlias = NDArray[np.float64]

Ends: TypeAlias = "Callable[[float], tuple[Floats, Floats]]"
"""From a critical value z to the low and high ends of all groups."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One metric for all groups."""

    metric: str
    """The canonical name."""
    estimate: NDArray[np.float64]
    """(G,) values; nan where not defined."""
    low: NDArray[np.float64]
    """(G,) low ends; nan where not defined."""
    high: NDArray[np.float64]
    """(G,) high ends; nan where not defined."""
    defined: NDArray[np.bool_]
    """(G,) whether the group has a value."""
    support: NDArray[np.int64]
    """(G,) rows in the denominator."""
    rows: NDArray[np.int64]
    """(G,) all rows of the group."""
    reason: tuple[str, ...]
    """(G,) why a group has no value; empty where it has one."""
    method: str
    """How the interval was found."""
    ends: Ends
    """Ends for other critical values, for comparing groups."""


def measure(metric: str, tally: Tally, level: float = 0.95) -> Measured:
    """Measure a rate or composite for every group of a tally.

    Parameters
    ----------
    metric : str
        Any accepted name of a count metric, such as ``recall`` or ``f1``.
    tally : Tally
        G groups.
    level : float
        Two-sided confidence.

    Raises
    ------
    InputError
        When there is no such count metric.

    Examples
    --------
    >>> from evenhand.metrics import Tally, measure
    >>> tally = Tally.count([1, 1, 0, 0], [1, 0, 0, 0], codes=[0, 0, 1, 1], n_groups=2)
    >>> found = measure("recall", tally)
    >>> found.estimate.tolist()[0], found.reason[1]
    (0.5, 'No row whose truth is positive: recall is 0 of 0.')
    """
    name = canonical(metric)
    entry = METRICS.get(name or "")
    if entry is None or entry.kind not in ("rate", "composite"):
        raise InputError(
            f"'{metric}' is no metric of counts.{did_you_mean(metric, names())} See: evenhand list metrics"
        )
    if entry.name == "f1":
        return _f1(entry, tally, level)
    if entry.name == "balanced_accuracy":
        return _balanced(entry, tally, level)
    return _rate(entry, tally, level)


@dataclass(frozen=True, slots=True, eq=False)
class _Share:
    """A proportion over groups, with the row count it is worth."""

    estimate: NDArray[np.float64]
    size: NDArray[np.float64]
    support: NDArray[np.int64]

    @property
    def events(self) -> NDArray[np.float64]:
        return np.nan_to_num(self.estimate) * self.size


def _share(tally: Tally, numerator: Cells, denominator: Cells) -> _Share:
    support = _sum(tally.counts, denominator).astype(np.int64)
    if tally.weights is None or tally.squared_weights is None:
        with np.errstate(invalid="ignore", divide="ignore"):
            return _Share(_sum(tally.counts, numerator) / support, support.astype(np.float64), support)
    weight, squares = _sum(tally.weights, denominator), _sum(tally.squared_weights, denominator)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = _sum(tally.weights, numerator) / weight
        kish = weight**2 / squares
        hit = _sum(tally.squared_weights, numerator)
        variance = (hit * (1 - p) ** 2 + (squares - hit) * p**2) / weight**2
        linearised = np.where(variance > 0, p * (1 - p) / variance, kish)
    # The lesser of both sizes covers .947 to .958 where either alone falls to .91 (docs/design/intervals.md).
    return _Share(p, np.nan_to_num(np.fmin(kish, linearised)), support)


def _sum(cells: NDArray[np.generic], chosen: Cells) -> Floats:
    return np.asarray(sum(cells[:, true, predicted] for true, predicted in chosen), dtype=np.float64)


def _rate(entry: Metric, tally: Tally, level: float) -> Measured:
    numerator, denominator = entry.numerator, entry.denominator
    if entry.name == "flip_rate":
        raise InputError("The flip rate compares two models; state it with the compression audit.")
    share = _share(tally, numerator, denominator)
    weighted = ", effective size" if tally.weights is not None else ""

    def ends(z: float) -> tuple[Floats, Floats]:
        return clopper_pearson(share.events, share.size, z)

    values = (share.estimate, *ends(z_of(level)))
    return _measured(entry, tally, share, values, f"clopper-pearson{weighted}", ends)


def _f1(entry: Metric, tally: Tally, level: float) -> Measured:
    """F1 is 2 J / (1 + J) of the share J = TP / (TP + FP + FN): its interval is that of J, mapped."""
    share = _share(tally, ((1, 1),), ((0, 1), (1, 0), (1, 1)))

    def mapped(j: Floats) -> Floats:
        return np.asarray(2 * j / (1 + j))

    def ends(z: float) -> tuple[Floats, Floats]:
        least, most = clopper_pearson(share.events, share.size, z)
        return mapped(least), mapped(most)

    values = (mapped(share.estimate), *ends(z_of(level)))
    return _measured(entry, tally, share, values, "clopper-pearson of the Jaccard share, mapped", ends)


def _balanced(entry: Metric, tally: Tally, level: float) -> Measured:
    recall = _share(tally, METRICS["recall"].numerator, METRICS["recall"].denominator)
    rest = _share(tally, METRICS["specificity"].numerator, METRICS["specificity"].denominator)
    estimate = (recall.estimate + rest.estimate) / 2

    def ends(z: float) -> tuple[Floats, Floats]:
        first = clopper_pearson(recall.events, recall.size, z)
        second = clopper_pearson(rest.events, rest.size, z)
        below = np.hypot(recall.estimate - first[0], rest.estimate - second[0]) / 2
        above = np.hypot(first[1] - recall.estimate, second[1] - rest.estimate) / 2
        return estimate - below, estimate + above

    support = np.where((recall.support > 0) & (rest.support > 0), tally.rows, 0)
    share = _Share(estimate, support.astype(np.float64), support)
    low, high = ends(z_of(level))
    return _measured(entry, tally, share, (estimate, low, high), "mover of two clopper-pearson intervals", ends)


def _measured(
    entry: Metric, tally: Tally, share: _Share, values: tuple[Floats, Floats, Floats], method: str, ends: Ends
) -> Measured:
    defined = np.isfinite(values[0])
    reasons = tuple("" if ok else _reason(entry, rows) for ok, rows in zip(defined, tally.rows, strict=True))
    return Measured(entry.name, *values, defined, share.support, tally.rows, reasons, method, ends)


_MISSING: dict[tuple[tuple[int, int], ...], str] = {
    ((1, 0), (1, 1)): "whose truth is positive",
    ((0, 0), (0, 1)): "whose truth is negative",
    ((0, 1), (1, 1)): "predicted positive",
    ((0, 0), (1, 0)): "predicted negative",
}


def _reason(entry: Metric, rows: int) -> str:
    words = entry.label if entry.label.isupper() or entry.name == "f1" else entry.label.lower()
    if rows == 0:
        return f"No row at all: {words} is 0 of 0."
    if entry.name == "f1":
        return "No row whose truth or prediction is positive: F1 is 0 of 0."
    if entry.name == "balanced_accuracy":
        return "Only one of the two classes has rows: balanced accuracy needs both."
    which = _MISSING.get(tuple(sorted(entry.denominator)), "in its denominator")
    return f"No row {which}: {words} is 0 of 0."
