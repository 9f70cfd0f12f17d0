"""What scores are worth: calibration beside chance, prediction sets, refusals, rows outside, and other models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.statement import Audit, Statement, not_applicable
from evenhand.audits.uncertainty.others import disagreement, distribution, selective
from evenhand.audits.uncertainty.part import UncertaintyOptions
from evenhand.audits.uncertainty.prediction_sets import covered_findings
from evenhand.audits.uncertainty.reliability import MOST_GROUPS, drawn_for, recalibrated_findings, reliable
from evenhand.messages import message, sentences

if TYPE_CHECKING:
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

LEAST_ROWS: Final = 100
"""Rows below which nothing is fitted on one half and judged on the other."""
COUNTED: Final = message("Rows stand for several each, so that none can be fitted on and others be judged.")
HALVES: Final = message(
    "Sets and corrections are fitted on {fitted:,} rows and judged on the other {judged:,}; sets are to hold the truth "
    "with a chance of {coverage:g} %."
)
ONE_CLUSTER: Final = message("All rows are of one cluster, which cannot be fitted on one half and judged on the other.")
FEW: Final = message("{n} rows are too few to fit on one half and judge on the other.")
NO_CHANCE: Final = message("The scores do not claim to be probabilities: calibration and sets do not apply.")
MANY: Final = message("Of features of more than {n} groups, calibration errors by chance are not drawn for each.")
WEIGHTED: Final = message("Of rows with weights or clusters no calibration error by chance is known.")


def uncertainty(evidence: Evidence) -> Statement:
    """State what scores are worth for each group: calibration, sets, refusals, rows outside, other models."""
    said, data = evidence.predictions, evidence.data
    if data.frequency is not None:
        return not_applicable(COUNTED)
    findings: list[Finding] = []
    words: list[str] = []
    claims = said.kind == "probability"
    if claims:
        findings += reliable(evidence)
        if data.sample_weight is not None or data.clusters is not None:
            words.append(WEIGHTED)
        elif len(drawn_for(evidence)) < len(evidence.groupings):
            words.append(message(MANY, n=MOST_GROUPS))
    elif data.task != "regression":
        words.append(NO_CHANCE)
    if claims or data.task == "regression":
        words.append(_in_halves(evidence, findings, claims=claims))
    findings += selective(evidence)
    for stated, reason in (distribution(evidence), disagreement(evidence)):
        findings += stated
        words.append(reason)
    return Statement(tuple(findings), sentences(*words), ran=bool(findings))


def _in_halves(evidence: Evidence, findings: list[Finding], *, claims: bool) -> str:
    """Add what is fitted on one half of the rows and judged on the other; return a sentence about the halves."""
    from evenhand.probing.uncertainty.halves import halves

    if len(evidence.data) < LEAST_ROWS:
        return message(FEW, n=len(evidence.data))
    fitted, judged = halves(evidence.data, evidence.options.seed)
    if not len(fitted) or not len(judged):
        return ONE_CLUSTER
    if claims:
        findings += recalibrated_findings(evidence, fitted, judged)
    findings += covered_findings(evidence, fitted, judged)
    coverage = evidence.options.of(UncertaintyOptions).coverage
    return message(HALVES, fitted=len(fitted), judged=len(judged), coverage=round(100 * coverage, 6))


def _wanted(evidence: Evidence) -> bool:
    options = evidence.options.of(UncertaintyOptions)
    return options.uncertainty or bool(options.others) or evidence.options.everything


AUDIT: Final = Audit(
    uncertainty,
    frozenset({"binary", "multiclass", "regression"}),
    options=UncertaintyOptions,
    wanted=_wanted,
    asks_again=True,
)
