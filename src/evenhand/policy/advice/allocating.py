"""Share new rows between the groups that keep a limit open."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.answers.answering import Answers
from evenhand.metrics.answers.questions import question, takes_all_groups
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.inference.intervals import z_of
from evenhand.metrics.values.rates import measure

if TYPE_CHECKING:
    from evenhand.metrics.answers.questions import Question
    from evenhand.metrics.counts.arrays import Floats, Marks
    from evenhand.policy.advice.futures import Futures
    from evenhand.policy.limits import Limit

FINE: Final = 1_000_000
"""Rows of a table whose rates are, but for rounding, those of a truth."""
LEAST: Final = 0.02
"""A group that would get less than this share of the new rows gets none."""


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """How new rows are shared between groups."""

    present: Floats
    """(G,) rows that each group has."""
    weight: Floats
    """(G,) rows that each group is given, up to a common factor, those that it has included; 0 for none."""

    @property
    def most(self) -> float:
        """The present rows of the groups that are given some."""
        return float(self.present[self.weight > 0].sum())

    def rows(self, total: float) -> Floats:
        """Return the new rows of each group: those that lack most come first, until all have rows by their weight."""
        given = self.weight > 0
        has, weight = self.present[given], self.weight[given]
        order = np.argsort(has / weight)
        level = (np.cumsum(has[order]) + total) / np.cumsum(weight[order])
        # as many groups share as have less than the level that they then reach
        many = int(np.flatnonzero(level > (has / weight)[order])[-1])
        more = np.zeros(len(self.present))
        more[given] = np.maximum(level[many] * weight - has, 0)
        return more

    def rounded(self, total: float) -> Floats:
        """Return the new rows of each group in round numbers, without those that would get next to none."""
        more = self.rows(total)
        return np.array([round_up(rows) if rows >= LEAST * total else 0.0 for rows in more])


def round_up(rows: float) -> int:
    """Return a number of rows with at most two digits that are not 0.

    Examples
    --------
    >>> round_up(3.2), round_up(87.0), round_up(1_234.0)
    (4, 87, 1300)
    """
    step = int(10 ** max(len(str(math.ceil(rows))) - 2, 0))
    return math.ceil(rows / step) * step


def allocation(futures: Futures, limit: Limit, *, every: bool = False) -> Allocation:
    """Return how to share new rows: between all groups that keep the limit open, most where most is to be learnt.

    `every` gives rows to all groups, as an audit that has none yet needs them.

    A group's share goes with the error of its value and with how likely its value is the extreme one: with the square
    root of that chance, as for a control that is compared with many others (Dunnett 1955, JASA 50).
    """
    labels = futures.table.labels
    asked = None if takes_all_groups(futures.key) else question(futures.key)
    if asked is not None and asked.how is None:
        own = np.array([label == (asked.group or ()) for label in labels])
        return Allocation(futures.rows, own.astype(np.float64))
    weights = [_weight(futures, asked, name, limit, every) for name in _rates(asked, futures)]
    weight = np.max(weights, axis=0) if weights else np.ones(len(labels))
    return Allocation(futures.rows, weight if weight.any() else np.ones(len(labels)))


def _rates(asked: Question | None, futures: Futures) -> tuple[str, ...]:
    """Return the metrics that are compared; none where they are not measured group by group."""
    if asked is None or asked.given is not None or futures.table.kind == "joint":
        return ()
    if asked.metric in ("equalized_odds", "average_odds"):
        return EQUALIZED_ODDS
    several = len(futures.table.classes) > 2 and not asked.chosen and METRICS[asked.metric].task == "binary"
    return () if several and asked.metric != "accuracy" else (asked.metric,)


def _weight(futures: Futures, asked: Question | None, name: str, limit: Limit, every: bool) -> Floats:
    """Return the weight of each group by one metric, 0 for those that do not keep the limit open."""
    assert asked is not None  # what has a metric was asked
    one, table, many = replace(asked, metric=name), futures.table, len(futures.table.labels)
    tally = Answers(table, futures.level).counted(one)
    found = measure(name, tally, futures.level)
    error = (found.high - found.low) / 2 / z_of(futures.level)
    variance = error**2 * np.maximum(futures.rows, 1)
    fine = np.rint(futures.truths * FINE).astype(np.int64).reshape(-1, *table.cells.shape[1:])
    counted = Answers(replace(table, cells=fine), futures.level).counted(one)
    values = measure(name, counted, futures.level).estimate.reshape(-1, many)
    middle = np.nanmean(values, axis=0)
    if asked.how == "ratio":
        scale = np.maximum(middle, 1e-6)
        variance, error, middle = variance / scale**2, error / scale, np.log(scale)
    variance = np.where(np.isfinite(variance), variance, np.nanmax([1e-6, *variance[np.isfinite(variance)]]))
    opens = every | _opens(middle, np.nan_to_num(error, nan=np.inf), asked, limit, z_of(futures.level))
    return np.asarray(np.where(opens, np.sqrt(variance * (_extreme(values, asked) + 1 / many)), 0.0))


def _opens(middle: Floats, error: Floats, asked: Question, limit: Limit, z: float) -> Marks:
    """Return which groups keep the limit open: alone, or in a pair that may be beyond it."""
    if asked.how in ("group_min", "group_max"):
        beyond = limit.bound - middle if limit.at_most is None else middle - limit.bound
        return np.asarray(beyond + z * error > 0)
    reach = -math.log(limit.bound) if asked.how == "ratio" else limit.bound
    apart = np.abs(middle[:, None] - middle) + z * np.hypot(error[:, None], error)
    pairs = (apart > reach) & ~np.eye(len(middle), dtype=bool)
    known = np.isfinite(error)
    return np.asarray((pairs & known & known[:, None]).any(axis=1) | ~known)


def _extreme(values: Floats, asked: Question) -> Floats:
    """Return in how many of the truths each group has the least, or the greatest, value."""
    many = values.shape[1]
    least, greatest = (np.bincount(found, minlength=many) for found in (values.argmin(axis=1), values.argmax(axis=1)))
    chosen = {"group_min": least, "group_max": greatest}.get(asked.how or "", least + greatest)
    return np.asarray(chosen / len(values))
