"""Show records and verdicts in a notebook: a page in an iframe, a table of judgements.

Neither renders itself: `evenhand.outlines.show_by` is told of `drawn` when evenhand is imported, so that it does not
matter whether IPython was started before or after.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Verdict

MOST: Final = 12
"""Judgements that are shown open; more are folded."""
MARKS: Final = {"passed": "\u2713", "failed": "\u2717", "undecided": "?"}
COLOURS: Final = {"passed": "#1a7f37", "failed": "#b42318", "undecided": "#8a5a00"}
"""Of a status, always with its mark and its word; legible on white and on black."""
HEADINGS: Final = ("status", "key", "value", "limit", "why")


def drawn(thing: object) -> str:
    """Return a record or a verdict as HTML for a notebook."""
    from evenhand.findings import AuditRecord

    return frame(thing) if isinstance(thing, AuditRecord) else table(cast("Verdict", thing))


def frame(record: AuditRecord) -> str:
    """Return the page in a sandboxed iframe, so that its style stays inside."""
    from evenhand.report.formats.html import html

    page = escape(html(record), quote=True)
    return f'<iframe title="evenhand audit" sandbox="" width="100%" height="640" srcdoc="{page}"></iframe>'


def table(verdict: Verdict) -> str:
    """Return the verdict's sentence and its judgements, worst first; beyond the first dozen they are folded."""
    first, rest = verdict.judgements[:MOST], verdict.judgements[MOST:]
    mark = f'<strong style="color:{COLOURS[verdict.status]}">{MARKS[verdict.status]}</strong>'
    head = f"<p>{mark} {escape(str(verdict.sentence))}</p>"
    folded = f"<details><summary>{len(rest):,} more limits</summary>{_rows(rest)}</details>" if rest else ""
    return f"<div>{head}{_rows(first)}{folded}</div>"


def _rows(judgements: tuple[Judgement, ...]) -> str:
    headings = "".join(f'<th scope="col" style="text-align:left">{word}</th>' for word in HEADINGS)
    return f"<table><thead><tr>{headings}</tr></thead><tbody>{''.join(map(_row, judgements))}</tbody></table>"


def _row(judgement: Judgement) -> str:
    _, key, value, limit = judgement.cells
    aside = f" ({escape(str(judgement.aside))})" if judgement.aside else ""
    short = [_marked(judgement.status) + aside, *map(escape, (key, value, limit.removeprefix("limit ")))]
    cells = [*((cell, "nowrap") for cell in short), (escape(str(judgement.sentence)), "normal")]
    told = "".join(f'<td style="text-align:left;white-space:{way}">{cell}</td>' for cell, way in cells)
    return f"<tr>{told}</tr>"


def _marked(status: str) -> str:
    return f'<span style="color:{COLOURS[status]}">{MARKS[status]} {status}</span>'
