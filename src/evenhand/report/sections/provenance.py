"""Where the record comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut
from evenhand.report.sections.facts import mapping
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Provenance")
MOST_WARNINGS: Final = 10
BLOCKS: Final = {
    "subject": message("subject"),
    "original": message("original"),
    "data": message("data"),
    "options": message("options"),
    "code": message("code"),
    "versions": message("versions"),
}
SAME_POLICY: Final = message("The policy judged by is the one that was on record before the audit.")
OTHER_POLICY: Final = message("The policy judged by is another than the one that was on record before the audit.")


def provenance(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Tell where the record comes from."""
    rows: list[tuple[str, str]] = []
    for block, words in BLOCKS.items():
        for name, value in sorted(mapping(record.provenance.get(block)).items()):
            if isinstance(value, (str, int, float, bool)) and value != "":
                rows.append((joined(": ", (words, name)), cut(str(value), 120)))
    measured = record.measurements
    if measured.get("started"):
        took = message("{day}, in {seconds} s", day=str(measured["started"]), seconds=str(measured.get("seconds")))
        rows.append((message("audited at"), took))
    if measured.get("command"):
        rows.append((message("command"), cut(str(measured["command"]), 400)))
    warned = measured.get("warnings")
    rows += [
        (message("warning"), cut(str(text), 300))
        for text in (warned if isinstance(warned, list) else [])[:MOST_WARNINGS]
    ]
    before = mapping(record.provenance.get("policy")).get("sha256")
    if before:
        rows.append((message("policy on record before the audit"), str(before)))
    table = Table("provenance-table", TITLE, ("", ""), tuple(rows)).bounded()
    lead = [message("Enough to repeat the audit and to see whether anything differs.")]
    if before and judged.verdict is not None:
        lead.append(SAME_POLICY if before == judged.verdict.policy_sha256 else OTHER_POLICY)
    return (Part("provenance", TITLE, tuple(lead), (table,)),)


SECTION: Final = Section("provenance", TITLE, (), 1600, provenance, of_studies=True)
