"""Custom metrics: any function with scikit-learn's or fairlearn's signature, by group."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import values
from evenhand.audits.statement import Audit, Statement, disparity_finding, not_applicable
from evenhand.errors import InputError, shorten
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import Measured, compare
from evenhand.metrics.catalogue.names import HOWS
from evenhand.metrics.inference.intervals import z_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.evidence.options import MetricFunction
    from evenhand.findings import Finding
    from evenhand.metrics import Disparity

NAME = "custom"
REPLICATES = 200
NONE = "The metric gave no number for these rows."
COVERAGE = message(
    "From a bootstrap of each group's rows, by square-and-add; how well it covers depends on the metric and was not "
    "measured."
)
OPEN = message(
    "Where rows of a group are drawn again the metric does not vary or has no value, so no interval is known."
)


def custom(evidence: Evidence) -> Statement:
    """State each custom metric over all rows, for each group and between groups.

    A value has a percentile interval over resampled rows; a comparison of groups combines the groups' intervals by
    square-and-add, since a bootstrap of the extreme itself would not cover.
    """
    if not evidence.options.metrics:
        return not_applicable("No custom metric was given.")
    if evidence.data.frequency is not None:
        return not_applicable("A custom metric needs rows; the table holds counts.")
    findings: list[Finding] = []
    for name, function in evidence.options.metrics.items():
        rows = np.arange(len(evidence.data))
        whole = _measured(evidence, name, function, [rows], [_call(evidence, function, rows)])
        findings += values(NAME, name, whole, None, evidence.options.level, "score")
        for grouping in evidence.groupings:
            findings += _by_group(evidence, name, function, grouping)
    return Statement(tuple(findings))


def _by_group(evidence: Evidence, name: str, function: MetricFunction, grouping: Grouping) -> Iterator[Finding]:
    from fairlearn.metrics import MetricFrame

    predictions = evidence.predictions
    weight = evidence.data.sample_weight
    frame = MetricFrame(
        metrics=_lenient(function),
        y_true=predictions.y_true,
        y_pred=predictions.y_pred,
        sensitive_features=grouping.codes,
        sample_params=None if weight is None else {"sample_weight": weight},
    )
    groups, level = range(len(grouping)), evidence.options.level
    rows = [np.flatnonzero(grouping.codes == group) for group in groups]
    found = _measured(evidence, name, function, rows, [float(frame.by_group[group]) for group in groups])
    yield from values(NAME, name, found, grouping, level, "score")
    unknown = found.defined & ~(found.low < found.high)
    for how in HOWS:
        gap, key = compare(found, how, level), Key.of(f"{name}_{how}", grouping.columns)
        stated = disparity_finding(key, NAME, _opened(gap) if unknown.any() else gap, grouping, level, "score")
        yield replace(stated, note=stated.note or (OPEN if unknown.any() else COVERAGE)) if stated.defined else stated


def _opened(gap: Disparity) -> Disparity:
    """Return a comparison with an interval open on both sides, so that no limit is decided by it."""
    return replace(gap, low=None, high=None, unadjusted_low=None, unadjusted_high=None)


def _measured(
    evidence: Evidence, name: str, function: MetricFunction, rows: Sequence[NDArray[np.int64]],
    estimates: Sequence[float],
) -> Measured:  # fmt: skip
    """Return the metric of each group, with percentile intervals over resampled rows."""
    level, sizes = evidence.options.level, np.array([len(part) for part in rows], dtype=np.int64)
    value = np.where(np.isfinite(estimates), estimates, np.nan)
    drawn = [
        _drawn(evidence, function, part) if known else [np.nan]
        for part, known in zip(rows, np.isfinite(value), strict=True)
    ]
    low, high = np.array([np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) for draws in drawn]).T
    usual = z_of(level)

    def ends(z: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return value - (value - low) * z / usual, value + (high - value) * z / usual

    reason = tuple("" if known else NONE for known in np.isfinite(value))
    method = "row bootstrap, percentile"
    return Measured(name, value, low, high, np.isfinite(value), sizes, sizes, reason, method, ends)


def _drawn(evidence: Evidence, function: MetricFunction, rows: NDArray[np.int64]) -> list[float]:
    """Return the metric of many resamples."""
    rng = np.random.default_rng([evidence.options.seed, len(rows)])
    lenient = _lenient(function)
    with warnings.catch_warnings():
        # Warnings about the rows were given with the estimate; resamples would repeat them.
        warnings.simplefilter("ignore")
        return [_call(evidence, lenient, rng.choice(rows, size=len(rows))) for _ in range(REPLICATES)]


def _call(evidence: Evidence, function: MetricFunction, rows: NDArray[np.int64]) -> float:
    predictions, weight = evidence.predictions, evidence.data.sample_weight
    y_true, y_pred = predictions.y_true[rows], predictions.y_pred[rows]
    try:
        return float(
            function(y_true, y_pred) if weight is None else function(y_true, y_pred, sample_weight=weight[rows])
        )
    except Exception as wrong:  # a custom function may raise anything
        name = getattr(function, "__name__", "metric")
        raise InputError(
            f"The metric '{name}' cannot be computed as f(y_true, y_pred, sample_weight=): "
            f"{type(wrong).__name__}: {shorten(wrong, 300)}"
        ) from wrong


def _lenient(function: MetricFunction) -> MetricFunction:
    """Wrap the function to return nan where it raises: a group or a resample may have one class only."""

    @wraps(function)
    def call(*args: object, **params: object) -> float:
        try:
            return float(function(*args, **params))
        except Exception:
            return float("nan")

    return call


AUDIT: Final = Audit(custom, frozenset({"binary", "multiclass", "regression"}))
