"""What stands for a group, why people are refused, and what they could change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.keys import group_name
from evenhand.messages import joined, message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

MOST = 15


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
        words = message(
            "Proxies, which tell a group and surely carry a material part of its gap: {proxies}.",
            proxies=cut(joined("; ", map(_proxy, named)), 400),
        )
    else:
        words = message("No column both tells a group and surely carries a material part of its gap.")
    lead.append(words)
    turned = [judged.row(group_name(f.key.group), f) for f in found if f.key.metric == "counterfactual_flip_rate"]
    if turned:
        title = message("Decisions that change when only the sensitive input does")
        blocks.append(figure("swapped", title, turned))
    rows = tuple((_feature(f), cut(group_name(f.key.group), 60), with_interval(f, 3)) for f in told[:MOST])
    if rows:
        title = message("What tells a group best: area under the ROC curve, 0.5 tells nothing")
        head = (message("column"), message("group"), message("area"))
        blocks.append(Table("reliance-told", title, head, rows, frozenset({2})))
    return (Part("reliance", message("What stands for a group"), tuple(lead), tuple(blocks)),)


def _proxy(finding: Finding) -> str:
    return message(
        "{feature} for {column} ({part})",
        feature=_feature(finding),
        column=finding.key.columns[0],
        part=with_interval(finding),
    )


def _feature(finding: Finding) -> str:
    name = cut(finding.key.qualifier("feature") or "", 60)
    return message("(score)") if name == "(score)" else name


def refused(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about reasons of refusals and ways out of them; nothing where there are none."""
    first = [f for f in record.findings if f.key.metric == "principal_reason" and f.key.qualifier("given") is None]
    ways = [f for f in record.findings if f.audit == "recourse"]
    if not first and not ways:
        return ()
    blocks: list[Block] = []
    if first:
        rows = [judged.row(f.key.columns[0], f) for f in first[:MOST]]
        title = message("How often each feature is the first reason of a refusal")
        blocks.append(figure("principal-reasons", title, rows))
    also = [f for f in record.findings if f.key.metric in ("sensitive_reason_share", "unstable_reasons")]
    told = [f for f in [*also, *ways] if len(f.key.columns) <= 1]
    if told:
        cells = tuple((describe(f.key.metric).label, _whom(f), with_interval(f), f.note) for f in told)
        head = ("", message("group"), message("estimate and interval"), "")
        title = message("Reasons and ways out")
        blocks.append(Table("refusals-table", title, head, cells, frozenset({2})).bounded())
    lead = (*reasons(record, "reasons"), *reasons(record, "recourse"))
    title = message("Why people are refused, and what they could change")
    return (Part("refusals", title, lead, tuple(blocks)),)


def _whom(finding: Finding) -> str:
    if finding.key.group:
        return cut(group_name(finding.key.group), 60)
    return cut(", ".join(finding.key.columns), 60) or message("all")
