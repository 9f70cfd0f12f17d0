"""Few-shot learning: accuracy of each group, and the gaps between groups, by the number of examples of each class."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.messages import message, sentences
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import described
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import Block

TITLE: Final = message("What few examples teach, and whom it serves")
MOST_LINES: Final = 8
"""Groups that are drawn; the others are in the table."""
Curves = dict[str, dict[int, "Finding"]]


def few_shot(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Draw accuracy and gaps against the number of examples; nothing for other records."""
    found = record.of_audit("few_shot")
    if not found:
        return ()
    accuracy: Curves = {}
    gaps: Curves = {}
    for f in found:
        of_gaps = f.key.metric == "accuracy_difference"
        name = ", ".join(f.key.columns) if of_gaps else whom(f)
        (gaps if of_gaps else accuracy).setdefault(name, {})[int(f.key.qualifier("at") or 0)] = f
    titles = (
        message("Accuracy by the examples of each class"),
        message("Greatest difference in accuracy between groups, by the examples of each class"),
    )
    blocks: list[Block] = [
        _drawn(name, title, lines)
        for name, title, lines in zip(("shots-accuracy", "shots-gaps"), titles, (accuracy, gaps), strict=True)
        if lines
    ]
    return (Part("few-shot", TITLE, reasons(record, "few_shot"), tuple(blocks), open=True),)


def _drawn(name: str, title: str, lines: Mapping[str, Mapping[int, Finding]]) -> Block:
    places = sorted(set.intersection(*(set(line) for line in lines.values())))
    at = [math.log2(place) for place in places]
    drawn = [(label, [line[place].estimate or 0.0 for place in places]) for label, line in lines.items()][:MOST_LINES]
    head = (message("examples of each class"), *lines)
    cells = tuple((str(place), *(with_interval(line[place]) for line in lines.values())) for place in places)
    table = Table(f"{name}-table", title, head, cells, frozenset(range(1, len(head))))
    told = described(title, [(label, f"{series[0]:.2f} … {series[-1]:.2f}") for label, series in drawn])
    ends = [[_ends(line[place]) for place in places] for line in lines.values()][:MOST_LINES]
    axes = (message("examples of each class"), message("share of rows"))
    return line_figure(name, title, told, at, drawn, table, axes=axes, named=[*map(str, places)], ends=ends)


def _ends(finding: Finding) -> tuple[float, float]:
    """Return the ends of an interval; of none, the estimate twice."""
    if finding.interval is None:
        return (finding.estimate or 0.0,) * 2
    return finding.interval.low or 0.0, 1.0 if finding.interval.high is None else finding.interval.high


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State accuracy with the fewest and the most examples; the part is what such a record is for, so it is open."""
    found = record.of_audit("few_shot")
    made = answered(judged, found)
    every = {int(f.key.qualifier("at") or 0): f for f in found if f.key.metric == "accuracy" and not f.key.group}
    if not every:
        return made
    least, most = min(every), max(every)
    said = message(
        "Accuracy by the examples of each class: {few} with {least}, {many} with {most}.",
        few=with_interval(every[least]), least=least, many=with_interval(every[most]), most=most,
    )  # fmt: skip
    return replace(made, sentence=said if made.state == "plain" else sentences(said, made.sentence), wanted=True)


SECTION: Final = Section("few-shot", TITLE, ("few_shot",), 150, few_shot, theme=MODEL, answer=answer)
