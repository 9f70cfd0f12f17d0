"""Clusters: how each group is spread over them, what they are made of, and how even they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import group_key, group_label, groupings
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, GroupCounts
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Clusters")
EVEN: Final = ("cluster_balance", "balance_of_rows", "cluster_representation", "selection_distance")
"""What is said of all clusters together."""
MOST: Final = 40
"""Rows of a figure."""


def clusters(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Draw how even clusters are, and tables of what they are made of."""
    if not record.of_audit("clusters"):
        return ()
    found = [f for f in record.of_audit("clusters") if f.key.metric in EVEN and len(f.key.columns) == 1]
    rows = [judged.row(_label(f), f) for f in found if f.estimate is not None]
    blocks: list[Block] = [figure("clusters-even", message("How even clusters are"), rows[:MOST])] if rows else []
    blocks += [block for at, counts in enumerate(groupings(record)) for block in _of(record, counts, at)]
    return (Part("clusters", TITLE, reasons(record, "clusters"), tuple(blocks)),)


def _of(record: AuditRecord, counts: GroupCounts, at: int) -> tuple[Block, ...]:
    """Return the tables of a feature: the groups' shares in each cluster, and the clusters' shares of each group."""
    names = [str(name) for name in record.provenance.get("data", {}).get("classes", [])]
    labels = [group_label(counts, group, 40) for group in range(len(counts.groups))]
    title = " × ".join(cut(column, 60) for column in counts.columns)
    head = (message("cluster"), *labels, describe("selection_rate_difference").label)
    spread = (
        (
            cut(name, 60), *(_cell(record, "selection_rate", counts, group, name) for group in range(len(labels))),
            with_interval(record.get(Key.of("selection_rate_difference", counts.columns, **{"class": name}))),
        )
        for name in names
    )  # fmt: skip
    made = (
        (cut(name, 60), *(_cell(record, "cluster_share", counts, group, name) for group in range(len(labels))))
        for name in names
    )
    over = message("Which part of each group is in a cluster: {features}", features=title)
    within = message("Which part of a cluster is of each group: {features}", features=title)
    return (
        *table(f"clusters-{at}-spread", over, head, spread, most=200),
        *table(f"clusters-{at}-made", within, head[:-1], made, most=200),
    )


def _cell(record: AuditRecord, metric: str, counts: GroupCounts, group: int, name: str) -> str:
    return with_interval(record.get(group_key(metric, counts, group, **{"class": name})))


def _label(finding: Finding) -> str:
    return message(
        "{metric}: {group}", metric=describe(finding.key.metric).label, group=cut(finding.key.columns[0], 40)
    )


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the least balance of clusters, and the limits on them."""
    found = record.of_audit("clusters")
    least = [
        f for f in found if f.key.metric == "cluster_balance" and len(f.key.columns) == 1 and f.estimate is not None
    ]
    made = answered(judged, [f for f in found if f.key.metric in EVEN], "")
    if not least:
        return made
    worst = min(least, key=lambda f: f.estimate or 0.0)
    whole = record.get(Key.of("balance_of_rows", worst.key.columns))
    said = message(
        "The balance of clusters by {feature} is {balance}; that of all rows is {rows}.", feature=worst.key.columns[0],
        balance=with_interval(worst), rows=with_interval(whole),
    )  # fmt: skip
    return Answer(said, made.state if judged.verdict is not None else "notable")


SECTION: Final = Section(
    "clusters", TITLE, ("clusters",), 405, clusters, within="fairness", theme=GROUPS, answer=answer
)
