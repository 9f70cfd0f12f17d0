"""Proxy features, and swaps of the sensitive feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import joined, message, sentences
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import excludes_zero, group_of, whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Table
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Proxies of a group")
MOST: Final = 15
CHANCE: Final = 0.5
"""The area of what tells nothing."""
SOME: Final = message("Features that give a group away and carry a clear part of its gap: {proxies}.")
DOUBTFUL: Final = message(
    "Features give a group away ({proxies}), but no gap is shown that they could carry a part of."
)
NONE: Final = message("No feature both gives a group away and carries a clear part of its gap.")
SCORED: Final = message("the model's own score")


def relied(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about proxies and swaps; nothing where they were not computed."""
    found = record.of_audit("reliance")
    if not found:
        return ()
    blocks: list[Block] = []
    carried, doubtful = _carried(record, judged)
    if carried:
        title = message("The part of a group's gap that its proxy carries")
        rows_of = [judged.row(_pair(f, _gap(record, f)), f) for f in carried]
        blocks.append(figure("proxies", title, rows_of[:MOST], digits=3))
    blocks += _unshown(record, doubtful)
    turned = [judged.row(group_name(f.key.group), f) for f in found if f.key.metric == "counterfactual_flip_rate"]
    if turned:
        title = message("Decisions that change when only the sensitive input does")
        blocks.append(figure("swapped", title, turned))
    blocks += _told(found)
    return (Part("reliance", TITLE, reasons(record, "reliance"), tuple(blocks)),)


def _carried(record: AuditRecord, judged: Judged) -> tuple[list[Finding], list[Finding]]:
    """Return the proxies of gaps that are beyond chance, or not stated, or that have a limit; and all others."""
    found = [f for f in record.of_audit("reliance") if f.key.metric == "proxy_part"]
    shown = [f for f in found if judged.holds(f) or (gap := _gap(record, f)) is None or excludes_zero(gap)]
    return shown, [f for f in found if f not in shown]


def _gap(record: AuditRecord, finding: Finding) -> Finding | None:
    """Return the gap in mean score that a proxy carries a part of; None where the record does not state it."""
    (column,) = finding.key.columns
    gaps = (f for f in record.findings if f.key.metric == "score_gap")
    return next((f for f in gaps if group_of(f.key.qualifier("given") or "")[0] == column), None)


def _unshown(record: AuditRecord, doubtful: list[Finding]) -> tuple[Table, ...]:
    """Return the table of proxies of gaps that are not beyond chance: of such a gap no part can be stated."""
    rows = []
    for finding in doubtful:
        gap = _gap(record, finding)
        if gap is not None:
            rows.append((_pair(finding, gap), with_interval(gap, 3), f"{gap.support:,}"))
    head = (message("feature"), message("gap in mean score"), message("explained rows"))
    title = message("Features that tell a group, where no gap is shown that they could carry a part of")
    return table("proxies-unshown", title, head, rows, most=MOST)


def _told(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of what tells a group, by what is certain of it."""
    areas = [f for f in found if f.key.metric == "proxy_auc" and f.interval is not None]
    telling = sorted((f for f in areas if _least(f) > CHANCE), key=lambda f: -_least(f))
    rows = ((_feature(f), cut(whom(f), 60), with_interval(f, 3)) for f in telling)
    title = message(
        "What tells a group best: area under the ROC curve, 0.5 tells nothing; {n} of {areas} intervals are above it",
        n=len(telling), areas=len(areas),
    )  # fmt: skip
    return table("reliance-told", title, (message("column"), message("group"), message("area")), rows, {2}, MOST)


def _least(finding: Finding) -> float:
    return 0.0 if finding.interval is None else finding.interval.low or 0.0


def _pair(finding: Finding, gap: Finding | None) -> str:
    """Return what stands for which feature, and between which of its groups the gap is."""
    said = {"feature": _feature(finding), "column": finding.key.columns[0]}
    if gap is None:
        return message("{feature} for {column}", **said)
    one, other = (cut(group_of(gap.key.qualifier(name) or "")[1], 40) for name in ("given", "vs"))
    return message("{feature} for {column} ({one} vs {other})", **said, one=one, other=other)


def _feature(finding: Finding) -> str:
    name = cut(finding.key.qualifier("feature") or "", 60)
    return SCORED if name == "(score)" else name


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the proxies, which have to be seen."""
    found = record.of_audit("reliance")
    named, doubtful = _carried(record, judged)
    words = SOME if named else DOUBTFUL if doubtful else NONE
    proxies = joined("; ", (_pair(f, _gap(record, f)) for f in named or doubtful))
    made = answered(judged, found, "")
    return Answer(
        sentences(made.sentence, message(words, proxies=cut(proxies, 400))),
        "notable" if named and made.state not in OPENING else made.state,
    )


SECTION: Final = Section(
    "reliance", TITLE, ("reliance",), 730, relied, within="explanation", theme=EXPLANATIONS, answer=answer
)
