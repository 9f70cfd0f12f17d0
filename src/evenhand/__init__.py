"""Evenhand audits trained models.

It measures what a model does and to whom, states every number with its uncertainty, explains it, shows what
compression changed and for whom, writes a report that a release manager, a data scientist and an auditor can read,
and stops a release when the evidence is against it.

>>> import evenhand as eh
>>> record = eh.audit_predictions([1, 0, 1, 1], [1, 0, 0, 1], sensitive_features={"sex": ["f", "f", "m", "m"]})
>>> record["accuracy"].estimate
0.75

Importing this package loads none of torch, shap, scikit-learn or fairlearn: each name below is fetched when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from evenhand.catalogues import face
from evenhand.keys import accept_spellings, answer_by, let_vary
from evenhand.outlines import show_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.audits import (
        AuditOptions,
        audit,
        audit_bias_set,
        audit_data,
        audit_lm_logs,
        audit_predictions,
        audit_table,
        measure,
        rows_to_label,
    )
    from evenhand.compression import open_model
    from evenhand.data import EvaluationSet, load_loanapp, read_evaluation_set, rolling_splits, split
    from evenhand.declarations import with_declarations
    from evenhand.errors import EvenhandError
    from evenhand.findings import AuditRecord, Finding, Interval
    from evenhand.keys import Key
    from evenhand.mitigation import mitigate
    from evenhand.policy import Policy, Verdict, judge, load_policy
    from evenhand.policy.advice.planning import Plan, plan
    from evenhand.records import read_record, write_record
    from evenhand.report import render, write_report
    from evenhand.signing import read_signed_record

__version__ = "0.1.0"

__all__ = [
    "AuditOptions", "AuditRecord", "EvaluationSet", "EvenhandError", "Finding", "Interval", "Key", "Plan", "Policy",
    "Verdict", "__version__", "audit", "audit_bias_set", "audit_data", "audit_lm_logs", "audit_predictions",
    "audit_table", "judge", "load_loanapp", "load_policy", "measure", "mitigate", "open_model", "plan",
    "read_evaluation_set", "read_record", "read_signed_record", "render", "rolling_splits", "rows_to_label",
    "split", "with_declarations", "write_record",
    "write_report",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "audits": "AuditOptions audit audit_bias_set audit_data audit_lm_logs audit_predictions audit_table measure "
    "rows_to_label",
    "compression": "open_model",
    "data": "EvaluationSet load_loanapp read_evaluation_set rolling_splits split", "declarations": "with_declarations",
    "errors": "EvenhandError", "findings": "AuditRecord Finding Interval", "keys": "Key",
    "mitigation": "mitigate",
    "policy": "Policy Verdict judge load_policy", "policy.advice.planning": "Plan plan",
    "records": "read_record write_record",
    "report": "render write_report",
    "signing": "read_signed_record",
})  # fmt: skip


def _canonical(metric: str) -> str | None:
    from evenhand.metrics.catalogue.names import canonical

    return canonical(metric)


def _answers(record: object, level: float, always_valid: bool) -> Callable[[Key], object]:
    from evenhand.metrics.answers import answers_of

    return answers_of(cast("AuditRecord", record), level, always_valid)


def _drawn(thing: object) -> str:
    from evenhand.report.notebook import drawn

    return drawn(thing)


def _volatile(metric: str) -> bool:
    from evenhand.metrics.catalogue.names import describe

    return describe(metric).volatile


accept_spellings(_canonical)
let_vary(_volatile)
answer_by(_answers)
show_by(_drawn)
