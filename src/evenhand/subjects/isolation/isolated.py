"""Model files of others, opened and run in a process with limits of time and memory.

It bounds what a file costs, a loop of 2^62 or a tensor of terabytes, and what a crash takes along. It is no sandbox:
that process has the rights of the user.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from evenhand.errors import ModelError, argument
from evenhand.subjects.isolation.process import Process
from evenhand.subjects.target import Declared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects.isolation.limits import Limits
    from evenhand.subjects.protocol import ScoreKind
    from evenhand.subjects.target import Target


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
        self._steps: tuple[tuple[str, Target | Declared], ...] = ()
        self._process = Process(f"'{path}'", limits, path.stat().st_size)
        told, _ = self._process.ask({"do": "open", "path": str(path.absolute())}, [_packed(dict(settings))])
        if "error" in told:
            raise ModelError(f"'{path}' could not be opened: {told['error']}")
        said = {name: settings.get(name) for name in ("threshold", "positive")}
        self.declared = Declared(**said, score_kind=settings.get("output"))  # type: ignore[arg-type]
        self._take(told)

    def bound_there(self, target: Target) -> IsolatedSubject:
        """Return the same model, bound in its process to a label of any task.

        Raises ModelError when it does not predict that label.
        """
        return self._again("bind", target)

    def declaring(self, declared: Declared) -> IsolatedSubject:
        """Return the same model with other declarations about its output.

        Raises ModelError for a `decide` that cannot be handed to another process.
        """
        twin = self._again("declare", declared)
        twin.declared = declared
        return twin

    def settle(self, threshold: float) -> None:
        """Take the threshold that its own decisions show."""
        self._take(self._process.ask({"do": "settle", "at": self._at, "threshold": threshold}, [])[0])

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the scores of the rows, as the model gives them in its process."""
        return self._ask("predict", batch)

    @property
    def own_decisions(self) -> Callable[[Batch], NDArray[np.intp]] | None:
        """A function from a batch to the model's own decisions, where it has any."""
        return (lambda batch: self._ask("own_decisions", batch).astype(np.intp)) if self._decides else None

    @property
    def class_scores(self) -> Callable[..., NDArray[np.float64]]:
        """Return the score of each class, shape (n, classes), where the model has that."""
        if not self._several:
            raise AttributeError("class_scores")
        return partial(self._ask, "class_scores")

    def _take(self, told: Mapping[str, Any]) -> None:
        """Take what the process says about the model."""
        self._at = int(told["at"])
        self.name = str(told["name"])
        self.threshold = float(told["threshold"])
        self.score_kind: ScoreKind = told["score_kind"]
        self.reads: Reads | None = told["reads"]
        self.facts: Mapping[str, Plain] = told["facts"]
        self.untold = bool(told["untold"])
        self.own_threshold: float | None = told["own_threshold"]
        self._decides, self._several = bool(told["decides"]), bool(told["several"])
        if told["task"] is not None:
            self.task: Task = told["task"]

    def _again(self, do: str, given: Target | Declared) -> IsolatedSubject:
        try:
            packed = _packed(given)
        except (pickle.PicklingError, AttributeError, TypeError):
            raise ModelError(
                f"Model '{self.name}' runs in a separate process, to which {argument('decide')} cannot "
                "be passed: name a function "
                "of a module that can be imported, or open the file without isolate."
            ) from None
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._steps = (*self._steps, (do, given))
        twin._take(self._process.ask({"do": do, "at": self._at}, [packed])[0])
        return twin

    def _ask(self, ask: str, batch: Batch, *more: Plain) -> NDArray[np.float64]:
        wanted: dict[str, Plain] = {"do": "predict", "at": self._at, "ask": ask, "more": list(more)}
        told, found = self._process.ask(wanted, [_packed(batch)], max(1, len(batch)))
        if "error" in told:
            raise ModelError(f"Model '{self.name}' could not predict these rows: {told['error']}")
        self._take(told)
        return np.asarray(found[0], dtype=np.float64)

    def __getstate__(self) -> tuple[object, ...]:
        """A process cannot be pickled; the file is opened again."""
        return (*self._given, self._steps)

    def __setstate__(self, state: tuple[Path, Limits, Mapping[str, object], tuple[Any, ...]]) -> None:
        self.__init__(*state[:3])  # type: ignore[misc]
        for do, given in state[3]:
            self.__dict__.update(self._again(do, given).__dict__)


def _packed(given: object) -> NDArray[np.uint8]:
    return np.frombuffer(pickle.dumps(given, protocol=pickle.HIGHEST_PROTOCOL), dtype=np.uint8)
