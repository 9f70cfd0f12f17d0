"""Intervals that hold at all times together, however often one looks: confidence sequences.

Each depends on counts alone: on how many events of how many rows there were so far, and not on their order. So a
tally is all the state that is needed, and what was computed live can be computed again from a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats

PRIOR: Final = 0.5
"""Both parameters of the prior of a proportion: Jeffreys'."""
FARTHEST: Final = (-45.0, 36.0)
"""The logits between which a bound is looked for; a proportion beyond them is 0 or 1."""
STEPS: Final = 60
"""Of the search for a bound at most; four or five are usual."""
CLOSE: Final = 1e-9
"""How near a bound is found, as a logit."""
SMALLEST: Final = 1e-290
"""A tail below this is found by its expansion, for the function underflows."""


def log_evidence_above(events: ArrayLike, n: ArrayLike, p: ArrayLike, prior: float = PRIOR) -> Floats:
    """Return the logarithm of the evidence that a proportion is above `p`: an e-process, 0 before the first row.

    The likelihood of the rows, averaged over the proportions above `p` by the prior Beta(prior, prior), divided by
    that at `p`. As long as each row's proportion, given those before, is `p` or less, its expectation is 1 or less at
    any stopping time, so that it ever reaches 1 / error with probability `error` at most (Ville's inequality); the
    proportion may vary meanwhile. Of evidence that it is below, turn events and `p`. Sources: Robbins (1970), Annals of
    Mathematical Statistics 41; Howard, Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49.

    Parameters
    ----------
    events, n : array_like
        Events, and rows so far.
    p : array_like
        The proportion that is doubted, in [0, 1].
    prior : float
        Both parameters of the prior.

    Examples
    --------
    >>> float(log_evidence_above(0, 0, 0.5))
    0.0
    >>> bool(log_evidence_above(90, 100, 0.5) > np.log(1 / 0.001))
    True
    """
    from scipy.special import betaincc, betaln, xlog1py, xlogy

    k, size, doubted = (np.asarray(part, dtype=np.float64) for part in (events, n, p))
    with np.errstate(divide="ignore", invalid="ignore"):
        above, before = betaincc(prior + k, prior + size - k, doubted), np.log(_prior_above(doubted, prior))
        mixture = betaln(prior + k, prior + size - k) - betaln(prior, prior) + np.log(above) - before
        found = mixture - xlogy(k, doubted) - xlog1py(size - k, -doubted)
        odds = prior * (np.log(doubted) + np.log1p(-doubted)) - betaln(prior, prior) - before
        tail = odds - np.log((size + 2 * prior) * doubted - k - prior)
    found = np.where(above > SMALLEST, found, tail)
    return np.asarray(np.where(doubted >= 1, np.where(size > 0, -np.inf, 0.0), found), dtype=np.float64)


def _prior_above(p: Floats, prior: float) -> Floats:
    """Return how much of Beta(prior, prior) is above `p`."""
    from scipy.special import betaincc

    if prior == PRIOR:  # the arcsine distribution
        return np.asarray(2 / np.pi * np.arctan2(np.sqrt(1 - p), np.sqrt(p)))
    return np.asarray(betaincc(prior, prior, p))


def share_sequence(events: ArrayLike, n: ArrayLike, error: float) -> tuple[Floats, Floats]:
    """Return the ends (low, high) between which a proportion lies at all times, each but for an error of `error`.

    Each end alone is passed at any time with probability `error` at most. (0, 1) before the first row.

    Parameters
    ----------
    events, n : array_like
        Events, and rows so far; shapes are broadcast.
    error : float
        The probability with which each end errs at any time, such as 0.025.

    Examples
    --------
    >>> low, high = share_sequence(30, 100, 0.025)
    >>> round(float(low), 2), round(float(high), 2)
    (0.16, 0.46)
    """
    k, size = np.broadcast_arrays(np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64))
    evidence = -np.log(error)
    return share_bound(k, size, evidence), 1 - share_bound(size - k, size, evidence)


def share_bound(events: ArrayLike, n: ArrayLike, evidence: ArrayLike) -> Floats:
    """Return the greatest proportion of which the evidence that the true one is above it reaches `evidence`.

    That falls as the proportion rises. 0 where there is none, 1 where all are; `evidence` is a logarithm and may be
    below 0.

    Examples
    --------
    >>> share_bound(30, 100, [-1.0, 0.0, 3.0]).round(2).tolist()
    [0.23, 0.21, 0.17]
    """
    from scipy.special import betaln

    arrays = (np.asarray(part, dtype=np.float64) for part in (events, n, evidence))
    k, size, wanted = np.broadcast_arrays(*arrays)
    shape, (k, size, wanted) = k.shape, (part.ravel() for part in (k, size, wanted))
    at_one = np.log(PRIOR) - np.log(size - k + PRIOR)
    at_zero = np.where(k > 0, np.inf, betaln(PRIOR, size + PRIOR) - betaln(PRIOR, PRIOR))
    found = np.where(wanted <= at_one, 1.0, 0.0)
    which = np.flatnonzero((wanted > at_one) & (wanted < at_zero))
    found[which] = _roots(k[which], size[which], wanted[which])
    return found.reshape(shape)


def _roots(k: Floats, n: Floats, wanted: Floats) -> Floats:
    """Return the proportions at which the evidence is as wanted: by Newton's method on logits, kept in a bracket."""
    low, high = (np.full(len(k), end) for end in FARTHEST)
    reach = 2 * np.maximum(wanted + np.log1p(n) / 2, 0.1)
    start = (k + reach / 2) / (n + reach) - np.sqrt(reach) / (n + reach) * np.sqrt(k * (n - k) / n + reach / 4)
    x, left = np.clip(_logit(np.clip(start, 1e-15, 1 - 1e-15)), *FARTHEST), np.arange(len(k))
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x[left]))
        value, slope = _evidence_and_slope(k[left], n[left], p)
        beyond = value - wanted[left]
        low[left], high[left] = np.where(beyond > 0, x[left], low[left]), np.where(beyond > 0, high[left], x[left])
        with np.errstate(divide="ignore", invalid="ignore"):
            step = x[left] - beyond / slope
        inside = (step > low[left]) & (step < high[left])
        following = np.where(inside, step, (low[left] + high[left]) / 2)
        moved = np.abs(following - x[left])
        x[left] = following
        left = left[moved > CLOSE]
        if not len(left):
            break
    return np.asarray(1 / (1 + np.exp(-x)))


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p))


def _evidence_and_slope(k: Floats, n: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Return the evidence that a proportion is above `p`, and its derivative by the logit of `p`."""
    from scipy.special import betaln

    value, both = log_evidence_above(k, n, p), np.log(p) + np.log1p(-p)
    hazard = np.exp(PRIOR * both - betaln(PRIOR, PRIOR)) / _prior_above(p, PRIOR)  # of the prior, by the logit
    return value, hazard * (1 - np.exp(-value)) - (k - n * p)
