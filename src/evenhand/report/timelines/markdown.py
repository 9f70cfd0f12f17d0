"""A timeline as a summary in Markdown, for a step summary, a comment or a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message, sentences
from evenhand.policy.headline import SIGNS
from evenhand.report.drawings import Table
from evenhand.report.formats.markdown_text import as_markdown, as_table, size
from evenhand.report.timelines.drawn import Room
from evenhand.report.timelines.page import build_page
from evenhand.report.view import said
from evenhand.words import language

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.report.view import Block, Part
    from evenhand.timelines import Timeline

MOST: Final = 60_000
"""Bytes of the whole: what the comment of a pull request holds."""
FOR_CUT: Final = 600


def markdown(timeline: Timeline, lang: str = "en") -> str:
    """Return the verdict, the alarms, and where everything that is watched ends, of at most 60 kB."""
    words = language(lang)
    say, page = words.say, said(build_page(timeline, Room(rows=8, series=40)), words)
    headline = say(message("{headline}.", headline=page.headline))
    out = [f"# {as_markdown(page.title)}", ""]
    out += [f"**{SIGNS[page.status]} {as_markdown(headline)}** {as_markdown(page.sentence)}", ""]
    for told in page.alarms:
        text = say(sentences(told.values, told.since, told.whom, told.note))
        out.append(f"- **{as_markdown(told.what)}** {as_markdown(text)}")
    out += [f"- {as_markdown(page.more)}"] if page.more else []
    held = size(out)
    for part in page.parts:
        lines = _part(part)
        held += size(lines) + 1
        if held > MOST - FOR_CUT:
            out += ["", f"*{as_markdown(_cut(part, say))}*"]
            break
        out += lines
    return "\n".join(out).strip() + "\n"


def _cut(part: Part, say: Callable[[str], str]) -> str:
    return say(message("{part} and what follows it are in the page; this summary is cut here.", part=part.title))


def _part(part: Part) -> list[str]:
    lines = ["", f"## {as_markdown(part.title)}", ""]
    lines += [f"{as_markdown(sentence)}\n" for sentence in (part.answer, *part.lead) if sentence]
    return lines + [line for block in part.blocks for line in _block(block)]


def _block(block: Block) -> list[str]:
    """Return the table of a block; moments one by one are in the page alone."""
    table = block if isinstance(block, Table) else block.table
    if not table.rows or table.name.endswith("-times"):
        return []
    if not any(table.head):
        return ["", *(f"- {as_markdown(': '.join(row))}" for row in table.rows), ""]
    return ["", f"**{as_markdown(table.title)}**", "", *as_table(table.head, table.rows), ""]
