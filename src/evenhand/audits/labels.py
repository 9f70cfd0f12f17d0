"""Multilabel metrics: each label, and all together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import Quantity, over_rows, state
from evenhand.audits.statement import Audit, Statement
from evenhand.metrics import Tally, measure
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.values.multilabel import f1_over_labels, hamming_loss, subset_accuracy

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics import Measured

NAME = "labels"


def labels(evidence: Evidence) -> Statement:
    """State Hamming loss, exact match and F1 over labels, and the usual rates of each label; for each group too."""
    true, decided, level = evidence.predictions.y_true, evidence.predictions.y_pred, evidence.options.level
    findings: list[Finding] = []
    whole: dict[str, Callable[..., Measured]] = {"hamming_loss": hamming_loss, "subset_accuracy": subset_accuracy}
    whole |= {metric: partial(f1_over_labels, metric) for metric in ("micro_f1", "macro_f1")}
    for metric, compute in whole.items():
        measured = over_rows(evidence, partial(compute, true, decided, level=level))
        findings += state(evidence, NAME, Quantity(metric, measured))
    for place, name in enumerate(evidence.data.classes):
        for metric in stated("class"):
            rates = over_rows(evidence, partial(_rates, evidence, metric, place))
            findings += state(evidence, NAME, Quantity(metric, rates, qualifiers={"class": str(name)}))
    return Statement(tuple(findings))


def _rates(evidence: Evidence, metric: str, place: int, codes: NDArray[np.int32], groups: int) -> Measured:
    data, predictions = evidence.data, evidence.predictions
    true, decided = predictions.y_true[:, place], predictions.y_pred[:, place]
    tally = Tally.count(true, decided, codes, groups, data.sample_weight, clusters=data.clusters)
    return measure(metric, tally, evidence.options.level)


AUDIT: Final = Audit(labels, frozenset({"multilabel"}))
