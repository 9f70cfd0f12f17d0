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

HALVINGS: Final = 60
"""Until the ends of an interval are neighbouring numbers for any practical purpose."""


def log_evidence_above(events: ArrayLike, n: ArrayLike, p: ArrayLike, prior: float = 0.5) -> Floats:
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
        mass = np.log(betaincc(prior + k, prior + size - k, doubted)) - np.log(betaincc(prior, prior, doubted))
        mixture = betaln(prior + k, prior + size - k) - betaln(prior, prior) + mass
        found = mixture - xlogy(k, doubted) - xlog1py(size - k, -doubted)
    return np.asarray(np.where(doubted >= 1, np.where(size > 0, -np.inf, 0.0), found), dtype=np.float64)


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
    (0.17, 0.46)
    """
    k, size = np.broadcast_arrays(np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64))
    return _low(k, size, error), 1 - _low(size - k, size, error)


def _low(k: Floats, size: Floats, error: float) -> Floats:
    """Return the largest proportion that is refuted from below, found by halving."""
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.where(size > 0, k / size, 0.0)
    outside = np.zeros_like(inside)
    for _ in range(HALVINGS):
        middle = (outside + inside) / 2
        refuted = log_evidence_above(k, size, middle) >= -np.log(error)
        outside, inside = np.where(refuted, middle, outside), np.where(refuted, inside, middle)
    return outside
