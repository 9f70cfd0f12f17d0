"""Every limit of the policy, judged by intervals that hold at all times and for all starting batches together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Absent, Finding
from evenhand.messages import message
from evenhand.metrics.answers.always_valid import always_valid_answers
from evenhand.metrics.answers.answering import Answers
from evenhand.monitoring.live_counts import LiveCounts, by_decision_alone, is_known, unknown_decisions
from evenhand.monitoring.windows import weight
from evenhand.policy.deciding import ends_of, status
from evenhand.policy.matching import instances

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.keys import Key
    from evenhand.messages import Message
    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.windows import Counts, Windows
    from evenhand.policy.limits import Limit, Policy, Status

SELECTIVE: Final = message(
    "It cannot be known: labels are known of some decisions only, or of one much more often than of another, and it "
    "rests on the others, too."
)
CHANGE: Final = message("It is about a change from an earlier audit; live batches are not judged by it.")


@dataclass(frozen=True, slots=True)
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
    reason: Message | None = None
    """Why it cannot be known."""
    failed: tuple[int, Finding] | None = None
    """The starting batch since which it fails, and the finding since then."""


class Limits:
    """Judges the limits of a policy on live counts.

    Parameters
    ----------
    policy : Policy
        Its limits; those that need a declaration are about the audit and left out.
    baseline : Baseline
        Names the groups: the limits are those instances that its counts have.
    error : float
        The probability with which any limit is ever said to have failed that holds; split evenly over the limits, and
        over starting batches by `weight`. A limit passes with as small an error.
    """

    def __init__(self, policy: Policy, baseline: Baseline, error: float) -> None:
        self.policy, self.baseline = policy, baseline
        self.watches = tuple(_watches(policy, baseline))
        self.each = error / max(len(self.watches), 1)

    def judged(self, windows: Windows) -> Iterator[Said]:
        """Yield what each limit comes to by the sums since each starting batch."""
        kept = {start: (_Asked(self.baseline, counts, self.each * weight(start))) for start, counts in windows.items()}
        for watch in self.watches:
            yield self._judge(watch, kept)

    def alone(self, watch: Watch, counts: Counts) -> float | None:
        """Return the estimate of a limit by the rows of one batch."""
        found = Answers(LiveCounts(self.baseline, counts, labelled=watch.labelled), QUICK)(watch.key)
        return None if isinstance(found, Absent) else found.estimate

    def _judge(self, watch: Watch, kept: dict[int, _Asked]) -> Said:
        if watch.limit.against:
            return Said(watch, None, "undecided", CHANGE)
        whole = kept[0]
        if watch.labelled and not is_known(watch.key, whole.unknown):
            return Said(watch, None, "undecided", SELECTIVE)
        found = whole.answer(watch)
        if isinstance(found, Absent):
            return Said(watch, None, "undecided", found.reason)  # type: ignore[arg-type]
        failed = self._failed(watch, kept)
        if found.estimate is None or found.uncovered:
            said = status((None, None), watch.limit)
        else:
            said = status(ends_of(found, watch.limit, self.policy), watch.limit)
        return Said(watch, found, "failed" if failed else said, None, failed)

    def _failed(self, watch: Watch, kept: dict[int, _Asked]) -> tuple[int, Finding] | None:
        """Return the first starting batch since which the limit fails."""
        for start in sorted(kept):
            if not kept[start].may_fail(watch):
                continue
            found = kept[start].answer(watch)
            if isinstance(found, Absent) or found.estimate is None or found.uncovered:
                continue
            if status(ends_of(found, watch.limit, self.policy), watch.limit) == "failed":
                return start, found
        return None


class _Asked:
    """The answers of one starting batch; each is computed when it is asked for."""

    def __init__(self, baseline: Baseline, counts: Counts, error: float) -> None:
        self.unknown = unknown_decisions(counts)
        sources = {labelled: LiveCounts(baseline, counts, labelled=labelled) for labelled in (True, False)}
        self._quick = {labelled: Answers(source, QUICK) for labelled, source in sources.items()}
        self._valid = {labelled: always_valid_answers(source, error) for labelled, source in sources.items()}

    def answer(self, watch: Watch) -> Finding | Absent:
        """Return the finding with its always-valid interval."""
        return self._valid[watch.labelled](watch.key)

    def may_fail(self, watch: Watch) -> bool:
        """Return whether the estimate is beyond the limit; no interval is outside that has it inside."""
        found = self._quick[watch.labelled](watch.key)
        if isinstance(found, Absent) or found.estimate is None:
            return False
        limit = watch.limit
        return found.estimate > limit.bound if limit.at_most is not None else found.estimate < limit.bound


QUICK: Final = 0.5
"""The level of the intervals that nothing is judged by: estimates are all that is used of them."""


def _watches(policy: Policy, baseline: Baseline) -> Iterator[Watch]:
    record = baseline.record
    cells = np.asarray(baseline.parts[0].counts).sum()
    answer = Answers(LiveCounts(baseline, {f"labelled.{at}": np.asarray(part.counts) for at, part in enumerate(baseline.parts)}, labelled=True), policy.confidence)
    for limit in policy.limits:
        if limit.required or not cells:
            continue
        for key in instances(limit, record, policy) or (limit.key,):
            found = None if limit.against else answer(key)
            before = None if found is None or isinstance(found, Absent) else found.estimate
            yield Watch(limit, key, not by_decision_alone(key), before)
