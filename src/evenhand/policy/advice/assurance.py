"""Find the rows with which a limit is decided in four of five futures: an assurance (O'Hagan and others 2005).

Power takes the observed values for the true ones. Where they are uncertain, and most of all where the extreme of many
groups is limited, those are the luckiest of all truths. Here the truth is drawn anew for each future.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.catalogue.names import describe
from evenhand.policy.advice.allocating import allocation
from evenhand.policy.deciding import status, usable

if TYPE_CHECKING:
    from evenhand.keys import Key
    from evenhand.metrics.answers.simulated import Ends
    from evenhand.metrics.counts.arrays import Floats, Marks
    from evenhand.policy.advice.futures import Futures
    from evenhand.policy.deciding import FailingBound
    from evenhand.policy.limits import Limit

CHANCE: Final = 0.8
"""The chance to decide for which rows are computed."""
TIMES: Final = 10
"""Where more new rows are needed than so many times the present ones, such data cannot settle the limit."""
STEPS: Final = 4
"""Numbers of rows that are tried below the most."""
FAR: Final = 0.15
"""So far below `CHANCE` the quick way is enough to tell that rows do not suffice."""
SLOPE: Final = (1.2, 0.5)
"""The slope of the log odds to decide over the logarithm of rows, before any future was drawn; and its error."""
LEAST_SLOPE: Final = 0.2
"""More rows never decide less often, whatever the futures that were drawn."""
TRIALS: Final = STEPS + 1
"""Numbers of rows that are tried at most."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A share of simulated futures, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What would decide a limit."""

    rows: tuple[tuple[str, int], ...] = ()
    """New rows of each group that needs some, most first; the group is empty for all rows. None: no such number."""
    chance: Chance | None = None
    """The chance that these rows decide the limit; without any, that of `TIMES` the present rows."""
    settles: float | None = None
    """The limit that a table of as many rows decides with that chance, where ten times more do not decide this one."""

    @property
    def total(self) -> int | None:
        """All new rows; None for no such number."""
        return sum(rows for _, rows in self.rows) or None


@dataclass(frozen=True, slots=True)
class Trial:
    """A number of new rows that was tried."""

    total: float
    """All new rows."""
    drawn: int
    """Futures that were drawn."""
    hits: int
    """How many of them decide the limit, by the quick way where there is one."""
    full: int = 0
    """How many were judged in full, too."""
    more: int = 0
    """How many more of these decide it in full than by the quick way."""
    otherwise: int = 0
    """How many of these are decided by one way only."""


class Trials:
    """Numbers of new rows that were tried, and in how many futures they decide the limit."""

    def __init__(self, futures: Futures, limit: Limit, failing_bound: FailingBound, rng: np.random.Generator) -> None:
        self.futures, self.limit, self.failing_bound, self.rng = futures, limit, failing_bound, rng
        self.shares = allocation(futures.trial(0), limit)
        self.most = TIMES * max(self.shares.most, 1.0)
        """The most new rows that are tried."""
        self._tried: list[Trial] = []

    def attempt(self, total: float, least: float = 0.0) -> float:
        """Draw futures with so many new rows, and return the share of them that decides the limit.

        Where the quick way gives less than `least`, none is judged in full.
        """
        some = self.futures.trial(len(self._tried))
        drawn, full = some.drawn(self.shares.rows(total), self.rng), some.full
        ends = some.quick_ends(drawn)
        if ends is None:
            hits = self._decided(some.ends(drawn[:full]))
            self._tried.append(Trial(total, len(hits), int(hits.sum())))
            return float(hits.mean())
        quick = self._decided(ends)
        found = Trial(total, len(quick), int(quick.sum()))
        if quick.mean() >= least:
            apart = self._decided(some.ends(drawn[:full])).astype(int) - quick[:full]
            found = replace(found, full=full, more=int(apart.sum()), otherwise=int(np.abs(apart).sum()))
        self._tried.append(found)
        return float(quick.mean()) + found.more / max(found.full, 1)

    def rows_for(self, chance: float) -> float:
        """Return the new rows at which, by what was tried, the chance is reached."""
        (height, slope), _ = self._fit()
        wanted = _logit(min(max(chance - self._apart()[0], 0.5), 0.95))
        reached = math.exp(min((wanted - height) / slope, math.log(self.most)))
        return max(reached, self.most / 1_000, 1.0)

    def chance(self, total: float) -> Chance:
        """Return the chance to decide with so many new rows, by what was tried."""
        fitted, covariance = self._fit()
        at = np.array([1.0, math.log(total)])
        share, (apart, error) = 1 / (1 + math.exp(-float(at @ fitted))), self._apart()
        error = math.hypot(share * (1 - share) * math.sqrt(float(at @ covariance @ at)), error)
        value = min(max(share + apart, 0.0), 1.0)
        return Chance(value, max(value - 1.96 * error, 0.0), min(value + 1.96 * error, 1.0))

    def _decided(self, ends: Ends) -> Marks:
        return decided(ends, self.limit, self.failing_bound)

    def _apart(self) -> tuple[float, float]:
        """Return how much greater the share is that decides in full than by the quick way, and its error."""
        full, more, otherwise = (
            sum(getattr(one, name) for one in self._tried) for name in ("full", "more", "otherwise")
        )
        return (more / full, math.sqrt(otherwise + 1) / full) if full else (0.0, 0.0)

    def _fit(self) -> tuple[Floats, Floats]:
        """Return height and slope of the log odds to decide over the logarithm of new rows, and their covariance."""
        rows, each, hits = np.array([(one.total, one.drawn, one.hits) for one in self._tried], dtype=np.float64).T
        design = np.column_stack([np.ones(len(rows)), np.log(rows)])
        prior, believed = np.diag([1e-6, SLOPE[1] ** -2]), np.array([0.0, SLOPE[0]])
        fitted = np.array([_logit(CHANCE) - SLOPE[0] * design[:, 1].mean(), SLOPE[0]])

        def likely(at: Floats) -> float:
            odds, off = design @ at, at - believed
            return float(hits @ odds - each @ np.logaddexp(0, odds) - off @ prior @ off / 2)

        for _ in range(30):
            share = 1 / (1 + np.exp(-np.clip(design @ fitted, -30, 30)))
            weight = each * share * (1 - share) + 1e-6
            bend = (design * weight[:, None]).T @ design + prior
            pull = design.T @ (hits - each * share) - prior @ (fitted - believed)
            step, reached = np.linalg.solve(bend, pull), likely(fitted)
            # a whole step of Newton's may go past the peak, and come back further out each time
            half = next((half for half in 0.5 ** np.arange(12) if likely(fitted + half * step) >= reached), 0.0)
            fitted = fitted + half * step
            if half * np.abs(step).max() < 1e-6:
                break
        least = max(fitted[1], LEAST_SLOPE)
        fitted = np.array([fitted[0] + (fitted[1] - least) * design[:, 1].mean(), least])
        return fitted, np.linalg.inv(bend)


def advise(futures: Futures, limit: Limit, failing_bound: FailingBound, rng: np.random.Generator) -> Advice:
    """Return the new rows with which a limit is decided in four of five futures; or which limit the rows can settle.

    Parameters
    ----------
    futures : Futures
        What may become of the finding, enough for `TRIALS`.
    limit : Limit
    failing_bound : {"simultaneous", "unadjusted"}
        Which end fails the limit.
    rng : numpy.random.Generator
        Random numbers: the same ones give the same advice.
    """
    trials = Trials(futures, limit, failing_bound, rng)
    if trials.attempt(trials.most, CHANCE - FAR) < CHANCE:
        return Advice(chance=trials.chance(trials.most), settles=settled(futures, limit, failing_bound, rng))
    trials.attempt(trials.most / 5, 1.0)
    for step in range(1, STEPS):
        trials.attempt(trials.rows_for(CHANCE), 0.0 if step > 1 else 1.0)
    more = trials.shares.rounded(trials.rows_for(CHANCE))
    named = [(at, int(rows)) for at, rows in enumerate(more) if rows > 0]
    rows = sorted(((futures.name(at), rows) for at, rows in named), key=lambda part: -part[1])
    return Advice(tuple(rows), trials.chance(float(more.sum())))


def decided(ends: Ends, limit: Limit, failing_bound: FailingBound) -> Marks:
    """Return (S,) whether a limit passes or fails by each of the ends."""
    return np.array([status(each, limit) != "undecided" for each in _each(ends, limit, failing_bound)])


def _each(ends: Ends, limit: Limit, failing_bound: FailingBound) -> list[tuple[float | None, float | None]]:
    columns = (ends.low, ends.high, ends.unadjusted_low, ends.unadjusted_high)
    rows = zip(*([None if math.isnan(end) else end for end in column.tolist()] for column in columns), strict=True)
    return [
        usable((low, high), (plain_low, plain_high), limit, failing_bound, incomplete=bool(incomplete))
        for (low, high, plain_low, plain_high), incomplete in zip(rows, ends.incomplete, strict=True)
    ]


def settled(futures: Futures, limit: Limit, failing_bound: FailingBound, rng: np.random.Generator) -> float | None:
    """Return the nearest laxer limit that a table of as many rows decides in four of five futures; None for none."""
    drawn = futures.trial(0).drawn(futures.rows, rng, afresh=True)
    ends = futures.quick_ends(drawn)
    if ends is None:
        ends = futures.ends(drawn[: futures.full])
    passing, failing, sign = _sides(used_ends(ends, limit, failing_bound), limit)
    for laxer in np.unique(passing[passing >= sign * limit.bound]):
        if np.mean((passing <= laxer) | (failing > laxer)) >= CHANCE:
            return _round_limit(sign * laxer, futures.key, laxer_is_more=sign > 0)
    return None


def settles(ends: Floats, limit: Limit, key: Key) -> tuple[float | None, float | None]:
    """Return the strictest limit that passes in four of five tables, and the laxest one that fails in as many.

    Parameters
    ----------
    ends : (S, 2) array
        The ends that the limit may use; nan where one is open.
    """
    passing, failing, sign = _sides(ends, limit)
    met = next((at for at in np.unique(passing[np.isfinite(passing)]) if np.mean(passing <= at) >= CHANCE), None)
    missed = next((at for at in np.unique(failing)[::-1] if np.mean(failing >= at) >= CHANCE), None)
    return (
        None if met is None else _round_limit(sign * met, key, laxer_is_more=sign > 0),
        None if missed is None else _round_limit(sign * missed, key, laxer_is_more=sign < 0),
    )


def _sides(ends: Floats, limit: Limit) -> tuple[Floats, Floats, int]:
    """Return the ends that pass and that fail a limit, as if it were one on the greatest value, and its sign."""
    if limit.at_most is not None:
        return ends[:, 1], ends[:, 0], 1
    return -ends[:, 0], -ends[:, 1], -1


def used_ends(ends: Ends, limit: Limit, failing_bound: FailingBound) -> Floats:
    """Return (S, 2) the low and high ends that a limit may use; nan where one is open."""
    return np.array(_each(ends, limit, failing_bound), dtype=float)


def _round_limit(value: float, key: Key, *, laxer_is_more: bool) -> float | None:
    """Return a limit with two digits, no stricter; None where the metric cannot be beyond it."""
    step = 10.0 ** (math.floor(math.log10(max(abs(value), 1e-9))) - 1)
    steps = value / step
    lax = round((math.ceil(steps - 1e-9) if laxer_is_more else math.floor(steps + 1e-9)) * step, 12)
    least, most = describe(key.metric).range
    return lax if least < lax < most else None


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
