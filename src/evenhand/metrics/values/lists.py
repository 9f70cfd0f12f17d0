"""Metrics that every list has, such as the recommendations of a user, and their means over lists of a group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.inference.skewed import gamma_margin
from evenhand.metrics.values.means import finished, means, measured_mean, told
from evenhand.metrics.values.quotients import quotient
from evenhand.metrics.values.ranking import gains_of
from evenhand.metrics.values.units import apart_of, units_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Column, Floats
    from evenhand.metrics.values.means import Means
    from evenhand.metrics.values.ordering import Ordering
    from evenhand.metrics.values.rates import Measured

NOTHING: Final = message("No list of it holds anything relevant.")
NO_PAST: Final = message("No list of it has earlier interactions.")
FEW: Final = 30
"""Lists, or clusters of them, that changed, below which one more is allowed for that changed as much as can be."""
SMOOTHED: Final = 0.01
"""How much of the history is mixed into the recommended categories, so that none is 0 (Steck 2018)."""


def recall_of(worth: Floats, order: Ordering, at: int) -> Floats:
    """Return (L,) the share of a list's relevant items, worth more than 0, that are among its first `at`.

    Of items with equal scores each counts with its chance to be there; nan where nothing is relevant.

    Examples
    --------
    >>> from evenhand.metrics.values.ordering import Ordering
    >>> order = Ordering.of([3.0, 2.0, 1.0], ["a", "a", "a"])
    >>> recall_of(np.array([1.0, 0.0, 1.0]), order, 2).tolist()
    [0.5]
    """
    there, total = _relevant(worth, order, at)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, there / total, np.nan)


def precision_of(worth: Floats, order: Ordering, at: int) -> Floats:
    """Return (L,) the relevant among the first `at` over `at`, even where a list is shorter; nan as in `recall_of`."""
    there, total = _relevant(worth, order, at)
    return np.where(total > 0, there / at, np.nan)


def hits_of(worth: Floats, order: Ordering, at: int) -> Floats:
    """Return (L,) 1 where any of the first `at` is relevant and 0 where none is; nan as in `recall_of`."""
    _, total = _relevant(worth, order, at)
    return np.where(total > 0, order.hit(worth > 0, at), np.nan)


def _relevant(worth: Floats, order: Ordering, at: int) -> tuple[Floats, Floats]:
    relevant = (worth > 0).astype(np.float64)
    return order.sums(relevant * order.shown(at)), order.sums(relevant)


AT_K: Final[dict[str, Callable[[Floats, Ordering, int], Floats]]] = {
    "ndcg": gains_of, "recall_at_k": recall_of, "precision_at_k": precision_of, "hit_rate_at_k": hits_of,
}  # fmt: skip
"""Of each metric of the first k items how it is measured in a list."""


def first_mean(values: Floats, order: Ordering, at: int) -> Floats:
    """Return (L,) the mean of (n,) `values` over the first `at` items of each list; equal scores by their chance."""
    chance = order.shown(at)
    return np.asarray(order.sums(chance * values) / order.sums(chance))


def shares(categories: Floats, order: Ordering, at: int) -> Floats:
    """Return (L, C) how the first `at` items of each list are shared among categories.

    Parameters
    ----------
    categories : (n, C) array
        The share of each item in each category, which add to 1.
    order : Ordering
        The items in their lists.
    at : int
        How many items are looked at.
    """
    chance = order.shown(at)
    seen = np.flatnonzero(chance > 0)
    sums = [
        np.bincount(order.query[seen], chance[seen] * categories[seen, c], order.number)
        for c in range(categories.shape[1])
    ]
    return np.asarray(np.stack(sums, axis=1) / order.sums(chance)[:, None])


def divergence(past: Floats, shown: Floats) -> Floats:
    """Return (L,) the Kullback-Leibler divergence of `shown` (L, C) from `past` (L, C), in nats; nan without a past.

    Where nothing of a category is shown it would be infinite, so `SMOOTHED` of the past is mixed into what is shown;
    then it is at most ``log(1 / SMOOTHED)``.

    Source: Steck (2018), RecSys, Calibrated recommendations.

    Examples
    --------
    >>> divergence(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])).tolist()
    [0.0]
    """
    mixed = (1 - SMOOTHED) * shown + SMOOTHED * past
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.where(past > 0, past * np.log(past / mixed), 0.0 * past)
    return np.asarray(np.where(np.isnan(parts).any(axis=1), np.nan, np.maximum(parts.sum(axis=1), 0.0)))


def measured_lists(
    metric: str, value: Floats, codes: Column, n_groups: int = 1, level: float = 0.95,
    clusters: Column | None = None, weight: Floats | None = None, why: str = NOTHING,
) -> Measured:  # fmt: skip
    """Measure the mean of what each list has, by group of lists.

    Parameters
    ----------
    metric : str
        A declared metric, with values from 0 on.
    value : (L,) array
        The value of each list; those that are nan are left out.
    codes : (L,) integer array
        The group of each list.
    n_groups : int
    level : float
        Two-sided confidence.
    clusters : (L,) integer array, optional
        Whose list it is; by default each list stands alone.
    weight : (L,) array, optional
        What each list weighs.
    why : str
        Why a group without a value has none.

    Notes
    -----
    Few lists show little of the tail: until a list was seen with the greatest value there can be (where that is not 1,
    with the greatest of all groups), one more with it is allowed for; of shares, below as well one with the least.

    Examples
    --------
    >>> found = measured_lists("ndcg", np.array([0.2, 0.4, np.nan]), np.zeros(3, dtype=int))
    >>> found.estimate.round(2).tolist(), found.support.tolist()
    ([0.3], [2])
    """
    known = np.isfinite(value)
    group, given = np.asarray(codes)[known], value[known]
    found = means(given, group, n_groups, *_of(known, weight, clusters))
    top = 1.0 if metric in AT_K else float(given.max(initial=0.0))
    units = np.where(np.isfinite(found.error), found.freedom + 1, found.rows).astype(np.int64)
    measured = measured_mean(metric, replace(found, rows=units), level, unseen=np.full(n_groups, top))

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = measured.ends(z)
        if metric not in AT_K:
            return low, high
        number = np.maximum(found.freedom + 1, 1)
        below = found.mean - gamma_margin(found.error, top - found.mean, top / number, z)
        unseen = found.mean + number * found.tails.least > 0
        return np.where(unseen, np.minimum(low, np.maximum(below, 0.0)), low), high

    shown = finished(metric, found.mean, found.rows, told(found.rows, why), f"{measured.method}, lists", ends, level)
    return replace(shown, apart=apart_of(group, _of(known, clusters)[0]))


def measured_changes(
    metric: str, change: Floats, codes: Column, n_groups: int = 1, level: float = 0.95,
    clusters: Column | None = None, weight: Floats | None = None,
) -> Measured:  # fmt: skip
    """Measure the mean of (L,) paired differences in [-1, 1], list by list; the others as in `measured_lists`.

    Where fewer than `FEW` lists changed, losses and gains are bounded apart as well, with one list more that loses, or
    gains, all there is (Fay and Feuer 1997): that nobody of a few lost anything does not show that nobody would.
    """
    known = np.isfinite(change)
    group, given = np.asarray(codes)[known], change[known]
    more = _of(known, weight, clusters)
    whole, gain, loss = (
        means(part, group, n_groups, *more) for part in (given, np.maximum(given, 0), np.maximum(-given, 0))
    )
    few = units_with(np.abs(given), group, more[1], n_groups) < FEW

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = whole.ends(z)
        low = np.where(few, np.fmin(low, -_most(loss, z)), low)
        high = np.where(few, np.fmax(high, _most(gain, z)), high)
        return np.clip(low, -1.0, 1.0), np.clip(high, -1.0, 1.0)

    found = finished(metric, whole.mean, whole.rows, told(whole.rows, NOTHING), "hall, one more list", ends, level)
    return replace(found, apart=apart_of(group, more[1]))


def measured_lift(
    shown: Floats, past: Floats, codes: Column, n_groups: int = 1, level: float = 0.95,
    clusters: Column | None = None, weight: Floats | None = None,
) -> Measured:  # fmt: skip
    """Measure by how much more popular the recommended items are than those of the past, by group of lists.

    It is ``mean over lists of shown / mean over lists of past - 1``, of lists that have a past: the change of group
    average popularity.

    Parameters
    ----------
    shown, past : (L,) arrays
        The mean popularity of what is shown to each list, and of its history; nan without a history.
    codes, n_groups, level, clusters, weight
        As in `measured_lists`.

    Source: Abdollahpouri et al. (2019), RMSE workshop; Kowald, Schedl and Lex (2020), ECIR.
    """
    known = np.isfinite(past) & np.isfinite(shown)
    group = np.asarray(codes)[known]
    more = _of(known, weight, clusters)
    top, bottom, both = (means(part[known], group, n_groups, *more) for part in (shown, past, shown + past))
    value, limits = quotient(top, bottom, both, lambda z: bottom.ends(z, log=True))

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = limits(z)
        return low - 1, high - 1

    reasons = told(np.isfinite(value), NO_PAST)
    found = finished("popularity_lift", value - 1, top.rows, reasons, "mover, logarithm, lists", ends, level)
    return replace(found, apart=apart_of(group, more[1]))


def _of(known: Column, *given: Column | None) -> tuple[Column | None, ...]:
    return tuple(None if each is None else np.asarray(each)[known] for each in given)


def _most(part: Means, z: float) -> Floats:
    """Return how great the mean of numbers in [0, 1] may be, with one unit of 1 more than was seen."""
    return np.asarray(part.mean + gamma_margin(part.error, part.mean, 1 / np.maximum(part.freedom + 1, 1), z))
