"""Model files of others, opened and run in a process with limits of time and memory.

It bounds what a file costs, a loop of 2^62 or a tensor of terabytes, and what a crash takes along. It is no sandbox:
that process has the rights of the user.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.errors import ModelError
from evenhand.subjects.frames import BrokenFrameError, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects.protocol import ScoreKind

WORKER: Final = "evenhand.subjects.isolated_worker"
STARTING: Final = 120.0
"""Seconds in which the process has to have started, on a busy machine too."""


LOOK: Final = 0.25
"""Seconds between two looks at the time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an isolated model may take. A call may take more with the rows it is given.

    Examples
    --------
    >>> Limits(seconds=10).of(rows=100, file=1_000, batch=4_000)
    (11.0, 806338368)
    """

    seconds: float = 60.0
    """To open the file, or for a call."""
    memory: int = 768 << 20
    """Bytes beside those for file and rows."""
    seconds_a_row: float = 0.01
    """More for each row of a call."""
    times_file: int = 8
    """Bytes for each byte of the file."""
    times_batch: int = 256
    """Bytes for each byte of the rows of a call."""

    def of(self, rows: int = 0, file: int = 0, batch: int = 0) -> tuple[float, int]:
        """Return the seconds and bytes of a call with so many rows."""
        return (
            self.seconds + rows * self.seconds_a_row,
            self.memory + file * self.times_file + batch * self.times_batch,
        )


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


@dataclass(frozen=True, slots=True)
class Put:
    """An input or output of a graph."""

    name: str
    """Its name."""
    type: str
    """As ONNX Runtime writes it: ``tensor(float)``."""
    shape: list[int | None]
    """Sizes of its axes; None for one that is free."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a graph says of itself."""

    custom_metadata_map: dict[str, str]
    """Texts by name."""


class IsolatedSession:
    """A session of ONNX Runtime in a process with limits, with those methods of a session that evenhand calls.

    Parameters
    ----------
    content : bytes
        The file.
    where : str
        What to call it in a sentence.
    limits : Limits
        Of opening it, and of each call.

    Raises
    ------
    ModelError
        When the file cannot be run within its limits.
    """

    def __init__(self, content: bytes, where: str, limits: Limits) -> None:
        self.limits = limits
        self._process = Process(where, limits, len(content))
        told, _ = self._process.ask({"do": "start", "where": where}, [np.frombuffer(content, dtype=np.uint8)])
        if "error" in told:
            raise ModelError(f"{where} is no ONNX file that ONNX Runtime can run: {told['error']}")
        self._inputs, self._outputs = ([Put(*put) for put in puts] for puts in told["ends"])
        self._described = Described(dict(told["metadata"]))

    def get_inputs(self) -> list[Put]:
        """Return what the graph takes."""
        return self._inputs

    def get_outputs(self) -> list[Put]:
        """Return what the graph gives."""
        return self._outputs

    def get_modelmeta(self) -> Described:
        """Return what the graph says of itself."""
        return self._described

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[np.generic]]) -> list[object]:
        """Return these outputs, all where none are named.

        Raises ModelError when the limits are exceeded, RuntimeError with the runtime's sentence when it cannot run.
        """
        named = None if outputs is None else list(outputs)
        rows = max((len(array) for array in feed.values() if array.ndim), default=0)
        told, found = self._process.ask(
            {"do": "run", "outputs": cast("Plain", named), "names": list(feed)}, list(feed.values()), max(1, rows)
        )
        if "error" in told:
            raise RuntimeError(told["error"])
        return [told["no_array"]] if "no_array" in told else list(found)


class IsolatedSubject:
    """Any model file as a subject in a process with limits: a pickle that is trusted to be opened, say.

    Parameters
    ----------
    path : Path
        The file.
    limits : Limits
        Of opening it, and of each call.
    settings : mapping
        Those of `open_subject`.
    """

    def __init__(self, path: Path, limits: Limits, settings: Mapping[str, object]) -> None:
        self._given = (path, limits, dict(settings))
        self._process = Process(f"'{path}'", limits, path.stat().st_size)
        packed = np.frombuffer(pickle.dumps(dict(settings)), dtype=np.uint8)
        told, _ = self._process.ask({"do": "open", "path": str(path.absolute())}, [packed])
        if "error" in told:
            raise ModelError(f"'{path}' could not be opened: {told['error']}")
        self.name = str(told["name"])
        self.threshold = float(told["threshold"])
        self.score_kind: ScoreKind = told["score_kind"]
        self.reads: Reads | None = told["reads"]
        self.facts: Mapping[str, Plain] = told["facts"]
        self._several = bool(told["several"])
        if told["task"] is not None:
            self.task: Task = told["task"]

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the scores of the rows, as the model gives them in its process."""
        return self._ask("predict", batch)

    @property
    def class_scores(self) -> Callable[..., NDArray[np.float64]]:
        """Return the score of each class, shape (n, classes), where the model has that."""
        if not self._several:
            raise AttributeError("class_scores")
        return partial(self._ask, "class_scores")

    def _ask(self, ask: str, batch: Batch, *more: Plain) -> NDArray[np.float64]:
        packed = np.frombuffer(pickle.dumps(batch, protocol=pickle.HIGHEST_PROTOCOL), dtype=np.uint8)
        told, found = self._process.ask({"do": "predict", "ask": ask, "more": list(more)}, [packed], max(1, len(batch)))
        if "error" in told:
            raise ModelError(f"Model '{self.name}' could not predict these rows: {told['error']}")
        return np.asarray(found[0], dtype=np.float64)

    def __getstate__(self) -> tuple[object, ...]:
        """A process cannot be pickled; the file is opened again."""
        return self._given

    def __setstate__(self, state: tuple[Path, Limits, Mapping[str, object]]) -> None:
        self.__init__(*state)  # type: ignore[misc]
