"""Intervals that counts do not give, stretched until they hold at all times: of areas, means, scores."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from evenhand.findings import Interval
from evenhand.metrics.answers.findings import without_interval
from evenhand.metrics.catalogue.names import describe
from evenhand.metrics.inference.sequences import ROUGHLY, boundary
from evenhand.metrics.values.sequences import FEWEST, TOO_FEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import Finding

OF_ROWS: Final = (
    "roc_auc", "brier_score", "log_loss", "mean_score", "mean_absolute_error", "mean_squared_error",
    "root_mean_squared_error", "mean_residual", "mean_prediction", "quantile_coverage", "subset_accuracy",
    "hamming_loss",
)  # fmt: skip
"""Means of rows, or of pairs of rows, whose stated intervals are normal in the limit."""


def stretched(stated: Finding, level: float) -> Finding:
    """Return the finding of one value with its interval as many standard errors wide as holds at all times.

    An asymptotic confidence sequence needs the estimate, its standard error and the number of rows; the first two are
    in the stated interval. Ends move on the scale on which the value has no bounds: a logit between two, a logarithm
    above one. Only what is a mean of rows, or of pairs of rows, gets one.

    Parameters
    ----------
    stated : Finding
        What an audit stated and counts do not say.
    level : float
        Two-sided confidence: each end errs at any time with probability (1 - level) / 2, as rows grow.

    Examples
    --------
    >>> import evenhand as eh
    >>> key, ends = eh.Key.parse("roc_auc"), Interval(0.78, 0.82, 0.95, "delong")
    >>> found = stretched(eh.Finding(key, "performance", 0.8, ends, support=2000), 0.95)
    >>> round(found.interval.low, 3), round(found.interval.high, 3), found.interval.method
    (0.767, 0.831, 'always valid, asymptotic; delong')
    """
    interval = stated.interval
    whole = not stated.key.columns or bool(stated.key.group)
    if interval is None or stated.estimate is None or stated.key.metric not in OF_ROWS or not whole:
        return without_interval(stated)
    if stated.support < FEWEST:
        return without_interval(replace(stated, uncovered=stated.uncovered or TOO_FEW))
    evidence = -math.log((1 - level) / 2)
    critical = max(boundary(rows, evidence) for rows in (stated.support / 2, stated.support))
    factor = critical / NormalDist().inv_cdf(0.5 + interval.level / 2)
    to, back = _scale(stated)
    ends = [_moved(stated.estimate, end, factor, to, back) for end in (interval.low, interval.high)]
    return replace(stated, interval=Interval(ends[0], ends[1], level, f"{ROUGHLY}; {interval.method}"))


def _moved(
    estimate: float, end: float | None, factor: float, to: Callable[[float], float], back: Callable[[float], float]
) -> float | None:
    if end is None:
        return None
    middle, far = to(estimate), to(end)
    if not (math.isfinite(middle) and math.isfinite(far)):
        return end
    return back(middle + factor * (far - middle))


def _scale(stated: Finding) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Return the functions to a scale without bounds, and back."""
    least, most = describe(stated.key.metric).range
    if (least, most) == (0, 1):
        return _logit, lambda value: 1 / (1 + math.exp(-value))
    if least == 0 and math.isinf(most):
        return lambda value: math.log(value) if value > 0 else -math.inf, math.exp
    return float, float


def _logit(value: float) -> float:
    return math.log(value / (1 - value)) if 0 < value < 1 else math.copysign(math.inf, value - 0.5)
