"""The process in which a model file of others is opened and run: ``python -m evenhand.subjects.isolation.worker``.

It takes requests on its standard input, sets the limits of each, and answers on what was its standard output; anything
that a model prints goes nowhere.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

from evenhand.errors import ModelError, quoted, shorten
from evenhand.subjects.isolation.frames import BrokenFrameError, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects.protocol import Subject

    Arrays = list[NDArray[np.generic]]

MOST: Final = 1 << 62
"""Bytes of arrays that this process takes from the one that started it, which it trusts."""
_NO_MEMORY: Final = ("Failed to allocate memory", "bad_alloc", "bad allocation")
"""What ONNX Runtime says when it gets no memory."""


def main() -> None:
    """Answer requests until the other end is closed."""
    given = os.fdopen(os.dup(0), "rb", buffering=0)
    said = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    opened: dict[str, Any] = {}
    while True:
        try:
            plain, arrays = receive(given, MOST)
        except BrokenFrameError:
            return
        _answer(said, plain, arrays, opened)


def _answer(said: IO[bytes], plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> None:
    """Do what a request asks, and send the outcome, or the sentence of why there is none."""
    began = time.perf_counter()
    try:
        _limit(float(plain["seconds"]), int(plain["memory"]))
        told, found = _DO[plain["do"]](plain, arrays, opened)
    except MemoryError:
        told, found = {"error": "memory"}, []
    except ModelError as problem:
        short = isinstance(problem.__cause__, MemoryError)
        told, found = {"error": "memory"} if short else {"problem": list(problem.problems)}, []
    except Exception as problem:  # the runtime's errors share no base below Exception, and a pickle can raise anything
        told, found = {"error": _said(problem)}, []
    send(said, {**told, "spent": time.perf_counter() - began}, found)


def _said(problem: Exception) -> str:
    """Return the sentence of an error; "memory" where the runtime could get none."""
    text = str(problem)
    if any(sign in text for sign in _NO_MEMORY):
        return "memory"
    kind = "" if type(problem).__module__.startswith("onnxruntime") else f"{type(problem).__name__}: "
    return f"{kind}{shorten(text, 300)}"


def _limit(seconds: float, memory: int) -> None:
    """Bound the memory of this process, and the time of its processor from now on; where the system can."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows: the time is bounded by the other process alone
        return
    which = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    for kind, most in ((which, memory), (resource.RLIMIT_CPU, int(time.process_time() + seconds) + 1)):
        hard = resource.getrlimit(kind)[1]
        try:
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        except (ValueError, OSError):  # macOS takes no bound of memory
            continue


def _ready(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Say that this process has started."""
    return {}, []


def _start(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Start a session of ONNX Runtime, and say what it takes and gives."""
    from evenhand.subjects.onnx import start_session

    session = start_session(arrays[0].tobytes(), plain["where"])
    opened["session"] = session
    ends: list[Plain] = [
        [[put.name, put.type, [size if isinstance(size, int) else None for size in put.shape]] for put in puts]
        for puts in (session.get_inputs(), session.get_outputs())
    ]
    return {"ends": ends, "metadata": dict(session.get_modelmeta().custom_metadata_map)}, []


def _run(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Run the session."""
    import numpy as np

    found = opened["session"].run(plain["outputs"], dict(zip(plain["names"], arrays, strict=True)))
    whole = all(isinstance(array, np.ndarray) for array in found)
    return ({}, found) if whole else ({"no_array": quoted(found)}, [])


def _open(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Open any model file."""
    from evenhand.subjects.loading import open_subject

    subject = open_subject(plain["path"], isolate=False, **pickle.loads(arrays[0].tobytes()))
    opened["subjects"] = [subject]
    return _told(opened["subjects"], 0), []


def _try(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Open a file and ask it for rows; what comes of it is not kept."""
    from evenhand.subjects.loading import model_files

    try_out = model_files()[plain["kind"]].try_out
    if try_out is not None:
        try_out(Path(plain["path"]))
    return {}, []


def _told(subjects: list[Subject], at: int) -> dict[str, Plain]:
    """Return what the other process has to know about a subject."""
    subject = subjects[at]
    said: dict[str, Plain] = {
        name: getattr(subject, name, None)
        for name in ("name", "threshold", "score_kind", "reads", "task", "untold", "own_threshold")
    }
    decides = getattr(subject, "own_decisions", None) is not None
    return {
        **said,
        "at": at,
        "facts": dict(subject.facts),
        "decides": decides,
        "several": hasattr(subject, "class_scores"),
    }


def _bind(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Bind the opened model to a label."""
    from evenhand.subjects.binding import bound

    return _added(opened["subjects"], bound(opened["subjects"][plain["at"]], pickle.loads(arrays[0].tobytes())))


def _declare(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Take declarations about the output of the opened model."""
    from evenhand.subjects.adjusted import declaring

    return _added(opened["subjects"], declaring(opened["subjects"][plain["at"]], pickle.loads(arrays[0].tobytes())))


def _added(subjects: list[Subject], subject: Subject) -> tuple[dict[str, Plain], Arrays]:
    subjects.append(subject)
    return _told(subjects, len(subjects) - 1), []


def _settle(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Take the threshold of the model's own decisions."""
    opened["subjects"][plain["at"]].settle(plain["threshold"])
    return _told(opened["subjects"], plain["at"]), []


def _predict(plain: Mapping[str, Any], arrays: Arrays, opened: dict[str, Any]) -> tuple[dict[str, Plain], Arrays]:
    """Ask the opened model, and say what its answer has told."""
    subjects: list[Subject] = opened["subjects"]
    ask: Callable[..., object] = getattr(subjects[plain["at"]], plain["ask"])
    found = cast("NDArray[np.generic]", ask(pickle.loads(arrays[0].tobytes()), *plain["more"]))
    return _told(subjects, plain["at"]), [found]


_DO: Final = {
    "ready": _ready, "start": _start, "run": _run, "open": _open, "try": _try, "bind": _bind, "declare": _declare,
    "settle": _settle, "predict": _predict,
}  # fmt: skip

if __name__ == "__main__":
    main()
