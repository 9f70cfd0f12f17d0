"""Performance of the model over all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import Quantity, of_scores, state
from evenhand.audits.statement import Audit, Statement
from evenhand.evidence.answering import answers
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from evenhand.evidence import Evidence

NAME = "performance"


def performance(evidence: Evidence) -> Statement:
    """State the metrics of the confusion table and the areas under curves, each with its interval."""
    graded = evidence.data.graded
    findings = list(answers(evidence, NAME).all(Key.of(metric) for metric in stated("overall", graded=graded)))
    if evidence.predictions.y_score is None:
        if graded:
            return Statement(tuple(findings), message("Answers are graded right or wrong: accuracy says all of them."))
        reason = message("The model gives decisions without scores, so nothing is said of its ranking (ROC AUC).")
        return Statement(tuple(findings), reason)
    for metric in stated("ranking"):
        findings += state(evidence, NAME, Quantity(metric, of_scores(evidence, metric), "score"), ())
    return Statement(tuple(findings))


AUDIT: Final = Audit(performance)
