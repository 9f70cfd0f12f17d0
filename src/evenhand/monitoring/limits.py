"""Every limit of the policy, judged by intervals that hold at all times and for all starting batches together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Absent, Finding
from evenhand.messages import message
from evenhand.metrics.answers.always_valid import always_valid_answers
from evenhand.metrics.answers.answering import Answers
from evenhand.monitoring.live_counts import LiveCounts, by_decision_alone, is_known, unknown_decisions, unknown_since
from evenhand.monitoring.ranking import LiveAnswers
from evenhand.monitoring.screening import cannot_fail
from evenhand.monitoring.windows import weight
from evenhand.policy.deciding import ends_of, status
from evenhand.policy.matching import instances

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from evenhand.keys import Key
    from evenhand.messages import Message
    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.windows import Counts, Windows
    from evenhand.policy.limits import Limit, Policy, Status

SELECTIVE: Final = message(
    "It cannot be known: labels are known of some decisions only, or of one much more often than of another, and it "
    "rests on the others, too."
)
COMPARED: Final = message(
    "That was decided at the release, beside another model; live batches have no decisions of it."
)


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """One limit on one key."""

    limit: Limit
    """The limit."""
    key: Key
    """What it is judged on."""
    labelled: bool
    """Whether it needs labels."""
    baseline: float | None = None
    """The value at the audit."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a limit comes to."""

    watch: Watch
    """The limit."""
    finding: Finding | None
    """Since the first batch; None where it cannot be known or computed."""
    status: Status
    """Passed when all starting batches allow it."""
    failed: tuple[int, Finding] | None = None
    """The starting batch since which it fails, and the finding since then."""


class Limits:
    """Judges the limits of a policy on live counts.

    Parameters
    ----------
    policy : Policy
        Its limits. Those that need a declaration are about the audit and left out.
    baseline : Baseline
        Names the groups: the limits are those instances that its counts have.
    error : float
        The probability with which any limit is ever said to have failed that holds; split evenly over the limits, and
        over starting batches by `weight`. A limit passes with as small an error.
    """

    def __init__(self, policy: Policy, baseline: Baseline, error: float) -> None:
        self.policy, self.baseline = policy, baseline
        found = list(_watches(policy, baseline))
        self.watches = tuple(watch for watch, why in found if why is None)
        self.aside = tuple((_name(watch), why) for watch, why in found if why is not None)
        """What live batches can never say, and why: comparisons with another model, and where the policy lets pass what
        is missing, what counts do not say."""
        self.each = error / max(len(self.watches), 1)

    def judged(self, windows: Windows, known: Collection[str] = ()) -> Iterator[Said]:
        """Yield what each limit comes to by the sums since each starting batch.

        Parameters
        ----------
        windows : Windows
            The sums since each starting batch.
        known : collection of str
            The keys that are known to have failed; they are not looked for again.
        """
        failed = self.failed(windows, known)
        whole = _Asked(self.baseline, windows[0], self.each * weight(0))
        unknown = unknown_since(windows)
        for watch in self.watches:
            over = str(watch.key) in known
            if watch.labelled and not is_known(watch.key, unknown):
                yield Said(watch, None, "failed" if over else "undecided")
            else:
                yield self._judge(watch, whole, failed.get(watch), over=over)

    def failed(self, windows: Windows, known: Collection[str] = ()) -> dict[Watch, tuple[int, Finding]]:
        """Return the limits that fail, each with the first starting batch that shows it, and the finding since then."""
        found: dict[Watch, tuple[int, Finding]] = {}
        if not windows:
            return found
        unknown = unknown_since(windows)
        left = [
            watch for watch in self.watches
            if str(watch.key) not in known and (not watch.labelled or is_known(watch.key, unknown))
        ]  # fmt: skip
        for start in sorted(windows):
            asked = _Asked(self.baseline, windows[start], self.each * weight(start))
            for watch in left:
                if watch not in found and asked.may_fail(watch) and (shown := self._shown(asked, watch)) is not None:
                    found[watch] = start, shown
        return found

    def reason(self, watch: Watch, windows: Windows) -> Message | None:
        """Return why a limit cannot be judged; None where it can."""
        if watch.labelled and not is_known(watch.key, unknown_since(windows)):
            return SELECTIVE
        found = _quick(watch, self.baseline, windows[0])
        return found.reason if isinstance(found, Absent) else None

    def alone(self, watch: Watch, counts: Counts) -> float | None:
        """Return the estimate of a limit by the rows of one batch; None where its labels do not tell it."""
        if watch.labelled and not is_known(watch.key, unknown_decisions(counts)):
            return None
        found = _quick(watch, self.baseline, counts)
        return None if isinstance(found, Absent) else found.estimate

    def _judge(self, watch: Watch, whole: _Asked, failed: tuple[int, Finding] | None, *, over: bool) -> Said:
        found = whole.answer(watch)
        if isinstance(found, Absent):
            return Said(watch, None, "undecided")
        open_ends = found.estimate is None or bool(found.uncovered)
        ends = (None, None) if open_ends else ends_of(found, watch.limit, self.policy)
        return Said(watch, found, "failed" if failed or over else status(ends, watch.limit), failed)

    def _shown(self, asked: _Asked, watch: Watch) -> Finding | None:
        """Return the finding since a starting batch where the limit fails by it."""
        found = asked.answer(watch)
        if isinstance(found, Absent) or found.estimate is None or found.uncovered:
            return None
        return found if status(ends_of(found, watch.limit, self.policy), watch.limit) == "failed" else None


class _Asked:
    """The answers of one starting batch; each is computed when it is asked for."""

    def __init__(self, baseline: Baseline, counts: Counts, error: float) -> None:
        self._error = error
        self._quick, self._valid = {}, {}
        for labelled in (True, False):
            source = LiveCounts(baseline, counts, labelled=labelled)
            self._quick[labelled] = LiveAnswers(Answers(source, QUICK), counts, QUICK)
            self._valid[labelled] = LiveAnswers(always_valid_answers(source, error), counts, error)

    def answer(self, watch: Watch) -> Finding | Absent:
        """Return the finding with its always-valid interval."""
        return self._valid[watch.labelled](watch.key)

    def may_fail(self, watch: Watch) -> bool:
        """Return whether an interval could be outside the limit; that is found out without one."""
        quick, limit = self._quick[watch.labelled], watch.limit
        if cannot_fail(quick.answers, watch.key, limit, self._error):
            return False
        found = quick(watch.key)
        if isinstance(found, Absent) or found.estimate is None:
            return False
        return found.estimate > limit.bound if limit.at_most is not None else found.estimate < limit.bound


QUICK: Final = 0.5
"""The level of the intervals that nothing is judged by: estimates are all that is used of them."""


def _quick(watch: Watch, baseline: Baseline, counts: Counts) -> Finding | Absent:
    """Return the finding of a limit, of which the estimate alone counts."""
    source = LiveCounts(baseline, counts, labelled=watch.labelled)
    return LiveAnswers(Answers(source, QUICK), counts, QUICK)(watch.key)


def _name(watch: Watch) -> str:
    return f"{watch.key} max_drop" if watch.limit.against else str(watch.key)


def _watches(policy: Policy, baseline: Baseline) -> Iterator[tuple[Watch, Message | None]]:
    """Yield every limit on every key, with why live batches can never be judged by it; None where they can."""
    record = baseline.record
    cells = np.asarray(baseline.parts[0].counts).sum()
    counts = {f"labelled.{at}": np.asarray(part.counts) for at, part in enumerate(baseline.parts)}
    if baseline.calibration:
        counts["calibration"] = np.asarray(baseline.calibration)
    answer = LiveAnswers(Answers(LiveCounts(baseline, counts, labelled=True), QUICK), counts, QUICK)
    for limit in policy.limits:
        if limit.required or not cells:
            continue
        for key in instances(limit, record, policy) or (limit.key,):
            found, why = answer(key), None
            if limit.against or key.qualifier("of") == "original":
                why = COMPARED
            elif isinstance(found, Absent) and limit.missing != "stop":
                why = found.reason
            before = None if isinstance(found, Absent) else found.estimate
            yield Watch(limit, key, not by_decision_alone(key), before), why
