"""Multiclass metrics: each class against the rest, all classes together, and distances between groups."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import Quantity, counted, over_rows, state
from evenhand.audits.statement import Audit, Statement, disparity_finding
from evenhand.evidence.answering import answers
from evenhand.keys import Key
from evenhand.metrics import calibration_error, means, measured_mean, roc_auc
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.comparisons.distributions import equalized_odds_distance, selection_distance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics import Measured
    from evenhand.metrics.catalogue.entry import How

NAME = "classes"


def classes(evidence: Evidence) -> Statement:
    """State metrics over all classes and of each class, for all rows and each group, and the gaps between groups."""
    answer, names = answers(evidence, NAME), [str(name) for name in evidence.data.classes]
    findings = [found for metric in stated("classes") for found in counted(answer, evidence, metric)]
    for name in names:
        for metric in stated("class"):
            findings += counted(answer, evidence, metric, (), **{"class": name})
    findings += _scores(evidence)
    for grouping in evidence.groupings:
        findings += answer.all(_disparities_of_classes(grouping.columns, names))
        findings += _distances(evidence, grouping)
    return Statement(tuple(findings))


def _disparities_of_classes(columns: tuple[str, ...], names: Sequence[str]) -> Iterator[Key]:
    """Yield each class's gaps, and the worst of them."""
    for name in stated("gap of a class"):
        yield from (Key.of(name, columns, **{"class": label}) for label in names)
        yield Key.of(name, columns)


def _distances(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State the distances between the groups' distributions of predictions."""
    level, tally = evidence.options.level, evidence.tally(grouping)
    for name, distance in (
        ("selection_distance", selection_distance),
        ("equalized_odds_distance", equalized_odds_distance),
    ):
        found = distance(tally, level)
        yield disparity_finding(Key.of(name, grouping.columns), NAME, found, grouping, level)


def _scores(evidence: Evidence) -> Iterator[Finding]:
    """State the score metrics: AUC of each class, log loss, and top-class calibration."""
    predictions, level = evidence.predictions, evidence.options.level
    scores, true = predictions.y_score, predictions.y_true
    weight, clusters = evidence.data.sample_weight, evidence.data.clusters
    if scores is None:
        return
    for chosen, name in enumerate(evidence.data.classes):
        mine = (true == chosen).astype(np.int8)
        area = over_rows(
            evidence, partial(roc_auc, mine, scores[:, chosen], level=level, weight=weight, clusters=clusters)
        )
        hows: tuple[How, ...] = ("difference", "group_min")
        yield from state(evidence, NAME, Quantity("roc_auc", area, "score", {"class": str(name)}, hows))
    if not np.allclose(scores.sum(axis=1), 1, atol=1e-3) or scores.min() < 0:
        return
    loss = -np.log(np.clip(scores[np.arange(len(true)), true], 1e-15, 1))

    def surprise(codes: NDArray[np.int32], groups: int) -> Measured:
        return measured_mean("log_loss", means(loss, codes, groups, **evidence.worth), level)

    right, sure = (scores.argmax(axis=1) == true).astype(np.int8), scores.max(axis=1)
    error = partial(calibration_error, right, sure, level=level, weight=weight, clusters=clusters)
    yield from state(evidence, NAME, Quantity("log_loss", over_rows(evidence, surprise), "score"))
    yield from state(evidence, NAME, Quantity("calibration_error", over_rows(evidence, error), "score"))


AUDIT: Final = Audit(classes, frozenset({"multiclass"}))
