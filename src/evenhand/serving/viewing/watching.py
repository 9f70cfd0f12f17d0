"""A timeline of monitoring behind HTTP: its file is read again when it changes, and the page says so."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from evenhand.errors import EvenhandError
from evenhand.output.sanitising import plain
from evenhand.report.timelines.html import html, sheet
from evenhand.serving.viewing.guard import Guard
from evenhand.serving.viewing.pages import asset
from evenhand.timelines import read_timeline, timeline_to_plain

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

READING: Final = "connect-src 'self'"
"""What the script of the page needs: to ask its own server whether there is news."""


class Watched:
    """A file of `evenhand monitor`, and the page of what it held when it was last whole.

    Parameters
    ----------
    place : Path
        The file, which is read here, so that its problems are told before anything is served.
    lang : str
        The language of the page.
    """

    def __init__(self, place: Path, lang: str = "en") -> None:
        self._place, self._lang = place, lang
        self._about, self._now, self._page, self._problem = _about(place), "", "", ""
        self._timeline = read_timeline(place)
        self._draw()

    @property
    def now(self) -> str:
        """What the page says, as an entity tag without its quotes."""
        return self._now

    @property
    def page(self) -> str:
        """The page."""
        return self._page

    def refresh(self) -> None:
        """Read the file again where it changed; of one that cannot be read the last page stays, and says so."""
        about = _about(self._place)
        if about == self._about and not self._problem:
            return
        before, problem = self._timeline, ""
        try:
            self._timeline = read_timeline(self._place)
        except EvenhandError as wrong:
            problem = plain(str(wrong))
        self._about = about
        if problem != self._problem or self._timeline != before:
            self._problem = problem
            self._draw()

    def _draw(self) -> None:
        said = json.dumps([timeline_to_plain(self._timeline)["digest"], self._problem])
        self._now = hashlib.sha256(said.encode()).hexdigest()[:32]
        self._page = html(self._timeline, self._lang, stylesheet="/watch.css", live=self._now, trouble=self._problem)


def _about(place: Path) -> tuple[int, int, int] | None:
    """Return what changes with a file; None where there is none."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def watching(watched: Watched, token: str, port: int) -> ASGIApp:
    """Return the ASGI application: the page, behind the guard.

    Parameters
    ----------
    watched : Watched
        The file and its page.
    token : str
        What a request must have.
    port : int
        Where it is served.
    """
    routes = [
        Route("/", partial(_page, watched)),
        Route("/watch.css", partial(_text, sheet(), "text/css")),
        Route("/watch.js", partial(_text, asset("watch.js"), "text/javascript")),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing}), token, port, READING)


async def _page(watched: Watched, request: Request) -> Response:
    """Answer with the page; with nothing where the browser names what it says already."""
    watched.refresh()
    tag = f'"{watched.now}"'
    headers = {"etag": tag}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(watched.page, headers=headers)


async def _text(text: str, kind: str, _: Request) -> Response:
    return Response(text, media_type=kind)


async def _missing(_: Request, why: Exception) -> Response:
    return Response("There is no such page here.\n", getattr(why, "status_code", 404), media_type="text/plain")
