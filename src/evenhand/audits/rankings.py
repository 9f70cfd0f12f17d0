"""Ranking metrics: quality of the order, and exposure of each group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import Quantity, over_rows, state
from evenhand.audits.statement import Audit, Statement, value_finding
from evenhand.keys import Key
from evenhand.metrics.values.ranking import exposure, exposure_to_merit, ndcg

if TYPE_CHECKING:
    from evenhand.evidence import Evidence

NAME = "rankings"
FIRST = (5, 10)
"""The cut-off k of NDCG at k."""


def rankings(evidence: Evidence) -> Statement:
    """State NDCG over lists, and for each group the exposure of its items, plain and per merit."""
    relevance, score, level = evidence.predictions.y_true, evidence.predictions.y_pred, evidence.options.level
    query = evidence.data.table[evidence.data.roles.query].to_numpy()
    whole = ndcg(relevance, score, query, level=level)
    findings = [value_finding(Key.of("ndcg"), NAME, whole, 0, level, "score")]
    for at in FIRST:
        found = ndcg(relevance, score, query, at=at, level=level)
        findings.append(value_finding(Key.of("ndcg", at=str(at)), NAME, found, 0, level, "score"))
    attention = partial(exposure, score, query, level=level)
    merit = partial(exposure_to_merit, relevance, score, query, level=level)
    findings += state(evidence, NAME, Quantity("exposure", over_rows(evidence, attention), "score"))
    findings += state(evidence, NAME, Quantity("exposure_to_merit", over_rows(evidence, merit), "number"))
    return Statement(tuple(findings))


AUDIT: Final = Audit(rankings, frozenset({"ranking"}))
