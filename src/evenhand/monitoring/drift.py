"""Alarms of drift whose rate holds over all time, and for what is watched together.

For each share p of a series an e-process doubts that p is at most its highest value at the audit plus a floor, and
another that it is at least the lowest less the floor (`log_evidence_above`). Their mean over the shares, both sides
and the starting batches, weighted, has expectation 1 or less at any stopping time while no share is beyond the floor:
it ever reaches 1 / error with probability `error` at most (Ville). The audit is a sample itself: its ranges are
simultaneous over all shares of a series, at an error of their own.

Why means of shares rather than one mixture over all bins: the latter pays (K - 1) / 2 log n for K bins, here about 80
units at 20 bins and 5,000 rows, the mean log(2 K), about 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.metrics.inference.always_valid import log_evidence_above, share_sequence
from evenhand.monitoring.windows import weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.metrics.counts.arrays import Floats, Indices, Marks
    from evenhand.monitoring.watched import Watched
    from evenhand.monitoring.windows import Counts, Windows

FLOOR: Final = 0.05
"""A change of a share below it is not worth an alarm."""


@dataclass(frozen=True, slots=True)
class Drift:
    """The distance of a series from the audit, since the first batch or another."""

    estimate: float | None
    """The greatest change of a share: the Kolmogorov distance on the bins, or the greatest of a category."""
    low: float | None
    """At least so much, at all times together, the audit's own uncertainty taken off."""
    high: float | None
    """At most so much."""
    rows: int
    """The live rows."""
    share: str = ""
    """Which share changed most."""
    before: float | None = None
    """That share at the audit."""
    now: float | None = None
    """That share since."""


@dataclass(frozen=True, slots=True)
class Found:
    """A series that has drifted."""

    watched: Watched
    """Which."""
    since: int
    """The starting batch whose sums show it best."""


class Detector:
    """Looks for drift among what is watched.

    Parameters
    ----------
    watched : sequence of Watched
        What is watched; the error is split evenly.
    error : float
        The probability with which anything of it is ever alarmed about that has not drifted beyond the floor.
    floor : float
        The change of a share that is not worth an alarm.
    """

    def __init__(self, watched: Sequence[Watched], error: float, floor: float = FLOOR) -> None:
        self.watched, self.floor = tuple(watched), floor
        self.each = error / (2 * max(len(self.watched), 1))
        """The error of one series, and as much for its ranges at the audit."""
        ranges = [one.range(self.each) for one in self.watched]
        sizes = [len(one.names) for one in self.watched]
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp) if sizes else np.zeros(0, np.intp)
        self._sizes = np.asarray(sizes)
        self._low = np.concatenate([low for low, _ in ranges]) if ranges else np.zeros(0)
        self._high = np.concatenate([high for _, high in ranges]) if ranges else np.zeros(0)

    def found(self, windows: Windows) -> list[Found]:
        """Return what has drifted by the sums since each starting batch."""
        starts = sorted(windows)
        if not starts or not self.watched:
            return []
        events, rows = (
            np.stack(part) for part in zip(*(self._shares(windows[start]) for start in starts), strict=True)
        )
        logs = (
            self._evidence(events, rows)
            - np.log(2 * self._sizes)
            + np.log([weight(start) for start in starts])[:, None]
        )
        total = np.logaddexp.reduce(logs, axis=0)
        alarmed = np.flatnonzero(total >= -np.log(self.each))
        return [Found(self.watched[at], starts[int(np.argmax(logs[:, at]))]) for at in alarmed]

    def _shares(self, counts: Counts) -> tuple[Floats, Floats]:
        parts = [one.shares(counts) for one in self.watched]
        return tuple(np.concatenate([part[side] for part in parts]).astype(float) for side in (0, 1))  # type: ignore[return-value]

    def _evidence(self, events: Floats, rows: Floats) -> Floats:
        """Return (W, F) the logarithm of the sum of evidence over shares and sides."""
        above = _evidence_beyond(events, rows, self._high + self.floor)
        below = _evidence_beyond(rows - events, rows, 1 - self._low + self.floor)
        return np.logaddexp.reduceat(np.logaddexp(above, below), self._starts, axis=1)

    def distances(self, counts: Counts) -> list[Drift]:
        """Return how far each series is from the audit, with intervals that hold at all times together."""
        if not self.watched:
            return []
        events, rows = self._shares(counts)
        before = [np.concatenate([one.before[side] for one in self.watched]).astype(float) for side in (0, 1)]
        known = (rows > 0) & (before[1] > 0)
        errors = np.repeat(self.each / (2 * self._sizes), self._sizes)
        live_low, live_high = share_sequence(events, rows, errors)  # type: ignore[arg-type]
        least = np.maximum(np.maximum(live_low - self._high, self._low - live_high), 0)
        most = np.minimum(np.maximum(live_high - self._low, self._high - live_low), 1)
        was, now = (
            np.divide(k, n, where=known, out=np.zeros(len(k))) for k, n in ((before[0], before[1]), (events, rows))
        )
        parts = np.split(np.arange(len(rows)), self._starts[1:])
        return [
            _drift(one, part, known, was, now, least, most, rows) for one, part in zip(self.watched, parts, strict=True)
        ]

    def changes(self, counts: Counts) -> list[float | None]:
        """Return the greatest change of a share of each series, without an interval."""
        found = []
        for one in self.watched:
            events, rows = one.shares(counts)
            known = (rows > 0) & (one.before[1] > 0)
            apart = np.abs(events[known] / rows[known] - one.before[0][known] / one.before[1][known])
            found.append(float(apart.max()) if known.any() else None)
        return found


def _drift(
    one: Watched, whole: Indices, known: Marks, was: Floats, now: Floats, least: Floats, most: Floats, rows: Floats
) -> Drift:
    """Return the drift of one series, whose shares are at `whole`."""
    part = whole[known[whole]]
    if not len(part):
        return Drift(None, None, None, 0)
    first = part[int(np.argmax(np.abs(now - was)[part]))]
    name = one.names[int(first - whole[0])]
    return Drift(
        float(abs(now - was)[first]), float(least[part].max()), float(most[part].max()), int(rows[part].max()),
        name, float(was[first]), float(now[first]),
    )  # fmt: skip


def _evidence_beyond(events: Floats, rows: Floats, bound: Floats) -> Floats:
    """Return the evidence that shares are above a bound; only those that are so in the sums are computed."""
    limit = np.broadcast_to(np.minimum(bound, 1.0), events.shape)
    told = events > limit * rows
    found = np.full(events.shape, -np.inf)  # leaving evidence out only makes the sum smaller
    if told.any():
        found[told] = log_evidence_above(events[told], rows[told], limit[told])
    return found
