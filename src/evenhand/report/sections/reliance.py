"""Proxy features, and swaps of the sensitive feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import joined, message
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import Section
from evenhand.report.view import Block, Part

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
    named = [f for f in found if f.key.metric == "proxy_part"]
    told = sorted((f for f in found if f.key.metric == "proxy_auc"), key=lambda f: -(f.estimate or 0))
    proxies = cut(joined("; ", map(_proxy, named)), 400)
    some = message("Proxies, which tell a group and surely carry a material part of its gap: {proxies}.")
    none = message("No column both tells a group and surely carries a material part of its gap.")
    lead = (*reasons(record, "reliance"), message(some, proxies=proxies) if named else none)
    turned = [judged.row(group_name(f.key.group), f) for f in found if f.key.metric == "counterfactual_flip_rate"]
    if turned:
        title = message("Decisions that change when only the sensitive input does")
        blocks.append(figure("swapped", title, turned))
    rows = ((_feature(f), cut(group_name(f.key.group), 60), with_interval(f, 3)) for f in told[:MOST])
    title = message("What tells a group best: area under the ROC curve, 0.5 tells nothing")
    blocks += table("reliance-told", title, (message("column"), message("group"), message("area")), rows, {2})
    return (Part("reliance", TITLE, lead, tuple(blocks)),)


def _proxy(finding: Finding) -> str:
    places = {"feature": _feature(finding), "column": finding.key.columns[0], "part": with_interval(finding)}
    return message("{feature} for {column} ({part})", **places)


def _feature(finding: Finding) -> str:
    name = cut(finding.key.qualifier("feature") or "", 60)
    return message("(score)") if name == "(score)" else name


SECTION: Final = Section("reliance", TITLE, ("reliance",), 730, relied, within="explanation")
