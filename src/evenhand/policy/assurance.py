"""Find the rows with which a limit is decided in four of five futures: an assurance (O'Hagan and others 2005).

Power takes the observed values for the true ones. Where they are uncertain, and most of all where the extreme of many
groups is limited, those are the luckiest of all truths. Here the truth is drawn anew for each future.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.catalogue.names import describe
from evenhand.policy.allocating import allocation
from evenhand.policy.deciding import status, usable

if TYPE_CHECKING:
    from evenhand.keys import Key
    from evenhand.metrics.answers.simulated import Ends
    from evenhand.metrics.counts.arrays import Floats, Marks
    from evenhand.policy.deciding import FailingBound
    from evenhand.policy.futures import Futures
    from evenhand.policy.limits import Limit

CHANCE: Final = 0.8
"""The chance to decide for which rows are computed."""
TIMES: Final = 10
"""Where more new rows are needed than so many times the present ones, such data cannot settle the limit."""
EACH: Final = 60
"""Futures that are drawn for each number of rows that is tried."""
STEPS: Final = 4
"""Numbers of rows that are tried between none and the most."""
NEAR: Final = 0.1
"""So near to `CHANCE` the most rows are tried twice."""
SLOPE: Final = (1.2, 0.5)
"""The slope of the log odds to decide over the logarithm of rows, before any future was drawn; and its error."""
FUTURES: Final = EACH * (STEPS + 3)
"""Truths that a search takes."""


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


class Trials:
    """Numbers of rows that were tried, and in how many futures they decided."""

    def __init__(self, futures: Futures, limit: Limit, failing_bound: FailingBound, rng: np.random.Generator) -> None:
        self.futures, self.limit, self.failing_bound, self.rng = futures, limit, failing_bound, rng
        self.shares = allocation(futures, limit)
        self._tried: list[tuple[float, int]] = []

    @property
    def most(self) -> float:
        """The most new rows that are tried."""
        return TIMES * max(self.shares.most, 1.0)

    def attempt(self, total: float) -> None:
        """Draw futures with so many new rows."""
        first = EACH * len(self._tried)
        some = self.futures.some(first, first + EACH)
        ends = some.ends(self.shares.rows(total), self.rng)
        self._tried.append((total, int(decided(ends, self.limit, self.failing_bound).sum())))

    @property
    def share(self) -> float:
        """The share of futures that were decided by the rows tried so far."""
        return sum(hits for _, hits in self._tried) / (EACH * len(self._tried))

    def rows_for(self, chance: float) -> float:
        """Return the new rows at which, by what was tried, the chance is reached."""
        (height, slope), _ = self._fit()
        reached = math.exp(min((_logit(chance) - height) / slope, math.log(self.most)))
        return max(reached, self.most / 1_000)

    def chance(self, total: float) -> Chance:
        """Return the chance to decide with so many new rows, by what was tried."""
        fitted, covariance = self._fit()
        at = np.array([1.0, math.log(total)])
        middle, error = float(at @ fitted), 1.96 * math.sqrt(float(at @ covariance @ at))
        return Chance(*(1 / (1 + math.exp(-odds)) for odds in (middle, middle - error, middle + error)))

    def _fit(self) -> tuple[Floats, Floats]:
        """Return height and slope of the log odds to decide over the logarithm of new rows, and their covariance."""
        rows, hits = np.array(self._tried, dtype=np.float64).T
        design = np.column_stack([np.ones(len(rows)), np.log(rows)])
        prior, believed = np.diag([1e-6, SLOPE[1] ** -2]), np.array([0.0, SLOPE[0]])
        fitted = np.array([_logit(CHANCE) - SLOPE[0] * design[:, 1].mean(), SLOPE[0]])
        for _ in range(30):
            share = 1 / (1 + np.exp(-np.clip(design @ fitted, -30, 30)))
            weight = EACH * share * (1 - share) + 1e-6
            bend = (design * weight[:, None]).T @ design + prior
            pull = design.T @ (hits - EACH * share) - prior @ (fitted - believed)
            fitted = fitted + np.clip(np.linalg.solve(bend, pull), -5, 5)
            fitted[1] = max(fitted[1], 0.2)
        return fitted, np.linalg.inv(bend)


def advise(futures: Futures, limit: Limit, failing_bound: FailingBound, rng: np.random.Generator) -> Advice:
    """Return the new rows with which a limit is decided in four of five futures; or which limit the rows can settle.

    Parameters
    ----------
    futures : Futures
        What may become of the finding; at least `FUTURES` truths.
    limit : Limit
    failing_bound : {"simultaneous", "unadjusted"}
        Which end fails the limit.
    rng : numpy.random.Generator
        Random numbers: the same ones give the same advice.
    """
    trials = Trials(futures, limit, failing_bound, rng)
    trials.attempt(trials.most)
    if abs(trials.share - CHANCE) < NEAR:
        trials.attempt(trials.most)
    if trials.share < CHANCE:
        return Advice(chance=trials.chance(trials.most), settles=settled(futures, limit, failing_bound, rng))
    trials.attempt(trials.most / 5)
    for _ in range(STEPS - 1):
        trials.attempt(trials.rows_for(CHANCE))
    more = trials.shares.rounded(trials.rows_for(CHANCE))
    named = [(at, int(rows)) for at, rows in enumerate(more) if rows > 0]
    rows = sorted(((_name(futures, at), rows) for at, rows in named), key=lambda part: -part[1])
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
    ends = futures.some(0, EACH).ends(futures.rows, rng, afresh=True)
    used = np.array(_each(ends, limit, failing_bound), dtype=float)
    passing, failing = (used[:, 1], used[:, 0]) if limit.at_most is not None else (-used[:, 0], -used[:, 1])
    bound = limit.bound if limit.at_most is not None else -limit.bound
    for laxer in np.unique(passing[passing >= bound]):
        if np.mean((passing <= laxer) | (failing > laxer)) >= CHANCE:
            return _round_limit(laxer if limit.at_most is not None else -laxer, futures.key, limit)
    return None


def _round_limit(value: float, key: Key, limit: Limit) -> float | None:
    """Return a limit with two digits, no stricter; None where the metric cannot be beyond it."""
    step = 10.0 ** (math.floor(math.log10(max(abs(value), 1e-9))) - 1)
    steps = value / step
    lax = round((math.ceil(steps - 1e-9) if limit.at_most is not None else math.floor(steps + 1e-9)) * step, 12)
    least, most = describe(key.metric).range
    return lax if least < lax < most else None


def _name(futures: Futures, at: int) -> str:
    columns = futures.table.columns
    return ", ".join(f"{column}={value}" for column, value in zip(columns, futures.table.labels[at], strict=True))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
