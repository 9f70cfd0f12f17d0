"""Groups drawn together by as much as chance explains: shrunken estimates, and partial pooling with its intervals.

Labelled estimates under a model, in which groups come from one distribution. No verdict rests on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.inference.intervals import z_of
from evenhand.metrics.values.rates import counted_share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.values.rates import Measured

DRAWS: Final = 2_000
STRENGTHS: Final = 40
"""Strengths of the prior that are averaged over."""
CENTRES: Final = 31
"""Rates of the whole that are averaged over."""
LEAST: Final = 1e-3
"""Combinations of less than this of the weight of the likeliest are left out."""


def shrunken_rates(metric: str, tally: Tally) -> Floats:
    """Return each group's rate, drawn towards the mean of all by as much as chance explains (empirical Bayes).

    The prior is Beta(m p, m (1 - p)), its strength m by moments (Kleinman 1973, JASA 68). Groups that differ by no more
    than chance are drawn together; large ones keep their rate.
    """
    events, rows = counted_share(metric, tally)
    known = rows > 0
    k, n = events[known].astype(np.float64), rows[known].astype(np.float64)
    out = np.full(len(rows), np.nan)
    if not known.any():
        return out
    out[known] = _posterior(k, n)
    return out


def _posterior(k: Floats, n: Floats) -> Floats:
    mean, groups = k.sum() / n.sum(), len(k)
    plain = mean * (1 - mean)
    if groups < 2 or plain == 0:
        return np.asarray(k / n)
    weight = n / n.sum()
    spread = float((weight * (k / n - mean) ** 2).sum())
    # what chance alone gives to the spread, and what is left of it between groups
    between = (spread - plain * float((weight * (1 - weight) / n).sum())) / (1 - float((weight**2).sum()))
    if between <= 0:
        return np.full(groups, mean)
    strength = plain / min(between, plain * 0.999) - 1
    return np.asarray((k + strength * mean) / (n + strength))


def shrunken_gap(metric: str, tally: Tally) -> float:
    """Return the gap between the shrunken rates: nearer to the true one than the plain gap, which is biased upward."""
    return _gap(shrunken_rates(metric, tally))


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Rates of groups under partial pooling."""

    mean: Floats
    """(G,) posterior means; nan for a group without a row to count among."""
    low: Floats
    """(G,) low ends of the central posterior intervals."""
    high: Floats
    """(G,) high ends."""
    strength: float
    """The posterior mean of the prior's strength, in rows: how many rows of the whole each group is worth."""


def pooled_rates(metric: str, tally: Tally, level: float = 0.95) -> Pooled:
    """Return each group's rate under a beta-binomial model, averaged over what its strength may be.

    Rates are Beta(m p, m (1 - p)); p and m are averaged over on a grid, p with a flat prior and m with the one under
    which every degree of shrinkage is as likely (Christiansen and Morris 1997, JASA 92): so intervals allow for both
    being unknown.

    Parameters
    ----------
    metric : str
        A rate, such as ``recall``.
    tally : Tally
        G groups, not weighted.
    level : float
        The posterior probability of each interval.

    Source: Gelman et al. (2013), Bayesian Data Analysis, chapter 5.

    Examples
    --------
    >>> from evenhand.metrics import Tally
    >>> tally = Tally.count([1] * 104, [1] * 60 + [0] * 40 + [1] * 4, [0] * 100 + [1] * 4, 2)
    >>> found = pooled_rates("recall", tally)
    >>> bool(0.6 < found.mean[1] < 1.0)
    True
    """
    events, rows = counted_share(metric, tally)
    known = rows > 0
    out = np.full((3, len(rows)), np.nan)
    if not known.any():
        return Pooled(out[0], out[1], out[2], float("nan"))
    p, m, weight = _strengths(events[known], rows[known])
    k, n = events[known][:, None], rows[known][:, None]
    a, b = k + m * p, n - k + m * (1 - p)
    out[0, known] = ((a / (a + b)) * weight).sum(axis=1)
    for at, share in ((1, (1 - level) / 2), (2, (1 + level) / 2)):
        out[at, known] = _quantile(a, b, weight, share)
    return Pooled(out[0], out[1], out[2], float((m * weight).sum()))


def pooled_draws(events: ArrayLike, rows: ArrayLike, draws: int, rng: np.random.Generator) -> Floats:
    """Draw the rates of groups from the model of `pooled_rates`.

    Parameters
    ----------
    events, rows : (G,) arrays
        Rows that a rate counts, and those it counts them among. A group with none is drawn like any other of them.
    draws : int
        How often.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    (draws, G) array
    """
    k, n = np.asarray(events, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    if not (n > 0).any():
        return np.asarray(rng.uniform(size=(draws, len(n))))
    p, m, weight = _strengths(k[n > 0], n[n > 0])
    at = rng.choice(len(weight), size=draws, p=weight)
    a = k + (m * p)[at, None]
    b = n - k + (m * (1 - p))[at, None]
    return np.asarray(rng.beta(a, b))


def _strengths(events: ArrayLike, rows: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return rates of the whole, strengths of the prior, and how likely each combination of them is."""
    from scipy.special import betaln

    k, n = (np.asarray(part, dtype=np.float64)[:, None] for part in (events, rows))
    middle = (k.sum() + 0.5) / (n.sum() + 1)
    worth = float((n / (1 + n / 5)).sum())  # information about p when the groups differ widely
    reach = np.linspace(-5, 5, CENTRES) / np.sqrt(worth * middle * (1 - middle))
    odds = middle / (1 - middle) * np.exp(np.clip(reach, -20, 20))
    p, m = (part.ravel() for part in np.meshgrid(odds / (1 + odds), np.geomspace(0.5, 1e5, STRENGTHS)))
    a, b = k + m * p, n - k + m * (1 - p)
    usual = len(n) / (1 / n).sum()
    flat = np.log(p * (1 - p))  # of p, seen from its logit
    evidence = (betaln(a, b) - betaln(m * p, m * (1 - p))).sum(axis=0) + flat + np.log(m) - 2 * np.log(usual + m)
    weight = np.exp(evidence - evidence.max())
    kept = weight > LEAST
    return p[kept], m[kept], weight[kept] / weight[kept].sum()


def _quantile(a: Floats, b: Floats, weight: Floats, share: float) -> Floats:
    """Return the quantile of a mixture of betas for each group, by halving."""
    from scipy.special import betainc

    low, high = np.zeros(len(a)), np.ones(len(a))
    for _ in range(40):
        middle = (low + high) / 2
        below = (betainc(a, b, middle[:, None]) * weight).sum(axis=1)
        low, high = np.where(below < share, middle, low), np.where(below < share, high, middle)
    return (low + high) / 2


def chance_gap(values: Measured, *, seed: int = 0) -> float:
    """Return the mean gap that equal groups with errors like these would show, normal errors taken for granted."""
    error = _errors(values)
    if len(error) < 2 or not np.isfinite(error).all():  # an open interval: as great a gap as one likes
        return float("nan")
    drawn = np.random.default_rng(seed).normal(size=(DRAWS, len(error))) * error
    return float(np.ptp(drawn, axis=1).mean())


def shrunken_values_gap(values: Measured) -> float:
    """Return the gap between values drawn towards their mean by as much as their errors explain.

    Source: DerSimonian and Laird (1986), Controlled Clinical Trials 7, for the spread between groups.
    """
    error, value = _errors(values), values.estimate[values.defined]
    if np.isfinite(error).sum() < 2:  # a group with an open interval has no weight, and is drawn all the way
        return float("nan")
    weight = 1 / np.maximum(error, 1e-12) ** 2
    mean = float((weight * value).sum() / weight.sum())
    spread = float((weight * (value - mean) ** 2).sum())
    between = (spread - (len(value) - 1)) / float((weight * _of_others(weight)).sum() / weight.sum())
    if between <= 0:
        return 0.0
    return _gap(mean + between / (between + error**2) * (value - mean))


def _of_others(weight: Floats) -> Floats:
    """Return for each weight the sum of all others, without a difference that a much greater one would cancel."""
    before, after = np.cumsum(weight)[:-1], np.cumsum(weight[::-1])[-2::-1]
    return np.asarray(np.append(0.0, before) + np.append(after, 0.0))


def _errors(values: Measured) -> Floats:
    """Return the standard errors of the groups that have a value, as their intervals have them."""
    low, high = values.ends(z_of(0.6827))
    return np.asarray(np.nan_to_num((high - low)[values.defined] / 2, posinf=np.inf))


def _gap(values: Floats) -> float:
    return float(np.nanmax(values) - np.nanmin(values)) if np.isfinite(values).sum() > 1 else float("nan")
