"""Tests of two shares being equal, of many pairs at once: Fisher's exact test, and the z test of the pooled share.

Given its margins, the table of two shares has one free cell, which is hypergeometric where the shares are equal.
Fisher's test adds up the chances of all values of that cell that are not likelier than the one that was seen. The
chances follow from each other by ratios of whole numbers, so none is lost to rounding where there are many rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Indices

MOST_EXACT: Final = 10**9
"""Rows up to which Fisher's test is computed; of more, both tests agree in all digits that are shown."""
AS_LIKELY: Final = 1e-7
"""Values that differ by no more than this part are as likely, as in R's test: rounding tells them apart, not chance."""
NEGLIGIBLE: Final = 37.0
"""What is less likely than the value that was seen by this logarithm is left out: less than 1e-16 of it."""
DEEPEST: Final = 790.0
"""The logarithm of a chance that is 0 as a number, and of all that is less likely than such a one."""
MOST_TERMS: Final = 1 << 20
"""Terms that are added up in one go."""


def fisher(events: ArrayLike, rows: ArrayLike, other_events: ArrayLike, other_rows: ArrayLike) -> Floats:
    """Return two-sided p-values of Fisher's exact test, for arrays of pairs of shares.

    Parameters
    ----------
    events, rows, other_events, other_rows : arrays of whole numbers, of one shape
        Events and rows of both shares.

    Returns
    -------
    array
        Of that shape; nan where a share has no rows, and the z test's where a pair has more than `MOST_EXACT` rows.

    Source: Fisher (1935), Journal of the Royal Statistical Society 98.

    Examples
    --------
    >>> fisher([3, 0], [4, 9], [1, 5], [4, 9]).round(4).tolist()
    [0.4857, 0.0294]
    """
    parts = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in (events, rows, other_events, other_rows)))
    a, n, b, m = (part.ravel() for part in parts)
    exact = np.flatnonzero((np.minimum(n, m) > 0) & (n + m <= MOST_EXACT))
    found = z_test(a, n, b, m)
    found[exact] = _exact(a[exact], n[exact], b[exact], m[exact])
    return found.reshape(parts[0].shape)


def z_test(events: ArrayLike, rows: ArrayLike, other_events: ArrayLike, other_rows: ArrayLike) -> Floats:
    """Return two-sided p-values of the z test by the pooled share, for arrays as in `fisher`; 1 where all are alike.

    Examples
    --------
    >>> z_test([30, 5], [40, 5], [10, 9], [40, 9]).round(6).tolist()
    [8e-06, 1.0]
    """
    from scipy.special import ndtr

    a, n, b, m = (np.asarray(part, np.float64) for part in (events, rows, other_events, other_rows))
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (a + b) / (n + m)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        found = np.where(spread == 0, 1.0, 2 * ndtr(-np.abs(a / n - b / m) / spread))
    return np.asarray(np.where(np.minimum(n, m) > 0, found, np.nan))


def _exact(a: Floats, n: Floats, b: Floats, m: Floats) -> Floats:
    """Return the p-values of Fisher's test, a block of tables after the other."""
    low, width = _window(a, n, b, m)
    tables = np.array([a, n, a + b, m, low, width])
    blocks = np.flatnonzero(np.diff(np.cumsum(width) // MOST_TERMS)) + 1
    parts = [_added(*part) for part in np.split(tables, blocks, axis=1) if part.shape[1]]
    return np.concatenate(parts) if parts else np.empty(0)


def _window(a: Floats, n: Floats, b: Floats, m: Floats) -> tuple[Floats, Floats]:
    """Return the first value of the free cell that counts, and how many do.

    Values beyond are less likely than the one that was seen by `NEGLIGIBLE`, by the inequality of Bernstein: sampling
    without replacement strays no further than with it (Hoeffding 1963, JASA 58).
    """
    from scipy.special import gammaln

    def ways(size: Floats, taken: Floats) -> Floats:
        return np.asarray(gammaln(size + 1) - gammaln(taken + 1) - gammaln(size - taken + 1))

    drawn, total = a + b, n + m
    depth = np.minimum(ways(total, drawn) - ways(n, a) - ways(m, b), DEEPEST - NEGLIGIBLE) + NEGLIGIBLE
    mean = n * drawn / total
    variance = mean * np.minimum(1 - drawn / total, 1 - n / total)
    reach = depth / 3 + np.sqrt(depth**2 / 9 + 2 * depth * variance)
    low = np.maximum(np.maximum(drawn - m, 0), np.floor(mean - reach))
    high = np.minimum(np.minimum(drawn, n), np.ceil(mean + reach))
    return low, high - low + 1


def _added(a: Floats, n: Floats, drawn: Floats, m: Floats, low: Floats, width: Floats) -> Floats:
    """Return the part of the chances that belongs to values not likelier than the one that was seen."""
    each = width.astype(np.intp)
    starts: Indices = np.cumsum(each) - each
    of_table = np.repeat(np.arange(len(a)), each)
    value = np.arange(len(of_table)) + (low - starts)[of_table]
    more = (drawn[of_table] - value + 1) * (n[of_table] - value + 1)
    fewer = value * ((m - drawn)[of_table] + value)
    more[starts], fewer[starts] = 1.0, 1.0
    step = np.log(more / fewer)  # from the value below; each table begins at 0 again
    step[starts[1:]] = -np.add.reduceat(step, starts)[:-1]
    chance = np.cumsum(step)
    chance = np.exp(chance - np.maximum.reduceat(chance, starts)[of_table])
    place = a - low
    seen = np.where((place >= 0) & (place < width), chance[starts + np.clip(place, 0, width - 1).astype(np.intp)], 0.0)
    counted = np.where(chance <= (seen * (1 + AS_LIKELY))[of_table], chance, 0.0)
    return np.asarray(np.add.reduceat(counted, starts) / np.add.reduceat(chance, starts))
