"""The value of a count metric for every group, with its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import message
from evenhand.metrics.catalogue import METRICS, Cells, Metric
from evenhand.metrics.catalogue.entry import FN, FP, TP
from evenhand.metrics.catalogue.names import canonical, names
from evenhand.metrics.inference.intervals import beta_limits, clopper_pearson, z_of
from evenhand.metrics.inference.sequences import picked
from evenhand.metrics.inference.share_functions import effective_rows, limits
from evenhand.metrics.inference.unequal import Units, betas
from evenhand.metrics.values.composites import COMPOSITES, composite
from evenhand.metrics.values.net_benefit import BENEFITS, benefit_ends, benefits, in_few_clusters
from evenhand.metrics.values.undefined import UNTHRESHOLDED, of_one_cluster, why_undefined

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Column, Floats, Indices, Ints, Marks
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.inference.sequences import Sequence
    from evenhand.metrics.inference.unequal import Beta


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
SPARSE: Final = (3, 3)
"""Means over classes are not covered from so many classes on that have fewer rows in the truth than so."""
Ends: TypeAlias = "Callable[[float], tuple[Floats, Floats]]"
"""From a critical value z to the low and high ends of all groups."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One metric for all groups.

    See Also
    --------
    evenhand.metrics.measure : Makes one.
    """

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
    note: tuple[str, ...] = ()
    """(G,) what is to be said beside a group's value, such as why its interval is wide; without any, nothing."""
    apart: float = 1.0
    """What critical values are multiplied by where two groups are compared: above 1 where they share clusters."""
    binomial: tuple[Floats, Floats] | None = None
    """(G,) events and (G,) rows where the value is the share of independent, unweighted rows; else None."""
    sequence: Sequence | None = None
    """Where the interval holds at all times: the bounds by their evidence, or the boundary of an asymptotic one."""

    def at(self, groups: slice | Indices) -> Measured:
        """Return the values of some of the groups."""
        parts = {
            name: getattr(self, name)[groups] for name in ("estimate", "low", "high", "defined", "support", "rows")
        }
        reason = _chosen(self.reason, groups)

        def ends(z: float) -> tuple[Floats, Floats]:
            low, high = self.ends(z)
            return low[groups], high[groups]

        uncovered, note = (_chosen(texts, groups) if texts else () for texts in (self.uncovered, self.note))
        binomial = None if self.binomial is None else (self.binomial[0][groups], self.binomial[1][groups])
        own = picked(self.sequence, groups, len(self.estimate))
        more = {"reason": reason, "ends": ends, "uncovered": uncovered, "note": note}
        return replace(self, **parts, binomial=binomial, sequence=own, **more)  # type: ignore[arg-type]


def _chosen(texts: tuple[str, ...], groups: slice | Indices) -> tuple[str, ...]:
    return texts[groups] if isinstance(groups, slice) else tuple(np.asarray(texts, dtype=object)[groups])


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
    >>> (found := measure("recall", tally)).estimate.tolist()[0], found.reason[1]
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
    if entry.name in BENEFITS:
        return _benefit(entry, tally, level)
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
    betas: tuple[Beta, Beta] | None = None
    """What the ends are quantiles of, where rows are weighted or in clusters."""

    @property
    def events(self) -> Floats:
        return np.nan_to_num(self.estimate) * self.size

    def ends(self, z: float) -> tuple[Floats, Floats]:
        if self.betas is None:
            return clopper_pearson(self.events, self.size, z)
        low, high = beta_limits(*self.betas, z)
        return np.where(self.size > 0, low, np.nan), np.where(self.size > 0, high, np.nan)


def _share(tally: Tally, numerator: Cells, denominator: Cells) -> _Share:
    support = _sum(tally.counts, denominator).astype(np.int64)
    weight = tally.mass
    with np.errstate(invalid="ignore", divide="ignore"):
        p = _sum(weight, numerator) / _sum(weight, denominator)
    units = _units(tally, support, numerator, denominator)
    if units is None:
        return _Share(p, support.astype(np.float64), support)
    low, high = betas(units)
    size = np.where(np.isfinite(p), np.fmax(np.minimum(low[0] + low[1], high[0] + high[1]) - 1, 1e-9), 0.0)
    return _Share(p, np.minimum(size, support), support, (low, high))


def _units(tally: Tally, support: Ints, numerator: Cells, denominator: Cells) -> Units | None:
    """Return the weighted rows, or clusters, that a share is of; None where all rows are alike."""
    clustered = tally.moments is not None and tally.clusters is not None
    if tally.squared_weights is None and not clustered:
        return None
    rest = tuple(cell for cell in denominator if cell not in numerator)
    hits, misses = (_sum(tally.mass, cells) for cells in (numerator, rest))
    alone = tally.counts if tally.squared_weights is None else tally.squared_weights
    squares = [_sum(alone, cells) for cells in (numerator, rest)]
    row_squares, spread = squares[0] + squares[1], None
    if tally.squared_weights is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = support * row_squares / (hits + misses) ** 2
    cross = np.zeros(len(hits))
    if tally.moments is not None and clustered:
        size = tally.classes
        top, others = (_indicator(cells, size) for cells in (numerator, rest))
        squares = [np.einsum("i,gij,j->g", side, tally.moments, side) for side in (top, others)]
        cross = np.einsum("i,gij,j->g", top, tally.moments, others)
    return Units(hits, misses, squares[0], cross, squares[1], row_squares, spread)


def _indicator(cells: Cells, classes: int) -> Floats:
    """Return (C * C,) ones where a cell counts, in the order of truth and decision."""
    return np.array([float((true, decided) in cells) for true in range(classes) for decided in range(classes)])


def _sum(cells: Column, chosen: Cells) -> Floats:
    return np.asarray(sum(cells[:, true, predicted] for true, predicted in chosen), dtype=np.float64)


def _rate(entry: Metric, tally: Tally, level: float) -> Measured:
    share = _share(tally, entry.numerator, entry.denominator)
    unequal = _unequal(tally)
    method = f"clopper-pearson{unequal}"
    return _measured(entry, tally, share, share.estimate, method, share.ends, level, binomial=not unequal)


def _unequal(tally: Tally) -> str:
    """Return what in the name of a method tells unequal units."""
    weighted = ", one more of the weights" if tally.weights is not None else ""
    return weighted + (", one more cluster" if tally.clusters is not None else "")


def _mapped(entry: Metric, tally: Tally, level: float) -> Measured:
    """A function of a share: its interval is that of the share, mapped."""
    numerator, denominator, words, mapped = MAPPED[entry.name]
    share = _share(tally, numerator, denominator)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = share.ends(z)
        return mapped(low), mapped(high)

    method = f"clopper-pearson of {words}, mapped{_unequal(tally)}"
    return _measured(entry, tally, share, mapped(share.estimate), method, ends, level)


def _composite(entry: Metric, tally: Tally, level: float) -> Measured:
    """A smooth function of the cells: Gaffke's limits of its tangent."""
    what, cells = composite(entry.name, tally.classes), _groups_last(tally.mass)
    value = what.value(cells)
    size = effective_rows(what, cells, None if tally.squared_weights is None else _groups_last(tally.squared_weights))
    if tally.clusters is not None:
        size = size / _design_effect(tally)
    with np.errstate(invalid="ignore", divide="ignore"):
        worth = cells * (size / cells.sum(axis=0))
    found = np.flatnonzero(np.isfinite(value))
    inside = partial(np.clip, a_min=entry.lowest, a_max=np.inf if entry.highest is None else entry.highest)

    @cache
    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = np.full(len(value), np.nan), np.full(len(value), np.nan)
        if len(found):
            low[found], high[found] = limits(what, worth[:, found], z)
        return inside(np.fmin(low, value)), inside(np.fmax(high, value))

    share = _Share(value, tally.rows.astype(np.float64), tally.rows)
    measured = _measured(entry, tally, share, value, "gaffke limits of the tangent", ends, level)
    return replace(measured, uncovered=_sparse_classes(tally)) if entry.name.startswith("macro_") else measured


def _benefit(entry: Metric, tally: Tally, level: float) -> Measured:
    """The least of means of what cells are worth at the threshold of the decisions."""
    value = benefits(entry.name, tally).min(axis=0)
    share = _Share(value, tally.rows.astype(np.float64), np.where(np.isfinite(value), tally.rows, 0))
    clustered = "mover of two shares, one more cluster"
    method = "gaffke limits of the mean" if tally.moments is None else clustered
    ends = cache(partial(benefit_ends, entry.name, tally))
    measured = replace(_measured(entry, tally, share, value, method, ends, level), uncovered=in_few_clusters(tally))
    if tally.threshold is not None:
        return measured
    return replace(measured, reason=tuple(UNTHRESHOLDED if rows else why_undefined(entry, 0) for rows in tally.rows))


def _sparse_classes(tally: Tally) -> tuple[str, ...]:
    """Return why a mean over classes is not covered, by group; nothing where all groups are."""
    few = (tally.counts.sum(axis=2) < SPARSE[1]).sum(axis=1) >= SPARSE[0]
    why = message(
        "{classes} or more classes have fewer than {rows} rows in the truth, and each counts as much as the others.",
        classes=SPARSE[0],
        rows=SPARSE[1],
    )
    return tuple(why if each else "" for each in few) if few.any() else ()


def _groups_last(cells: Column) -> Floats:
    return np.ascontiguousarray(np.asarray(cells, dtype=np.float64).reshape(len(cells), -1).T)


def _design_effect(tally: Tally) -> Floats:
    """Return how many times greater clusters make the variance of accuracy; at least 1."""
    classes = tally.counts.shape[1]
    right = tuple((c, c) for c in range(classes))
    everyone = tuple((t, p) for t in range(classes) for p in range(classes))
    size = _share(tally, right, everyone).size
    return np.asarray(np.maximum(tally.rows / np.maximum(size, 1e-9), 1.0))


def _mean_of_two(entry: Metric, tally: Tally, level: float) -> Measured:
    """The mean of two rates that share no row, but may share clusters."""
    one, other = (METRICS[name] for name in MEANS[entry.name])
    upper = _share(tally, one.numerator, one.denominator)
    lower = _share(tally, other.numerator, other.denominator)
    estimate = (upper.estimate + lower.estimate) / 2
    joined = np.hypot if tally.moments is None else partial(_hypot, _correlation(tally, one, other))

    def ends(z: float) -> tuple[Floats, Floats]:
        first, second = upper.ends(z), lower.ends(z)
        below = joined(upper.estimate - first[0], lower.estimate - second[0]) / 2
        above = joined(first[1] - upper.estimate, second[1] - lower.estimate) / 2
        return estimate - below, estimate + above

    support = np.where((upper.support > 0) & (lower.support > 0), tally.rows, 0)
    share = _Share(estimate, support.astype(np.float64), support)
    return _measured(entry, tally, share, estimate, "mover of two clopper-pearson intervals", ends, level)


def _hypot(correlation: Floats, one: Floats, other: Floats) -> Floats:
    """Return the margin of a sum from those of both parts."""
    return np.asarray(np.sqrt(one**2 + other**2 + 2 * correlation * one * other))


def _correlation(tally: Tally, one: Metric, other: Metric) -> Floats:
    """Return (G,) the correlation of two rates between clusters, at least 0; of a single cluster 1, the most."""
    assert tally.moments is not None
    mass, parts = tally.mass, []
    for entry in (one, other):
        size = _sum(mass, entry.denominator)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.nan_to_num(_sum(mass, entry.numerator) / size)
        top, bottom = (_indicator(cells, tally.classes) for cells in (entry.numerator, entry.denominator))
        parts.append(top - rate[:, None] * bottom)
    first, second = parts
    both, own, others = (
        np.einsum("gi,gij,gj->g", a, tally.moments, b) for a, b in ((first, second), (first, first), (second, second))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.clip(np.nan_to_num(both / np.sqrt(own * others)), 0.0, 1.0)
    return np.asarray(found if tally.clusters is None else np.where(tally.clusters > 1, found, 1.0))


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
    reasons = tuple("" if ok else why_undefined(entry, rows) for ok, rows in zip(defined, tally.rows, strict=True))
    counted = (share.events, share.size) if binomial else None
    note = () if tally.clusters is None else of_one_cluster(tally.clusters, tally.rows)
    more = {"apart": _apart(tally), "binomial": counted, "note": note}
    return Measured(entry.name, *values, defined, share.support, tally.rows, reasons, method, ends, **more)  # type: ignore[arg-type]


def _apart(tally: Tally) -> float:
    """Return by how much the error of a difference of two groups may be greater because they share clusters.

    With S clusters in two groups, of K and L effective ones, the rates are correlated by at most S / sqrt(K L); and as
    the variance of a difference is then at most 1 + that times the sum of variances, so is every margin its root.
    """
    if not tally.shared or tally.moments is None:
        return 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = tally.mass.sum(axis=(1, 2)) ** 2 / tally.moments.sum(axis=(1, 2))
    common = np.sort(np.minimum(tally.shared / effective[np.isfinite(effective)], 1.0))[-2:]
    return float(np.sqrt(1 + np.sqrt(common.prod()))) if len(common) == 2 else 1.0
