"""Net benefit of decisions at several threshold probabilities, beside deciding alike for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import counted
from evenhand.audits.statement import Audit, Statement, not_applicable, singles
from evenhand.evidence.answering import answers
from evenhand.keys import Key, threshold_text
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics.catalogue.entry import How

NAME = "decision_curve"
STATED: Final = ("net_benefit", "net_benefit_of_all", "net_benefit_gain")
COMPARED: Final[dict[str, tuple[How, ...]]] = {
    "net_benefit": ("difference",), "net_benefit_gain": ("difference", "group_min"),
}  # fmt: skip
"""How groups are compared; without a model they differ by their base rates alone."""
CLAIMED: Final = message(
    "Rows have weights or are in clusters: the record counts decisions at the model's own threshold, and those at the "
    "others stay what this audit states."
)


def decision_curve(evidence: Evidence) -> Statement:
    """State net benefit, and what it gains over deciding alike for everybody, at the thresholds that were named."""
    thresholds = sorted(evidence.options.decision_thresholds)
    if not thresholds:
        return not_applicable("No threshold probability was named (decision_thresholds).")
    if evidence.predictions.kind != "probability":
        return not_applicable(
            "Scores are no probabilities, so that a threshold does not say what a false positive costs."
        )
    answer, findings = answers(evidence, NAME), []
    for metric in STATED:
        own = list(counted(answer, evidence, metric, COMPARED.get(metric, ())))
        findings += own if any(found.estimate is not None for found in own) else []
    for threshold in thresholds:
        findings += _at(evidence, threshold_text(threshold))
    data = evidence.data
    unequal = data.sample_weight is not None or data.clusters is not None
    return Statement(tuple(findings), CLAIMED if unequal else "")


def _at(evidence: Evidence, threshold: str) -> Iterator[Finding]:
    """State each metric at a threshold: over all rows, for the groups of each feature, and between them."""
    answer = answers(evidence, NAME)
    for metric in STATED:
        yield from answer.of_groups(metric, (), threshold=threshold)
        for grouping in singles(evidence):
            yield from answer.of_groups(metric, grouping.columns, threshold=threshold)
            keys = (
                Key.of(f"{metric}_{how}", grouping.columns, threshold=threshold) for how in COMPARED.get(metric, ())
            )
            yield from answer.all(keys)


AUDIT: Final = Audit(decision_curve, wanted=lambda evidence: bool(evidence.options.decision_thresholds))
