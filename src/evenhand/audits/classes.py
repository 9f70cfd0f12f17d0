"""Several classes: each against the rest, all together, and how unlike groups are predicted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import Quantity, over_rows, state
from evenhand.audits.statement import Audit, Statement, disparity_finding
from evenhand.keys import Key
from evenhand.metrics import Tally, calibration_error, disparity, means, measure, measured_mean, roc_auc
from evenhand.metrics.catalogue.names import How, parse_disparity
from evenhand.metrics.comparisons.disparities import worst_of
from evenhand.metrics.comparisons.distributions import equalized_odds_distance, selection_distance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics import Disparity, Measured

NAME = "classes"
TOGETHER = (
    "macro_recall",
    "macro_precision",
    "macro_f1",
    "weighted_precision",
    "weighted_f1",
    "matthews_correlation",
    "cohen_kappa",
)
EACH = ("base_rate", "selection_rate", "recall", "precision", "f1", "false_positive_rate")
BETWEEN = (
    "selection_rate_difference",
    "selection_rate_ratio",
    "recall_difference",
    "precision_difference",
    "false_positive_rate_difference",
    "equalized_odds_difference",
)
"""For each class against the rest, and as the worst of the classes."""


def classes(evidence: Evidence) -> Statement:
    """State metrics over all classes and of each class, for all rows and each group, and the gaps between groups."""
    findings = [*_together(evidence), *_each(evidence), *_scores(evidence)]
    for grouping in evidence.groupings:
        findings += _between(evidence, grouping)
    return Statement(tuple(findings))


def _together(evidence: Evidence) -> Iterator[Finding]:
    level = evidence.options.level

    def measured(metric: str, grouping: Grouping | None) -> Measured:
        tally = evidence.tally(grouping)
        return measure(metric, tally.agreement() if metric == "accuracy" else tally, level)

    for metric in ("accuracy", *TOGETHER):
        yield from state(evidence, NAME, Quantity(metric, partial(measured, metric)))


def _each(evidence: Evidence) -> Iterator[Finding]:
    def measured(metric: str, chosen: int, grouping: Grouping | None) -> Measured:
        return measure(metric, evidence.tally(grouping).one_vs_rest(chosen), evidence.options.level)

    for chosen, name in enumerate(evidence.data.classes):
        for metric in EACH:
            compute, qualifiers = partial(measured, metric, chosen), {"class": str(name)}
            yield from state(evidence, NAME, Quantity(metric, compute, qualifiers=qualifiers, hows=()))


def _between(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State each class's gaps, the worst of them, and the distances between whole predictions."""
    level, tally = evidence.options.level, evidence.tally(grouping)
    parts = [tally.one_vs_rest(chosen) for chosen in range(tally.classes)]
    for name in BETWEEN:
        split = parse_disparity(name)
        assert split is not None  # the names above are disparities
        for part, label in zip(parts, evidence.data.classes, strict=True):
            key = Key.of(name, grouping.columns, **{"class": str(label)})
            yield disparity_finding(key, NAME, disparity(name, part, level), grouping, level)
        worst = worst_of([partial(_at, name, part) for part in parts], split[1], level)
        yield disparity_finding(Key.of(name, grouping.columns), NAME, worst, grouping, level)
    for name, distance in (
        ("selection_distance", selection_distance),
        ("equalized_odds_distance", equalized_odds_distance),
    ):
        found = distance(tally, level)
        yield disparity_finding(Key.of(name, grouping.columns), NAME, found, grouping, level)


def _at(name: str, tally: Tally, level: float) -> Disparity:
    return disparity(name, tally, level)


def _scores(evidence: Evidence) -> Iterator[Finding]:
    """State what only scores can say: ranking of each class, log loss, and whether the winner's score means itself."""
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
