"""A short summary for a step summary or a comment: the verdict, and the limits that did not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, messages
from evenhand.policy.headline import SIGNS, headline
from evenhand.report.formats.format import Format
from evenhand.report.formats.judged_only import need_verdict
from evenhand.report.formats.markdown_text import as_markdown, size, table_within
from evenhand.report.numbers import cut
from evenhand.report.page import build_page
from evenhand.report.theme import USUAL, Theme
from evenhand.report.view import said
from evenhand.words import language

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.view import LimitRow, Page
    from evenhand.words import Language

MOST_BYTES: Final = 5_000
"""Of the whole summary, in UTF-8: what a person reads between two other things."""
FOR_TAIL: Final = 700
"""Bytes that are kept for what follows the table."""
MOST_NAME: Final = 80
MOST_WHY: Final = 240


def summary(record: AuditRecord, verdict: Verdict | None = None, theme: Theme = USUAL) -> str:
    """The verdict and the limits that did not pass, in Markdown under 5 kB (.md by name)."""
    judged, words = need_verdict(verdict, "summary"), language(theme.lang)
    page = said(build_page(record, judged), words)
    told = headline(judged, record)
    counts = joined("; ", [part for part in (told.counts, told.aside) if part])
    head = [f"## {as_markdown(page.title)}", "", f"**{told.sign} {as_markdown(words.say(told.text))}**", ""]
    head += [as_markdown(words.say(message("{headline}.", headline=counts))), ""]
    table, left = _table(page, words, MOST_BYTES - FOR_TAIL - size(head))
    more = messages("{n:,} more limit did not pass.", "{n:,} more limits did not pass.", left)
    policy = message("Judged by {policy}: {data}", policy=cut(judged.policy_name, MOST_NAME), data=page.subtitle)
    tail = [*([words.say(more), ""] if left else []), as_markdown(cut(words.say(policy), 300))]
    return "\n".join([*head, *table, *tail]).strip() + "\n"


def _table(page: Page, words: Language, most: int) -> tuple[list[str], int]:
    """Return the table of the limits that did not pass, as many of the worst as fit, and how many more there are."""
    say = words.say
    head = ("", *map(say, (message("limit on"), message("measured"), message("limit"), message("why"))))
    rows = [_row(row, words) for row in page.limits if row.status != "passed"]
    lines, left = table_within(head, rows, most)
    return ([*lines, ""] if lines else []), left


def _row(row: LimitRow, words: Language) -> tuple[str, ...]:
    told = cut(row.sentence, MOST_WHY)
    return f"{SIGNS[row.status]} {row.badge}", cut(row.key, MOST_NAME), row.measured, row.limit, told


FORMAT: Final = Format(summary, spoken=True)
