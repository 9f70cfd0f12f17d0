"""Who can be singled out by what outsiders may know, and where personal data stand in plain sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.messages import message, messages, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, in_percent, show, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("What the rows give away")
MOST: Final = 15
SEVERAL: Final = ("k_anonymity", "l_diversity", "t_closeness")
KINDS: Final = {
    "email": message("mail addresses"),
    "phone": message("telephone numbers"),
    "resident id": message("Chinese resident identity numbers"),
    "card": message("payment cards"),
    "iban": message("bank accounts (IBAN)"),
    "social security number": message("social security numbers (US)"),
    "ip address": message("IP addresses"),
    "name": message("names, by the column's name"),
    "address": message("addresses, by the column's name"),
    "birth date": message("dates of birth, by the column's name"),
}
UNSEEN: Final = message(
    "This is counted in these rows: in a register of everybody fewer are unique. Personal data without a known form, "
    "such as what a text says of somebody, are not found."
)


def disclosed(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about singled-out rows and personal data; nothing where they were not looked for."""
    found = record.of_audit("disclosure")
    if not found:
        return ()
    blocks: list[Block] = []
    unique = [f for f in found if f.key.metric == "unique_share" and len(f.key.columns) < 2]
    of_members = [f for f in unique if f.key.qualifier("of")]
    singles = of_members or unique
    if singles:
        rows = [judged.row(cut(group_name(f.key.group), 60) or message("all rows"), f) for f in singles]
        blocks.append(
            figure("unique", message("Share of rows that no other row equals in the quasi-identifiers"), rows)
        )
    several = [f for f in found if f.key.metric in (*SEVERAL, "small_class_share") and len(f.key.group) == 0]
    head = (message("measure"), message("column"), message("of"), message("value"), message("rows"))
    cells = (
        (
            describe(f.key.metric).label,
            cut(", ".join(f.key.columns), 60),
            _whose(f),
            with_interval(f, 3),
            f"{f.support:,}",
        )
        for f in several
    )
    blocks += table("anonymity", message("How well rows hide among others"), head, cells, {3, 4}, MOST)
    kinds = ((cut(f.key.columns[0], 60), _kind(f), show(f.estimate, f.unit), f"{f.support:,}")
             for f in found if f.key.metric == "personal_values")  # fmt: skip
    heads = (message("column"), message("kind"), message("rows with it"), message("rows"))
    blocks += table("personal", message("Columns with personal data"), heads, kinds, {2, 3}, MOST)
    return (Part("disclosure", TITLE, (*reasons(record, "disclosure"), UNSEEN), tuple(blocks)),)


def _kind(finding: Finding) -> str:
    kind = finding.key.qualifier("kind") or ""
    return KINDS.get(kind, kind)


def _whose(finding: Finding) -> str:
    return message("rows the model was fitted on") if finding.key.qualifier("of") else message("evaluation rows")


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Say how many rows are unique, and in how many columns personal data stand."""
    found = record.of_audit("disclosure")
    shares = [f for f in found if f.key.metric == "unique_share" and not f.key.columns and f.estimate is not None]
    columns = next((f for f in found if f.key.metric == "personal_data_columns"), None)
    files = next((f for f in found if f.key.metric == "personal_data_in_files"), None)
    said = ""
    if shares:
        last = shares[-1]
        said = message(
            "{share} of the {rows:,} {whose} are unique in the quasi-identifiers.",
            share=in_percent(last), rows=last.support, whose=_whose(last),
        )  # fmt: skip
    plain = ""
    if columns is not None and columns.estimate is not None:
        n = int(columns.estimate)
        plain = (
            messages("{n} column holds personal data.", "{n} columns hold personal data.", n)
            if n
            else message("No column was found to hold personal data.")
        )
    file = message("The model's file holds personal data.") if files is not None and files.estimate else ""
    made = answered(judged, list(found), "")
    notable = bool(file) or (columns is not None and bool(columns.estimate))
    state = "notable" if notable and made.state not in OPENING else made.state
    return Answer(sentences(made.sentence, said, plain, file), state)


SECTION: Final = Section("disclosure", TITLE, ("disclosure",), 810, disclosed, theme=CHANGES, answer=answer)
