"""The time until an event: the order of risks, and expected beside observed risks, for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

NAME: Final = "survival"
TITLE: Final = message("Time until the event")
FIGURES: Final = {
    "concordance": message("Concordance: is the higher risk that of the earlier event?"),
    "expected_to_observed": message("Predicted risk by the horizon per observed risk: 1 where both are equal"),
}
"""Titles of figures."""
COLUMNS: Final = ("observed_risk", "expected_to_observed", "concordance", "harrell_concordance", "unresolved_share")
"""Metrics of the table of groups."""
ORDER: Final = message("The earlier event has the higher score in {share} of the pairs.")
RATIO: Final = message("Predicted risks by the horizon are {ratio} times the observed ones.")
MOST: Final = 60


def survived(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about times; nothing where rows were not followed."""
    found = record.of_audit(NAME)
    if not found:
        return ()
    blocks: list[Block] = []
    for metric, title in FIGURES.items():
        rows = [judged.row(whom(f), f) for f in found if f.key.metric == metric and f.estimate is not None]
        if rows:
            origin = 1.0 if metric == "expected_to_observed" else 0.0
            blocks.append(figure(f"{NAME}-{metric.replace('_', '-')}", title, rows, digits=3, origin=origin))
    blocks += _groups(found)
    blocks += _gaps(found)
    return (Part(NAME, TITLE, reasons(record, NAME), tuple(blocks)),)


def _groups(found: tuple[Finding, ...]) -> tuple[Block, ...]:
    """Return the table of groups: each metric with its interval."""
    shown = [metric for metric in COLUMNS if any(f.key.metric == metric for f in found)]
    by_group: dict[str, dict[str, Finding]] = {}
    for finding in found:
        if finding.key.metric in shown:
            by_group.setdefault(whom(finding), {})[finding.key.metric] = finding
    cells = (
        (cut(group, MOST), _rows(known[shown[0]]), *(_said(known[metric]) for metric in shown))
        for group, known in by_group.items()
    )
    head = (message("group"), message("rows"), *(describe(metric).label for metric in shown))
    return table(f"{NAME}-groups", TITLE, head, cells, most=100)


def _gaps(found: tuple[Finding, ...]) -> tuple[Block, ...]:
    """Return the table of comparisons of groups, folded."""
    cells = (
        (describe(f.key.metric).label, cut(", ".join(f.key.columns), MOST), _said(f), _rows(f))
        for f in found
        if f.key.metric not in COLUMNS
    )
    head = (message("metric"), message("feature"), message("estimate and interval"), message("rows"))
    return table(f"{NAME}-gaps", message("Gaps between groups"), head, cells, {2, 3}, MOST, folded=True)


def _rows(finding: Finding) -> str:
    """Return how many rows a finding is of; nothing where that is withheld, which is not to look like none."""
    return "" if finding.withheld else f"{finding.support:,}"


def _said(finding: Finding) -> str:
    return finding.undefined or with_interval(finding, 3)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Say how well risks are ordered, and how many events are predicted for one that is observed."""
    found = record.of_audit(NAME)
    made = answered(judged, found, "")
    said = [made.sentence]
    for metric, words, place in (("concordance", ORDER, "share"), ("expected_to_observed", RATIO, "ratio")):
        known = next((f for f in found if f.key.metric == metric and not f.key.features), None)
        if known is not None and known.estimate is not None:
            said.append(message(words, **{place: with_interval(known, 2)}))
    return Answer(sentences(*filter(None, said)), made.state)


SECTION: Final = Section(NAME, TITLE, (NAME,), 330, survived, theme=MODEL, answer=answer)
