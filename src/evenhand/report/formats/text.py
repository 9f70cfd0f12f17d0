"""The verdict for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.output.sanitising import plain
from evenhand.policy import headline, lines
from evenhand.report.formats.format import Format
from evenhand.report.numbers import with_interval

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict


def text(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """One line per limit; without a policy, one line per finding (.txt)."""
    if verdict is not None:
        found = headline(verdict, record)
        return "\n".join([*lines(verdict), f"{found.sign} {plain(found.text)}.", plain(verdict.sentence)]) + "\n"
    width = max((len(finding.name) for finding in record.findings), default=0)
    rows = (
        f"{plain(finding.name):<{min(width, 90)}}  {with_interval(finding, 3)}  n={finding.support:,}"
        for finding in record.findings
    )
    return "\n".join(rows) + "\n"


FORMAT: Final = Format(text, (".txt",))
