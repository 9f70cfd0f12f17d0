"""Metrics that a person brings: any function of scikit-learn's or fairlearn's shape, disaggregated by fairlearn."""

from __future__ import annotations

import warnings
from functools import wraps
from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import Statement, group_key, not_applicable, number
from evenhand.errors import InputError, shorten
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.evidence.options import MetricFunction

NAME = "custom"
REPLICATES = 200


def custom(evidence: Evidence) -> Statement:
    """State each of the given metrics over all rows and for each group, with a bootstrap interval over rows.

    The interval of a single value is a percentile interval over rows. No interval of an extreme over groups is made
    from it: such intervals do not cover.
    """
    if not evidence.options.metrics:
        return not_applicable(message("No metric of one's own was given."))
    if evidence.data.frequency is not None:
        return not_applicable(message("A metric of one's own needs rows; the table holds counts."))
    findings: list[Finding] = []
    for name, function in evidence.options.metrics.items():
        findings.append(_whole(evidence, name, function))
        for grouping in evidence.groupings:
            findings += _by_group(evidence, name, function, grouping)
    return Statement(tuple(findings))


def _whole(evidence: Evidence, name: str, function: MetricFunction) -> Finding:
    rows = np.arange(len(evidence.data))
    return _finding(Key.of(name), evidence, function, rows, _call(evidence, function, rows))


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
    for group in range(len(grouping.labels)):
        rows = np.flatnonzero(grouping.codes == group)
        yield _finding(group_key(name, grouping, group), evidence, function, rows, float(frame.by_group[group]))


def _finding(
    key: Key, evidence: Evidence, function: MetricFunction, rows: NDArray[np.int64], estimate: float
) -> Finding:
    value = number(estimate)
    if value is None:
        reason = message("The metric gave no number for these rows.")
        return Finding(key, NAME, None, support=len(rows), unit="score", undefined=reason)
    rng = np.random.default_rng([evidence.options.seed, len(rows)])
    with warnings.catch_warnings():
        # What is to be said of the rows themselves was said for the estimate; resamples would say it again and again.
        warnings.simplefilter("ignore")
        lenient = _lenient(function)
        draws = [_call(evidence, lenient, rng.choice(rows, size=len(rows))) for _ in range(REPLICATES)]
    level = evidence.options.level
    low, high = np.quantile(np.asarray(draws), [(1 - level) / 2, (1 + level) / 2])
    interval = Interval(number(low), number(high), level, "row bootstrap, percentile")
    group = (GroupValue("", value, len(rows), len(rows)),)
    return Finding(key, NAME, value, interval, len(rows), unit="score", groups=group, component=key.metric)


def _call(evidence: Evidence, function: MetricFunction, rows: NDArray[np.int64]) -> float:
    predictions, weight = evidence.predictions, evidence.data.sample_weight
    y_true, y_pred = predictions.y_true[rows], predictions.y_pred[rows]
    try:
        return float(
            function(y_true, y_pred) if weight is None else function(y_true, y_pred, sample_weight=weight[rows])
        )
    except Exception as wrong:  # a function of somebody else's may raise anything
        name = getattr(function, "__name__", "metric")
        raise InputError(
            f"The metric '{name}' cannot be computed as f(y_true, y_pred, sample_weight=): "
            f"{type(wrong).__name__}: {shorten(wrong, 300)}"
        ) from wrong


def _lenient(function: MetricFunction) -> MetricFunction:
    """Return the function with nan for rows that it refuses: a group, or a resample, may be of one class only."""

    @wraps(function)
    def call(*args: object, **params: object) -> float:
        try:
            return float(function(*args, **params))
        except Exception:
            return float("nan")

    return call
