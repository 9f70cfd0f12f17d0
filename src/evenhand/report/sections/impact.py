"""Impact ratios, shares of the selected, and inequality between groups."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from evenhand.messages import message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered, limit_words
from evenhand.report.sections.facts import whom
from evenhand.report.sections.section import GROUPS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Who gets the selections")
NO_VERDICT: Final = message(
    "Under four fifths of the highest rate is evidence of adverse impact (29 CFR 1607.4(D)), and no verdict."
)
SMALL: Final = 30
"""Of fewer rows a rate says little, and a ratio to it less."""
FEW_ROWS: Final = message(
    "Where the highest group has fewer than {rows} rows, its ratios rest on these few.", rows=SMALL
)


def of_impact(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about impact and scoring ratios, shares, and inequality between groups; nothing without them."""
    found = record.of_audit("impact")
    if not found:
        return ()
    against = [f for f in found if f.key.qualifier("vs") == "highest"]
    few = any(part.rows < SMALL for f in against for part in f.groups[-1:])
    ratios = (
        (cut(whom(f), 80), describe(f.component).label, with_interval(f), _highest(f), f.undefined) for f in against
    )
    shares = (
        (cut(whom(f), 80), describe(f.key.metric).label, with_interval(f))
        for f in found
        if f.key.group and f.key.qualifier("vs") is None
    )
    whole = (
        (
            cut(", ".join(f.key.columns), 60) or message("all rows"),
            describe(f.key.metric).label,
            with_interval(f),
            f.undefined or f.note,
        )
        for f in found
        if not f.key.group
    )
    first = message("Each group and the one with the highest rate")
    group, metric, value, note = message("group"), message("metric"), message("value"), message("note")
    head = (group, message("rate"), message("ratio and interval"), message("highest group"), note)
    wide = (message("feature"), metric, value, note)
    blocks = (
        *table("impact-ratios", first, head, ratios, {2}, 100),
        *table("impact-shares", message("Shares of each group"), (group, metric, value), shares, {2}, 100, folded=True),
        *table("impact-whole", message("All groups at once"), wide, whole, {2}, 100, folded=True),
    )
    return (Part("impact", TITLE, (NO_VERDICT, *([FEW_ROWS] if few else [])), blocks),)


def _shown_low(ratio: Finding) -> tuple[float, float]:
    """Return how high a ratio may be: the least is that of the group which is shown to be lowest."""
    high = None if ratio.interval is None else ratio.interval.high
    return inf if high is None else high, ratio.estimate or 0.0


def _highest(ratio: Finding) -> str:
    """Return the group with the highest rate, with its rows."""
    best = ratio.groups[-1:]
    return message("{group} (n={rows:,})", group=cut(best[0].group, 80), rows=best[0].rows) if best else "–"


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the least ratio to the group with the highest rate."""
    found = record.of_audit("impact")
    made = answered(judged, found, "")
    ratios = [
        f for f in found if f.key.qualifier("vs") == "highest" and f.estimate is not None and len(f.key.group) == 1
    ]
    if not ratios:
        return replace(made, folded=not judged.of(found))
    decided = [f for f in ratios if f.component != "scoring_rate"] or ratios
    least = min(decided, key=_shown_low)
    said = message(
        "{rate} of {group}: {ratio} of that of {highest}.",
        ratio=with_interval(least), rate=describe(least.component).label, group=whom(least), highest=_highest(least),
    )  # fmt: skip
    limits = judged.of(found)
    return Answer(sentences(limit_words(limits) if limits else "", said), made.state, folded=not limits)


SECTION: Final = Section("impact", TITLE, ("impact",), 440, of_impact, within="fairness", theme=GROUPS, answer=answer)
