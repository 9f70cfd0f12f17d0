"""Say what would decide an undecided limit: how many rows of which groups, or which limit so many can decide."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from evenhand.errors import shorten
from evenhand.findings import Finding
from evenhand.keys import canonical_key
from evenhand.messages import joined, message, messages
from evenhand.policy.advice.labels_needed import labels_needed
from evenhand.policy.advice.single_clusters import in_one_cluster

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Interval, Plain
    from evenhand.keys import Key
    from evenhand.messages import Message
    from evenhand.policy.advice.assurance import Advice
    from evenhand.policy.deciding import FailingBound
    from evenhand.policy.limits import Limit

NAMED: Final = 3
"""More groups than this are counted and not named."""
WIDEST: Final = 6.0
"""The greatest critical value that is simulated."""
AS_WIDE: Final = message("simulated with intervals that are as wide as those that hold at all times are now")
"""How advice was found where intervals hold at all times."""
NO_NUMBER: Final = message("how many rows would decide it cannot be told: its interval does not come from counts")

ALONE: Final = message(
    "all its rows are of one cluster, which does not show how much clusters differ: rows of other clusters are needed"
)
"""What is said of a group of one cluster, of which more rows would tell nothing new."""


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
        if in_one_cluster(self.finding.key, self.record):
            return ALONE
        told = advice_text(self.found)
        rows = self.found.total
        labels = "" if rows is None else labels_needed(self.finding.key, self.record, rows)
        wide = AS_WIDE if self.limit.always_valid and self.found.chance is not None else ""
        return joined("; ", tuple(filter(None, (told, wide, labels)))) if labels or wide else told

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

        if self.limit.against or in_one_cluster(self.finding.key, self.record):
            return Advice()
        rng = np.random.default_rng(zlib.crc32(str(self.limit).encode()))
        level = level_as_wide(self.finding, self.finding.key, self.limit, self.record, self.level)
        futures = futures_of(self.finding.key, self.record, level, TRIALS, rng)
        if futures is None:
            interval = self.finding.interval
            own = None if interval is None else replace(interval, level=level)
            return of_claim(replace(self.finding, interval=own), self.limit)
        return advise(futures, self.limit, self.failing_bound, rng)


def level_as_wide(finding: Finding, key: Key, limit: Limit, record: AuditRecord, level: float) -> float:
    """Return the level at which usual intervals are as wide as that of a finding: the own one, but at all times.

    Intervals that hold at all times take too long to be simulated.
    """
    usual = record.find(key, level) if limit.always_valid else finding
    widths = [_width(found.interval) for found in (finding, usual) if isinstance(found, Finding)]
    if len(widths) < 2 or not widths[0] or not widths[1]:
        return level
    z = NormalDist().inv_cdf(0.5 + level / 2) * max(widths[0] / widths[1], 1.0)
    return 2 * NormalDist().cdf(min(z, WIDEST)) - 1


def _width(interval: Interval | None) -> float | None:
    if interval is None or interval.low is None or interval.high is None:
        return None
    return interval.high - interval.low


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
