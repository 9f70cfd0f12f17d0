"""Every metric for each group, and the disparities between groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import between, of_scores, values
from evenhand.audits.statement import Audit, Statement, disparity_finding, not_applicable
from evenhand.evidence.answering import answers
from evenhand.keys import Key
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.comparisons.distributions import ScoreGrid, score_distance, score_transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics.answers.answering import Answers
    from evenhand.metrics.catalogue.entry import How

NAME = "fairness"
SCORE_GAPS: dict[str, tuple[How, ...]] = {"roc_auc": ("difference", "group_min"), "mean_score": ("difference",)}
"""The comparisons between groups of score metrics."""
MOST_PAIRED = 200
"""For features of more groups, score distributions are not compared pairwise."""


def fairness(evidence: Evidence) -> Statement:
    """State each metric for each group and intersection, and the disparities over them."""
    if not evidence.groupings:
        return not_applicable("No sensitive feature was named, so nothing is said about groups.")
    answer, graded = answers(evidence, NAME), evidence.data.graded
    findings: list[Finding] = []
    scores = evidence.predictions.y_score
    grid = None if scores is None or scores.ndim > 1 else ScoreGrid.of(scores)
    for grouping in evidence.groupings:
        for metric in (*stated("group", graded=graded), *(() if graded else ("favourable_rate",))):
            findings += answer.of_groups(metric, grouping.columns)
        findings += _of_scores(evidence, grouping)
        gaps = (*stated("gap", graded=graded), *stated("favourable gap", graded=graded))
        findings += answer.all(Key.of(name, grouping.columns) for name in gaps)
        findings += _of_distributions(evidence, grouping, grid)
        if len(grouping.columns) == 1:
            findings += _to_reference(answer, grouping.columns, graded)
    return Statement(tuple(findings))


def _to_reference(answer: Answers, columns: tuple[str, ...], graded: str) -> Iterator[Finding]:
    """State the widest gap between a group and all rows, and between a group and the other groups."""
    gaps = stated("gap to a reference", graded=graded)
    return answer.all(Key.of(name, columns, vs=to) for name in gaps for to in ("overall", "rest"))


def _of_scores(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State the score metrics of each group, measured once, and their gaps."""
    level = evidence.options.level
    if evidence.predictions.y_score is None:
        return
    for metric in stated("score"):
        found = of_scores(evidence, metric)(grouping)
        yield from values(NAME, metric, found, grouping, level, "score")
        yield from between(NAME, metric, found, SCORE_GAPS.get(metric, ()), grouping, level)


def _of_distributions(evidence: Evidence, grouping: Grouping, grid: ScoreGrid | None) -> Iterator[Finding]:
    """State the distances between the groups' score distributions."""
    data, scores, level = evidence.data, evidence.predictions.y_score, evidence.options.level
    if scores is None or len(grouping) > MOST_PAIRED or data.sample_weight is not None or data.clusters is not None:
        return
    apart = score_distance(scores, grouping.codes, len(grouping), level, data.frequency, grid)
    yield disparity_finding(Key.of("score_distance", grouping.columns), NAME, apart, grouping, level)
    moved = score_transport(scores, grouping.codes, len(grouping), level, data.frequency, grid)
    yield disparity_finding(Key.of("score_transport", grouping.columns), NAME, moved, grouping, level, "number")


AUDIT: Final = Audit(fairness)
