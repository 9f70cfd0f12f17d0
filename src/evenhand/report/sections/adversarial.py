"""Attacks: accuracy before and after each, robust accuracy of each group, and whether the attacks can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message, sentences
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

TITLE: Final = message("Attacks")
NAMES: Final = {
    "none": message("as they are"), "noise": message("random noise of the same size"),
    "fgsm": message("one step along the gradient (FGSM)"), "pgd": message("20 steps from 5 starts (PGD)"),
    "square": message("then a search by squares"), "transfer": message("attacks made for the original"),
}  # fmt: skip
ALONE: Final = message("a search by squares")
KEPT: Final = message("Of the rows {clean} are decided rightly, and {robust} still are when each is attacked.")
DOUBTED: Final = message("The attacks cannot be trusted here: {why}")
UPPER: Final = message("A stronger attack may turn more decisions; attacks that change what is shown are not seen.")
COSTS: Final = ("robust_accuracy_drop", "robust_accuracy_drop_difference", "robust_accuracy_difference")
HEADINGS: Final = {
    "robust_accuracy_change": message("change of robust accuracy"),
    "transfer_accuracy": message("accuracy under attacks on the original"),
}
"""What the compressed model is compared with the original by."""


def attacked(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about attacks; nothing where nothing was attacked."""
    found = record.of_audit("adversarial")
    if not found:
        return ()
    steps = {f.key.qualifier("attack"): f for f in found if f.key.metric == "robust_accuracy"}
    rows = [judged.row(_step(name, steps), steps[name]) for name in NAMES if name in steps]
    blocks: list[Block] = [figure("attacks", message("Rows decided rightly after each attack"), rows, digits=3)]
    own = [f for f in found if f.key.metric == "robust_accuracy" and f.key.group and not f.key.qualifiers]
    if own:
        title = message("Rows decided rightly after all attacks, by group")
        blocks.append(figure("attacked-groups", title, [judged.row(paired(f.key.group), f) for f in own], digits=3))
    blocks += _gaps(found)
    blocks += _before_after(found)
    return (Part("adversarial", TITLE, (*reasons(record, "adversarial"), UPPER), tuple(blocks)),)


def _step(name: str, steps: dict[str | None, Finding]) -> str:
    return ALONE if name == "square" and "pgd" not in steps else NAMES[name]


def _gaps(found: tuple[Finding, ...]) -> tuple[Block, ...]:
    """Return the table of what attacks cost each group, and of the gaps between groups."""
    shown = [f for f in found if f.key.metric in COSTS and f.key.columns]
    cells = ((_said(f), _where(f), with_interval(f, 3), f"{f.support:,}") for f in shown)
    head = (message("metric"), message("group"), message("estimate and interval"), message("rows"))
    return table("attack-costs", message("What attacks cost, by group"), head, cells, {2, 3}, 60, folded=True)


def _said(finding: Finding) -> str:
    return describe(finding.key.metric).label


def _where(finding: Finding) -> str:
    return cut(paired(finding.key.group) or ", ".join(finding.key.columns), 60)


def _before_after(found: tuple[Finding, ...]) -> tuple[Block, ...]:
    """Return the table of the compressed model beside its original; nothing without one."""
    shown = [f for f in found if f.key.metric in HEADINGS]
    groups = list(dict.fromkeys(whom(f) for f in shown))
    by = {(f.key.metric, whom(f)): f for f in shown}
    cells = (
        (cut(group, 60), *(with_interval(by[name, group], 3) if (name, group) in by else "" for name in HEADINGS))
        for group in groups
    )
    head = (message("group"), *HEADINGS.values())
    return table("attacks-original", message("Beside the original, attacked on the same rows"), head, cells)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Say how many right decisions withstand attacks, and first whether the attacks can be trusted."""
    found = {f.name: f for f in record.of_audit("adversarial")}
    made = answered(judged, [f for f in found.values() if not f.uncovered], "")
    doubt, clean, robust = (
        found.get(name) for name in ("attack_unreliable", "robust_accuracy[;attack=none]", "robust_accuracy")
    )
    if doubt is not None and doubt.estimate:
        state = made.state if made.state in OPENING else "notable"
        return Answer(sentences(message(DOUBTED, why=doubt.note), made.sentence), state)
    if clean is None or robust is None:
        return made
    words = message(KEPT, clean=in_percent(clean), robust=in_percent(robust))
    return Answer(sentences(made.sentence, words), made.state)


SECTION: Final = Section("adversarial", TITLE, ("adversarial",), 910, attacked, theme=CHANGES, answer=answer)
