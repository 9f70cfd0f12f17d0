"""The value of a count metric for every group, with its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import lowered, message
from evenhand.metrics.catalogue import METRICS, Cells, Metric
from evenhand.metrics.catalogue.entry import FN, FP, TN, TP
from evenhand.metrics.catalogue.names import canonical, names
from evenhand.metrics.inference.intervals import clopper_pearson, scaled_ends, z_of
from evenhand.metrics.values.composites import COMPOSITES, with_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Column, Floats, Indices, Ints, Marks
    from evenhand.metrics.counts.tally import Tally


@np.errstate(divide="ignore")
def _odds(p: Floats) -> Floats:
    return np.asarray(p / (1 - p))


MAPPED: Final[dict[str, tuple[Cells, Cells, str, Callable[[Floats], Floats]]]] = {
    "f1": ((TP,), (FP, FN, TP), "the Jaccard share", lambda j: np.asarray(2 * j / (1 + j))),
    "treatment_equality": ((FN,), (FP, FN), "the share of errors", _odds),
}
"""Composites that are a function of one share: its numerator and denominator, its name, and the function.

F1 is 2 J / (1 + J) of the share J = TP / (TP + FP + FN), and FN / FP is p / (1 - p) of the share p of false negatives
among errors.
"""
MEANS: Final = {
    "balanced_accuracy": ("recall", "specificity"),
    "average_predictive_value": ("precision", "false_omission_rate"),
}
"""Composites that are the mean of two rates."""
Ends: TypeAlias = "Callable[[float], tuple[Floats, Floats]]"
"""From a critical value z to the low and high ends of all groups."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One metric for all groups."""

    metric: str
    """The canonical name."""
    estimate: Floats
    """(G,) values; nan where not defined."""
    low: Floats
    """(G,) low ends; nan where not defined."""
    high: Floats
    """(G,) high ends; nan where not defined."""
    defined: Marks
    """(G,) whether the group has a value."""
    support: Ints
    """(G,) rows in the denominator."""
    rows: Ints
    """(G,) all rows of the group."""
    reason: tuple[str, ...]
    """(G,) why a group has no value; empty where it has one."""
    method: str
    """How the interval was found."""
    ends: Ends
    """Ends for other critical values, for comparing groups."""
    uncovered: tuple[str, ...] = ()
    """(G,) why no interval covers for such data, empty where one does; without any, all are covered."""
    binomial: tuple[Floats, Floats] | None = None
    """(G,) events and (G,) rows where the value is the share of independent, unweighted rows; else None."""

    def at(self, groups: slice | Indices) -> Measured:
        """Return the values of some of the groups."""
        names = ("estimate", "low", "high", "defined", "support", "rows")
        parts = {name: getattr(self, name)[groups] for name in names}
        reason = tuple(np.asarray(self.reason, dtype=object)[groups])

        def ends(z: float) -> tuple[Floats, Floats]:
            low, high = self.ends(z)
            return low[groups], high[groups]

        uncovered = tuple(np.asarray(self.uncovered, dtype=object)[groups]) if self.uncovered else ()
        binomial = None if self.binomial is None else (self.binomial[0][groups], self.binomial[1][groups])
        return replace(self, **parts, reason=reason, ends=ends, uncovered=uncovered, binomial=binomial)


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
    if entry.name in COMPOSITES:
        return _composite(entry, tally, level)
    if entry.name in MEANS:
        return _mean_of_two(entry, tally, level)
    return (_mapped if entry.name in MAPPED else _rate)(entry, tally, level)


def counted_share(metric: str, tally: Tally) -> tuple[Ints, Ints]:
    """Return the rows that a rate counts and those it counts them among, (G,) each, whatever their weights.

    Raises
    ------
    InputError
        When the metric is not a rate.
    """
    entry = METRICS.get(canonical(metric) or "")
    if entry is None or entry.kind != "rate" or not entry.denominator:
        raise InputError(f"'{metric}' is no rate.{did_you_mean(metric, names())}")
    parts = (_sum(tally.counts, cells).astype(np.int64) for cells in (entry.numerator, entry.denominator))
    return next(parts), next(parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Share:
    """A proportion over groups, with the row count it is worth."""

    estimate: Floats
    size: Floats
    support: Ints

    @property
    def events(self) -> Floats:
        return np.nan_to_num(self.estimate) * self.size


def _share(tally: Tally, numerator: Cells, denominator: Cells) -> _Share:
    support = _sum(tally.counts, denominator).astype(np.int64)
    weight = tally.mass
    with np.errstate(invalid="ignore", divide="ignore"):
        p = _sum(weight, numerator) / _sum(weight, denominator)
    sizes = [support.astype(np.float64)]
    if tally.weights is not None and tally.squared_weights is not None:
        sizes += _weighted_sizes(tally.weights, tally.squared_weights, p, numerator, denominator)
    if tally.moments is not None and tally.clusters is not None:
        sizes.append(_clustered_size(tally, p, numerator, denominator))
    # The least of these sizes covers .947 to .958 where either alone falls to .91 (docs/design/intervals.md).
    return _Share(p, np.nan_to_num(np.fmin.reduce(sizes)), support)


def _weighted_sizes(
    weights: Floats, squared: Floats, p: Floats, numerator: Cells, denominator: Cells
) -> tuple[Floats, Floats]:
    """Return Kish's effective size, and the one at which the linearised variance is a binomial one."""
    weight, squares, hit = _sum(weights, denominator), _sum(squared, denominator), _sum(squared, numerator)
    with np.errstate(invalid="ignore", divide="ignore"):
        kish = weight**2 / squares
        variance = (hit * (1 - p) ** 2 + (squares - hit) * p**2) / weight**2
        return kish, np.where(variance > 0, p * (1 - p) / variance, kish)


def _clustered_size(tally: Tally, p: Floats, numerator: Cells, denominator: Cells) -> Floats:
    """Return the effective size of Korn and Graubard (1998), Survey Methodology 24.

    The linearised variance between clusters, as a binomial one, with Student's quantile in place of the normal one.
    Where all rows are equal there is no variance, and each cluster is taken for one row.
    """
    from scipy.special import stdtrit

    assert tally.moments is not None
    assert tally.clusters is not None
    weight = tally.mass
    top, bottom = _indicator(numerator), _indicator(denominator)
    residual = top - np.nan_to_num(p)[:, None] * bottom
    squares = np.einsum("gi,gij,gj->g", residual, tally.moments, residual)
    number = np.maximum(tally.clusters, 1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = squares / _sum(weight, denominator) ** 2 * number / np.maximum(number - 1, 1)
        size = np.where(variance > 0, p * (1 - p) / variance, number)
    student = stdtrit(np.maximum(number - 1, 1), 0.975)
    return np.asarray(size * (z_of(0.95) / student) ** 2)


def _indicator(cells: Cells) -> Floats:
    """Return (4,) ones where a cell counts, in the order of truth and decision."""
    classes = 1 + max(max(cell) for cell in (*cells, (1, 1)))
    return np.array([float((true, decided) in cells) for true in range(classes) for decided in range(classes)])


def _sum(cells: Column, chosen: Cells) -> Floats:
    return np.asarray(sum(cells[:, true, predicted] for true, predicted in chosen), dtype=np.float64)


def _rate(entry: Metric, tally: Tally, level: float) -> Measured:
    share = _share(tally, entry.numerator, entry.denominator)
    weighted = ", effective size" if tally.weights is not None else ""
    weighted += ", clusters" if tally.clusters is not None else ""
    ends = partial(clopper_pearson, share.events, share.size)
    method = f"clopper-pearson{weighted}"
    return _measured(entry, tally, share, share.estimate, method, ends, level, binomial=not weighted)


def _mapped(entry: Metric, tally: Tally, level: float) -> Measured:
    """A function of a share: its interval is that of the share, mapped."""
    numerator, denominator, words, mapped = MAPPED[entry.name]
    share = _share(tally, numerator, denominator)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = clopper_pearson(share.events, share.size, z)
        return mapped(low), mapped(high)

    return _measured(entry, tally, share, mapped(share.estimate), f"clopper-pearson of {words}, mapped", ends, level)


def _composite(entry: Metric, tally: Tally, level: float) -> Measured:
    """A smooth function of the cells: the delta method, on a scale that fits its range."""
    cells = tally.mass
    value, error = with_error(COMPOSITES[entry.name], cells, tally.squared_weights)
    if tally.clusters is not None:
        error = error * np.sqrt(_design_effect(tally))
    share = _Share(value, tally.rows.astype(np.float64), tally.rows)
    ends = partial(scaled_ends, value, error, lowest=entry.lowest, highest=entry.highest)
    return _measured(entry, tally, share, value, "delta method", ends, level)


def _design_effect(tally: Tally) -> Floats:
    """Return how many times greater clusters make the variance of accuracy; at least 1."""
    classes = tally.counts.shape[1]
    right = tuple((c, c) for c in range(classes))
    everyone = tuple((t, p) for t in range(classes) for p in range(classes))
    size = _share(tally, right, everyone).size
    return np.asarray(np.maximum(tally.rows / np.maximum(size, 1e-9), 1.0))


def _mean_of_two(entry: Metric, tally: Tally, level: float) -> Measured:
    """The mean of two rates that share no row."""
    one, other = (METRICS[name] for name in MEANS[entry.name])
    upper = _share(tally, one.numerator, one.denominator)
    lower = _share(tally, other.numerator, other.denominator)
    estimate = (upper.estimate + lower.estimate) / 2

    def ends(z: float) -> tuple[Floats, Floats]:
        first = clopper_pearson(upper.events, upper.size, z)
        second = clopper_pearson(lower.events, lower.size, z)
        below = np.hypot(upper.estimate - first[0], lower.estimate - second[0]) / 2
        above = np.hypot(first[1] - upper.estimate, second[1] - lower.estimate) / 2
        return estimate - below, estimate + above

    support = np.where((upper.support > 0) & (lower.support > 0), tally.rows, 0)
    share = _Share(estimate, support.astype(np.float64), support)
    return _measured(entry, tally, share, estimate, "mover of two clopper-pearson intervals", ends, level)


def _measured(
    entry: Metric,
    tally: Tally,
    share: _Share,
    estimate: Floats,
    method: str,
    ends: Ends,
    level: float,
    *,
    binomial: bool = False,
) -> Measured:
    defined = np.isfinite(estimate)
    values = np.where(defined, estimate, np.nan), *ends(z_of(level))
    reasons = tuple("" if ok else _reason(entry, rows) for ok, rows in zip(defined, tally.rows, strict=True))
    counted = (share.events, share.size) if binomial else None
    return Measured(entry.name, *values, defined, share.support, tally.rows, reasons, method, ends, binomial=counted)


_MISSING: Final[dict[Cells, str]] = {
    (FN, TP): message("No row whose truth is positive: {metric} is 0 of 0."),
    (TN, FP): message("No row whose truth is negative: {metric} is 0 of 0."),
    (FP, TP): message("No row predicted positive: {metric} is 0 of 0."),
    (TN, FN): message("No row predicted negative: {metric} is 0 of 0."),
}
_UNDEFINED: Final = {
    "f1": message("No row whose truth or prediction is positive: F1 is 0 of 0."),
    "treatment_equality": message("No false positive: false negatives per false positive are a number over 0."),
    "balanced_accuracy": message("Only one of the two classes has rows: balanced accuracy needs both."),
    "average_predictive_value": message(
        "All rows are decided alike: the average predictive value needs both decisions."
    ),
}


def _reason(entry: Metric, rows: int) -> str:
    words = lowered(entry.label)
    if rows == 0:
        return message("No row at all: {metric} is 0 of 0.", metric=words)
    if entry.name in _UNDEFINED:
        return _UNDEFINED[entry.name]
    if entry.kind == "composite":
        return message("{metric} is 0 of 0 for these rows.", metric=entry.label)
    told = _MISSING.get(tuple(sorted(entry.denominator)), message("No row in its denominator: {metric} is 0 of 0."))
    return message(told, metric=words)
