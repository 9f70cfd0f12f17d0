"""Proxy features, and swaps of the sensitive feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import joined, message, sentences
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Proxies of a group")
MOST: Final = 15


def relied(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about proxies and swaps; nothing where they were not computed."""
    found = record.of_audit("reliance")
    if not found:
        return ()
    blocks: list[Block] = []
    told = sorted((f for f in found if f.key.metric == "proxy_auc"), key=lambda f: -(f.estimate or 0))
    carried = [judged.row(_pair(f), f) for f in found if f.key.metric == "proxy_part"]
    if carried:
        title = message("The part of a group's gap that its proxy carries")
        blocks.append(figure("proxies", title, carried[:MOST], digits=3))
    turned = [judged.row(group_name(f.key.group), f) for f in found if f.key.metric == "counterfactual_flip_rate"]
    if turned:
        title = message("Decisions that change when only the sensitive input does")
        blocks.append(figure("swapped", title, turned))
    rows = ((_feature(f), cut(whom(f), 60), with_interval(f, 3)) for f in told[:MOST])
    title = message("What tells a group best: area under the ROC curve, 0.5 tells nothing")
    blocks += table("reliance-told", title, (message("column"), message("group"), message("area")), rows, {2})
    return (Part("reliance", TITLE, reasons(record, "reliance"), tuple(blocks)),)


def _pair(finding: Finding) -> str:
    return message("{feature} for {column}", feature=_feature(finding), column=finding.key.columns[0])


def _feature(finding: Finding) -> str:
    name = cut(finding.key.qualifier("feature") or "", 60)
    return message("(score)") if name == "(score)" else name


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the proxies, which have to be seen."""
    found = record.of_audit("reliance")
    named = [f for f in found if f.key.metric == "proxy_part"]
    proxies = cut(joined("; ", map(_pair, named)), 400)
    some = message("Features that give a group away and carry a clear part of its gap: {proxies}.", proxies=proxies)
    none = message("No feature both gives a group away and carries a clear part of its gap.")
    made = answered(judged, found, "")
    return Answer(
        sentences(made.sentence, some if named else none),
        "notable" if named and made.state not in OPENING else made.state,
    )


SECTION: Final = Section(
    "reliance", TITLE, ("reliance",), 730, relied, within="explanation", theme=EXPLANATIONS, answer=answer
)
