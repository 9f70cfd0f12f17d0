"""A process with limits of time and memory, which answers one request at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, cast

from evenhand.errors import ModelError
from evenhand.subjects.isolation.frames import BrokenFrameError, receive, send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects.isolation.limits import Limits

WORKER: Final = "evenhand.subjects.isolation.worker"
STARTING: Final = 120.0
"""Seconds in which the process has to have started, on a busy machine too."""
LOOK: Final = 0.25
"""Seconds between two looks at the time."""


@dataclass(slots=True)
class Spent:
    """Seconds that this process waited for isolated ones beyond what those worked."""

    seconds: float = 0.0


TRANSFER: Final = Spent()


def clock() -> float:
    """Return seconds that go on as a model works, whichever process it is in: without the time of handing rows over."""
    return time.perf_counter() - TRANSFER.seconds


@dataclass(slots=True)
class Watch:
    """Until when an answer is waited for."""

    until: float | None = None
    """By the monotonic clock; None while nothing is asked."""
    late: bool = False
    """Whether it was not there in time."""


class Process:
    """One process, one request at a time.

    Raises
    ------
    ModelError
        When a request takes more than its limits, or the process ends.
    """

    def __init__(self, where: str, limits: Limits, file: int) -> None:
        self.where, self.limits, self.file = where, limits, file
        self._lock = threading.Lock()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        # -P: not a module of that name in the current folder
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        weakref.finalize(self, _end, self._process)
        self._watch = Watch()
        threading.Thread(target=_watch, args=(self._process, self._watch), daemon=True).start()
        self._talk({"do": "ready"}, (), STARTING, limits.of(file=file)[1])

    def ask(
        self, plain: Mapping[str, Plain], arrays: Sequence[NDArray[np.generic]], rows: int = 0
    ) -> tuple[dict[str, Any], list[NDArray[np.generic]]]:
        """Send a request and return the answer; `rows` is how many rows it is about."""
        seconds, memory = self.limits.of(rows, self.file, sum(array.nbytes for array in arrays) if rows else 0)
        began = time.perf_counter()
        with self._lock:
            told, found = self._talk(plain, arrays, seconds, memory)
        TRANSFER.seconds += max(0.0, time.perf_counter() - began - float(told.get("spent", 0.0)))
        if "problem" in told:
            raise ModelError(*map(str, told["problem"]))
        if told.get("error") == "memory":
            raise ModelError(self._too_much(memory))
        return told, found

    def _talk(
        self, plain: Mapping[str, Plain], arrays: Sequence[NDArray[np.generic]], seconds: float, memory: int
    ) -> tuple[dict[str, Any], list[NDArray[np.generic]]]:
        """Send a message and wait for the one that answers it, so many seconds at most."""
        self._watch.until = time.monotonic() + seconds
        try:
            send(cast("IO[bytes]", self._process.stdin), {**plain, "seconds": seconds, "memory": memory}, arrays)
            return receive(cast("IO[bytes]", self._process.stdout), memory)
        except (BrokenFrameError, OSError):
            raise self._ended(self._watch.late, seconds, memory) from None
        finally:
            self._watch.until = None

    def _ended(self, late: bool, seconds: float, memory: int) -> ModelError:
        """Return why the process is no more."""
        self._process.kill()
        code = self._process.wait()
        if late or -code == 24:  # SIGXCPU
            return ModelError(
                f"{self.where} took more than {seconds:,.4g} seconds, and was stopped. If you trust the file, give it "
                "the time: isolate=Limits(seconds=...), or isolate=False (--no-isolate)."
            )
        if code < 0:
            return ModelError(f"{self._too_much(memory)} Its process ended with signal {-code}.")
        return ModelError(f"{self.where} ended the process that it was run in.")

    def _too_much(self, memory: int) -> str:
        return (
            f"{self.where} could not be run within {memory >> 20:,} MiB of memory. If you trust the "
            "file, give it the memory: isolate=Limits(memory=...), or isolate=False (--no-isolate)."
        )


def _watch(process: subprocess.Popen[bytes], watch: Watch) -> None:
    """Kill a process that has not answered in time; in a thread, as pipes of all systems can be waited for so."""
    while process.poll() is None:
        until = watch.until
        if until is not None and time.monotonic() > until:
            watch.late = True
            process.kill()
            return
        time.sleep(LOOK)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # what was not sent any more
                continue
    process.wait()
