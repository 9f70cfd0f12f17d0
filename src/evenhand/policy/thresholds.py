"""Judge a policy at every threshold: where all limits hold, and where the model is today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from evenhand.errors import PolicyError
from evenhand.findings import AuditRecord, GroupCounts
from evenhand.metrics.answers import is_counted
from evenhand.policy.deriving import derived
from evenhand.policy.judging import judge_limit

if TYPE_CHECKING:
    from evenhand.keys import Key
    from evenhand.policy.limits import Limit, Policy, Status
    from evenhand.policy.verdict import Judgement
    from evenhand.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Step:
    """The judgements of a policy at one threshold."""

    threshold: float
    """A score at or above it is predicted positive."""
    in_use: bool
    """Whether the audited model decides at it."""
    accuracy: float | None
    """Of all rows."""
    selection_rate: float | None
    """Of all rows."""
    judgements: tuple[Judgement, ...]
    """Each limit that counts can judge."""

    @property
    def status(self) -> Status:
        """The worst of its judgements."""
        found = {judgement.status for judgement in self.judgements if not judgement.limit.advisory}
        return "failed" if "failed" in found else "undecided" if "undecided" in found else "passed"


@dataclass(frozen=True, slots=True)
class Sweep:
    """A policy at every threshold that the record has counts of."""

    steps: tuple[Step, ...]
    """By increasing threshold."""
    left_out: tuple[str, ...]
    """Limits that counts of decisions cannot judge."""

    def regions(self, status: Status) -> tuple[tuple[float, float], ...]:
        """Return the runs of neighbouring thresholds with this status, each by its first and last."""
        found: list[tuple[float, float]] = []
        before = False
        for step in self.steps:
            here = step.status == status
            if here:
                first = found.pop()[0] if before else step.threshold
                found.append((first, step.threshold))
            before = here
        return tuple(found)

    @property
    def operating_point(self) -> Step | None:
        """The threshold of the greatest accuracy among those where all limits hold; None when there is none."""
        passed = [step for step in self.steps if step.status == "passed"]
        return max(passed, key=lambda step: (step.accuracy or 0.0, step.in_use), default=None)


def sweep(record: AuditRecord, policy: Policy) -> Sweep:
    """Judge a policy at every threshold, from the counts by score that a record keeps.

    Raises
    ------
    PolicyError
        When the record has no counts by score, or no limit is about decisions.
    RecordError
        When the record contradicts itself.
    """
    return sweep_derived(derived(record), policy)


def sweep_derived(record: AuditRecord, policy: Policy) -> Sweep:
    """Judge a policy at every threshold of a record that was derived; the rest is as `sweep` has it."""
    edges = record.provenance.get("score_edges")
    if edges is None:
        raise PolicyError("The record has no counts by score: audit scores of two classes, without weights.")
    limits = [limit for limit in policy.limits if not limit.required and not limit.against and _moves(limit.key)]
    left = tuple(str(limit.key) for limit in policy.limits if limit not in limits)
    if not limits:
        raise PolicyError(f"{policy.name}: no limit is about decisions, so none changes with the threshold.")
    in_use = record.provenance.get("subject", {}).get("threshold")
    steps = tuple(
        _step(at_threshold(record, place), edge, edge == in_use, limits, policy) for place, edge in enumerate(edges)
    )
    return Sweep(steps, left)


def _moves(key: Key) -> bool:
    """Whether a limit's value changes with the threshold in use; one at a threshold that is named does not."""
    return is_counted(key.metric) and key.qualifier("threshold") is None


def at_threshold(record: AuditRecord, place: int) -> AuditRecord:
    """Return the record with the counts at one threshold, without the findings, which are of another."""
    from numpy import asarray, int64

    from evenhand.metrics.values.thresholds import tally_at

    tallies = tuple(
        GroupCounts(
            "subject",
            part.columns,
            part.groups,
            ("group", "true", "predicted"),
            tally_at(asarray(part.counts, dtype=int64), place).counts.tolist(),
        )
        for part in record.tallies
        if part.model == "scores"
    )
    subject = {**record.provenance.get("subject", {}), "threshold": record.provenance["score_edges"][place]}
    provenance = cast("Provenance", {**record.provenance, "subject": subject})
    return replace(record, findings=(), tallies=tallies, provenance=provenance)


def _step(record: AuditRecord, threshold: float, in_use: bool, limits: list[Limit], policy: Policy) -> Step:
    judged = tuple(judgement for limit in limits for judgement in judge_limit(limit, record, policy, None))
    accuracy, selected = (
        None if found is None else found.estimate for found in map(record.get, ("accuracy", "selection_rate"))
    )
    return Step(threshold, in_use, accuracy, selected, judged)
