"""A socket that listens, or a sentence on why it cannot."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = "127.0.0.1"
"""The loopback address: no other machine reaches it."""


def listening(ports: Sequence[int], host: str = HERE) -> socket.socket:
    """Return a socket that listens at the first of some ports that is free.

    Parameters
    ----------
    ports : sequence of int
        0 is any free one.
    host : str
        The address; this machine alone when not given.

    Raises
    ------
    InputError
        When none can be used.

    Examples
    --------
    >>> with listening([0]) as made:
    ...     made.getsockname()[0]
    '127.0.0.1'
    """
    reason = ""
    for wanted in ports:
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0]
        except OSError as wrong:
            raise InputError(f"--host {host}: it is no address of this machine: {wrong.strerror or wrong}.") from None
        made = socket.socket(family, kind, protocol)
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # elsewhere than on Windows a port is one process's anyway
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(place)
        except OSError as wrong:
            made.close()
            reason = wrong.strerror or str(wrong)
            continue
        made.listen(socket.SOMAXCONN)
        return made
    raise InputError(f"--port {ports[-1]}: it cannot be used: {reason}. --port 0 takes a free one.")
