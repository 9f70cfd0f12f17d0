"""The page as one HTML file: no script, no network access."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, shorten
from evenhand.messages import message
from evenhand.output.sanitising import UNSEEN, plain_html
from evenhand.report.breaks import BREAK, columns, is_solid, jointed, tight
from evenhand.report.drawings import Figure, Table
from evenhand.report.formats.format import Format
from evenhand.report.page import build_page
from evenhand.report.terms import Terms
from evenhand.report.theme import USUAL, Theme, style
from evenhand.report.view import said
from evenhand.words import language

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment
    from markupsafe import Markup

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.view import Block, Page
    from evenhand.words import Language

MOST_BYTES: Final = 1_000_000
"""The largest size of a page: hosts and mail refuse larger ones, and nobody reads them."""
USUAL_BYTES: Final = 300_000
"""Of a usual page."""
STEPS: Final = (
    *((200, folded, 60, USUAL_BYTES) for folded in (200, 40, 20, 12, 8, 5)),
    *((rows, 4, 60, USUAL_BYTES) for rows in (40, 12, 8, 5)),
    (200, 8, 60, MOST_BYTES), (40, 12, 24, MOST_BYTES), (15, 8, 10, MOST_BYTES), (5, 5, 4, MOST_BYTES),
)  # fmt: skip
"""Rows of a table, rows of one that is folded away, parts about groups, and the size at which that is enough."""
DRAWN: Final = 40
"""What a figure without rows may show, and its table must have, too."""


def html(record: AuditRecord, verdict: Verdict | None = None, theme: Theme = USUAL) -> str:
    """One self-contained page for people (.html)."""
    css, words = style(theme), language(theme.lang)
    page = replace(said(build_page(record, verdict, theme.omit_empty), words), lang=words.tag)
    for rows, folded, parts, most in STEPS:
        made = _drawn(shortened(page, rows, folded, parts, words), css, theme, words)
        if len(made.encode("utf-8", "replace")) <= most:
            break
    return made


def shortened(page: Page, rows: int, folded: int, parts: int, words: Language) -> Page:
    """Return the page with limited rows per table and parts about groups; it says what is left out.

    Folded tables are cut before open ones. The table of limits and the verdict stay whole.
    """
    inner = [part for part in page.parts if part.within == "fairness"]
    left = {part.name for part in inner[parts:]}
    kept = [
        replace(part, blocks=tuple(_bounded(block, rows, folded) for block in part.blocks))
        for part in page.parts
        if part.name not in left
    ]
    if left:
        said = words.say(message("{parts} more parts about groups are in audit.json.", parts=len(left)))
        kept = [replace(part, lead=(*part.lead, said)) if part.name == "fairness" else part for part in kept]
    return replace(page, parts=tuple(kept))


def _bounded(block: Block, rows: int, folded: int) -> Block:
    if isinstance(block, Table):
        return block.bounded(folded if block.folded else rows)
    most = len(block.dots) if isinstance(block, Figure) else DRAWN
    return replace(block, table=block.table.bounded(max(folded, most)))


def _drawn(page: Page, css: str, theme: Theme, words: Language) -> str:
    from jinja2 import TemplateError

    try:
        template = environment(theme.template_dir).get_template("page.html.j2")
        return plain_html(template.render(
            page=page, _=lambda id, **places: words.say(message(id, **places)), style=css, style_hash=style_hash(css),
            stylesheet=theme.stylesheet, inline=theme.inline, terms=Terms(page.glossary),
        ))  # fmt: skip
    except TemplateError as wrong:
        if theme.template_dir is None:
            raise
        where = f"{getattr(wrong, 'name', None) or 'page.html.j2'}, line {getattr(wrong, 'lineno', None) or '?'}"
        raise InputError(f"{theme.template_dir}: {where}: {shorten(wrong, 200)}") from None


@cache
def environment(own: Path | None) -> Environment:
    """Return what renders templates: the package's, and those of a folder before them."""
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined

    package = PackageLoader("evenhand.report.templates", ".")
    mine = [] if own is None else [FileSystemLoader(own)]

    # Names in a record are untrusted: they are escaped everywhere, and a misspelt variable is an error.
    environment = Environment(
        loader=ChoiceLoader([*mine, package, PrefixLoader({"evenhand": package})]), autoescape=True,
        undefined=StrictUndefined, finalize=_whole, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"plain": _without_controls, "lines": _lines, "tight": tight, "jointed": _jointed}
    environment.globals |= {"columns": columns}
    environment.tests["solid"] = is_solid
    return environment


def _whole(value: object) -> object:
    """Return a position without the ``.0`` of a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def style_hash(style: str) -> str:
    """Return the hash by which the content security policy allows only this style."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _jointed(text: str) -> Markup:
    """Return text as HTML in which a line may break inside long words."""
    from markupsafe import Markup, escape

    return Markup(str(escape(jointed(_without_controls(text)))).replace(BREAK, "<wbr>"))


def _without_controls(text: str) -> str:
    """Return text on one line without characters that HTML forbids, change the text direction or show nothing."""
    return "".join(_seen(char) for char in text)


def _lines(text: str) -> str:
    """Return lines of text without such characters."""
    return "\n".join(map(_without_controls, text.splitlines()))


def _seen(char: str) -> str:
    return char if char.isprintable() and char not in UNSEEN else " " if char == "\n" else "�"


FORMAT: Final = Format(html, (".html", ".htm"), spoken=True)
