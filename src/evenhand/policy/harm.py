"""Which way a rate harms: by the outcome that is declared favourable, else by the metric's own direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.metrics import METRICS, describe

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.keys import Key

WORSE: Final = {"higher_is_better": -1, "lower_is_better": 1, "neutral": 0}


def harm_of(key: Key, metric: str, record: AuditRecord) -> int:
    """Return 1 where a higher value of a rate harms the group, -1 where a lower one does, 0 where nothing says it.

    A rate of decisions among people of the same truth (recall, false positive rate, selection rate) is good or bad for
    them as the decision is: where the positive outcome is unfavourable, the group of the higher recall is the one that
    is harmed. Other metrics (accuracy, precision) have a direction of their own.
    """
    if metric == "favourable_rate":
        return -1
    rate = METRICS.get(metric.removesuffix("_change"))
    decision = None if rate is None else rate.decision
    good = _favourable(key, record)
    if decision is None or good is None:
        return WORSE[describe(metric).direction]
    return -1 if (decision == 1) == good else 1


def _favourable(key: Key, record: AuditRecord) -> bool | None:
    """Whether the positive outcome of a key, or its class, is the favourable one; None where that is not known."""
    data = record.provenance.get("data", {})
    good, chosen = data.get("favourable"), key.qualifier("class")
    if good is None:
        return None
    positive = data.get("positive") if chosen is None else chosen
    if str(positive) == str(good):
        return True
    # of several classes, what is not the favourable one may still not be bad
    return None if "classes" in data or positive is None else False
