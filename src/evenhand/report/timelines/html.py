"""A timeline as one HTML file: no script, no network access."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.output.sanitising import plain_html
from evenhand.report.formats.html import USUAL_BYTES, environment, style_hash
from evenhand.report.terms import Terms
from evenhand.report.theme import USUAL, style
from evenhand.report.timelines.drawn import Room
from evenhand.report.timelines.page import build_page
from evenhand.report.view import said
from evenhand.words import language

if TYPE_CHECKING:
    from evenhand.timelines import Timeline

ROOMS: Final = (Room(), Room(8, 6, 12, 12, 40), Room(6, 6, 6, 8, 24), Room(4, 4, 2, 6, 12), Room(2, 2, 0, 4, 8))
"""From the usual to the smallest: the first that is of a usual size is drawn."""


@cache
def sheet() -> str:
    """Return the style of the page: the report's, then what time lines need."""
    return style(USUAL) + files("evenhand.report.templates").joinpath("timeline.css").read_text("utf-8")


def html(timeline: Timeline, lang: str = "en", *, stylesheet: str = "", live: str = "", trouble: str = "") -> str:
    """Return one self-contained page for people.

    Parameters
    ----------
    timeline : Timeline
    lang : str
        ``en``, ``zh-CN`` or another of `evenhand.words.languages`.
    stylesheet : str
        The address of the style, where the page is served; empty: inside the page.
    live : str
        Of a page that is served and looks for news, the tag of what it says; empty for a page of its own.
    trouble : str
        Of a page that is served, why its file cannot be read any more.
    """
    for room in ROOMS:
        made = _drawn(timeline, room, lang, stylesheet=stylesheet, live=live, trouble=trouble)
        if len(made.encode("utf-8", "replace")) <= USUAL_BYTES:
            break
    return made


def _drawn(timeline: Timeline, room: Room, lang: str, **served: object) -> str:
    words, css = language(lang), sheet()
    page = replace(said(build_page(timeline, room), words), lang=words.tag)
    template = environment(None).get_template("timeline.html.j2")
    return plain_html(
        template.render(
            page=page, _=lambda id, **places: words.say(message(id, **places)), style=css, style_hash=style_hash(css),
            terms=Terms(()), **served,
        )
    )  # fmt: skip
