"""The body of a request: of the right kind, bounded while it comes in, and JSON that is no trap."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from evenhand.documents import parse_json
from evenhand.errors import InputError
from evenhand.serving.predicting.refusing import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive

JSON: Final = ("application/json", "application/json; charset=utf-8")
SECONDS: Final = 30.0
"""In which a body has to be there."""
DISCARDED: Final = 64 << 20
"""Bytes of a body too large that are taken in and thrown away, so that its sender reads why."""


async def read_json(headers: Mapping[str, str], receive: Receive, most: int) -> object:
    """Return the content of a body.

    Parameters
    ----------
    headers : mapping
        In lower case.
    receive : callable
        As ASGI has it.
    most : int
        Bytes, at most.

    Raises
    ------
    RefusedError
        415 for another kind than JSON, 413 for too much of it, 408 for too slow a sender, 400 for what is no JSON.
    """
    kind = headers.get("content-type", "").lower()
    if kind not in JSON and kind.partition(";")[0].strip() != JSON[0]:
        raise RefusedError(415, "Only application/json is read: send it with that content-type.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, "A compressed body is not read: send it as it is.")
    try:
        async with asyncio.timeout(SECONDS):
            body = await _whole(receive, most, headers.get("content-length", ""))
    except TimeoutError:
        raise RefusedError(408, f"The body was not there within {SECONDS:.0f} seconds.") from None
    try:
        return parse_json(body, "the body", strict=True)
    except InputError as wrong:
        raise RefusedError(400, *wrong.problems) from None


async def _whole(receive: Callable[[], Awaitable[object]], most: int, length: str) -> bytes:
    """Return the body; where it is too large, nothing of it is kept."""
    parts: list[bytes] = []
    size = int(length) if length.isdigit() and len(length) < 20 else 0
    large, taken = size > most, 0
    while True:
        message: dict[str, object] = await receive()  # type: ignore[assignment]
        if message["type"] == "http.disconnect":
            raise RefusedError(400, "The sender has gone away.")
        part: bytes = message.get("body", b"")  # type: ignore[assignment]
        taken += len(part)
        large = large or taken > most
        if large:
            parts.clear()
        else:
            parts.append(part)
        if not message.get("more_body", False) or taken > DISCARDED:
            break
    if large:
        raise RefusedError(413, f"The body holds more than {most:,} bytes, and is not read: send fewer rows at once.")
    return b"".join(parts)
