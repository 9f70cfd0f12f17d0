"""Whether a limit could fail at all, without its interval: most starting batches are far from that.

The evidence of a mixture is at most the greatest likelihood ratio, and that at most the ratio to any point of the
limit. Where even this is too little, no interval is outside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.answers.questions import NoAnswerError, question, takes_all_groups
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.values.rates import counted_share

if TYPE_CHECKING:
    from evenhand.keys import Key
    from evenhand.metrics.answers.answering import Answers
    from evenhand.metrics.counts.arrays import Floats
    from evenhand.policy.limits import Limit


def cannot_fail(answers: Answers, key: Key, limit: Limit, error: float) -> bool:
    """Return whether counts are surely too few, or too far inside, for a limit to fail at this error.

    Parameters
    ----------
    answers : Answers
        Of the counts.
    key : Key
        What is judged.
    limit : Limit
        By what.
    error : float
        The error of the end that would fail it.
    """
    try:
        most = _most_evidence(answers, key, limit)
    except NoAnswerError:  # counts of decisions do not answer it
        return False
    return most is not None and most < -np.log(error)


def _most_evidence(answers: Answers, key: Key, limit: Limit) -> float | None:
    """Return a number that the logarithm of the evidence does not exceed; None where none is known."""
    if takes_all_groups(key) or len(answers.counts.classes) > 2:
        return None
    asked = question(key)
    names = EQUALIZED_ODDS if asked.metric == "equalized_odds" else (asked.metric,)
    usual = all(
        name == "favourable_rate" or (name in METRICS and METRICS[name].kind == "rate" and METRICS[name].denominator)
        for name in names
    )
    if asked.paired or asked.to or asked.given or asked.chosen or not usual:
        return None
    shares = []
    for name in names:
        tally = answers.counted(replace(asked, metric=name))
        events, rows = counted_share("selection_rate" if name == "favourable_rate" else name, tally)
        shares.append((events.astype(float), rows.astype(float)))
    upper = limit.at_most is not None
    if asked.how is None:
        groups, wanted = [*answers.counts.groups(asked.columns)], asked.group or ()
        at = groups.index(wanted) if wanted in groups else None  # a policy may name a group that the audit lacks
        return None if at is None else _of_value(shares[0][0][at], shares[0][1][at], limit.bound, upper=upper)
    if (asked.how, upper) == ("difference", True):
        return max(_of_difference(events, rows, limit.bound) for events, rows in shares)
    if (asked.how, upper) == ("ratio", False):
        return max(_of_ratio(events, rows, limit.bound) for events, rows in shares)
    return None


def _of_value(events: float, rows: float, bound: float, *, upper: bool) -> float:
    beyond = rows > 0 and (events > bound * rows if upper else events < bound * rows)
    return float(_divergence(np.asarray(events), np.asarray(rows), np.asarray(bound))) if beyond else 0.0


def _of_difference(events: Floats, rows: Floats, bound: float) -> float:
    """Return it of the pair of groups whose proportions are furthest beyond a difference of `bound`."""
    k, n, k2, n2 = events[:, None], rows[:, None], events[None], rows[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond = k / n - k2 / n2 > bound
        first = (k + k2) / (n + n2) + bound * n2 / (n + n2)
        found = _divergence(k, n, first) + _divergence(k2, n2, first - bound)
    return float(np.max(found, where=beyond, initial=0.0))


def _of_ratio(events: Floats, rows: Floats, bound: float) -> float:
    """Return it of the pair of groups of which one has the least share of the other's proportion."""
    k, n, k2, n2 = events[:, None], rows[:, None], events[None], rows[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond = k / n < bound * k2 / n2
        second = (k + k2) / (bound * n + n2)
        found = _divergence(k, n, bound * second) + _divergence(k2, n2, second)
    return float(np.max(found, where=beyond, initial=0.0))


def _divergence(events: Floats, rows: Floats, doubted: Floats) -> Floats:
    """Return the logarithm of the likelihood at the best proportion over that at a doubted one."""
    from scipy.special import xlogy

    share = events / rows
    at = np.where((doubted < 0) | (doubted > 1), np.nan, doubted)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (
            xlogy(events, share) - xlogy(events, at) + xlogy(rows - events, 1 - share) - xlogy(rows - events, 1 - at)
        )
    return np.asarray(np.where(np.isnan(found), np.inf, found), dtype=np.float64)
