"""The value of a count metric for every group, with an interval that holds at all times: a confidence sequence.

An interval of a fixed number of rows errs ever more often the more often one looks. These do not: looked at after every
row for ever, each end errs with the stated probability at most. See docs/design/intervals.md.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.inference.intervals import z_of
from evenhand.metrics.inference.sequences import METHOD, ROUGHLY, Asymptotic, Joined, Mapped, Shares
from evenhand.metrics.values.rates import MAPPED, MEANS, measure

if TYPE_CHECKING:
    from evenhand.metrics.catalogue import Cells
    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.inference.sequences import Curve
    from evenhand.metrics.values.rates import Measured

FEWEST: Final = 100
"""Rows of which there is no asymptotic sequence yet."""

TOO_FEW: Final = message("Of fewer than {rows} rows there is no such interval that holds at all times.", rows=FEWEST)
"""Why there is none."""
UNPROVEN: Final = message("For weighted or clustered rows no interval that holds at all times was simulated.")
"""Why no limit rests on one."""


def measure_always(metric: str, tally: Tally, level: float = 0.95) -> Measured:
    """Measure a rate or composite for every group of a tally, with intervals that hold at all times.

    Shares of independent rows, and what is made of one or two of them, have exact ones; other composites asymptotic
    ones, and so have weighted rows and rows in clusters, on which no limit rests.

    Parameters
    ----------
    metric : str
        Any accepted name of a count metric, such as ``recall`` or ``f1``.
    tally : Tally
        G groups.
    level : float
        Two-sided confidence: each end errs at any time with probability (1 - level) / 2 at most.

    Raises
    ------
    InputError
        When there is no such count metric.

    Examples
    --------
    >>> from evenhand.metrics import Tally
    >>> tally = Tally.count([1] * 100, [1] * 90 + [0] * 10)
    >>> found = measure_always("recall", tally)
    >>> round(float(found.low[0]), 2), round(float(found.high[0]), 2), found.method
    (0.78, 0.97, 'always valid')
    """
    found = measure(metric, tally, level)
    curve = None if is_unequal(tally) else _curve(found, tally)
    return roughly(found, tally, level) if curve is None else at_all_times(found, curve, level)


def at_all_times(found: Measured, curve: Curve, level: float) -> Measured:
    """Return values with the intervals of a curve."""
    places = np.arange(len(found.estimate))

    @cache
    def ends(z: float) -> tuple[Floats, Floats]:
        evidence = np.array(evidence_of(z))
        low, high = curve.low(places, evidence), curve.high(places, evidence)
        return np.where(found.defined, low, np.nan), np.where(found.defined, high, np.nan)

    low, high = ends(z_of(level))
    more = {"low": low, "high": high, "ends": ends, "method": METHOD}
    return replace(found, binomial=None, sequence=curve, **more)  # type: ignore[arg-type]


def roughly(found: Measured, tally: Tally, level: float) -> Measured:
    """Return values with their usual intervals at the critical value of a boundary.

    No limit rests on them where rows are few, or where the `tally` they are counted in has weights or clusters.
    """
    of = Asymptotic(found.support[found.defined].astype(np.float64))
    usual = found.ends

    @cache
    def ends(z: float) -> tuple[Floats, Floats]:
        return usual(of.critical(evidence_of(z)))

    low, high = ends(z_of(level))
    named = named_roughly(replace(found, binomial=None, sequence=of, low=low, high=high, ends=ends))
    return replace(named, uncovered=(UNPROVEN,) * len(named.estimate)) if is_unequal(tally) else named


def named_roughly(found: Measured) -> Measured:
    """Return values whose intervals hold at all times as rows grow, named so; of few rows no limit rests on them."""
    own = found.uncovered or ("",) * len(found.estimate)
    pairs = zip(own, found.support, strict=True)
    uncovered = tuple(why or (TOO_FEW if rows < FEWEST else "") for why, rows in pairs)
    method = f"{ROUGHLY}; {found.method}"
    return replace(found, uncovered=uncovered if any(uncovered) else (), method=method)


def is_unequal(tally: Tally) -> bool:
    """Whether rows have weights or are in clusters."""
    return tally.weights is not None or tally.clusters is not None


def evidence_of(z: float) -> float:
    """Return the logarithm of one over the error of one side that a critical value has."""
    from scipy.special import log_ndtr

    return -float(log_ndtr(-z))


def _curve(found: Measured, tally: Tally) -> Curve | None:
    """Return the curve of a metric; None where it is made of more than two shares."""
    if found.binomial is not None:
        return Shares(*found.binomial)
    if found.metric in MAPPED:
        numerator, denominator, _, mapped = MAPPED[found.metric]
        return Mapped(_shares(tally, numerator, denominator), mapped)
    if found.metric in MEANS:
        one, other = (
            _shares(tally, METRICS[name].numerator, METRICS[name].denominator) for name in MEANS[found.metric]
        )
        return Joined(one, Shares(other.size - other.events, other.size), _mean_of_turned)
    return None


def _shares(tally: Tally, numerator: Cells, denominator: Cells) -> Shares:
    events, size = (
        np.asarray(sum(tally.counts[:, true, decided] for true, decided in cells), dtype=np.float64)
        for cells in (numerator, denominator)
    )
    return Shares(events, size)


def _mean_of_turned(first: Floats, second: Floats) -> Floats:
    """Return the mean of a share and of one less another."""
    return (first + 1 - second) / 2
