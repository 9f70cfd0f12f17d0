"""Model files of others, opened and run in a process with limits of time and memory.

It bounds what a file costs, a loop of 2^62 or a tensor of terabytes, and what a crash takes along. It is no sandbox:
that process has the rights of the user.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.errors import ModelError
from evenhand.subjects.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects.limits import Limits
    from evenhand.subjects.protocol import ScoreKind


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
