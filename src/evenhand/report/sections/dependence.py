"""Effects and interactions of the top features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.figures.explained import explained_scale
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.judged import table_of
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import FigureRow, Judged

TITLE: Final = message("How the score moves with a feature")
KINDS: Final = ("partial_dependence", "accumulated_effect")
DRAWN: Final = 2
"""Features whose effects are drawn; more are in audit.json."""


def moved(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about effects and interactions; nothing where there are none."""
    found = record.of_audit("dependence")
    if not found:
        return ()
    blocks: list[Block] = []
    scale = explained_scale(record)
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for f in found:
        if f.key.metric in KINDS:
            kinds.setdefault((f.key.columns[0], f.key.metric), []).append(f)
    for at, ((feature, kind), effects) in enumerate(kinds.items()):
        # For numeric features the local effect is drawn; partial dependence is in audit.json.
        if kind == "partial_dependence" and (feature, "accumulated_effect") in kinds:
            continue
        if len(blocks) == DRAWN:
            break
        rows: list[FigureRow] = [
            (f"{cut(feature, 24)} = {cut(f.key.qualifier('at') or '', 24)}", f, "plain", None) for f in effects
        ]
        title = _moving(kind, cut(feature, 60))
        blocks.append(figure(f"effect-{at}", title, rows, kind="bars", digits=3, axis=scale))
    strength: list[FigureRow] = [
        (" × ".join(cut(column, 30) for column in f.key.columns), f, "plain", None)
        for f in found
        if f.key.metric == "interaction_strength"
    ]
    if strength:
        title = message("How much of what two features do together is no sum of what each does")
        blocks.append(table_of("interactions", title, strength))
    return (Part("dependence", TITLE, _tree(record), tuple(blocks)),)


def _moving(kind: str, feature: str) -> str:
    if kind == "accumulated_effect":
        return message("How the score moves along {feature}, step by step, 0 on average", feature=feature)
    return message("Mean score when everybody's {feature} is set to a value, less the mean score", feature=feature)


def _tree(record: AuditRecord) -> tuple[str, ...]:
    """State how often the surrogate tree decides as the model does, before its rules."""
    agreement = record.get("surrogate_agreement")
    lead: list[str] = []
    if agreement is not None:
        share = with_interval(agreement)
        lead.append(message("It decides as the model does in a share of {share} of the rows.", share=share))
    return (*lead, *reasons(record, "dependence"))


def answer(record: AuditRecord, _: Judged) -> Answer:
    """State how much of the scores a small tree gives."""
    fidelity = record.get("surrogate_fidelity")
    if fidelity is None or fidelity.estimate is None:
        return Answer(message("Effects of the features that move the score most."))
    share = show(fidelity.estimate)
    return Answer(
        message("A tree of at most three questions a row gives {share} of the variance of the scores.", share=share)
    )


SECTION: Final = Section(
    "dependence", TITLE, ("dependence",), 710, moved, within="explanation", theme=EXPLANATIONS, answer=answer
)
