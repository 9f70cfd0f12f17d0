"""P-values for a table, and what a gap would be by chance. No limit is judged by them.

A small p-value says that groups are not alike, not that they are unlike enough to matter; a large one says little where
groups are small. The intervals of the gaps say both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.metrics.measuring import counted_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.metrics.tally import Tally

    Floats: TypeAlias = NDArray[np.float64]

EXACT_ROWS: Final = 20_000
"""Up to so many rows Fisher's exact test is used; above it the score test, which then is as good."""
DRAWS: Final = 2_000
"""Draws of the permutation test and of the noise floor."""


@dataclass(frozen=True, slots=True, eq=False)
class PValues:
    """Each group's rate against that of all other rows, and the groups together."""

    plain: NDArray[np.float64]
    """(G,) two-sided p-values; nan for a group without a value."""
    holm: NDArray[np.float64]
    """(G,) adjusted so that one false finding among all groups is as rare as stated (Holm 1979)."""
    method: tuple[str, ...]
    """(G,) ``fisher`` or ``score``."""
    omnibus: float
    """Whether there is any gap at all: the share of permutations with as wide a gap; nan with fewer than two groups."""


def p_values(metric: str, tally: Tally, *, seed: int = 0, draws: int = DRAWS) -> PValues:
    """Return p-values of a rate: each group against the rest, and all groups together.

    The permutation test draws the groups' events from the margins of the table (a multivariate hypergeometric draw), as
    shuffling the groups of the rows would, at a cost that does not grow with the rows.

    Parameters
    ----------
    metric : str
        A rate, such as ``selection_rate``.
    tally : Tally
        G groups, not weighted.
    """
    events, rows = counted_share(metric, tally)
    plain, method = _against_the_rest(events, rows)
    return PValues(plain, holm(plain), method, _omnibus(events, rows, np.random.default_rng(seed), draws))


def holm(values: Floats) -> Floats:
    """Return p-values adjusted for their number (Holm 1979, Scandinavian Journal of Statistics 6); nan stays nan."""
    out = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known])]
    stepped = values[order] * (len(order) - np.arange(len(order)))
    out[order] = np.minimum(np.maximum.accumulate(stepped), 1.0) if len(order) else stepped
    return out


def benjamini_hochberg(values: Floats) -> Floats:
    """Return p-values adjusted to bound the share of false findings (Benjamini and Hochberg 1995); nan stays nan."""
    out = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known])]
    stepped = values[order] * len(order) / np.arange(1, len(order) + 1)
    out[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0) if len(order) else stepped
    return out


def _against_the_rest(events: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[Floats, tuple[str, ...]]:
    from scipy.stats import fisher_exact
    from scipy.stats.distributions import norm

    total_events, total_rows = int(events.sum()), int(rows.sum())
    values, methods = np.full(len(rows), np.nan), []
    for group in range(len(rows)):
        mine, n = int(events[group]), int(rows[group])
        other, m = total_events - mine, total_rows - n
        exact = total_rows <= EXACT_ROWS
        methods.append("fisher" if exact else "score")
        if n == 0 or m == 0:
            continue
        if exact:
            values[group] = fisher_exact([[mine, n - mine], [other, m - other]])[1]
        else:
            pooled = total_events / total_rows
            spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
            values[group] = 1.0 if spread == 0 else 2 * norm.sf(abs(mine / n - other / m) / spread)
    return values, tuple(methods)


def _omnibus(events: NDArray[np.int64], rows: NDArray[np.int64], rng: np.random.Generator, draws: int) -> float:
    known = rows > 0
    if known.sum() < 2:
        return float("nan")
    seen = np.ptp(events[known] / rows[known])
    drawn = _permuted(events[known], rows[known], rng, draws)
    return float((1 + (np.ptp(drawn / rows[known], axis=1) >= seen - 1e-12).sum()) / (1 + draws))


def _permuted(
    events: NDArray[np.int64], rows: NDArray[np.int64], rng: np.random.Generator, draws: int
) -> NDArray[np.int64]:
    """Return events (draws, G) as if the groups of the rows were shuffled."""
    total = int(events.sum())
    if int(rows.sum()) < 10**9:  # the generator's bound
        return np.asarray(rng.multivariate_hypergeometric(rows, total, size=draws, method="marginals"))
    return rng.binomial(rows, total / int(rows.sum()), size=(draws, len(rows)))


def noise_floor(metric: str, tally: Tally, *, seed: int = 0, draws: int = DRAWS) -> float:
    """Return the mean gap (greatest less least rate) that equal groups of these sizes would show by chance alone."""
    events, rows = counted_share(metric, tally)
    known = rows > 0
    if known.sum() < 2:
        return float("nan")
    drawn = _permuted(events[known], rows[known], np.random.default_rng(seed), draws)
    return float(np.ptp(drawn / rows[known], axis=1).mean())


def shrunken_rates(metric: str, tally: Tally) -> Floats:
    """Return each group's rate, drawn towards the mean of all by as much as chance explains (empirical Bayes).

    The prior is Beta(m p, m (1 - p)), its strength m by moments (Kleinman 1973, JASA 68). Groups that differ by no more
    than chance are drawn together; large ones keep their own rate. A labelled estimate: no verdict rests on it.
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
    rates = shrunken_rates(metric, tally)
    return float(np.nanmax(rates) - np.nanmin(rates)) if np.isfinite(rates).sum() > 1 else float("nan")
