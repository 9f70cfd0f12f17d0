"""What stands for a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = "What stands for a group"
MOST: Final = 15


def relied(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about proxies and swaps; nothing where they were not looked for."""
    found = [f for f in record.findings if f.audit == "reliance"]
    if not found:
        return ()
    blocks: list[Block] = []
    named = [f for f in found if f.key.metric == "proxy_part"]
    told = sorted((f for f in found if f.key.metric == "proxy_auc"), key=lambda f: -(f.estimate or 0))
    lead = [*reasons(record, "reliance")]
    if named:
        words = "; ".join(f"{f.key.qualifier('feature')} for {f.key.columns[0]} ({with_interval(f)})" for f in named)
        lead.append(f"Proxies, which tell a group and surely carry a material part of its gap: {cut(words, 400)}.")
    else:
        lead.append("No column both tells a group and surely carries a material part of its gap.")
    turned = [judged.row(group_name(f.key.group), f) for f in found if f.key.metric == "counterfactual_flip_rate"]
    if turned:
        blocks.append(figure("swapped", "Decisions that change when only the sensitive input does", turned))
    rows = tuple(
        (cut(f.key.qualifier("feature") or "", 60), cut(group_name(f.key.group), 60), with_interval(f, 3))
        for f in told[:MOST]
    )
    if rows:
        title = "What tells a group best: area under the ROC curve, 0.5 tells nothing"
        blocks.append(Table("reliance-told", title, ("column", "group", "area"), rows, frozenset({2})))
    return (Part("reliance", TITLE, tuple(lead), tuple(blocks)),)


SECTION: Final = Section("reliance", TITLE, ("reliance",), 730, relied, within="explanation")
