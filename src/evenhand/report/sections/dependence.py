"""Effects and interactions of the top features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.judged import table_of
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import Section
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
        blocks.append(figure(f"effect-{at}", title, rows, kind="bars", digits=3))
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
    """State the fidelity of the surrogate tree, before its rules."""
    fidelity, agreement = record.get("surrogate_fidelity"), record.get("surrogate_agreement")
    lead: list[str] = []
    if fidelity is not None and fidelity.estimate is not None:
        share = show(fidelity.estimate)
        lead.append(message("A tree of three questions gives {share} of the variance of the scores.", share=share))
    if agreement is not None:
        share = with_interval(agreement)
        lead.append(message("It decides as the model does in a share of {share} of the rows.", share=share))
    return (*lead, *reasons(record, "dependence"))


SECTION: Final = Section("dependence", TITLE, ("dependence",), 710, moved, within="explanation")
