"""The figures that stand for an audit where there is room for few: on a model card, in an experiment tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict

MOST: Final = 8
"""The main findings; with the ends of their intervals, about twenty figures."""
MOST_OVERALL: Final = 4
"""Of them over all rows, where there are gaps, too."""


def reported(record: AuditRecord) -> list[Finding]:
    """Return the figures of a model card: the task's metrics over all rows, then the gaps of each feature."""
    return [*_overall(record), *_gaps(record)]


def main_figures(record: AuditRecord, verdict: Verdict | None = None) -> list[Finding]:
    """Return about eight findings: those with limits first, then the task's metrics over all rows, then gaps.

    Findings of one group are none of them: a metric of a tracker is a column in the comparison of all runs. The order
    is that of the policy and the catalogue, not of the values, so that runs have the same columns.
    """
    judged = sorted(verdict.judgements, key=lambda one: one.limit.line) if verdict is not None else []
    limited = [one.finding for one in judged if one.finding is not None and not one.finding.key.group]
    overall, gaps = _overall(record), _gaps(record)
    room = max(MOST - MOST_OVERALL, MOST - len(overall)) if gaps else 0
    first = overall[: MOST - min(room, len(gaps))]
    chosen = {found.key: found for found in (*limited, *first, *gaps) if found.estimate is not None}
    return list(chosen.values())[:MOST]


def _overall(record: AuditRecord) -> list[Finding]:
    found = (record.get(name) for name in stated("card"))
    return [finding for finding in found if finding is not None]


def _gaps(record: AuditRecord) -> list[Finding]:
    order = stated("card gap")
    found = [
        finding for finding in record.findings
        if finding.key.metric in order and len(finding.key.columns) == 1 and not finding.key.qualifiers
    ]  # fmt: skip
    return sorted(found, key=lambda finding: order.index(finding.key.metric))
