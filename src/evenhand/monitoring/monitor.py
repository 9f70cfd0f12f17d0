"""Live batches against an audited baseline: a state, one more batch, the next state; and what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError
from evenhand.metrics.inference.always_valid import share_sequence
from evenhand.monitoring.drift import FLOOR, Detector
from evenhand.monitoring.estimating import ASSUMED, allows_estimates, estimates
from evenhand.monitoring.figures import feedback, performance
from evenhand.monitoring.limits import Limits
from evenhand.monitoring.rounding import rounded
from evenhand.monitoring.saying import alarm_of_drift, alarm_of_limit, notes_of, set_aside
from evenhand.monitoring.state import State, taken
from evenhand.monitoring.watched import watched_of
from evenhand.policy.verdict import EXIT_CODES
from evenhand.timelines import Point, Series, Timeline, note_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from evenhand.findings import Plain
    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.batches import Batch
    from evenhand.monitoring.limits import Said
    from evenhand.monitoring.state import Row
    from evenhand.monitoring.windows import Counts
    from evenhand.policy.limits import Policy, Status
    from evenhand.timelines import Alarm, SeriesKind


KINDS: Final = ("limit", "input", "prediction", "share", "performance", "estimate", "calibration", "feedback")
"""Series in the order in which they are shown."""


class Monitor:
    """Judges live batches by an audited baseline and the policy of its release.

    Half of the error is for the limits of the policy, half for drift; each half is split evenly over what it has, and
    over starting batches. So with probability 1 - `error` no alarm is ever false, however long it runs and however
    often one looks.

    Parameters
    ----------
    baseline : Baseline
        The counts of the audit.
    policy : Policy
        The limits; its confidence gives the error where none is given.
    error : float, optional
        The probability of any false alarm, ever.
    floor : float
        The change of a share of rows that is not worth an alarm of drift.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.monitoring import Monitor, count_batch, make_baseline
    >>> rows = {"score": [0.2, 0.8] * 300, "paid": [0, 1] * 300, "sex": ["f", "f", "m", "m"] * 150}
    >>> data = eh.read_evaluation_set(rows, label="paid", sensitive_features="sex", score="score")
    >>> record = eh.audit_predictions(rows["paid"], y_score=rows["score"], sensitive_features={"sex": rows["sex"]})
    >>> baseline = make_baseline(data, record)
    >>> monitor = Monitor(baseline, eh.load_policy({"limits": {"accuracy": {"at_least": 0.8}}}))
    >>> state = monitor.take(monitor.begin(), count_batch(data.table, baseline, "monday", "0" * 64))
    >>> monitor.timeline(state).verdict
    'passed'
    """

    def __init__(self, baseline: Baseline, policy: Policy, *, error: float | None = None, floor: float = FLOOR) -> None:
        self.baseline, self.policy, self.floor = baseline, policy, floor
        self.error = 1 - policy.confidence if error is None else error
        self.limits = Limits(policy, baseline, self.error / 2)
        self.detector = Detector(watched_of(baseline), self.error / 2, floor)

    def begin(self) -> State:
        """Return the state before the first batch."""
        return State(self.baseline.sha256, self.policy.sha256, self.error, self.floor)

    def check(self, state: State) -> None:
        """Refuse a state that was made with another baseline, policy or error.

        Raises
        ------
        InputError
        """
        for what, own, other in (
            ("baseline", self.baseline.sha256, state.baseline),
            ("policy", self.policy.sha256, state.policy),
            ("error", self.error, state.error),
            ("floor", self.floor, state.floor),
        ):
            if own != other:
                raise InputError(
                    f"The state was made with another {what}: alarms hold for one {what} from the first batch on. Give "
                    f"the {what} that it was made with, or begin anew with another --state."
                )

    def take(self, state: State, batch: Batch, *, cursor: str | None = None) -> State:
        """Return the state after one more batch; a batch that is known changes nothing.

        Parameters
        ----------
        state : State
            That of `begin`, or of the batch before.
        batch : Batch
            What `count_batch` returned.
        cursor : str, optional
            Where the log is read on from.
        """
        self.check(state)
        if state.knows(batch.id):
            return state
        grown = taken(state, batch)
        _refuse_too_many(grown.since_start, batch.name)
        known = {alarm.key for alarm in state.alarms}
        said = list(self.limits.judged(grown.windows, known))
        alarms = list(grown.alarms)
        alarms += self._new_alarms(grown, said)
        points = dict(grown.points)
        for key, row in self._rows(grown, batch, said):
            points[key] = (*points.get(key, ()), row)
        place = state.cursor if cursor is None else cursor
        return replace(grown, alarms=tuple(alarms), points=points, cursor=place)

    def _new_alarms(self, state: State, said: Iterable[Said]) -> Iterator[Alarm]:
        known, at = {alarm.key for alarm in state.alarms}, len(state.moments) - 1
        for one in said:
            if one.failed is not None and str(one.watch.key) not in known:
                yield alarm_of_limit(one, at, state.position(one.failed[0]))
        found = [one for one in self.detector.found(state.windows) if one.watched.key not in known]
        for one_found in found:
            place = self.detector.watched.index(one_found.watched)
            drift = self.detector.distances(state.windows[one_found.since])[place]
            yield alarm_of_drift(one_found, drift, at, state.position(one_found.since))

    def _rows(self, state: State, batch: Batch, said: Iterable[Said]) -> Iterator[tuple[str, Row]]:
        """Yield what the timeline keeps of this moment."""
        at, whole = len(state.moments) - 1, state.since_start
        for one in said:
            yield f"limit {one.watch.key}", _of_limit(at, one, self.limits.alone(one.watch, batch.counts))
        figures = performance(self.baseline, whole, batch.counts, self.error)
        for key, figure in (*figures, *feedback(self.baseline, whole, self.error)):
            yield key, (at, *figure)
        yield from self._drifts(at, state.windows[0], batch.counts)
        if allows_estimates(self.baseline):
            alone = {key: value for key, value, _ in estimates(self.baseline, batch.counts)}
            for key, value, rows in estimates(self.baseline, whole):
                yield f"estimate {key}", _row(at, value, None, None, rows, None, alone.get(key))

    def _drifts(self, at: int, whole: Counts, alone: Counts) -> Iterator[tuple[str, Row]]:
        changes = self.detector.changes(alone)
        for one, drift, change in zip(self.detector.watched, self.detector.distances(whole), changes, strict=True):
            if one.kind != "share":
                yield f"{one.kind} {one.key}", _row(at, drift.estimate, drift.low, drift.high, drift.rows, None, change)
                continue
            events, rows = (int(part[0]) for part in one.shares(alone))
            share = events / rows if rows else None
            ends = share_sequence(*one.shares(whole), self.error / 2)
            yield f"share {one.key}", _row(at, drift.now, float(ends[0][0]), float(ends[1][0]), drift.rows, None, share)

    def timeline(self, state: State) -> Timeline:
        """Return everything that a state says."""
        verdict = self._verdict(state)
        notes = tuple(map(note_of, (*set_aside(self.limits.aside), *notes_of(self.baseline, state))))
        return Timeline(
            state.moments, tuple(self._series(state)), state.alarms, verdict, EXIT_CODES[verdict],
            self._provenance(state), notes,
        )  # fmt: skip

    def _verdict(self, state: State) -> Status:
        """Return failed where a blocking limit or an input alarmed, passed where all blocking limits pass now.

        A policy of which live batches say nothing is not passed.
        """
        advisory = {str(watch.key) for watch in self.limits.watches if watch.limit.advisory}
        if any(alarm.key not in advisory for alarm in state.alarms):
            return "failed"
        stopping = [
            watch for watch in self.limits.watches if not watch.limit.advisory and watch.limit.undecided == "stop"
        ]
        last = [
            state.points.get(f"limit {watch.key}", ((0, None, None, None, 0, "undecided", None),))[-1]
            for watch in stopping
        ]
        open_still = not state.batches or not self.limits.watches or any(row[5] != "passed" for row in last)
        return "undecided" if open_still else "passed"

    def _series(self, state: State) -> Iterator[Series]:
        limits = {str(watch.key): watch for watch in self.limits.watches}
        watched = {one.key: one for one in self.detector.watched}
        for name in sorted(state.points, key=_order(self)):
            rows = state.points[name]
            word, _, key = name.partition(" ")
            kind: SeriesKind = word  # type: ignore[assignment]
            points = tuple(Point(*row) for row in rows)  # type: ignore[arg-type]
            if kind == "limit":
                watch = limits[key]
                reason = self.limits.reason(watch, state.windows)
                bounds = watch.limit.at_most, watch.limit.at_least
                yield Series(key, kind, points, *bounds, watch.baseline, None if reason is None else note_of(reason))
            elif key in watched:
                before = watched[key].before
                share = float(before[0][0] / before[1][0]) if kind == "share" else None
                yield Series(key, kind, points, None if kind == "share" else self.floor, None, share)
            else:
                yield Series(key, kind, points, note=note_of(ASSUMED) if kind == "estimate" else None)

    def _provenance(self, state: State) -> dict[str, Plain]:
        from importlib.metadata import version

        return {
            "baseline": {"sha256": self.baseline.sha256, "audit": self.baseline.audit, "rows": self.baseline.rows},
            "model": {
                "name": self.baseline.record.provenance.get("subject", {}).get("name"), "sha256": self.baseline.model,
            },
            "policy": {"name": self.policy.name, "sha256": self.policy.sha256},
            "error": {
                "all": self.error, "limits": self.error / 2, "drift": self.error / 2,
                "each_limit": self.limits.each, "each_series": self.detector.each,
            },
            "floor": self.floor, "batches": state.batches, "chain": state.chain,
            "windows": [*sorted(state.windows)], "versions": {"evenhand": version("evenhand"), "numpy": np.__version__},
        }  # fmt: skip


def _refuse_too_many(counts: Counts, name: str) -> None:
    """Refuse labels of more rows than were counted, overall or in a group, with a decision."""
    for key, labelled in counts.items():
        kind, _, at = key.partition(".")
        decided = counts.get(f"decided.{at}")
        if kind == "labelled" and decided is not None and (labelled.sum(axis=1) > decided).any():
            raise InputError(
                f"{name}: with it more labels would be known than there are rows, overall or in a group. They are of "
                "rows that were not counted, or were given before."
            )


def _order(monitor: Monitor) -> Callable[[str], tuple[int, int, str]]:
    """Return what sorts series: limits first, in the order of the policy, then as they are watched."""
    own = [*(str(watch.key) for watch in monitor.limits.watches), *(one.key for one in monitor.detector.watched)]
    places = {key: at for at, key in enumerate(own)}

    def order(name: str) -> tuple[int, int, str]:
        kind, _, key = name.partition(" ")
        return KINDS.index(kind), places.get(key, len(places)), key

    return order


def _of_limit(at: int, one: Said, alone: float | None) -> Row:
    found = one.finding
    if found is None:
        return _row(at, None, None, None, 0, one.status, alone)
    ends = (None, None) if found.interval is None else (found.interval.low, found.interval.high)
    return _row(at, found.estimate, *ends, found.support, one.status, alone)


def _row(
    at: int, estimate: float | None, low: float | None, high: float | None, rows: int, status: str | None,
    alone: float | None,
) -> Row:  # fmt: skip
    return at, rounded(estimate), rounded(low), rounded(high), rows, status, rounded(alone)
