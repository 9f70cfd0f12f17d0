"""What compression changed in a rate, group by group, from the joint tally: with paired intervals that cover.

Both models answer the same rows, so a change rests on the rows where they differ: those that count only with the
compressed model (gained) and those that count only with the original (lost). See docs/design/compression_audit.md.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import canonical
from evenhand.metrics.counts.joint import everyone
from evenhand.metrics.inference.clustered import clustered_change
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.metrics.inference.labelled import LabelledRows
from evenhand.metrics.inference.paired import apart, exclusive
from evenhand.metrics.values.rates import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evenhand.metrics.catalogue.entry import Cells, Metric
    from evenhand.metrics.counts.arrays import Floats, Ints, Marks
    from evenhand.metrics.counts.joint import JointTally, Where
    from evenhand.metrics.inference.clustered import ClusteredChange

    ChangeOf: TypeAlias = Callable[[str, JointTally, float], Measured]
    """From a rate, a joint tally and a level to the changes of groups."""

SUFFIX = "_change"
HALF_A_ROW = 0.5
STEPS = np.linspace(0.0, 9.0, 181)
"""Critical values between which a p-value is looked for; beyond the last none is told apart from 0."""


def measure_change(metric: str, joint: JointTally, level: float = 0.95) -> Measured:
    """Return the change of a rate, compressed less original, for every group.

    Where both models share the denominator (accuracy, recall, selection rate ...) the change is ``gained / n - lost /
    n``: the exact limits of both shares are combined by square-and-add, with their (negative) multinomial correlation.
    Where a decision is in the denominator (precision ...) the exact limits of the two rates are combined with the
    correlation that their common rows give them.

    Parameters
    ----------
    metric : str
        A rate, such as ``recall``, or its change, ``recall_change``.
    joint : JointTally
        G groups.
    level : float
        Two-sided confidence.

    Raises
    ------
    InputError
        When there is no such rate.

    Examples
    --------
    >>> from evenhand.metrics.counts.joint import JointTally
    >>> joint = JointTally.count([1] * 40, [1] * 20 + [0] * 20, [1] * 28 + [0] * 12)
    >>> found = measure_change("recall", joint)
    >>> round(float(found.estimate[0]), 3), round(float(found.low[0]), 3), round(float(found.high[0]), 3)
    (0.2, 0.059, 0.356)
    """
    entry = rate_of(metric)
    return (_of_shared_rows if shares_rows(metric) else _of_own_rows)(entry, joint, level)


def rate_of(metric: str) -> Metric:
    """Return the entry of the rate of a name, or of the name of its change.

    Raises
    ------
    InputError
        When it is not a rate of truth and decision.
    """
    entry = METRICS.get(canonical(metric.removesuffix(SUFFIX)) or "")
    if entry is None or entry.kind != "rate" or not entry.denominator:
        raise InputError(f"'{metric}' is no rate whose change counts tell.{did_you_mean(metric, METRICS)}")
    return entry


def flips(metric: str, joint: JointTally, level: float = 0.95, towards: int | None = None) -> Measured:
    """Return the share of rows that are decided otherwise, in the way that a metric of pairs of decisions counts.

    Parameters
    ----------
    metric : str
        ``flip_rate``, ``negative_flip_rate`` or ``positive_flip_rate``.
    joint : JointTally
        G groups.
    level : float
        Two-sided confidence.
    towards : int, optional
        Count the rows that are now decided so, whatever the truth.
    """
    pairs = [4 * truth + 2 * old + new for truth, old, new in METRICS[metric].pairs]

    def counts(truth: Ints, old: Ints, new: Ints) -> Marks:
        return np.asarray(np.isin(4 * truth + 2 * old + new, pairs) & ((towards is None) | (new == towards)))

    return replace(_shares(joint, (counts, counts), everyone, level)[0], metric=metric)


def shares_rows(metric: str) -> bool:
    """Whether both models share a rate's denominator, so that its change rests on the rows they decide otherwise."""
    denominator = rate_of(metric).denominator
    return all((truth, decision) in denominator for truth in {cell[0] for cell in denominator} for decision in (0, 1))


def discordant(metric: str, joint: JointTally) -> tuple[Ints, Ints, Ints]:
    """Return the rows that count only with the compressed model, only with the original, and all in the denominator.

    Raises
    ------
    InputError
        When the rate's denominator is not the same for both models.
    """
    entry = rate_of(metric)
    only_new, only_old = (joint.share(where, _rows_of(entry)) for where in _one_sided(entry))
    return only_new.counts[:, 0, 1], only_old.counts[:, 0, 1], only_new.rows


def _of_shared_rows(entry: Metric, joint: JointTally, level: float) -> Measured:
    gained, lost, correlation = _shares(joint, _one_sided(entry), _rows_of(entry), level)
    between = None if joint.labelled else _between_clusters(entry, joint)
    if between is not None:
        correlation = np.where(np.isfinite(between.correlation), between.correlation, correlation)
    found = _measured(entry, joint, gained, lost, correlation, level, "mover of discordant rows, exact limits")
    if between is not None:
        return _of_clusters(found, between, level)
    return found if not joint.labelled else replace(found, rows=_mass(joint, joint.marks(everyone)))


def _between_clusters(entry: Metric, joint: JointTally) -> ClusteredChange | None:
    """Return what clusters say of a change; None where rows are independent."""
    if joint.moments is None or joint.tally.clusters is None:
        return None
    gained, lost, inside = (
        joint.marks(where).ravel().astype(np.float64) for where in (*_one_sided(entry), _rows_of(entry))
    )
    truths = {truth for truth, _ in entry.denominator}
    by_class = joint.class_clusters if len(truths) == 1 else None
    clusters = joint.tally.clusters if by_class is None else by_class[:, min(truths)]
    mass = joint.tally.mass[:, :2].reshape(-1, 8).astype(np.float64)
    return clustered_change(joint.moments, mass, (gained, lost), inside, clusters)


def _of_clusters(exact: Measured, between: ClusteredChange, level: float) -> Measured:
    """Return a change with the ends that the spread between clusters gives; the exact ones where few changed."""

    def ends(z: float) -> tuple[Floats, Floats]:
        pairs = zip(between.ends(z), exact.ends(z), strict=True)
        low, high = (np.where(between.known, own, other) for own, other in pairs)
        return low, high

    low, high = ends(z_of(level))
    method = "paired t of clusters, skewness allowed for" if between.known.all() else exact.method
    if between.known.any() and not between.known.all():
        method = f"paired t of clusters, skewness allowed for; of few that changed {exact.method}"
    return replace(exact, low=low, high=high, ends=ends, method=method)


def p_of_no_change(found: Measured) -> Floats:
    """Return (G,) two-sided p-values of no change: the greatest level of error at which the interval holds 0.

    Examples
    --------
    >>> from evenhand.metrics.counts.joint import JointTally
    >>> joint = JointTally.count([1] * 40, [1] * 20 + [0] * 20, [1] * 28 + [0] * 12)
    >>> p_of_no_change(measure_change("recall", joint)).round(4).tolist()
    [0.0043]
    """
    from scipy.special import ndtr

    ends = np.array([found.ends(float(z)) for z in STEPS])  # (steps, 2, G)
    over = np.where(found.estimate > 0, -ends[:, 0], ends[:, 1])  # from below 0 to above it, where the interval holds 0
    first = np.argmax(over >= 0, axis=0)
    at, groups = np.maximum(first, 1), np.arange(over.shape[1])
    before, after = over[at - 1, groups], over[at, groups]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.clip(np.nan_to_num(-before / (after - before)), 0.0, 1.0)
    z = np.where((over >= 0).any(axis=0), STEPS[at - 1] + part * (STEPS[at] - STEPS[at - 1]), STEPS[-1])
    p = np.where(found.estimate == 0, 1.0, 2 * ndtr(-z))
    return np.where(found.defined, p, np.nan)


def _shares(
    joint: JointTally, events: Sequence[Where], among: Where, level: float
) -> tuple[Measured, Measured, Floats]:
    """Return two shares of the same rows and their correlation."""
    first, second = (measure("selection_rate", joint.share(where, among), level) for where in events)
    if not joint.labelled or joint.weights is None or joint.squared_weights is None:
        return first, second, exclusive(first.estimate, second.estimate)
    inside, rows = joint.marks(among), LabelledRows(joint.weights, joint.squared_weights)
    sizes, correlation = rows.sizes([joint.marks(where) for where in events], inside)
    support = _mass(joint, inside)
    one, other = (_worth(share, size, support, level) for share, size in zip((first, second), sizes, strict=True))
    return one, other, correlation


def _mass(joint: JointTally, cells: Marks) -> Ints:
    """Return (G,) the rows in some cells, those included that labelled rows stand for."""
    mass = joint.counts if joint.weights is None else joint.weights
    return np.asarray(np.round((mass * cells).sum(axis=(1, 2, 3))), dtype=np.int64)


def _worth(share: Measured, size: Floats, support: Ints, level: float) -> Measured:
    """Return a share with the interval of so many fully labelled rows."""
    ends = partial(clopper_pearson, np.nan_to_num(share.estimate) * size, size)
    low, high = ends(z_of(level))
    method = "clopper-pearson, labelled by stratum"
    return replace(share, low=low, high=high, ends=ends, support=support, rows=support, method=method, binomial=None)


def _of_own_rows(entry: Metric, joint: JointTally, level: float) -> Measured:
    new, old = (measure(entry.name, tally, level) for tally in (joint.compressed, joint.original))
    correlation, clusters = _correlation(entry, joint), joint.tally.clusters
    if clusters is not None:  # one cluster has a correlation of rows, and none of clusters
        correlation = np.where(np.asarray(clusters) > 1, correlation, 0.0)
    return _measured(entry, joint, new, old, correlation, level, "mover of two exact limits, paired")


def _correlation(entry: Metric, joint: JointTally) -> Floats:
    """Return the correlation of the two models' rates: that of their common rows.

    Half a row is added wherever only one model has the row in its denominator, or counts it: where the models agree on
    every row of a sample they may yet differ on others.
    """
    from evenhand.metrics.counts.joint import COMPRESSED, ORIGINAL, TRUTH

    cells = joint.tally.mass[:, :2].reshape(-1, 8).astype(np.float64)
    old, new = (
        (_holds(entry.denominator, TRUTH, who), _holds(entry.numerator, TRUTH, who)) for who in (ORIGINAL, COMPRESSED)
    )
    cells = cells + HALF_A_ROW * ((old[0] != new[0]) | (old[1] != new[1]))

    def residual(side: tuple[Marks, Marks]) -> Floats:
        inside, hit = side
        size = cells @ inside
        rate = (cells @ hit) / size
        return np.asarray((hit[None, :] - rate[:, None]) * inside / size[:, None])

    first, second = residual(old), residual(new)
    spread = np.sqrt((cells * first**2).sum(axis=1) * (cells * second**2).sum(axis=1))
    return np.asarray(np.clip((cells * first * second).sum(axis=1) / spread, -1.0, 1.0))


def excess_change(metric: str, joint: JointTally, level: float = 0.95, by: ChangeOf = measure_change) -> Measured:
    """Return by how much each group's change exceeds the change over the rows of all groups.

    Of a group with share w of the denominator that is ``(1 - w) (its change - the change of all other rows)``, and the
    two changes rest on different rows. With classes of the truth for groups it is the normalized recall difference of
    Hooker et al. (2019); with groups of people it is the excess accuracy gap of Hashemizadeh et al. (2024).
    """
    both = by(metric, joint.each_and_rest(), level)
    own, rest = both.at(slice(0, joint.groups)), both.at(slice(joint.groups, None))
    support = np.asarray([own.support, rest.support], dtype=np.float64)
    total = support.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        others = np.where(total > 0, support[1] / total, np.nan)
    alone = rest.support == 0
    rest_estimate = np.where(alone, own.estimate, rest.estimate)

    def ends(z: float) -> tuple[Floats, Floats]:
        z = z * both.apart
        low, high = (np.where(alone, own.estimate, end) for end in rest.ends(z))
        sides = (own.estimate, *own.ends(z)), (rest_estimate, low, high)
        mine, theirs = (tuple(part / 2 for part in side) for side in sides)  # two changes may be 2 apart, halves 1
        found = apart(mine, theirs, np.zeros(joint.groups))  # type: ignore[arg-type]
        return 2 * others * found[0], 2 * others * found[1]

    low, high = ends(z_of(level))
    estimate = others * (own.estimate - rest_estimate)
    return replace(own, estimate=estimate, low=low, high=high, method=f"mover of two changes, {own.method}", ends=ends)


def mcnemar(gained: Ints, lost: Ints, *, mid: bool = True) -> Floats:
    """Return (G,) two-sided p-values of McNemar's test: as many rows gained as lost?

    Parameters
    ----------
    gained, lost : (G,) integer arrays
        Rows that count only with the new model, only with the old one.
    mid : bool
        The mid-p value, which is less conservative than the exact one and keeps its size in practice.

    Notes
    -----
    McNemar (1947), Psychometrika 12; mid-p: Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13.
    Where no row differs the p-value is 1.

    Examples
    --------
    >>> [round(float(mcnemar(np.array([1]), np.array([8]), mid=mid)[0]), 4) for mid in (False, True)]
    [0.0391, 0.0215]
    """
    from scipy.stats import binom

    n, least = gained + lost, np.minimum(gained, lost)
    exact = np.minimum(2 * binom.cdf(least, n, 0.5), 1.0)
    found = np.maximum(exact - binom.pmf(least, n, 0.5), 0.0) if mid else exact
    return np.where(n == 0, 1.0, found)


def _measured(
    entry: Metric, joint: JointTally, new: Measured, old: Measured, correlation: Floats, level: float, method: str
) -> Measured:
    """Return the difference of two shares with this correlation."""

    def ends(z: float) -> tuple[Floats, Floats]:
        return apart((new.estimate, *new.ends(z)), (old.estimate, *old.ends(z)), correlation)

    estimate, support, rows = new.estimate - old.estimate, np.minimum(new.support, old.support), joint.rows
    defined, method = np.isfinite(estimate), method + new.method.removeprefix("clopper-pearson")
    reason = tuple("" if ok else _why(entry, n) for ok, n in zip(defined, rows, strict=True))
    limits = ends(z_of(level))
    name, apart_by = f"{entry.name}{SUFFIX}", new.apart
    return Measured(name, estimate, *limits, defined, support, rows, reason, method, ends, apart=apart_by)


def _why(entry: Metric, rows: int) -> str:
    if rows == 0:
        return message("No row at all, so nothing can have changed.")
    return message("{metric} is 0 of 0 for one of the models.", metric=entry.label)


def _rows_of(entry: Metric) -> Where:
    """Return which cells are in a denominator that both models share."""
    return lambda truth, original, compressed: _holds(entry.denominator, truth, original)


def _one_sided(entry: Metric) -> Sequence[Where]:
    """Return which cells count only with the compressed model, and which only with the original."""

    def gained(truth: Ints, old: Ints, new: Ints) -> Marks:
        return _holds(entry.numerator, truth, new) & ~_holds(entry.numerator, truth, old)

    return gained, lambda truth, old, new: gained(truth, new, old)


def _holds(cells: Cells, truth: Ints, decision: Ints) -> Marks:
    return np.isin(2 * truth + decision, [2 * t + d for t, d in cells])
