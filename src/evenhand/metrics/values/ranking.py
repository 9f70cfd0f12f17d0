"""Metrics of ordered lists: how good the order is, and how much attention a group's items get."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.values.means import finished, means, measured_mean, told
from evenhand.metrics.values.ordering import Ordering
from evenhand.metrics.values.quotients import quotient

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Ints
    from evenhand.metrics.values.rates import Measured


def places(score: ArrayLike, queries: ArrayLike) -> Ints:
    """Return (n,) the place of each item in its list, from 1; the higher score first, equal scores in row order."""
    scores = np.asarray(score, dtype=np.float64)
    _, query = np.unique(np.asarray(queries), return_inverse=True)
    order = np.lexsort((np.arange(len(scores)), -scores, query))
    first = np.searchsorted(query[order], np.arange(int(query.max(initial=-1)) + 1))
    place = np.empty(len(scores), dtype=np.int64)
    place[order] = np.arange(len(scores)) - first[query[order]] + 1
    return place


def ndcg(
    relevance: ArrayLike, score: ArrayLike, queries: ArrayLike, *, at: int | None = None, level: float = 0.95
) -> Measured:
    """Measure the normalized discounted cumulative gain, as a mean over lists that hold something relevant.

    Parameters
    ----------
    relevance : (n,) array, at least 0
        The worth of each item.
    score : (n,) array
        By which items are ordered, the highest first. Equal scores share the mean of their places' discounts.
    queries : (n,) array
        The list of each item.
    at : int, optional
        How many places count; all of them when absent.
    level : float
        Two-sided confidence.

    Source: Jarvelin and Kekalainen (2002), ACM TOIS 20; equal scores as McSherry and Najork (2008), ECIR.
    """
    value = gains(relevance, score, queries, at)
    found = measured_mean("ndcg", means(value, np.zeros(len(value), dtype=np.int64)), level)
    return found if len(value) else replace(found, reason=(message("No list holds anything relevant."),))


def gains(relevance: ArrayLike, score: ArrayLike, queries: ArrayLike, at: int | None = None) -> Floats:
    """Return the normalized discounted gain of each list that holds something relevant, in the order of their names."""
    found = gains_of(np.asarray(relevance, dtype=np.float64), Ordering.of(score, queries), at)
    return found[np.isfinite(found)]


def gains_of(worth: Floats, order: Ordering, at: int | None = None) -> Floats:
    """Return (L,) the normalized discounted gain of each list; nan where it holds nothing relevant.

    Parameters
    ----------
    worth : (n,) array, at least 0
        The relevance of each item.
    order : Ordering
        The items in their lists.
    at : int, optional
        How many places count; all of them when absent.
    """
    best = order.sums(worth * Ordering.of(worth, order.query).discount(at))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(best > 0, order.sums(worth * order.discount(at)) / best, np.nan)


def attention(score: ArrayLike, queries: ArrayLike) -> Floats:
    """Return (n,) the exposure of each item, ``1 / log2(1 + place)``; equal scores share that of their places."""
    return Ordering.of(score, queries).discount()


def exposure(
    score: ArrayLike, queries: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure the mean exposure ``1 / log2(1 + place)`` of each group's items; lists are clusters.

    Items of a list push each other aside, so groups are not independent: for comparisons their ends are as far out as
    if they moved exactly against each other.
    """
    order = Ordering.of(score, queries)
    return exposure_of(order.discount(), order.query, codes, n_groups, level)


def exposure_of(seen: Floats, units: Column, codes: ArrayLike, n_groups: int = 1, level: float = 0.95) -> Measured:
    """Measure the mean of the exposure `seen` (n,) of each group's items.

    Parameters
    ----------
    seen : (n,) array in [0, 1]
        The exposure of each item, as `Ordering.discount` returns it.
    units : (n,) integer array
        What is drawn as a whole: the list, or the person whose lists these are.
    codes : (n,) integer array
        The group of each item.
    n_groups : int
    level : float
    """
    found = means(seen, np.asarray(codes), n_groups, clusters=units)
    return _opposed(measured_mean("exposure", found, level))


def exposure_to_merit(
    relevance: ArrayLike, score: ArrayLike, queries: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure mean exposure over mean relevance of each group's items; lists are clusters."""
    order = Ordering.of(score, queries)
    worth = np.asarray(relevance, dtype=np.float64)
    return merit_of(worth, order.discount(), order.query, codes, n_groups, level)


def merit_of(
    worth: Floats, seen: Floats, units: Column, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure the mean of the exposure `seen` over that of the relevance `worth`; the others as in `exposure_of`."""
    groups = np.asarray(codes).astype(np.intp)
    mean_of = partial(means, codes=groups, n_groups=n_groups, clusters=units)
    merit = mean_of(worth)
    value, ends = quotient(mean_of(seen), merit, mean_of(seen + worth), partial(merit.ends, log=True))
    rows, reasons = rows_by(groups, n_groups), told(np.isfinite(value), message("No item of the group is relevant."))
    return _opposed(finished("exposure_to_merit", value, rows, reasons, "mover, logarithm, lists", ends, level))


def _opposed(found: Measured) -> Measured:
    """Return values whose ends, in comparisons, allow for groups that move against each other: root 2 wider."""
    return replace(found, ends=lambda z: found.ends(z * float(np.sqrt(2))))
