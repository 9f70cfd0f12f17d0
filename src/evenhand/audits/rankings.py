"""Ranking metrics: quality of the order, and exposure of each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import state
from evenhand.audits.quantities import OF_LISTS, of_items
from evenhand.audits.statement import Audit, Statement, value_finding
from evenhand.keys import Key
from evenhand.metrics.values.ranking import ndcg

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
    for metric in OF_LISTS:
        for quantity in of_items(evidence, metric):
            findings += state(evidence, NAME, quantity)
    return Statement(tuple(findings))


AUDIT: Final = Audit(rankings, frozenset({"ranking"}))
