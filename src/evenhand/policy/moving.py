"""Say whether another threshold keeps the limits that stop, and what it costs: from the counts by score alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenhand.metrics.answers import is_counted
from evenhand.policy.judging import judge_limit
from evenhand.policy.matching import own_key
from evenhand.policy.thresholds import at_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord
    from evenhand.policy.limits import Limit
    from evenhand.policy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Move:
    """What another threshold would do."""

    helped: tuple[Limit, ...]
    """The limits that stop today and depend on the threshold."""
    now: float | None
    """The threshold in use."""
    to: float | None
    """The threshold of the greatest accuracy at which no limit on decisions stops; None where there is none."""
    tried: int
    """How many thresholds were judged."""
    accuracy_now: float | None = None
    """Of all rows, at the threshold in use."""
    accuracy: float | None = None
    """Of all rows, at the other one."""


def another_threshold(record: AuditRecord, verdict: Verdict) -> Move | None:
    """Return what moving the threshold does for the limits that stop; None where no counts by score can say it.

    Each threshold is given up at the first limit that stops there; those that stop today are judged first, the worst
    before the others, so few limits are judged at most thresholds. Limits that are waived today stay so.
    """
    edges, policy = record.provenance.get("score_edges"), verdict.policy
    if policy is None or not edges or not any(part.model == "scores" for part in record.tallies):
        return None
    stopping = _counted([judgement.limit for judgement in verdict.judgements if judgement.stops])
    if not stopping:
        return None
    waived = {own_key(judgement.limit) for judgement in verdict.judgements if judgement.waived or judgement.known}
    others = [limit for limit in _counted(policy.blocking) if own_key(limit) not in waived]
    ordered = list(dict.fromkeys((*stopping, *others)))
    now = record.provenance.get("subject", {}).get("threshold")
    places = [at for at, edge in enumerate(edges) if edge != now]
    kept = [at for at in places if _nothing_stops(at_threshold(record, at), ordered, verdict)]
    accuracy = {at: _accuracy(record, at) or 0.0 for at in kept}
    if not kept:
        return Move(tuple(stopping), now, None, len(places))
    best = max(kept, key=lambda at: accuracy[at])
    today = None if now not in edges else _accuracy(record, edges.index(now))
    return Move(tuple(stopping), now, edges[best], len(places), today, accuracy[best])


def _counted(limits: Sequence[Limit]) -> list[Limit]:
    """Return the limits that counts of decisions can judge, each once."""
    kept = (
        limit for limit in limits if not limit.required and not limit.against and is_counted(limit.key.metric)
        and limit.key.qualifier("of") is None and limit.key.qualifier("threshold") is None
    )  # fmt: skip
    return list(dict.fromkeys(kept))


def _nothing_stops(record: AuditRecord, limits: Sequence[Limit], verdict: Verdict) -> bool:
    assert verdict.policy is not None  # without it no threshold is judged
    return not any(
        judgement.stops for limit in limits for judgement in judge_limit(limit, record, verdict.policy, None)
    )


def _accuracy(record: AuditRecord, place: int) -> float | None:
    found = at_threshold(record, place).get("accuracy")
    return None if found is None else found.estimate
