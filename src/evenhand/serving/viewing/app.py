"""The pages behind HTTP. The server keeps no state of a view: all of it is in the address, so a link reproduces it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache, partial
from secrets import compare_digest, token_urlsafe
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from evenhand.errors import EvenhandError, InputError
from evenhand.output.printing import say
from evenhand.output.sanitising import plain
from evenhand.serving.viewing.asking import parsed
from evenhand.serving.viewing.choosing import completed, form, metrics_of
from evenhand.serving.viewing.comparing import changed, limits, same_rows, side_by_side
from evenhand.serving.viewing.exploring import explored
from evenhand.serving.viewing.guard import Guard
from evenhand.serving.viewing.judging import everywhere, judged
from evenhand.serving.viewing.packing import MOST_TEXT
from evenhand.serving.viewing.pages import asset, page
from evenhand.serving.viewing.stepping import explanations, slices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from evenhand.policy import Verdict
    from evenhand.serving.viewing.asking import Asked
    from evenhand.serving.viewing.session import Session
    from evenhand.serving.viewing.shown import Form, Step

    Endpoint = Callable[[Request], Awaitable[Response]]

MOST_BODY: Final = 4 * MOST_TEXT
"""Bytes of a form: each letter of a policy may be written as three."""


def application(session: Session, token: str, port: int) -> ASGIApp:
    """Return the ASGI application: the pages, behind the guard.

    Parameters
    ----------
    session : Session
        What the pages are about.
    token : str
        What a request must have.
    port : int
        Where it is served.
    """
    pages = Pages(session)
    routes = [
        Route("/", _safe(pages, pages.groups)),
        Route("/policy", _safe(pages, pages.policy)),
        Route("/judge", _safe(pages, pages.judge), methods=["POST"]),
        Route("/policy.toml", _safe(pages, pages.download)),
        Route("/compare", _safe(pages, pages.compare)),
        Route("/slices", _safe(pages, pages.slices)),
        Route("/explanations", _safe(pages, pages.explanations)),
        Route("/view.css", _asset("view.css", "text/css")),
        Route("/view.js", _asset("view.js", "text/javascript")),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={404: pages.missing, 405: pages.missing}), token, port)


class Pages:
    """One method a page."""

    def __init__(self, session: Session) -> None:
        self._session, self._form_token = session, token_urlsafe(16)
        self._metrics = lru_cache(64)(partial(metrics_of, session.record))
        self._slices = cache(partial(slices, session.record))
        if session.earlier is not None:
            self._changed = cache(partial(changed, session.record, session.earlier))
        self._explanations = cache(partial(explanations, session.record))

    async def groups(self, request: Request) -> Response:
        """Answer with a metric of every group."""
        session, asked = self._session, self._asked(request)
        record = session.at(asked)
        chosen = self._form(asked)
        answers = explored(record, asked, self._marks(asked), session.record)
        verdict, moved = judged(session, asked), session.decided_at(asked)
        return self._page("groups", "/", asked, form=chosen, answers=answers, verdict=verdict, moved=moved)

    async def policy(self, request: Request) -> Response:
        """Answer with the policy, its problems, and its verdict."""
        session, asked = self._session, self._asked(request)
        found = judged(session, asked)
        swept = None
        if asked.every and not found.problems and session.text(asked).strip():
            swept = everywhere(session, asked)
        draft, chosen, moved = session.draft(asked), self._form(asked), session.decided_at(asked)
        return self._page("policy", "/policy", asked, verdict=found, draft=draft, swept=swept, moved=moved, form=chosen)

    async def judge(self, request: Request) -> Response:
        """Put the text of the form into the address of the page of the policy."""
        fields = await _form(request)
        if not compare_digest(fields.get("form_token", "").encode(), self._form_token.encode()):
            raise InputError("The form is of an earlier page: load the page of the policy again.")
        text = fields.get("text", "").replace("\r\n", "\n").replace("\r", "\n")
        query = replace(self._asked(request), policy=text, at=0).query()
        return RedirectResponse(f"/policy?{query}", status_code=303)

    async def download(self, request: Request) -> Response:
        """Answer with the text of the policy as a file."""
        headers = {"content-disposition": 'attachment; filename="policy.toml"'}
        text = self._session.draft(self._asked(request))
        return Response(text.encode(), media_type="application/toml", headers=headers)

    async def compare(self, request: Request) -> Response:
        """Answer with two records side by side."""
        session, asked = self._session, self._asked(request)
        if session.earlier is None:
            raise InputError("There is one record here. Two are compared by: evenhand view old.json new.json")
        record, now, then = session.at(asked), self._marks(asked), self._then(asked)
        parts = [side_by_side(record, session.earlier, asked)]
        if now is not None and then is not None:
            parts.append(limits(now, then))
        parts.append(self._changed())
        chosen = self._form(asked)
        same = same_rows((session.record, session.earlier))
        return self._page("compare", "/compare", asked, form=chosen, answers=tuple(parts), same=same)

    async def slices(self, request: Request) -> Response:
        """Answer with one of the slices that the audit found."""
        return self._step("/slices", request, self._slices())

    async def explanations(self, request: Request) -> Response:
        """Answer with one figure or table of the explanations."""
        return self._step("/explanations", request, self._explanations())

    async def missing(self, request: Request, why: Exception) -> Response:
        """Answer for an address without a page, or one that is asked in another way."""
        return self.failed(InputError("There is no such page here."), getattr(why, "status_code", 404))

    def failed(self, wrong: EvenhandError, status: int = 400) -> Response:
        """Answer with what is wrong, a sentence each."""
        return self._page("wrong", "", parsed([]), status, problems=wrong.problems)

    def _step(self, path: str, request: Request, steps: tuple[Step, ...]) -> Response:
        asked = self._asked(request)
        if steps and asked.at >= len(steps):
            raise InputError(f"There are {len(steps)} steps here; {asked.at + 1} is none of them.")
        step = steps[asked.at] if steps else None
        titles = tuple(each.title for each in steps)
        return self._page("steps", path, asked, step=step, titles=titles)

    def _asked(self, request: Request) -> Asked:
        query = request.url.query
        asked = parsed(parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace"))
        return completed(self._session.record, asked)

    def _form(self, asked: Asked) -> Form:
        metrics = self._metrics(asked.by, asked.of_class)
        return form(self._session.record, asked, metrics, self._session.thresholds)

    def _marks(self, asked: Asked) -> Verdict | None:
        """Return the verdict, None where the policy has problems: they are on its page."""
        try:
            return self._session.judged(asked)
        except EvenhandError:
            return None

    def _then(self, asked: Asked) -> Verdict | None:
        try:
            return self._session.judged_earlier(asked)
        except EvenhandError:
            return None

    def _page(self, template: str, path: str, asked: Asked, status: int = 200, **parts: object) -> Response:
        return HTMLResponse(page(self._session, template, path, asked, self._form_token, **parts), status)


def _safe(pages: Pages, endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that answers every error with a sentence, and a bug without its traceback."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except EvenhandError as wrong:
            return pages.failed(wrong)
        except Exception as bug:
            say(f"evenhand: this is a bug in evenhand: {type(bug).__name__}: {bug}")
            told = f"This is a bug in evenhand: {type(bug).__name__}. What was asked for is in the address."
            return pages.failed(EvenhandError(plain(told)), 500)

    return answered


def _asset(name: str, kind: str) -> Endpoint:
    async def answered(_: Request) -> Response:
        return Response(asset(name), media_type=kind)

    return answered


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form that was posted.

    Raises
    ------
    InputError
        When it is no form, too large, or no UTF-8.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise InputError("Only the form of this page may be posted.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise InputError(f"The form holds more than {MOST_BODY:,} bytes, and is not read.")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"))
    except ValueError:
        raise InputError("The form is damaged: load the page again.") from None
