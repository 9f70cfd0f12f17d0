"""Signals that end the process wait until a file is whole."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENDING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""Signals that ask a process to end, as far as the system has them."""


@contextmanager
def held_back() -> Iterator[None]:
    """Let signals that end the process act after the block.

    Only the main thread can hold them back: elsewhere, a signal that ends the process leaves what a kill leaves.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    with ExitStack() as after:
        after.callback(lambda: signal.raise_signal(came[0]) if came else None)  # last: with the handlers as before
        for number in ENDING:
            before = signal.getsignal(number)
            if before not in (None, signal.SIG_IGN):  # handled outside Python, or not to end the process
                after.callback(signal.signal, number, before)
                signal.signal(number, note)
        yield


def end_by_interrupt() -> None:
    """Let a request to end the process act as Ctrl-C does, so that what is begun is put in order.

    What another program ignores, as under ``nohup``, stays ignored; forked processes end at once, as they did.
    """
    asked = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in asked:
        signal.signal(number, signal.default_int_handler)

    def as_before() -> None:
        for number in asked:
            signal.signal(number, signal.SIG_DFL)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=as_before)
