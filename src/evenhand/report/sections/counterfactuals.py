"""Decisions as another group, with the declared proxies, and scores that move against a declared direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, in_percent, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import paired, whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("What if: another group, another value")
FLIPS: Final = message("Given the values of another group, {share} of the decisions about {group} change.")
FALLS: Final = message("Scores move against the declared direction in {share} of the rows for {feature}.")
STRAIGHT: Final = message("No score moves against a declared direction.")
UNSEEN: Final = message("Proxies that were not declared stay as they are, and are not seen here.")
TABLED: Final = (
    "proxy_flip_rate_difference", "proxy_flip_rate_change", "monotonicity_fall", "monotonicity_violations_difference",
)  # fmt: skip
AS: Final = message("{group}, as {other}")


def changed(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about swaps with proxies and declared directions; nothing where neither was declared."""
    swapped, moved = record.of_audit("counterfactual"), record.of_audit("monotonicity")
    if not swapped and not moved:
        return ()
    blocks: list[Block] = []
    flips = [f for f in swapped if f.key.metric == "proxy_flip_rate"]
    if flips:
        title = message("Decisions that change with the values of another group")
        blocks.append(figure("proxy-flips", title, [judged.row(paired(f.key.group), f) for f in flips], digits=3))
    changes = [f for f in swapped if f.key.metric == "proxy_swap_change"]
    if changes:
        title = message("How many more (below 0: fewer) favourable decisions a group would have as another")
        blocks.append(figure("proxy-swaps", title, [judged.row(_swap(f), f) for f in changes], digits=3))
    against = [f for f in moved if f.key.metric == "monotonicity_violations"]
    if against:
        title = message("Rows whose score moves against the declared direction")
        blocks.append(figure("monotonicity", title, [judged.row(_feature(f), f) for f in against], digits=3))
    blocks += _others(swapped, moved)
    said = (*reasons(record, "counterfactual"), *((UNSEEN,) if swapped else ()), *reasons(record, "monotonicity"))
    return (Part("counterfactuals", TITLE, said, tuple(blocks)),)


def _swap(finding: Finding) -> str:
    return message(AS, group=paired(finding.key.group), other=cut(finding.key.qualifier("vs") or "", 40))


def _feature(finding: Finding) -> str:
    name = cut(finding.key.qualifier("feature") or "", 60)
    return name if not finding.key.group else joined(", ", (name, paired(finding.key.group)))


def _others(swapped: tuple[Finding, ...], moved: tuple[Finding, ...]) -> tuple[Block, ...]:
    """Return the table of gaps between groups, of sizes, and of changes by compression."""
    shown = [f for f in (*swapped, *moved) if f.key.metric in TABLED]
    cells = ((_said(f), _where(f), with_interval(f, 3), f"{f.support:,}") for f in shown)
    head = (message("metric"), message("group"), message("estimate and interval"), message("rows"))
    return table("what-if-table", message("Gaps and sizes"), head, cells, {2, 3}, 60, folded=True)


def _said(finding: Finding) -> str:
    return describe(finding.key.metric).label


def _where(finding: Finding) -> str:
    groups = paired(finding.key.group) or ", ".join(finding.key.columns)
    return cut(joined(", ", filter(None, (finding.key.qualifier("feature") or "", groups))), 60)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Say for whom most decisions change, and whether a score moves the wrong way."""
    swapped, moved = record.of_audit("counterfactual"), record.of_audit("monotonicity")
    made = answered(judged, [*swapped, *moved], "")
    flips = [f for f in swapped if f.key.metric == "proxy_flip_rate" and len(f.key.columns) == 1]
    most = max(flips, key=lambda f: f.estimate or 0.0, default=None)
    said = [made.sentence]
    if most is not None and most.estimate:
        said.append(message(FLIPS, group=cut(whom(most), 60), share=in_percent(most)))
    against = [f for f in moved if f.key.metric == "monotonicity_violations" and not f.key.columns]
    worst = max(against, key=lambda f: f.estimate or 0.0, default=None)
    if worst is not None and worst.estimate:
        said.append(message(FALLS, share=in_percent(worst), feature=_feature(worst)))
    elif worst is not None:
        said.append(STRAIGHT)
    notable = bool((most is not None and most.estimate) or (worst is not None and worst.estimate))
    state = made.state if made.state in OPENING or not notable else "notable"
    return Answer(sentences(*said), state)


SECTION: Final = Section(
    "counterfactuals", TITLE, ("counterfactual", "monotonicity"), 920, changed, theme=CHANGES, answer=answer
)
