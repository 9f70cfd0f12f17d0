"""Serve a model until Ctrl-C or SIGTERM: what was accepted is answered, then the log is closed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from evenhand.output.printing import put, say
from evenhand.serving.listening import HERE, listening

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.serving.predicting.app import Application


def serve(
    application: Application,
    port: int = 8418,
    host: str = HERE,
    *,
    grace: float = 30.0,
    certificate: Path | None = None,
    key: Path | None = None,
    first: str = "",
) -> None:
    """Serve an application until a signal ends the process.

    Parameters
    ----------
    application : Application
        It is closed at the end.
    port : int
        0 for any free one.
    host : str
        The address; this machine alone when not given.
    grace : float
        Seconds in which what was accepted is answered.
    certificate, key : Path, optional
        Files of TLS, in PEM; without them HTTP is not encrypted.
    first : str
        A line that is said once nothing can fail any more, such as a new token.

    Raises
    ------
    InputError
        When the port is taken.
    """
    try:
        with listening([port], host) as held:
            used = held.getsockname()[1]
            config = uvicorn.Config(
                application, log_config=None, log_level="critical", access_log=False, lifespan="off", ws="none",
                server_header=False, timeout_graceful_shutdown=max(1, round(grace)), timeout_keep_alive=30,
                ssl_certfile=certificate, ssl_keyfile=key,
            )  # fmt: skip
            if certificate is not None:
                config.load()  # what is wrong with the files is told before the address
            if first:
                say(first)
            with suppress(KeyboardInterrupt):  # what ends it, after the last answer was sent
                put(f"http{'s' if certificate else ''}://{f'[{host}]' if ':' in host else host}:{used}")
                if host != HERE and certificate is None:
                    say("HTTP is not encrypted: put it behind a proxy with TLS, or pass --tls-certificate, --tls-key.")
                uvicorn.Server(config).run(sockets=[held])
    finally:
        application.close()
    say("Ended.")
