"""Privacy: who can be told to have been in the training rows, and what the model gives away of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, limit_words
from evenhand.report.sections.facts import paired, whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Table
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Privacy")
AUDITS: Final = ("membership", "attribute_inference", "exposure")
EMPTY: Final = message(
    "Whom the model gives away as one of its training rows is asked where those are given: evenhand audit --privacy "
    "ROWS."
)
CHANCE: Final = 0.5
TOLD: Final = message(
    "An attack tells rows the model was fitted on from others with an area under the ROC curve of {auc}; 0.5 is chance."
)
NOT_TOLD: Final = message(
    "The attack did not tell rows the model was fitted on from others: area under the ROC curve {auc}, 0.5 is chance."
)
MOST: Final = message("Most exposed beside all others: {group}, by {excess}.")
BOUND: Final = message("It is a lower bound, from proxy references.")
PROXY: Final = message(
    "The model's recipe is not known, so they are logistic regressions: what is found is a lower bound, from proxy "
    "references."
)
"""What the audit notes of such references."""
GIVES: Final = message("Sensitive values of these rows are told better than those of others: {columns}.")
UNSEEN: Final = message(
    "Not seen: stronger attacks, which may find more, and the few most exposed people behind a mean. Where the model's "
    "rows and the evaluation rows were drawn at other times or places, that difference is counted as membership."
)
ATTACKS: Final = {
    "": message("RMIA, online: references with and without the row"),
    "rmia_offline": message("RMIA, offline: references without the row"),
    "loss": message("the model's own confidence alone"),
    "lira": message("LiRA, likelihood ratio"),
}
"""Attacks by their qualifier."""
PARTS: Final = {
    "support vectors": message("support vectors"), "kept rows": message("kept rows"),
    "explainer backgrounds": message("backgrounds of explainers"), "leaves of one row": message("leaves of one row"),
    "words left out": message("words left out"), "words of one row": message("words of one row"),
    "categories of one row": message("categories of one row"),
}  # fmt: skip
"""Parts of models that hold training rows."""
MOST_ROWS: Final = 30


def private(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about attacks on privacy and what is exposed; nothing where nothing was asked."""
    found = [finding for audit in AUDITS for finding in record.of_audit(audit)]
    if not found:
        return ()
    blocks: list[Block] = [
        *_areas(found, judged), *_attacks(record, found), *_beyond(found), *_changed(found, judged),
        *_attributes(record, found), *_stored(found),
    ]  # fmt: skip
    attacked = any(finding.key.metric == "membership_auc" for finding in found)
    lead = (*reasons(record, *AUDITS), *([UNSEEN] if attacked else []), *_answers(found))
    return (Part("privacy", TITLE, lead, tuple(blocks)),)


def _of(found: Sequence[Finding], metric: str) -> list[Finding]:
    return [finding for finding in found if finding.key.metric == metric]


def _areas(found: Sequence[Finding], judged: Judged) -> Iterator[Block]:
    """Yield the figure of the standard attack's area: over all rows, for each class and each group."""
    areas = [f for f in _of(found, "membership_auc") if f.key.qualifier("attack") is None]
    if not areas:
        return
    title = message("How well an attack tells the model's rows from others: the line is chance")
    axis = message("area under the ROC curve")
    rows = [judged.row(_whom(f), f) for f in areas]
    yield figure("membership", title, rows[:MOST_ROWS], digits=3, axis=axis, origin=CHANCE)


def _whom(finding: Finding) -> str:
    value = finding.key.qualifier("class")
    return whom(finding) if value is None else message("class {value}", value=cut(value, 60))


def _attacks(record: AuditRecord, found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of attacks: area, corrected advantage, members found at few false alarms."""
    rows = []
    for attack, words in ATTACKS.items():
        more = {"attack": attack} if attack else {}
        area = record.get(Key.of("membership_auc", {}, **more))
        if area is None or area not in found:
            continue
        hits = (record.get(Key.of("membership_tpr", {}, at=at, **more)) for at in ("0.01", "0.001"))
        cells = (area, record.get(Key.of("membership_advantage", {}, **more)), *hits)
        rows.append((words, *(_cell(cell) for cell in cells)))
    head = (
        message("attack"), message("area"), message("advantage"), message("found at 1 % false alarms"),
        message("found at 0.1 % false alarms"),
    )  # fmt: skip
    title = message("Attacks over all rows; the first is the standard one, by which groups are compared")
    return table("membership-attacks", title, head, rows)


def _cell(finding: Finding | None) -> str:
    if finding is not None and finding.estimate is None and finding.undefined:
        return message("too few rows")
    return with_interval(finding, 3)


def _beyond(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of groups that are exposed more than all others, surely so."""
    rows = [(whom(f), with_interval(f, 3), f"{f.support:,}") for f in _exposed(found)]
    head = (message("group"), message("area less that of all others"), message("rows"))
    return table("membership-groups", message("Groups told better than all others"), head, rows, most=MOST_ROWS)


def _exposed(found: Sequence[Finding]) -> list[Finding]:
    """Return the excesses of groups whose interval is above 0, the surest first."""
    sure = [(f.interval.low or 0.0, f) for f in _of(found, "membership_excess") if f.interval is not None]
    return [f for low, f in sorted(sure, key=lambda each: -each[0]) if low > 0]


def _changed(found: Sequence[Finding], judged: Judged) -> Iterator[Block]:
    """Yield the figure of what compression did to the area."""
    moved = _of(found, "membership_auc_change")
    if moved:
        title = message("What compression changed of it: above 0 the model's rows are told better than before")
        rows = [judged.row(whom(f), f) for f in moved]
        yield figure("membership-change", title, rows[:MOST_ROWS], digits=3)


def _attributes(record: AuditRecord, found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of sensitive values: told of the model's rows, of others, and without the model."""
    rows = []
    for gain in _of(found, "attribute_gain"):
        parts = (
            record.get(Key.of("attribute_auc", dict(gain.key.group), of=part))
            for part in ("members", "others", "imputation")
        )
        rows.append((paired(gain.key.group), with_interval(gain, 3), *(with_interval(part, 3) for part in parts)))
    head = (
        message("sensitive value"), message("difference"), message("of the model's rows"), message("of others"),
        message("without the model"),
    )  # fmt: skip
    title = message("How well a sensitive value is told, all else of a row being known: areas, 0.5 is chance")
    return table("attributes", title, head, rows, most=MOST_ROWS)


def _stored(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of parts of the model that hold training rows."""
    rows = [
        (PARTS.get(part := f.key.qualifier("part") or "", part), with_interval(f), f.note)
        for f in _of(found, "stored_rows")
    ]
    head = (message("part of the model"), message("training rows"), message("what it is"))
    return table("stored-rows", message("What whoever has the model's file can read"), head, rows, {1})


def _answers(found: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(finding.note for finding in _of(found, "answer_numbers") if finding.note)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Say whether members are told, whom most, and by which references."""
    found = [finding for audit in AUDITS for finding in record.of_audit(audit)]
    limits = judged.of(found)
    area = record.get("membership_auc")
    low = None if area is None or area.interval is None else area.interval.low
    told, exposed = low is not None and low > CHANCE, _exposed(found)
    said = [limit_words(limits)] if limits else []
    if area is not None:
        said.append(message(TOLD if told else NOT_TOLD, auc=with_interval(area, 3)))
        if any(f.note == PROXY for f in _of(found, "membership_references")):
            said.append(BOUND)
    if exposed:
        said.append(message(MOST, group=cut(whom(exposed[0]), 80), excess=with_interval(exposed[0], 3)))
    gained = [f for f in _of(found, "attribute_gain") if f.interval is not None and (f.interval.low or 0.0) > 0]
    if gained:
        columns = tuple(dict.fromkeys(cut(column, 60) for f in gained for column in f.key.columns))
        said.append(message(GIVES, columns=columns))
    state = limits[0].status if limits else "plain"
    notable = told or bool(exposed) or bool(gained)
    return Answer(sentences(*said), "notable" if notable and state not in OPENING else state)


SECTION: Final = Section("privacy", TITLE, AUDITS, 800, private, EMPTY, theme=CHANGES, answer=answer)
