"""Audits: evidence in, findings out. One file a concern; none imports another; none holds a limit.

- `performance`: how good the model is over all rows
- `calibration`: whether a probability means what it says
- `fairness`: every metric for every group, and the disparities between groups
- `custom`: metrics that a person brings
- `explanation`: what the scores rest on
- `compression`: what compression did, and to whom
"""

from evenhand.audits.auditing import audit, run
from evenhand.audits.catalogue import AUDITS
from evenhand.audits.from_predictions import audit_given, audit_predictions
from evenhand.audits.options import AuditOptions
from evenhand.audits.statement import Audit, Statement

__all__ = [
    "AUDITS",
    "Audit",
    "AuditOptions",
    "Statement",
    "audit",
    "audit_given",
    "audit_predictions",
    "run",
]
