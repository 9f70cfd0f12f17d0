"""Metrics of ordered lists: how good the order is, and how much attention a group's items get."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.values.means import finished, means, measured_mean, told
from evenhand.metrics.values.quotients import quotient

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.values.rates import Measured


def places(score: ArrayLike, queries: ArrayLike) -> Ints:
    """Return (n,) the place of each item in its list, from 1; the higher score first, equal scores in row order."""
    scores, _, query = _parts(score, queries)
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

    Source: Jarvelin and Kekalainen (2002), ACM TOIS 20; equal scores as McSherry and Najork (2008), ECIR.
    """
    value = gains(relevance, score, queries, at)
    found = measured_mean("ndcg", means(value, np.zeros(len(value), dtype=np.int64)), level)
    return found if len(value) else replace(found, reason=(message("No list holds anything relevant."),))


def gains(relevance: ArrayLike, score: ArrayLike, queries: ArrayLike, at: int | None = None) -> Floats:
    """Return the normalized discounted gain of each list that holds something relevant, in the order of their names."""
    worth = np.asarray(relevance, dtype=np.float64)
    _, number, query = _parts(score, queries)
    gain = sums_by(query, worth * _shared_discount(score, query, at), number)
    best = sums_by(query, worth * _discount(places(worth, query), at), number)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((gain / best)[best > 0])


def attention(score: ArrayLike, queries: ArrayLike) -> Floats:
    """Return (n,) the exposure of each item, ``1 / log2(1 + place)``."""
    _, _, query = _parts(score, queries)
    return _discount(places(score, query), None)


def exposure(
    score: ArrayLike, queries: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure the mean exposure ``1 / log2(1 + place)`` of each group's items; lists are clusters.

    Items of a list push each other aside, so groups are not independent: for comparisons their ends are as far out as
    if they moved exactly against each other.
    """
    groups = np.asarray(codes)
    _, _, query = _parts(score, queries)
    found = means(_discount(places(score, query), None), groups, n_groups, clusters=query)
    return _opposed(measured_mean("exposure", found, level))


def exposure_to_merit(
    relevance: ArrayLike, score: ArrayLike, queries: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure mean exposure over mean relevance of each group's items; lists are clusters."""
    worth, groups = np.asarray(relevance, dtype=np.float64), np.asarray(codes).astype(np.intp)
    _, _, query = _parts(score, queries)
    seen = _discount(places(score, query), None)
    mean_of = partial(means, codes=groups, n_groups=n_groups, clusters=query)
    merit = mean_of(worth)
    value, ends = quotient(mean_of(seen), merit, mean_of(seen + worth), partial(merit.ends, log=True))
    rows, reasons = rows_by(groups, n_groups), told(np.isfinite(value), message("No item of the group is relevant."))
    return _opposed(finished("exposure_to_merit", value, rows, reasons, "mover, logarithm, lists", ends, level))


def _opposed(found: Measured) -> Measured:
    """Return values whose ends, in comparisons, allow for groups that move against each other: root 2 wider."""
    return replace(found, ends=lambda z: found.ends(z * float(np.sqrt(2))))


def _parts(score: ArrayLike, queries: ArrayLike) -> tuple[Floats, int, Ints]:
    _, query = np.unique(np.asarray(queries), return_inverse=True)
    return np.asarray(score, dtype=np.float64), int(query.max(initial=-1)) + 1, query.astype(np.int64)


def _discount(place: Ints, at: int | None) -> Floats:
    value = 1 / np.log2(1 + place)
    return np.asarray(value if at is None else np.where(place <= at, value, 0.0))


def _shared_discount(score: ArrayLike, query: Ints, at: int | None) -> Floats:
    """Return each item's discount, equal scores of a list sharing theirs."""
    scores = np.asarray(score, dtype=np.float64)
    discount = _discount(places(scores, query), at)
    order = np.lexsort((scores, query))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(scores[order]) != 0) | (np.diff(query[order]) != 0)
    block = np.empty(len(order), dtype=np.int64)
    block[order] = np.cumsum(new) - 1
    number = int(block.max(initial=-1)) + 1
    return np.asarray((sums_by(block, discount, number) / np.maximum(np.bincount(block, minlength=number), 1))[block])
