"""Impact ratios, scoring ratios, shares, inequality between groups, and consistency."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import between, selected, values
from evenhand.audits.statement import Audit, Statement, group_key, labels_of, not_applicable
from evenhand.evidence.answering import answers
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import Tally, measure
from evenhand.metrics.answers.all_groups import beside_the_highest
from evenhand.metrics.answers.questions import OF_ALL, SHARES
from evenhand.metrics.catalogue.names import HOWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics.answers.answering import Answers

NAME = "impact"
NEIGHBOURS: Final = 5
MOST_COMPARED: Final = 2_000
"""The most rows whose neighbours are searched for; of more, a seeded sample."""


def impact(evidence: Evidence) -> Statement:
    """State each group's impact ratio, its share of the selected, and inequality between all groups."""
    if evidence.data.graded:
        return not_applicable("A language model is asked here; nobody is selected by its answers.")
    findings: list[Finding] = list(_consistency(evidence))
    if not evidence.groupings:
        return Statement(tuple(findings)) if findings else not_applicable("No sensitive feature was named.")
    answer = answers(evidence, NAME)
    for grouping in evidence.groupings:
        findings += _of_counts(evidence, answer, grouping)
        findings += _scoring(evidence, grouping)
    return Statement(tuple(findings))


def _of_counts(evidence: Evidence, answer: Answers, grouping: Grouping) -> Iterator[Finding]:
    """State what counts say of all groups together: ratios to the highest, shares of the selected, inequality."""
    columns, rate = grouping.columns, selected(evidence, grouping)[0]
    groups = [labels_of(grouping, at) for at in range(len(grouping))]
    yield from answer.all(Key.of(f"{rate}_ratio", group, vs="highest") for group in groups)
    yield from answer.all(Key.of(metric, group) for group in groups for metric in SHARES)
    yield from answer.all(Key.of(metric, columns) for metric in OF_ALL)


def _scoring(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State the share of each group that scores above the median of all, for tools that score rather than select."""
    data, scores, level = evidence.data, evidence.predictions.y_score, evidence.options.level
    if scores is None:
        return
    if data.roles.favourable_is_positive is False:
        scores = -scores  # a high score is unfavourable here
    if data.frequency is None:
        middle = np.quantile(scores, 0.5, method="inverted_cdf")
    else:
        order = np.argsort(scores, kind="stable")
        upto = np.cumsum(data.frequency[order])
        middle = scores[order][np.searchsorted(upto, upto[-1] / 2)]
    above = (scores > middle).astype(np.int8)
    worth = data.sample_weight, data.frequency, data.clusters
    tally = Tally.count(above, above, grouping.codes, len(grouping), *worth)
    found = replace(measure("selection_rate", tally, level), metric="scoring_rate")
    yield from values(NAME, "scoring_rate", found, grouping, level)
    yield from between(NAME, "scoring_rate", found, HOWS, grouping, level)
    keys = [group_key("scoring_rate_ratio", grouping, group, vs="highest") for group in range(len(grouping))]
    names = [grouping.name(group) for group in range(len(grouping))]
    yield from beside_the_highest(keys, NAME, names, found, level)


def _consistency(evidence: Evidence) -> Iterator[Finding]:
    """State whether rows with similar model inputs get the same decision (consistency)."""
    data, seed = evidence.data, evidence.options.seed
    if not data.features or evidence.reads != "table" or data.frequency is not None or len(data) <= NEIGHBOURS:
        return
    from evenhand.evidence.consistency import consistency, places

    rows = np.arange(len(data))
    if len(rows) > MOST_COMPARED:
        rows = np.sort(np.random.default_rng([seed, 11]).choice(len(rows), size=MOST_COMPARED, replace=False))
    points = places(data.X.iloc[rows])
    if not points.shape[1]:
        return
    value = consistency(points, evidence.predictions.y_pred[rows], NEIGHBOURS)
    note = "" if len(rows) == len(data) else message("Of a sample of {rows:,} rows.", rows=len(rows))
    yield Finding(Key.of("consistency"), NAME, value, support=len(rows), direction="higher_is_better", note=note)


AUDIT: Final = Audit(impact)
