"""P-values for a table, and the gap to expect by chance. Limits do not use them.

A small p-value shows that groups differ, not that they differ enough to matter; a large one means little where
groups are small. The intervals of the gaps show both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from evenhand.messages import message
from evenhand.metrics.comparisons.equal_shares import fisher, z_test
from evenhand.metrics.values.rates import counted_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.counts.tally import Tally

EXACT_ROWS: Final = 20_000
"""Up to so many rows Fisher's exact test is used; above it the score test, which then is as good."""
EXACT_TABLES: Final = 50_000
"""Up to so many ways of sharing out the events all are listed, instead of drawn."""
Adjustment: TypeAlias = Literal["holm", "bh"]
DRAWS: Final = 2_000
"""Draws of the permutation test and of the noise floor, of few groups."""
LEAST_DRAWS: Final = 500
"""Draws of however many groups. The widest gap over many groups varies less from draw to draw: the mean of 500 over a
hundred groups is known as well as that of 2,000 over ten, to about half a percent."""
MOST_DRAWN: Final = 50_000
"""Groups times draws, above which fewer are drawn."""


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
    floor: float = float("nan")
    """The gap that equal groups of these sizes show by chance alone, see `noise_floor`: of the same draws."""


def p_values(
    metric: str, tally: Tally, *, seed: int = 0, draws: int | None = None, adjust: Adjustment = "holm"
) -> PValues:
    """Return p-values of a rate: each group against the rest, and all groups together.

    The permutation test draws the groups' events from the margins of the table (a multivariate hypergeometric draw), as
    shuffling the groups of the rows would, at a cost that does not grow with the rows.

    Parameters
    ----------
    metric : str
        A rate, such as ``selection_rate``.
    tally : Tally
        G groups, not weighted.
    seed : int
        Of the draws.
    draws : int, optional
        How many; by default `DRAWS`, and fewer of many groups.
    adjust : "holm" or "bh"
        For the chance of any false finding, or for the share of false findings.
    """
    events, rows = counted_share(metric, tally)
    plain, method = _against_the_rest(events, rows)
    adjusted = holm(plain) if adjust == "holm" else benjamini_hochberg(plain)
    found = PValues(plain, holm(plain), method, float("nan"), adjusted)
    known = rows > 0
    if known.sum() < 2:
        return found
    gaps = _gaps(events[known], rows[known], seed, draws)
    omnibus, how = _omnibus(events[known], rows[known], gaps)
    return replace(found, omnibus=omnibus, omnibus_method=how, floor=float(gaps.mean()))


def two_tests(events: tuple[ArrayLike, ArrayLike], rows: tuple[ArrayLike, ArrayLike]) -> tuple[Floats, Floats]:
    """Return two-sided p-values of two rates being equal: Fisher's exact test, and the z test of the pooled rate.

    What agencies ask for along with the four-fifths rule: Fisher's where samples are small, and two or three standard
    deviations of the z test (29 CFR 1607.4(D); Castaneda v. Partida, 430 U.S. 482).

    Parameters
    ----------
    events, rows : pairs of numbers or of arrays
        Of both rates.
    """
    (a, b), (n, m) = events, rows
    return fisher(a, n, b, m), z_test(a, n, b, m)


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
    plain = (fisher if exact else z_test)(events, rows, events.sum() - events, rows.sum() - rows)
    return plain, ("fisher" if exact else "score",) * len(rows)


def _omnibus(events: Ints, rows: Ints, gaps: Floats) -> tuple[float, str]:
    """Return the chance of as wide a gap as was seen, and how it was found: from drawn gaps where tables are many."""
    seen = float(np.ptp(events / rows))
    if _tables(rows, int(events.sum())) <= EXACT_TABLES:
        return _exact_omnibus(rows, int(events.sum()), seen), message("exact permutation test")
    p = float((1 + (gaps >= seen - 1e-12).sum()) / (1 + len(gaps)))
    return p, message("permutation test, {draws:,} draws", draws=len(gaps))


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


def _gaps(events: Ints, rows: Ints, seed: int, draws: int | None) -> Floats:
    """Return (draws,) gaps between the groups as if the groups of the rows were shuffled."""
    rng, total = np.random.default_rng(seed), int(events.sum())
    draws = min(DRAWS, max(LEAST_DRAWS, MOST_DRAWN // len(rows))) if draws is None else draws
    if int(rows.sum()) < 10**9:  # the generator's bound
        drawn = rng.multivariate_hypergeometric(rows, total, size=draws, method="marginals")
    else:
        drawn = rng.binomial(rows, total / int(rows.sum()), size=(draws, len(rows)))
    return np.asarray(np.ptp(drawn / rows, axis=1))


def noise_floor(metric: str, tally: Tally, *, seed: int = 0, draws: int | None = None) -> float:
    """Return the mean gap (greatest less least rate) that equal groups of these sizes would show by chance alone."""
    events, rows = counted_share(metric, tally)
    known = rows > 0
    return float(_gaps(events[known], rows[known], seed, draws).mean()) if known.sum() > 1 else float("nan")
