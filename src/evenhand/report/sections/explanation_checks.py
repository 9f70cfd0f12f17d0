"""Checks of the explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.figures.explained import explained_scale
from evenhand.report.figures.findings import described, figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.figures.scales import nice_step
from evenhand.report.numbers import with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.judged import table_of
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import FigureRow, Judged

TITLE: Final = message("Whether the explanations hold")
ORDERS: Final = {"values": message("greatest value first"), "random": message("in a random order")}
ALIKE: Final = {
    "original": message("the original model"),
    "other background": message("another half of the background"),
    "noise": message("rows with a little noise"),
    "leaving one out": message("leaving one feature out"),
    "expected gradients": message("expected gradients"),
    "random weights": message("a model with random weights (low is good)"),
    "shuffled labels": message("a model fitted to shuffled labels (low is good)"),
}
"""What explanations are compared with."""


def checked(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part that audits the explanations; nothing where they were not audited."""
    found = record.of_audit("explanation_checks")
    if not found:
        return ()
    blocks: list[Block] = []
    alike: list[FigureRow] = [
        (ALIKE.get(of := f.key.qualifier("of") or "", of), f, "plain", None)
        for f in found
        if f.key.metric == "attribution_similarity" and not f.key.group
    ]
    if alike:
        title = message("How alike the explanations are to those of ...")
        blocks.append(figure("explanations-alike", title, alike, digits=3))
    kept: list[FigureRow] = [
        (whom(f), f, "plain", None)
        for f in found
        if f.key.metric == "top_features_kept" and f.key.qualifier("of") == "original"
    ]
    if kept:
        title = message("Of each row's five most important features, what share compression kept")
        blocks.append(table_of("explanations-kept", title, kept))
    lead = reasons(record, "explanation_checks")
    return (Part("explanation-checks", TITLE, lead, (*blocks, *_removal(found, explained_scale(record)))),)


def _removal(found: Iterable[Finding], scale: str) -> tuple[Block, ...]:
    """Draw the score as features are removed, by attribution and in random order."""
    lines: dict[str, dict[int, Finding]] = {}
    for f in found:
        if f.key.metric == "score_after_removal" and f.estimate is not None:
            lines.setdefault(f.key.qualifier("of") or "", {})[int(f.key.qualifier("at") or 0)] = f
    places = sorted(set.intersection(*(set(line) for line in lines.values()))) if lines else []
    if len(places) < 2:
        return ()
    drawn = [(ORDERS.get(name, name), [line[at].estimate or 0.0 for at in places]) for name, line in lines.items()]
    values = [value for _, series in drawn for value in series]
    spread = max(values) - min(values)
    step = nice_step((spread if spread > 1e-6 else 1.0) / 3)
    bottom = min(values) // step * step
    title = message("Mean score while features are taken from the background")
    cells = tuple((str(place), *(with_interval(line[place], 3) for line in lines.values())) for place in places)
    head = (message("features taken away"), *(label for label, _ in drawn))
    table = Table("removal-table", title, head, cells, frozenset(range(1, len(head))))
    told = described(title, [(label, f"{series[0]:.2f} … {series[-1]:.2f}") for label, series in drawn])
    at = [float(place) for place in places]
    axes = (head[0], message("mean, {scale}", scale=scale))
    return (line_figure("removal", title, told, at, drawn, table, axes=axes, top=bottom + 4 * step, bottom=bottom),)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State whether the score follows the features that are ranked first."""
    found = record.of_audit("explanation_checks")
    gaps = {f.key.qualifier("of"): with_interval(f) for f in found if f.key.metric == "deletion_insertion_gap"}
    if len(gaps) < len(ORDERS):
        return answered(judged, found)
    return Answer(message(
        "With the features ranked first put in, the score is {values} higher than with them taken away; "
        "in a random order, {random}.",
        values=gaps["values"], random=gaps["random"],
    ))  # fmt: skip


AUDITS: Final = ("explanation_checks",)
SECTION: Final = Section(
    "explanation-checks", TITLE, AUDITS, 720, checked, within="explanation", theme=EXPLANATIONS, answer=answer
)
