"""Serve the pages on this machine, until Ctrl-C."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from functools import partial
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

import uvicorn

from evenhand.output.printing import put, say
from evenhand.serving.listening import HERE, listening
from evenhand.serving.viewing.app import application
from evenhand.serving.viewing.watching import watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from evenhand.serving.viewing.session import Session
    from evenhand.serving.viewing.watching import Watched

PORT: Final = 8417
"""Where it is served if that is free, so that a link reproduces a view on another day."""


def serve(session: Session, port: int | None = None, *, browser: bool = False) -> None:
    """Serve the pages until Ctrl-C or a signal that ends the process.

    Parameters
    ----------
    session : Session
    port : int, optional
        0 for any free one; `PORT`, or any free one where it is taken, when absent.
    browser : bool
        Whether to open the page in the browser of the machine.

    Raises
    ------
    InputError
        When the port is taken.
    """
    _serve(partial(application, session), port, browser=browser)


def serve_watched(watched: Watched, port: int | None = None, *, browser: bool = False) -> None:
    """Serve the page of a timeline until Ctrl-C or a signal that ends the process.

    Parameters
    ----------
    watched : Watched
        The file of `evenhand monitor`.
    port : int, optional
        0 for any free one; `PORT`, or any free one where it is taken, when absent.
    browser : bool
        Whether to open the page in the browser of the machine.

    Raises
    ------
    InputError
        When the port is taken.
    """
    _serve(partial(watching, watched), port, browser=browser)


def _serve(app: Callable[[str, int], ASGIApp], port: int | None, *, browser: bool) -> None:
    with listening((PORT, 0) if port is None else (port,)) as held:
        used, token = held.getsockname()[1], token_urlsafe(32)
        config = uvicorn.Config(
            app(token, used), log_config=None, log_level="critical", access_log=False,
            lifespan="off", ws="none", http="h11", loop="asyncio", server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        address = f"http://{HERE}:{used}/?token={token}"
        with suppress(KeyboardInterrupt):  # what ends it, after the last answer was sent
            put(address)
            say("The page is for this machine only; Ctrl-C ends it.")
            if browser:
                webbrowser.open(address)
            uvicorn.Server(config).run(sockets=[held])
    say("Ended.")
