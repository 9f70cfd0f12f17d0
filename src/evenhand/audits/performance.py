"""Performance of the model over all rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import Quantity, of_scores, state
from evenhand.audits.statement import Audit, Statement
from evenhand.evidence.answering import answers
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence

NAME = "performance"
NO_PREFERENCE: Final = 0.5
"""The share of pairs of which a model without a preference finds one text likelier."""
SAYS_ALL: Final = {
    "accuracy": message("Answers are graded right or wrong: accuracy says all of them."),
    "stereotype_rate": message(
        "Of each pair of texts one is stereotypical, and which of them is likelier says all; 50 % is no preference."
    ),
}
"""Why only one metric is stated."""


def performance(evidence: Evidence) -> Statement:
    """State the metrics of the confusion table and the areas under curves, each with its interval."""
    graded = evidence.data.graded
    findings = list(answers(evidence, NAME).all(Key.of(metric) for metric in stated("overall", graded=graded)))
    if graded == "stereotype_rate":
        findings += _distances(evidence)
    if evidence.predictions.y_score is None:
        if graded:
            return Statement(tuple(findings), SAYS_ALL[graded])
        reason = message("The model gives decisions without scores, so nothing is said of its ranking (ROC AUC).")
        return Statement(tuple(findings), reason)
    for metric in stated("ranking"):
        findings += state(evidence, NAME, Quantity(metric, of_scores(evidence, metric), "score"), ())
    return Statement(tuple(findings))


def _distances(evidence: Evidence) -> Iterator[Finding]:
    """State how far the share of preferred stereotypes is from one half, over all rows and in each group."""
    answer = answers(evidence, NAME)
    for columns in ((), *(grouping.columns for grouping in evidence.groupings)):
        for found in answer.of_groups("stereotype_rate", columns):
            key, held, share = Key("stereotype_distance", found.key.features), found.interval, found.estimate
            if held is None or held.low is None or held.high is None or share is None:
                yield replace(found, key=key, direction="lower_is_better")
                continue
            low, high = held.low - NO_PREFERENCE, held.high - NO_PREFERENCE
            ends = replace(held, low=max(0.0, low, -high), high=max(high, -low))
            yield Finding(
                key,
                NAME,
                abs(share - NO_PREFERENCE),
                ends,
                found.support,
                "lower_is_better",
                component="stereotype_rate",
            )


AUDIT: Final = Audit(performance)
