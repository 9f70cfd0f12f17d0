"""Whether what refused people are told holds on the model that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, in_percent
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.judged import table_of
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import FigureRow, Judged

TITLE: Final = message("Told by one model, decided by another: do reasons and ways out hold?")
MOVED: Final = {
    ("reason_comprehensiveness", ""): message("without the stated reasons"),
    ("reason_comprehensiveness", "random"): message("without as many other features"),
    ("reason_sufficiency", ""): message("with the stated reasons alone"),
}
"""What the model is asked again, and how its score for the person changes."""
SHARES: Final = {
    ("reason_flip_rate", ""): message("turn without the stated reasons"),
    ("reason_flip_rate", "random"): message("turn without as many other features"),
    ("unfaithful_reasons", ""): message("reasons no better than other features"),
    ("first_reason_change_rate", "original"): message("another first reason than the original's"),
    ("first_reason_change_rate", "other background"): message("another first reason by the half of the background"),
    ("clear_reason_change_rate", "original"): message("clearly another first reason than the original's"),
    ("reason_set_change_rate", "original"): message("other stated reasons than the original's"),
    ("recourse_flip_rate", ""): message("ways out found that hold when asked alone"),
    ("recourse_kept_rate", "original"): message("ways out told by the original that hold"),
}
"""Shares of refusals, and of ways out."""
WAYS: Final = ("recourse_flip_rate", "recourse_kept_rate")
"""Findings of recourse that are shown here."""


def checked(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about what holds of reasons and ways out; nothing where neither was asked again."""
    found = shown(record)
    if not found:
        return ()
    blocks: list[Block] = []
    shares = _rows(record, judged, SHARES)
    if shares:
        title = message("Of refusals, and of ways out of them, how many ...")
        blocks.append(figure("reasons-held", title, shares))
    if moved := _rows(record, judged, MOVED):
        title = message("By how much the score for the person changes")
        blocks.append(figure("reasons-moved", title, moved, digits=3))
    by_group = [judged.row(_named(f), f) for f in found if len(f.key.columns) == 1 and _place(f) in SHARES]
    if by_group:
        by_group.sort(key=lambda row: bool(row[1].key.group))
        blocks.append(table_of("reasons-held-groups", message("The same between groups, and of each"), by_group))
    return (Part("reason-checks", TITLE, reasons(record, "reason_checks"), tuple(blocks)),)


def shown(record: AuditRecord) -> list[Finding]:
    """Return the findings of this section."""
    ways = [f for f in record.of_audit("recourse") if f.key.metric.startswith(WAYS)]
    return [*record.of_audit("reason_checks"), *ways]


def _place(finding: Finding) -> tuple[str, str]:
    return finding.key.metric.removesuffix("_difference"), finding.key.qualifier("of") or ""


def _named(finding: Finding) -> str:
    what = SHARES[_place(finding)]
    if finding.key.group:
        return message("{group}: {what}", group=cut(whom(finding), 60), what=what)
    return message("difference by {feature}: {what}", feature=cut(finding.key.columns[0], 60), what=what)


def _rows(record: AuditRecord, judged: Judged, wanted: Mapping[tuple[str, str], str]) -> list[FigureRow]:
    """Return the figures of all rows, in the order of `wanted`, without those that are undefined."""
    rows = []
    for (metric, of), label in wanted.items():
        found = record.get(Key.of(metric, **({"of": of} if of else {})))
        if found is not None and found.estimate is not None:
            rows.append(judged.row(label, found))
    return rows


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Say what was told by which model and decided by which, and how much of it holds."""
    made = answered(judged, shown(record), "")
    return Answer(sentences(made.sentence, _ways(record), _reasons(record), _faithful(record)), made.state)


def _models(record: AuditRecord) -> dict[str, str]:
    named = (record.provenance.get("original") or {}).get("name"), record.provenance.get("subject", {}).get("name")
    return dict(zip(("told", "decides"), (cut(str(name or "?"), 60) for name in named), strict=True))


def _ways(record: AuditRecord) -> str:
    kept, held = record.get(Key.of("recourse_kept_rate", of="original")), record.get("recourse_flip_rate")
    if kept is not None and kept.estimate is not None:
        return message(
            "Told by {told}, decided by {decides}: of {n:,} people who were told a way out, {share} are accepted when "
            "they take it.", n=kept.support, share=in_percent(kept), **_models(record),
        )  # fmt: skip
    if held is None or held.estimate is None:
        return ""
    words = message("Of {n:,} ways out that were found, {share} hold on {decides} when it is asked about each alone.")
    return message(words, n=held.support, share=in_percent(held), decides=_models(record)["decides"])


def _reasons(record: AuditRecord) -> str:
    keys = (("first_reason_change_rate", "original"), ("clear_reason_change_rate", "original"))
    changed, clear = (record.get(Key.of(metric, of=of)) for metric, of in keys)
    if changed is None or changed.estimate is None:
        return ""
    models = _models(record)
    words = message(
        "Of {n:,} people whom both refuse, {share} have another first reason by {decides} than by {told}.",
        n=changed.support, share=in_percent(changed), **models,
    )  # fmt: skip
    if clear is None or clear.estimate is None:
        return words
    more = message("For {share} that is so with either half of the background.", share=in_percent(clear))
    return sentences(words, more)


def _faithful(record: AuditRecord) -> str:
    found = record.get("unfaithful_reasons")
    if found is None or found.estimate is None:
        return ""
    return message(
        "Of {n:,} refusals, {share} have stated reasons that move {decides} no more than other features do.",
        n=found.support, share=in_percent(found), decides=_models(record)["decides"],
    )  # fmt: skip


SECTION: Final = Section(
    "reason-checks", TITLE, ("reason_checks",), 742, checked, within="explanation", theme=EXPLANATIONS, answer=answer
)
