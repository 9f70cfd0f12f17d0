"""Whom the model treats how: every metric for every group, and the disparities between groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from evenhand.audits.statement import Statement, disparity_finding, group_key, not_applicable, value_finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import SCORES, Tally, compare, disparity, disparity_to, measure
from evenhand.metrics.catalogue.names import HOWS, How, extra_metrics
from evenhand.metrics.comparisons.distributions import score_distance, score_transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "fairness"
BY_GROUP = (
    "base_rate",
    "selection_rate",
    "accuracy",
    "recall",
    "false_positive_rate",
    "false_negative_rate",
    "specificity",
    "precision",
    "f1",
    "balanced_accuracy",
)
DISPARITIES = (
    "base_rate_difference",
    "selection_rate_difference",
    "selection_rate_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "average_odds_difference",
    "recall_difference",
    "recall_ratio",
    "false_positive_rate_difference",
    "false_positive_rate_ratio",
    "false_negative_rate_difference",
    "precision_difference",
    "precision_ratio",
    "accuracy_difference",
    "accuracy_ratio",
    "f1_difference",
    "balanced_accuracy_difference",
    "accuracy_group_min",
    "recall_group_min",
    "precision_group_min",
    "selection_rate_group_min",
    "false_positive_rate_group_max",
    "false_negative_rate_group_max",
)
TO_REFERENCE = (
    "selection_rate_difference",
    "selection_rate_ratio",
    "recall_difference",
    "false_positive_rate_difference",
    "precision_difference",
    "accuracy_difference",
)
"""Compared with all rows, too, and with the rows of the other groups."""
REFERENCES: tuple[Literal["overall", "rest"], ...] = ("overall", "rest")
SCORED = ("roc_auc", "average_precision", "mean_score")
SCORE_GAPS: dict[str, tuple[How, ...]] = {"roc_auc": ("difference", "group_min"), "mean_score": ("difference",)}
"""Gaps that are stated beside these."""
MOST_PAIRED = 200
"""For features of more groups whole distributions of scores are not compared pair by pair."""
FAVOURABLE = ("favourable_rate_difference", "favourable_rate_ratio")


def fairness(evidence: Evidence) -> Statement:
    """State each metric for each group and intersection, and the disparities over them."""
    if not evidence.groupings:
        return not_applicable(message("No sensitive feature was named, so nothing is said about groups."))
    findings: list[Finding] = []
    for grouping in evidence.groupings:
        findings += _of_groups(evidence, grouping)
        findings += _between_groups(evidence, grouping)
        if len(grouping.columns) == 1:
            findings += _to_reference(evidence, grouping)
    return Statement(tuple(findings))


def _of_groups(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    level = evidence.options.level
    favourable = evidence.favourable_tally(grouping)
    brought = tuple(metric.name for metric in extra_metrics())
    parts = [(metric, measure(metric, evidence.tally(grouping), level)) for metric in (*BY_GROUP, *brought)]
    if favourable is not None:
        parts.append(("favourable_rate", measure("favourable_rate", favourable, level)))
    for metric, measured in parts:
        for group in range(len(grouping.labels)):
            yield value_finding(group_key(metric, grouping, group), NAME, measured, group, level)
    if evidence.predictions.y_score is not None:
        yield from _of_scores(evidence, grouping)


def _of_scores(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State what scores say of each group, measured once, and the gaps in it."""
    predictions, level, groups = evidence.predictions, evidence.options.level, len(grouping.labels)
    for metric in SCORED:
        found = SCORES[metric](
            predictions.y_true, predictions.y_score, grouping.codes, groups, level, **evidence.worth
        )  # fmt: skip
        for group in range(groups):
            yield value_finding(group_key(metric, grouping, group), NAME, found, group, level, unit="score")
        for how in SCORE_GAPS.get(metric, ()):
            key = Key.of(f"{metric}_{how}", grouping.columns)
            yield disparity_finding(key, NAME, compare(found, how, level), grouping, level)


def _to_reference(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State the widest gap of a group to all rows, and to the rows of the other groups."""
    level, tally = evidence.options.level, evidence.tally(grouping)
    for name in TO_REFERENCE:
        for to in REFERENCES:
            key = Key.of(name, grouping.columns, vs=to)
            yield disparity_finding(key, NAME, disparity_to(name, tally, to, level), grouping, level)


def _between_groups(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    level = evidence.options.level
    brought = tuple(f"{metric.name}_{how}" for metric in extra_metrics() for how in HOWS)
    tallies: list[tuple[tuple[str, ...], Tally | None]] = [
        ((*DISPARITIES, *brought), evidence.tally(grouping)),
        (FAVOURABLE, evidence.favourable_tally(grouping)),
    ]
    for names, tally in tallies:
        for name in names if tally is not None else ():
            key = Key.of(name, grouping.columns)
            assert tally is not None  # no name is looked at without a tally
            yield disparity_finding(key, NAME, disparity(name, tally, level), grouping, level)
    scores = evidence.predictions.y_score
    if scores is not None:
        groups = len(grouping.labels)
        if groups <= MOST_PAIRED and evidence.data.sample_weight is None and evidence.data.clusters is None:
            apart = score_distance(scores, grouping.codes, groups, level, evidence.data.frequency)
            yield disparity_finding(Key.of("score_distance", grouping.columns), NAME, apart, grouping, level)
            moved = score_transport(scores, grouping.codes, groups, level, evidence.data.frequency)
            yield disparity_finding(Key.of("score_transport", grouping.columns), NAME, moved, grouping, level, "number")
