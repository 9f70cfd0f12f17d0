"""Say what would decide an undecided limit: how many rows of which groups, or which limit so many can decide."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from evenhand.errors import shorten
from evenhand.keys import canonical_key
from evenhand.messages import joined, message, messages
from evenhand.policy.advice.labels_needed import labels_needed

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, Plain
    from evenhand.messages import Message
    from evenhand.policy.advice.assurance import Advice
    from evenhand.policy.deciding import FailingBound
    from evenhand.policy.limits import Limit

NAMED: Final = 3
"""More groups than this are counted and not named."""
NO_NUMBER: Final = message("how many rows would decide it cannot be told: its interval does not come from counts")


@dataclass(slots=True, eq=False)
class Advised:
    """Advice for a limit, simulated when it is first asked for; the same each time."""

    finding: Finding
    limit: Limit
    record: AuditRecord
    failing_bound: FailingBound
    level: float
    _found: list[Advice] = field(default_factory=list)

    @property
    def found(self) -> Advice:
        """The advice."""
        if not self._found:
            self._found.append(self._simulated())
        return self._found[0]

    @property
    def sentence(self) -> Message:
        """The advice in words."""
        told = advice_text(self.found)
        rows = self.found.total
        labels = "" if rows is None else labels_needed(self.finding.key, self.record, rows)
        return joined("; ", (told, labels)) if labels else told

    def to_plain(self) -> dict[str, Plain]:
        """Return the advice as plain data."""
        found, chance = self.found, self.found.chance
        return {
            "rows": dict(found.rows),
            "chance": None if chance is None else [chance.value, chance.low, chance.high],
            "settles": found.settles,
        }

    def _simulated(self) -> Advice:
        import numpy as np

        from evenhand.policy.advice.assurance import TRIALS, Advice, advise
        from evenhand.policy.advice.futures import futures_of

        if self.limit.against:
            return Advice()
        rng = np.random.default_rng(zlib.crc32(str(self.limit).encode()))
        futures = futures_of(self.finding.key, self.record, self.level, TRIALS, rng)
        if futures is None:
            return of_claim(self.finding, self.limit)
        return advise(futures, self.limit, self.failing_bound, rng)


def of_claim(finding: Finding, limit: Limit) -> Advice:
    """Return the advice for a single value that counts do not give: with a normal error, and a normal truth.

    With f times the rows the error is 1 / sqrt(f) of what it is, and the estimate then has a variance of 1 - 1 / f
    around the present one, in units of the present error. Of a comparison of groups there is no such answer: the
    present estimate is that of the extreme groups, and too far out.
    """
    from evenhand.policy.advice.assurance import CHANCE, TIMES, Advice, Chance

    interval, part = finding.interval, finding.groups[0] if len(finding.groups) == 1 else None
    if interval is None or part is None or finding.estimate is None or part.support < 1:
        return Advice()
    end = interval.low if finding.estimate > limit.bound else interval.high
    z = NormalDist().inv_cdf(0.5 + interval.level / 2)
    if end is None or not math.isfinite(end) or end == finding.estimate:
        return Advice()
    distance = abs(finding.estimate - limit.bound) / (abs(end - finding.estimate) / z)
    most = _normal_chance(distance, 1.0 + TIMES, z)
    if most < CHANCE:
        return Advice(chance=Chance(most, most, most))
    low, high = 1.0, 1.0 + TIMES
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _normal_chance(distance, middle, z) < CHANCE else (low, middle)
    from evenhand.policy.advice.allocating import round_up

    name = ", ".join(f"{column}={group}" for column, group in canonical_key(finding.key).group)
    return Advice(((name, round_up(part.rows * (high - 1))),), Chance(CHANCE, CHANCE, CHANCE))


def _normal_chance(distance: float, times: float, z: float) -> float:
    """Return the chance that an estimate so many errors from the limit is decided with `times` the rows."""
    if times <= 1:
        return 0.0
    spread, reach = math.sqrt(1 - 1 / times), z / math.sqrt(times)
    below = NormalDist().cdf
    return below((distance - reach) / spread) + below((-distance - reach) / spread)


def advice_text(advice: Advice) -> Message:
    """Return advice in words."""
    from evenhand.policy.advice.assurance import TIMES

    chance = advice.chance
    if chance is None:
        return NO_NUMBER
    value, low, high = (round(100 * part) for part in (chance.value, chance.low, chance.high))
    said = message("{value} % ({low} to {high} by simulation)", value=value, low=low, high=high)
    if low == high:
        said = message("{value} %", value=value)
    if advice.rows:
        return message("{rows}: chance to decide it {chance}", rows=_rows_text(advice), chance=said)
    told = message("{times} times more rows do not surely decide it: the chance is {chance}", times=TIMES, chance=said)
    if advice.settles is None:
        return told
    other = message("a table of the present size decides a limit of {limit:g} (80 %)", limit=advice.settles)
    return joined("; ", (told, other))


def _rows_text(advice: Advice) -> Message:
    """Return ``about 300 more rows of race=black and 120 of race=asian``."""
    group, first = advice.rows[0]
    if not group:
        return messages("about {n:,} more row", "about {n:,} more rows", first)
    if len(advice.rows) > NAMED:
        places = {"rows": advice.total or 0, "n": len(advice.rows)}
        return message("about {rows:,} more rows of {n} groups together", **places)
    one = messages("about {n:,} more row of {group}", "about {n:,} more rows of {group}", first, group=shorten(group))
    if len(advice.rows) == 1:
        return one
    others = [message("{rows:,} of {group}", rows=rows, group=shorten(name)) for name, rows in advice.rows[1:]]
    return message("{names} and {last}", names=(one, *others[:-1]), last=others[-1])
