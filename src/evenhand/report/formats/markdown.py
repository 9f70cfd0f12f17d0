"""A summary for a step summary or a comment: the verdict, the limits, every group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.policy.headline import SIGNS
from evenhand.report.drawings import Table
from evenhand.report.formats.format import Format
from evenhand.report.formats.markdown_text import as_markdown, as_table
from evenhand.report.page import build_page
from evenhand.report.theme import USUAL, Theme
from evenhand.report.view import said
from evenhand.words import language

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.view import Block, LimitRow

MOST = 60_000
"""Characters: what a pull request's comment holds."""


def markdown(record: AuditRecord, verdict: Verdict | None = None, theme: Theme = USUAL) -> str:
    """A summary in Markdown, at most 60 kB (.md)."""
    words = language(theme.lang)
    say, page = words.say, said(build_page(record, verdict), words)
    headline = say(message("{headline}.", headline=page.headline))
    out = [
        f"# {as_markdown(page.title)}",
        "",
        f"**{SIGNS[page.status]} {as_markdown(headline)}** {as_markdown(page.sentence)}",
        "",
    ]
    for act in page.decision.acts:
        title = say(message("{headline}.", headline=act.title))
        out.append(f"- **{as_markdown(title)}** {as_markdown(act.text)}")
    out += [f"- {as_markdown(caution.sentence)}" for caution in page.decision.cautions]
    out += [f"- {as_markdown(remark)}" for remark in page.remarks]
    if page.limits:
        head = ("", *map(say, (message("limit on"), message("measured"), message("limit"))), "")
        rows = [(f"{SIGNS[r.status]} {r.badge}", r.key, r.measured, r.limit, _why(r, say)) for r in page.limits]
        out += ["", *as_table(head, rows)]
    for part in page.parts:
        block = ["", f"## {as_markdown(part.title)}", ""]
        block += [f"{as_markdown(sentence)}\n" for sentence in part.lead]
        for piece in part.blocks:
            block += _block(piece, say)
        if sum(len(line) + 1 for line in (*out, *block)) > MOST - 200:
            title = as_markdown(part.title)
            cut = message("{part} and what follows it are in the page; this summary is cut here.", part=title)
            out += ["", f"*{say(cut)}*"]
            break
        out += block
    return "\n".join(out).strip() + "\n"


def _why(row: LimitRow, say: Callable[[str], str]) -> str:
    return say(message("{why}. {harm}", why=row.sentence, harm=row.harm)) if row.harm else row.sentence


def _block(block: Block, say: Callable[[str], str]) -> list[str]:
    table: Table = block if isinstance(block, Table) else block.table
    if table.within:
        return []
    if not any(table.head):
        return ["", *(f"- {as_markdown(say(joined(': ', row)))}" for row in table.rows), ""]
    return ["", f"**{as_markdown(table.title)}**", "", *as_table(table.head, table.rows), ""]


FORMAT: Final = Format(markdown, (".md",), spoken=True)
