"""Plan an audit before it is made: rows per group that decide the limits of a policy, and what given rows can show."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError, PolicyError, shorten
from evenhand.findings import Absent, AuditRecord
from evenhand.keys import canonical_key
from evenhand.metrics.answers.questions import question, takes_all_groups
from evenhand.outlines import outline
from evenhand.policy.advice.advising import level_as_wide
from evenhand.policy.advice.allocating import Allocation, allocation, round_up
from evenhand.policy.advice.assumed import ALONE, known_rates, read_assumed
from evenhand.policy.advice.assurance import CHANCE, decided, settles, used_ends
from evenhand.policy.advice.futures import futures_of
from evenhand.policy.deriving import derive
from evenhand.policy.limits import Policy
from evenhand.policy.matching import instances
from evenhand.policy.reading import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from evenhand.findings import Plain
    from evenhand.keys import Key
    from evenhand.metrics.counts.arrays import Floats, Marks
    from evenhand.policy.advice.futures import Futures
    from evenhand.policy.limits import Limit

__all__ = ["LimitPlan", "Plan", "plan"]

STEP: Final = 1.5
"""The factor between numbers of rows that are tried."""
MOST: Final = 10_000_000
"""More rows than this are not practical."""
SURE: Final = 0.98
"""Beyond this chance no more rows are tried."""
MOST_LIMITS: Final = 50
"""Limits that are planned for at most: each is simulated."""


@dataclass(frozen=True, slots=True)
class LimitPlan:
    """What decides one limit.

    See Also
    --------
    evenhand.plan : Makes one for each limit.
    """

    limit: Limit
    """The limit."""
    key: Key
    """The finding it is judged on."""
    value: float | None
    """The value by the assumed rates, or that of the record."""
    rows: tuple[tuple[str, int], ...] = ()
    """Rows of each group that decide it with a chance of 80 %; the group is empty for all rows. Empty for no number."""
    curve: tuple[tuple[int, float], ...] = ()
    """The chance to decide it, for numbers of rows in all."""
    chance: float | None = None
    """The chance to decide it with the given rows; None where none were given."""
    passes_from: float | None = None
    """The strictest limit that the given rows pass with a chance of 80 %."""
    fails_from: float | None = None
    """The laxest limit that the given rows fail with that chance."""
    why: str = ""
    """Why nothing is said of it."""

    @property
    def total(self) -> int | None:
        """All rows; None for no number."""
        return sum(rows for _, rows in self.rows) or None


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """Rows for a policy.

    See Also
    --------
    evenhand.plan : Makes one.
    """

    policy: str
    """The policy's name."""
    limits: tuple[LimitPlan, ...]
    """Its limits, in the order of the policy."""
    given: int | None = None
    """The rows of which it is said what they can show; None for none."""

    def __repr__(self) -> str:
        rows = [
            (str(one.limit), one.why or ("no number of rows" if one.total is None else f"{one.total:,} rows"))
            for one in self.limits
        ]
        told = ", ".join(f"{group or 'all'} {count:,}" for group, count in self.together)
        foot = [f"Together: {told}."] if told else []
        return outline(f"Rows that decide the limits of {self.policy} with a chance of {CHANCE:.0%}", rows, foot)

    @property
    def together(self) -> tuple[tuple[str, int], ...]:
        """Rows of each group with which every limit has its chance of 80 %: the most that any of them needs.

        The group is empty for rows of all groups, where groups alone do not have as many.
        """
        most: dict[str, int] = {}
        for group, rows in (part for one in self.limits for part in one.rows):
            most[group] = max(most.get(group, 0), rows)
        by_group = [one.total or 0 for one in self.limits if one.rows and one.rows[0][0]]
        if most.get("", 0) <= max(by_group, default=0):
            most.pop("", None)
        return tuple(sorted(most.items(), key=lambda part: -part[1]))

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain data."""
        return {
            "schema": "evenhand-plan",
            "schema_version": 1,
            "policy": self.policy,
            "chance": CHANCE,
            "given_rows": self.given,
            "rows": dict(self.together),
            "limits": [_plain(one) for one in self.limits],
        }


def plan(
    policy: Policy | str | Path | Mapping[str, object],
    *,
    rates: str | Path | Mapping[str, object] | None = None,
    like: AuditRecord | None = None,
    rows: int | None = None,
    proportional: bool = False,
    seed: int = 0,
) -> Plan:
    """Return the rows per group that decide the limits of a policy with a chance of 80 %, before any audit.

    Parameters
    ----------
    policy : Policy, path or mapping
        The limits.
    rates : path or mapping, optional
        Assumed rates of groups, as `evenhand.policy.advice.assumed` reads them: they are taken for true.
    like : AuditRecord, optional
        An audit of groups like those to come, in place of `rates`: what they are truly like is drawn from its counts.
    rows : int, optional
        A number of rows, shared between groups as they come: what can these rows show?
    proportional : bool
        Whether groups come by their shares of all rows. Otherwise their rows are chosen, so that few are needed.
    seed : int
        Of the random numbers; the same one gives the same plan.

    Raises
    ------
    InputError
        When both or neither of `rates` and `like` are given, or the rates are not usable.
    PolicyError
        When the policy cannot be read, or has no limit to plan for.

    Examples
    --------
    >>> groups = {"f": {"share": 0.4, "selection_rate": 0.34}, "m": {"share": 0.6, "selection_rate": 0.35}}
    >>> policy = {"limits": {"selection_rate_difference[sex]": {"at_most": 0.1}}}
    >>> found = plan(policy, rates={"sex": groups})
    >>> 500 < found.limits[0].total < 2_000
    True
    """
    read = policy if isinstance(policy, Policy) else load_policy(policy)
    if (rates is None) == (like is None):
        raise InputError("A plan is for assumed rates or like an earlier audit: give one of both.")
    if rows is not None and not 1 <= rows <= MOST:
        raise InputError(f"rows = {shorten(rows)}: it is a number from 1 to {MOST:,}.")
    if like is not None and "suppressed_below" in like.provenance:
        raise InputError("This is a copy for publication: its counts are withheld. Name the full record.")
    record = read_assumed(rates) if like is None else derive(like).record  # type: ignore[arg-type]
    known = None if rates is None else known_rates(rates)
    wanted = [
        (limit, canonical_key(key))
        for limit in read.limits
        if not limit.required and not limit.against
        for key in instances(limit, record, read) or (limit.key,)
    ]
    if not 0 < len(wanted) <= MOST_LIMITS:
        raise PolicyError(f"{read.name}: {len(wanted):,} limits to plan for; there must be 1 to {MOST_LIMITS}.")
    found = []
    for limit, key in wanted:
        rng = np.random.default_rng(zlib.crc32(f"{seed} {key} {limit}".encode()))
        found.append(_planned(limit, key, record, read, known, rows, proportional, rng))
    return Plan(read.name, tuple(found), rows)


def _planned(
    limit: Limit, key: Key, record: AuditRecord, policy: Policy, known: tuple[str, ...] | None, rows: int | None,
    proportional: bool, rng: np.random.Generator,
) -> LimitPlan:  # fmt: skip
    stated = record.find(key, policy.confidence, always_valid=limit.always_valid)
    if isinstance(stated, Absent):
        return LimitPlan(limit, key, None, why=str(stated.reason))
    if not stated.defined:  # of what no row told anything, drawn rows tell what was taken for granted
        return LimitPlan(limit, key, None, why=stated.undefined)
    if known is not None and known[0] in ALONE and not key.metric.startswith(known[0]):
        return LimitPlan(limit, key, None, why=f"Of each group only the {known[0]} is given.")
    level = level_as_wide(stated, key, limit, record, policy.confidence)
    futures = futures_of(key, record, level, 1, rng)
    if futures is None:
        return LimitPlan(limit, key, stated.estimate, why="Counts of decisions do not say it.")
    if known is not None:
        cells = futures.cells / futures.cells.sum(axis=1, keepdims=True)
        futures = replace(futures, truths=np.broadcast_to(cells, futures.truths.shape))
    search = _Search(futures, limit, policy, proportional, rng)
    found = LimitPlan(limit, key, stated.estimate, search.rows(), search.curve)
    return found if rows is None else search.with_given(found, rows)


class _Search:
    """The chance to decide a limit by rows that are drawn afresh."""

    def __init__(
        self, futures: Futures, limit: Limit, policy: Policy, proportional: bool, rng: np.random.Generator
    ) -> None:
        self.futures, self.limit, self.policy, self.rng = futures, limit, policy, rng
        self.come = futures.rows / futures.rows.sum()
        single = not takes_all_groups(futures.key) and question(futures.key).how is None
        weight = self.come if proportional else allocation(futures, limit, every=True).weight
        own = allocation(futures, limit).weight > 0
        weight = np.where(own, weight, 0.0) if single and not proportional else weight
        self.shares = Allocation(np.zeros(len(weight)), weight)
        self._tried = list(self._chances())

    @property
    def curve(self) -> tuple[tuple[int, float], ...]:
        """Numbers of rows and the chance to decide with each."""
        return tuple((round(total), chance) for total, chance in self._tried)

    def rows(self) -> tuple[tuple[str, int], ...]:
        """Return the rows of each group that decide the limit with a chance of 80 %; empty for no number."""
        total = self._total(CHANCE)
        if total is None:
            return ()
        drawn = self._drawn(self.shares.rows(total))
        quick = self.futures.quick_ends(drawn)
        if quick is not None:
            full = self.futures.full
            apart = self._decided(drawn[:full], full=True).mean() - self._decided(drawn[:full]).mean()
            total = self._total(min(max(CHANCE - float(apart), 0.5), 0.95)) or total
        named = [(self.futures.name(at), round_up(rows)) for at, rows in enumerate(self.shares.rows(total)) if rows > 0]
        return tuple(sorted(named, key=lambda part: -part[1]))

    def with_given(self, found: LimitPlan, rows: int) -> LimitPlan:
        """Return what so many rows can show."""
        drawn = self._drawn(self.come * rows)[: max(self.futures.full, 200)]
        ends = used_ends(self.futures.ends(drawn), self.limit, self.policy.failing_bound)
        chance = float(decided(self.futures.ends(drawn), self.limit, self.policy.failing_bound).mean())
        passes, fails = settles(ends, self.limit, self.futures.key)
        return replace(found, chance=chance, passes_from=passes, fails_from=fails)

    def _chances(self) -> Iterator[tuple[float, float]]:
        total, best = 10.0 * len(self.come), 0.0
        while total <= MOST and best < SURE:
            best = max(best, float(self._decided(self._drawn(self.shares.rows(total))).mean()))
            yield total, best
            total *= STEP

    def _total(self, chance: float) -> float | None:
        """Return the rows at which the chance is reached, between two that were tried."""
        before = (self._tried[0][0] / STEP, 0.0)
        for total, reached in self._tried:
            if reached >= chance:
                part = (chance - before[1]) / (reached - before[1])
                return math.exp(math.log(before[0]) * (1 - part) + math.log(total) * part)
            before = (total, reached)
        return None

    def _drawn(self, rows: Floats) -> np.ndarray:
        return self.futures.drawn(rows, self.rng, afresh=True)

    def _decided(self, drawn: np.ndarray, *, full: bool = False) -> Marks:
        ends = None if full else self.futures.quick_ends(drawn)
        if ends is None:
            ends = self.futures.ends(drawn[: self.futures.full])
        return decided(ends, self.limit, self.policy.failing_bound)


def _plain(one: LimitPlan) -> dict[str, Plain]:
    return {
        "limit": str(one.limit),
        "key": str(one.key),
        "value": one.value,
        "rows": dict(one.rows),
        "total": one.total,
        "curve": [[total, chance] for total, chance in one.curve],
        "chance": one.chance,
        "passes_from": one.passes_from,
        "fails_from": one.fails_from,
        "why": one.why,
    }
