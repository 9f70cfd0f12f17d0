"""P-values for a table, and the gap to expect by chance. Limits do not use them.

A small p-value shows that groups differ, not that they differ enough to matter; a large one means little where
groups are small. The intervals of the gaps show both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from evenhand.messages import message
from evenhand.metrics.values.rates import counted_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.counts.tally import Tally

MOST_EXACT: Final = 10**9
"""Rows up to which Fisher's test is computed."""
EXACT_ROWS: Final = 20_000
"""Up to so many rows Fisher's exact test is used; above it the score test, which then is as good."""
EXACT_TABLES: Final = 50_000
"""Up to so many ways of sharing out the events all are listed, instead of drawn."""
Adjustment: TypeAlias = Literal["holm", "bh"]
DRAWS: Final = 2_000
"""Draws of the permutation test and of the noise floor."""


@dataclass(frozen=True, slots=True, eq=False)
class PValues:
    """Each group's rate against that of all other rows, and the groups together."""

    plain: Floats
    """(G,) two-sided p-values; nan for a group without a value."""
    holm: Floats
    """(G,) adjusted so that one false finding among all groups is as rare as stated (Holm 1979)."""
    method: tuple[str, ...]
    """(G,) ``fisher`` or ``score``."""
    omnibus: float
    """Whether there is any gap at all: the share of permutations with as wide a gap; nan with fewer than two groups."""
    adjusted: Floats = field(default_factory=lambda: np.empty(0))
    """(G,) adjusted as requested: by Holm, or by Benjamini and Hochberg."""
    omnibus_method: str = ""
    """``exact permutation test``, or how many draws were made."""


def p_values(metric: str, tally: Tally, *, seed: int = 0, draws: int = DRAWS, adjust: Adjustment = "holm") -> PValues:
    """Return p-values of a rate: each group against the rest, and all groups together.

    The permutation test draws the groups' events from the margins of the table (a multivariate hypergeometric draw), as
    shuffling the groups of the rows would, at a cost that does not grow with the rows.

    Parameters
    ----------
    metric : str
        A rate, such as ``selection_rate``.
    tally : Tally
        G groups, not weighted.
    adjust : "holm" or "bh"
        For the chance of any false finding, or for the share of false findings.
    """
    events, rows = counted_share(metric, tally)
    plain, method = _against_the_rest(events, rows)
    omnibus, how = _omnibus(events, rows, np.random.default_rng(seed), draws)
    adjusted = holm(plain) if adjust == "holm" else benjamini_hochberg(plain)
    return PValues(plain, holm(plain), method, omnibus, adjusted, how)


def two_tests(events: tuple[int, int], rows: tuple[int, int]) -> tuple[float, float]:
    """Return two-sided p-values of two rates being equal: Fisher's exact test, and the z test of the pooled rate.

    What agencies ask for along with the four-fifths rule: Fisher's where samples are small, and two or three standard
    deviations of the z test (29 CFR 1607.4(D); Castaneda v. Partida, 430 U.S. 482).
    """
    if min(rows) == 0:
        return float("nan"), float("nan")
    return _fisher(*events, *rows), _pooled(*events, *rows)


def _fisher(a: int, b: int, n: int, m: int) -> float:
    if n + m > MOST_EXACT:  # the two tests agree in all digits shown, and the exact one overflows
        return _pooled(a, b, n, m)
    from scipy.stats import fisher_exact

    return float(fisher_exact([[a, n - a], [b, m - b]])[1])


def _pooled(a: int, b: int, n: int, m: int) -> float:
    from scipy.stats.distributions import norm

    pooled = (a + b) / (n + m)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return 1.0 if spread == 0 else float(2 * norm.sf(abs(a / n - b / m) / spread))


def holm(values: Floats) -> Floats:
    """Return p-values adjusted for their number (Holm 1979, Scandinavian Journal of Statistics 6); nan stays nan."""
    return _adjusted(values, lambda p: np.maximum.accumulate(p * (len(p) - np.arange(len(p)))))


def benjamini_hochberg(values: Floats) -> Floats:
    """Return p-values adjusted to bound the share of false findings (Benjamini and Hochberg 1995); nan stays nan."""
    return _adjusted(values, lambda p: np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1])


def _adjusted(values: Floats, stepped: Callable[[Floats], Floats]) -> Floats:
    """Return adjusted p-values; `stepped` gives them from the known ones in increasing order."""
    out = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known])]
    out[order] = np.minimum(stepped(values[order]), 1.0)
    return out


def _against_the_rest(events: Ints, rows: Ints) -> tuple[Floats, tuple[str, ...]]:
    exact = rows.sum() <= EXACT_ROWS
    tables = zip(events, events.sum() - events, rows, rows.sum() - rows, strict=True)
    test = _fisher if exact else _pooled
    values = [test(*map(int, table)) if min(table[2:]) > 0 else np.nan for table in tables]
    return np.array(values), ("fisher" if exact else "score",) * len(rows)


def _omnibus(events: Ints, rows: Ints, rng: np.random.Generator, draws: int) -> tuple[float, str]:
    known = rows > 0
    if known.sum() < 2:
        return float("nan"), ""
    seen = float(np.ptp(events[known] / rows[known]))
    if _tables(rows[known], int(events.sum())) <= EXACT_TABLES:
        return _exact_omnibus(rows[known], int(events.sum()), seen), message("exact permutation test")
    drawn = _permuted(events[known], rows[known], rng, draws)
    p = float((1 + (np.ptp(drawn / rows[known], axis=1) >= seen - 1e-12).sum()) / (1 + draws))
    return p, message("permutation test, {draws:,} draws", draws=draws)


def _tables(rows: Ints, events: int) -> float:
    """Return at most how many ways there are to share the events among the groups."""
    return float(np.exp(min(np.log(np.minimum(rows[:-1], events) + 1.0).sum(), 700.0)))


def _exact_omnibus(rows: Ints, events: int, seen: float) -> float:
    """Return the chance of as wide a gap when the events are shared out at random, all tables listed."""
    from scipy.special import gammaln

    if events in (0, int(rows.sum())):  # there is one table only
        return 1.0

    def ways(n: Ints | int, k: Ints) -> Floats:
        return np.asarray(gammaln(np.asarray(n) + 1.0) - gammaln(k + 1.0) - gammaln(np.asarray(n) - k + 1.0))

    kinds = [np.arange(min(int(n), events) + 1) for n in rows[:-1]]
    drawn = np.stack([part.ravel() for part in np.meshgrid(*kinds, indexing="ij")], axis=1)
    last = events - drawn.sum(axis=1)
    fits = (last >= 0) & (last <= rows[-1])
    drawn = np.column_stack([drawn, last])[fits]
    chance = np.exp(ways(rows, drawn).sum(axis=1) - ways(int(rows.sum()), np.array([events])))
    return float(min(chance[np.ptp(drawn / rows, axis=1) >= seen - 1e-12].sum(), 1.0))


def _permuted(events: Ints, rows: Ints, rng: np.random.Generator, draws: int) -> Ints:
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
