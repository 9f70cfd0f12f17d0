"""Who is answered: one browser on this machine, by a token, at the address that was printed; and what it may load."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Sent with every answer."""
METHODS: Final = ("GET", "HEAD", "POST")
DAY: Final = 24 * 3600
"""Seconds that a cookie is kept."""


class Guard:
    """Lets through what has the token, and nothing else.

    Parameters
    ----------
    app : ASGI application
    token : str
        The address that is printed has it; after the first request a cookie does.
    port : int
        The port of the server: a request for another host is of a page that lets a name point here (DNS rebinding).
    allowed : str
        What the pages may do besides, as a directive of their content security policy.
    """

    def __init__(self, app: ASGIApp, token: str, port: int, allowed: str = "") -> None:
        self._app, self._token = app, token
        policy = "content-security-policy"
        self._headers = {**HEADERS, policy: f"{HEADERS[policy]}; {allowed}"} if allowed else HEADERS
        self._hosts = tuple(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self._cookie = f"evenhand-view-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

        async def sent(answer: Message) -> None:
            if answer["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in self._headers.items()]
                answer = {**answer, "headers": [*answer["headers"], *more]}
            await send(answer)

        refused = self._refused(scope["method"], headers)
        if refused is not None:
            await _say(sent, *refused)
            return
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in pairs if name == "token"]
        if given and scope["method"] != "POST" and self._good(given[0]):
            rest = urlencode([pair for pair in pairs if pair[0] != "token"])
            await self._welcome(sent, scope["path"] + (f"?{rest}" if rest else ""))
        elif self._good(self._known(headers.get("cookie", ""))):
            await self._app(scope, receive, sent)
        else:
            await _say(sent, 403, "Open the address that evenhand view has printed: it holds the token of this page.")

    def _refused(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and sentence for a request that no token helps."""
        host = headers.get("host", "")
        if host not in self._hosts:
            return 421, f"This page is served at {self._hosts[0]} only."
        if method not in METHODS:
            return 405, "Only GET, HEAD and POST are answered."
        origin = headers.get("origin", f"http://{host}")
        site = headers.get("sec-fetch-site", "same-origin")
        if method == "POST" and (origin != f"http://{host}" or site != "same-origin"):
            return 403, "A form of another page was sent here; nothing was done."
        return None

    def _good(self, token: str) -> bool:
        return compare_digest(token.encode("utf-8", "replace"), self._token.encode())

    def _known(self, cookies: str) -> str:
        try:
            found = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value

    async def _welcome(self, send: Send, place: str) -> None:
        """Set the cookie, and lead to the same address without the token, so that no history keeps it."""
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={DAY}"
        where = "/" + place.lstrip("/\\")  # a path that begins with two slashes would name another host
        headers = [(b"location", where.encode("latin-1", "replace")), (b"set-cookie", cookie.encode())]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


async def _say(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})
