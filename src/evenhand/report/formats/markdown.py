"""A summary for a step summary or a comment: the verdict, the limits, every group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, messages
from evenhand.policy.headline import SIGNS
from evenhand.report.drawings import Table
from evenhand.report.formats.format import Format
from evenhand.report.formats.markdown_text import as_markdown, as_table, size, table_within
from evenhand.report.numbers import cut
from evenhand.report.page import build_page
from evenhand.report.theme import USUAL, Theme
from evenhand.report.view import said
from evenhand.words import language

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.view import Block, Page
    from evenhand.words import Language

MOST: Final = 60_000
"""Bytes of the whole, and so characters: what the comment of a pull request holds, with room for what is added."""
FOR_LIMITS: Final = 40_000
"""Bytes of the table of limits; the worst come first."""
FOR_CUT: Final = 600
"""Bytes that are kept for the line that says where the summary is cut."""
MOST_REMARKS: Final = 20


def markdown(record: AuditRecord, verdict: Verdict | None = None, theme: Theme = USUAL) -> str:
    """A summary in Markdown, at most 60 kB (.md)."""
    words = language(theme.lang)
    say, page = words.say, said(build_page(record, verdict), words)
    headline = say(message("{headline}.", headline=page.headline))
    sentence = as_markdown(cut(page.sentence, 1000))
    verdict_line = f"**{SIGNS[page.status]} {as_markdown(headline)}** {sentence}"
    out = [f"# {as_markdown(page.title)}", "", verdict_line, "", *_to_do(page, say)]
    out += [f"- {as_markdown(cut(remark, 400))}" for remark in page.remarks[:MOST_REMARKS]]
    out += _limits(page, words) if page.limits else []
    held = size(out)
    for part in page.parts:
        block = ["", f"## {as_markdown(part.title)}", ""]
        block += [f"{as_markdown(sentence)}\n" for sentence in (part.answer, *part.lead) if sentence]
        for piece in part.blocks:
            block += _block(piece, say)
        held += size(block) + 1
        if held > MOST - FOR_CUT:
            title = cut(part.title, 80)
            told = message("{part} and what follows it are in the page; this summary is cut here.", part=title)
            out += ["", f"*{as_markdown(say(told))}*"]
            break
        out += block
    return "\n".join(out).strip() + "\n"


def _to_do(page: Page, say: Callable[[str], str]) -> list[str]:
    """Return what to do, and what makes every figure doubtful."""
    acts = [(say(message("{headline}.", headline=act.title)), act.text) for act in page.decision.acts]
    told = [f"- **{as_markdown(title)}** {as_markdown(cut(text, 400))}" for title, text in acts]
    return told + [f"- {as_markdown(caution.sentence)}" for caution in page.decision.cautions]


def _limits(page: Page, words: Language) -> list[str]:
    """Return the table of limits, as many of the worst as have room, and how many more there are."""
    head = ("", *map(words.say, (message("limit on"), message("measured"), message("limit"))), "")
    rows = [(f"{SIGNS[r.status]} {r.badge}", r.key, r.measured, r.limit, r.sentence) for r in page.limits]
    lines, left = table_within(head, rows, FOR_LIMITS)
    more = words.say(messages("{n:,} more limit is in the page.", "{n:,} more limits are in the page.", left))
    return ["", *lines, *(["", more] if left else [])]


def _block(block: Block, say: Callable[[str], str]) -> list[str]:
    table: Table = block if isinstance(block, Table) else block.table
    if table.within:
        return []
    if not any(table.head):
        return ["", *(f"- {as_markdown(say(joined(': ', row)))}" for row in table.rows), ""]
    return ["", f"**{as_markdown(table.title)}**", "", *as_table(table.head, table.rows), ""]


FORMAT: Final = Format(markdown, (".md",), spoken=True)
