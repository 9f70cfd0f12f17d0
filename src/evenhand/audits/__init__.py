"""Audits: evidence in, findings out. One file per concern; none imports another or holds a limit.

- `performance`: how good the model is over all rows
- `classes`: several classes, each against the rest and all together
- `labels`: several labels of a row, each and all together
- `numbers`: how far predicted numbers are from the truth
- `rankings`: how good lists are for each group of users, and the exposure of each group of items
- `transcripts`: how many words were heard wrongly, and whose
- `clusters`: how each group is spread over the clusters of a clustering, and how even these are
- `calibration`: whether predicted probabilities match observed rates
- `decision_curve`: net benefit at threshold probabilities, beside deciding alike for everybody
- `fairness`: every metric for every group, and the disparities between groups
- `impact`: impact ratios, shares of the selected, inequality
- `strata`: groups compared within the values of a control feature
- `unobserved_groups`: sensitive features known only as probabilities
- `chance`: p-values, and the gaps expected by chance
- `slices`: subgroups in which a rate or a gap is worse than elsewhere
- `custom`: custom metrics
- `explanation`: which features carry the scores, the decisions and their gaps
- `dependence`: how the score moves with a feature, and whether a few rules do as well
- `explanation_checks`: whether explanations follow the model and are stable
- `maps`: which parts of images the score rests on, and whether it follows them
- `words`: what words add to the score of a text, overall and for each group
- `reliance`: proxy features, and what swapping the sensitive feature does
- `reasons`: the principal reasons of adverse decisions
- `reason_checks`: whether these are the reasons of the model that decides, and what compression makes of them
- `recourse`: the smallest change that flips a decision, what it costs each group, and whether it holds
- `identity`: sentences decided otherwise when they are about somebody else
- `scenarios`: situations whose outcome is required, forbidden, or to be the same for all
- `membership`: who can be told to have been among the rows that the model was fitted on
- `attribute_inference`: what the model gives away of the sensitive values of its training rows
- `exposure`: what answers hold, and which training rows can be read from a model's parts
- `differential_privacy`: how private the fit is said to be, and what guesses of its rows rule out
- `disclosure`: rows that can be singled out, and personal data in plain sight
- `robustness`: which decisions turn when inputs are noisy, missing or misspelt, and whose
- `adversarial`: how many right decisions an attack within a budget turns
- `counterfactual`: decisions about rows as if they, and their proxies, were of another group
- `monotonicity`: scores that move against a declared direction
- `generalization`: rows the model was fitted on against others, and each domain
- `uncertainty`: what scores are worth, and to whom a sure answer is given
- `survival`: the time until an event that may be censored: order of risks, and risks by a horizon
- `data_quality`: copies of the label, repeated rows and people, and what else may be wrong with the rows
- `compression`: what compression changed, and for whom
- `training`: how the model was trained, and what that cost
- `group_names`: groups whose names look alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face

if TYPE_CHECKING:
    from evenhand.audits.auditing import audit, run
    from evenhand.audits.catalogue import AUDITS
    from evenhand.audits.from_bias_sets import audit_bias_set
    from evenhand.audits.from_logs import audit_lm_logs
    from evenhand.audits.from_predictions import audit_given, audit_predictions
    from evenhand.audits.from_rows import audit_data
    from evenhand.audits.from_tables import audit_table
    from evenhand.audits.labelling import rows_to_label
    from evenhand.audits.measuring import measure
    from evenhand.audits.options import AuditOptions
    from evenhand.audits.statement import Audit, Statement

__all__ = [
    "AUDITS", "Audit", "AuditOptions", "Statement", "audit", "audit_bias_set", "audit_data", "audit_given",
    "audit_lm_logs", "audit_predictions", "audit_table", "measure", "rows_to_label", "run",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "auditing": "audit run", "catalogue": "AUDITS", "from_predictions": "audit_given audit_predictions",
    "from_bias_sets": "audit_bias_set", "from_logs": "audit_lm_logs",
    "from_rows": "audit_data", "from_tables": "audit_table", "labelling": "rows_to_label", "measuring": "measure",
    "options": "AuditOptions",
    "statement": "Audit Statement",
})  # fmt: skip
