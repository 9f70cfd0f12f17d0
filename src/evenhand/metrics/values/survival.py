"""Metrics of the time until an event that may be censored: observed risk, expected risk beside it, concordance.

Rows may be weighted and clustered. Errors are those of what each row adds to the value (infinitesimal jackknife), so
that covariances and clusters follow from the same parts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by, sums_by
from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.inference.skewed import OF_FEW_ROWS
from evenhand.metrics.values.means import Means, effective_rows, finished, means, told
from evenhand.metrics.values.quotients import quotient
from evenhand.metrics.values.ranking_curves import areas_like, logit_interval
from evenhand.metrics.values.units import means_of_parts
from evenhand.product_limit import event_curve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Indices, Ints, Marks
    from evenhand.metrics.values.rates import Ends, Measured
    from evenhand.product_limit import Censoring

NOBODY: Final = message("Nobody was followed to the horizon, so the risk by then is not known.")
NO_EVENT: Final = message("No event by the horizon: nothing to divide by.")
NO_PAIR: Final = message("No event before which another row was followed longer: there is no pair to compare.")


def observed_risk(
    time: ArrayLike, event: ArrayLike, horizon: float, codes: ArrayLike, n_groups: int = 1, level: float = 0.95,
    weight: ArrayLike | None = None, clusters: ArrayLike | None = None, strata: ArrayLike | None = None,
) -> Measured:  # fmt: skip
    """Measure ``1 - S(horizon)`` of every group, S the product-limit curve of its rows (Kaplan and Meier 1958).

    The interval is Clopper and Pearson's for as many rows as have the same error (Greenwood's, or that between
    clusters), an idea of Dorey and Korn (1987), Statistics in Medicine 6; without any event, for the rows followed to
    the horizon.

    Parameters
    ----------
    time : (n,) array
        How long each row was followed.
    event : (n,) array of 0 and 1
        Whether the event ended it; else it is censored.
    horizon : float
        By when, in the unit of the time.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    weight, clusters : (n,) arrays, optional
        Sampling weights, and what belongs together.
    strata : (n,) integer array, optional
        What censoring may depend on: the risk of a group is then the mean of those of its strata, by their rows, where
        somebody of each was followed to the horizon.

    Returns
    -------
    Measured

    Examples
    --------
    >>> observed_risk([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], 3.0, [0, 0, 0, 0]).estimate.tolist()
    [0.625]
    """
    found, followed = _risks(time, event, horizon, codes, n_groups, weight, clusters, strata)[:2]
    reasons = told(np.isfinite(found.mean), NOBODY)
    method = "effective clopper-pearson"
    return finished("observed_risk", found.mean, found.rows, reasons, method, _risk_ends(found, followed), level)


def expected_to_observed(
    time: ArrayLike, event: ArrayLike, score: ArrayLike, horizon: float, codes: ArrayLike, n_groups: int = 1,
    level: float = 0.95, weight: ArrayLike | None = None, clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> Measured:  # fmt: skip
    """Measure ``mean predicted risk / observed risk`` by the horizon of every group.

    Parameters
    ----------
    score : (n,) array
        Predicted risks of the event by the horizon, from 0 to 1.
    time, event, horizon, codes, n_groups, level, weight, clusters, strata
        As for `observed_risk`.

    Returns
    -------
    Measured

    Examples
    --------
    >>> risk = [0.9, 0.2, 0.7, 0.2]
    >>> expected_to_observed([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], risk, 3.0, [0, 0, 0, 0]).estimate.tolist()
    [0.8]
    """
    group, scores = np.asarray(codes), np.asarray(score, dtype=np.float64)
    observed, followed, adds = _risks(time, event, horizon, codes, n_groups, weight, clusters, strata)
    expected = means(scores, group, n_groups, weight=weight, clusters=clusters)
    one = np.ones(len(scores)) if weight is None else np.asarray(weight, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        more = one * (scores - expected.mean[group]) / sums_by(group, one, n_groups)[group]
    both = means_of_parts(expected.mean + observed.mean, adds + more, group, observed.rows, clusters)
    value, ends = quotient(expected, observed, both, _risk_ends(observed, followed))
    why = tuple(
        "" if known else NO_EVENT if risk == 0 else NOBODY
        for known, risk in zip(np.isfinite(value), observed.mean, strict=True)
    )
    return finished("expected_to_observed", value, observed.rows, why, "mover, logarithm", ends, level)


def unresolved_share(
    time: ArrayLike, event: ArrayLike, horizon: float, codes: ArrayLike, n_groups: int = 1, level: float = 0.95,
    weight: ArrayLike | None = None, clusters: ArrayLike | None = None,
) -> Measured:  # fmt: skip
    """Measure the share of rows censored before the horizon of every group; the parameters are `observed_risk`'s.

    Examples
    --------
    >>> unresolved_share([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], 3.0, [0, 0, 0, 0]).estimate.tolist()
    [0.25]
    """
    lost = (np.asarray(time) < horizon) & (np.asarray(event) != 1)
    found = means(lost, codes, n_groups, weight=weight, clusters=clusters)
    size = effective_rows(found)
    ends = partial(clopper_pearson, np.nan_to_num(found.mean) * size, size)
    return finished("unresolved_share", found.mean, found.rows, told(found.rows), "clopper-pearson", ends, level)


def _risks(
    time: ArrayLike, event: ArrayLike, horizon: float, codes: ArrayLike, n_groups: int, weight: ArrayLike | None,
    clusters: ArrayLike | None, strata: ArrayLike | None,
) -> tuple[Means, Ints, Floats]:  # fmt: skip
    """Return the risk by the horizon of every group, its rows followed so far, and what each row adds (n,)."""
    times, happened, group = np.asarray(time, dtype=np.float64), np.asarray(event) == 1, np.asarray(codes)
    one = np.ones(len(times)) if weight is None else np.asarray(weight, dtype=np.float64)
    within = np.zeros(len(times), dtype=np.intp) if strata is None else np.asarray(strata)
    risk, adds = np.full(n_groups, np.nan), np.zeros(len(times))
    order = np.argsort(group, kind="stable")
    rows = rows_by(group, n_groups)
    for at, own in enumerate(np.split(order, np.cumsum(rows)[:-1])):
        if len(own):
            risk[at], adds[own] = _risk_of_strata(times[own], happened[own], one[own], within[own], horizon)
    followed = rows_by(group[times >= horizon], n_groups)
    return means_of_parts(risk, adds, group, rows, clusters), followed, adds


def _risk_of_strata(
    times: Floats, happened: Marks, one: Floats, strata: Indices, horizon: float
) -> tuple[float, Floats]:
    """Return the risk of one group as the mean of those of its strata, and what each row adds to it.

    Where nobody of a stratum was followed to the horizon, it is that of all rows of the group.
    """
    found = np.unique(strata)
    if len(found) == 1 or not one.any():
        return _risk(times, happened, one, horizon)
    risk, adds, total = 0.0, np.zeros(len(times)), one.sum()
    each = np.zeros(len(times))
    for stratum in found:
        own = strata == stratum
        part, parts = _risk(times[own], happened[own], one[own], horizon)
        if np.isnan(part) and one[own].any():
            return _risk(times, happened, one, horizon)
        share = one[own].sum() / total
        each[own], adds[own] = part, share * parts
        risk += share * part if share else 0.0
    return risk, adds + one * np.where(one > 0, each - risk, 0.0) / total


def _risk(times: Floats, happened: Marks, one: Floats, horizon: float) -> tuple[float, Floats]:
    """Return the risk of one group, nan where nobody was followed so far, and what each row adds to it.

    The logarithm of the curve is a sum of log(Y - d) - log(Y) over the times of events, with d events of Y rows at
    risk; its derivative by the weight of a row is what the row adds.
    """
    curve = event_curve(times, happened, one)
    left = float(curve.after(horizon))
    nothing = np.zeros(len(times))
    if left == 0 or not one.any():
        return (1.0 if one.any() else float("nan")), nothing
    if not ((times >= horizon) & (one > 0)).any():
        return float("nan"), nothing
    by = curve.times <= horizon
    at, d, y = curve.times[by], curve.happened[by], curve.at_risk[by]
    passed = np.concatenate([[0.0], np.cumsum(d / (y * (y - d)))])
    adds = passed[np.searchsorted(at, times, side="right")]
    ended = happened & (times <= horizon) & (one > 0)
    adds[ended] -= (1 / (y - d))[np.searchsorted(at, times[ended])]
    return 1 - left, -left * one * adds


def _risk_ends(found: Means, followed: Ints) -> Ends:
    """Return what finds the limits of risks: exact ones for as many rows as have the same error."""
    size = np.where((found.mean > 0) & (found.mean < 1), effective_rows(found), np.maximum(followed, 1))
    size = np.where(found.mean == 1, found.rows, size)
    return partial(clopper_pearson, np.nan_to_num(found.mean) * size, size)


def concordance(
    time: ArrayLike, event: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95, *,
    horizon: float = np.inf, censoring: Censoring | None = None, weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Measured:  # fmt: skip
    """Measure the chance that of two rows of a group the one with the earlier event has the higher score.

    Pairs are an event up to the horizon and a row followed longer; equal scores count half. With `censoring`, each pair
    counts for those of which censoring left nothing to compare: Uno's concordance, which does not depend on how rows
    are censored. Without, it is Harrell's.

    Parameters
    ----------
    time : (n,) array
        How long each row was followed.
    event : (n,) array of 0 and 1
        Whether the event ended it; else it is censored.
    score : (n,) array
        On any scale; higher is riskier.
    codes : (n,) integer array
        The group of each row, from 0; pairs are within groups.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    horizon : float
        Up to when events count.
    censoring : Censoring, optional
        The censoring curves of the rows.
    weight, clusters : (n,) arrays, optional
        Sampling weights, and what belongs together.

    Returns
    -------
    Measured

    References
    ----------
    Harrell et al. (1982), JAMA 247; Uno et al. (2011), Statistics in Medicine 30.

    Examples
    --------
    >>> concordance([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], [0.9, 0.2, 0.1, 0.5], [0, 0, 0, 0]).estimate.tolist()
    [0.75]
    """
    times, happened, group = np.asarray(time, dtype=np.float64), np.asarray(event) == 1, np.asarray(codes)
    one = np.ones(len(times)) if weight is None else np.asarray(weight, dtype=np.float64)
    of_row = np.zeros(len(times), dtype=np.intp) if censoring is None else censoring.of_row
    free = np.ones((len(times), 1)) if censoring is None else censoring.free(np.minimum(times, horizon))
    own, counts = (np.arange(len(times)), of_row), happened & (times <= horizon)
    starts = np.where(counts, one / np.where(counts, free[own], 1.0), 0.0)[:, None] / np.where(free > 0, free, np.inf)
    ends = np.zeros(free.shape)
    ends[own] = one
    place, scores = _places(times, happened), np.asarray(score, dtype=np.float64)
    below, after = _outranked(place, scores, group, ends)
    compared, won = ((starts * part).sum(axis=1) for part in (after, below))
    pairs = sums_by(group, compared, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = sums_by(group, won, n_groups) / pairs
        beaten, before = (part[own] for part in _outranked(place.max(initial=0) - place, -scores, group, starts))
        adds = (won - value[group] * compared + one * (beaten - value[group] * before)) / pairs[group]
        worth = sums_by(group, starts[own], n_groups) ** 2 / sums_by(group, starts[own] ** 2, n_groups)
    rows = rows_by(group, n_groups)
    found = means_of_parts(value, np.nan_to_num(adds), group, rows, clusters)
    metric = "harrell_concordance" if censoring is None else "concordance"
    reasons, method = told(np.isfinite(value), NO_PAIR), "infinitesimal jackknife, logit"
    return finished(metric, value, rows, reasons, method, _concordance_ends(found, np.nan_to_num(worth)), level)


def _concordance_ends(found: Means, events: Floats) -> Ends:
    """Return what finds the limits: on the logit scale; where all pairs are alike, those of an area (`areas_like`).

    `events` (G,) is how many events the pairs are worth: as many, less one, are the degrees of freedom, and few of them
    show too little of the spread, as with other areas.
    """
    from scipy.special import ndtr, stdtrit

    sides = np.stack([np.maximum(found.rows - events, 1), np.maximum(events, 1)], axis=1)

    def ends(z: float) -> tuple[Floats, Floats]:
        wide = stdtrit(np.maximum(events - 1, 1), ndtr(z)) * (1 + OF_FEW_ROWS / np.sqrt(np.maximum(events, 1)))
        inside = (found.mean > 0) & (found.mean < 1) & (found.error > 0)
        low, high = logit_interval(np.where(inside, found.mean, 0.5), np.where(inside, found.error, 1.0), wide)
        least, most = areas_like(np.nan_to_num(found.mean, nan=0.5), sides, np.full(len(events), z))
        return np.where(inside, low, least), np.where(inside, high, most)

    return ends


def _places(times: Floats, happened: Marks) -> Ints:
    """Return (n,) where rows are in time: those of one place cannot be compared; who is censored outlives an event."""
    order = np.lexsort((~happened, times))
    later = (np.diff(times[order]) > 0) | (np.diff((~happened[order]).astype(np.int8)) > 0)
    place = np.empty(len(times), dtype=np.int64)
    place[order] = np.concatenate([np.zeros(min(1, len(times)), dtype=np.int64), np.cumsum(later)])
    return place


def _outranked(place: Ints, score: Floats, group: Column, worth: Floats) -> tuple[Floats, Floats]:
    """Return (n, K) sums of worth over rows of the same group at later places: those of lower scores, and all.

    Rows of equal scores count half among the lower. Two places differ first in one binary digit: for each digit, rows
    that are alike in group and in the digits before are sorted by score, so that each pair is met once.
    """
    below, after = np.zeros(worth.shape), np.zeros(worth.shape)
    rank = np.unique(score, return_inverse=True)[1].astype(np.int64)
    ranks, places = int(rank.max(initial=0)) + 1, int(place.max(initial=0)) + 1
    for digit in range(places.bit_length()):
        alike = np.unique(
            np.asarray(group, dtype=np.int64) * (places + 1) + (place >> (digit + 1)), return_inverse=True
        )[1]
        later = (place >> digit) & 1 == 1
        key = alike * ranks + rank
        order = np.flatnonzero(later)[np.argsort(key[later], kind="stable")]
        summed = np.concatenate([np.zeros((1, worth.shape[1])), np.cumsum(worth[order], axis=0)])
        known, asks = key[order], np.flatnonzero(~later)
        start, stop = (np.searchsorted(known, (alike[asks] + more) * ranks) for more in (0, 1))
        less, same = (np.searchsorted(known, key[asks], side=side) for side in ("left", "right"))
        below[asks] += (summed[less] + summed[same]) / 2 - summed[start]
        after[asks] += summed[stop] - summed[start]
    return below, after
