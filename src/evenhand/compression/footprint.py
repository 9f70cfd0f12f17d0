"""The size, latency and memory of models, measured in one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from evenhand.compression.consumption import energy_of, peak_memory
from evenhand.data import pick
from evenhand.errors import InputError
from evenhand.subjects.isolation.process import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.data import Inputs
    from evenhand.findings import Batch
    from evenhand.subjects import Subject


@dataclass(frozen=True, slots=True)
class Latency:
    """The time of one call with a fixed number of rows.

    See Also
    --------
    evenhand.compression.measure_footprint : Measures it.
    """

    median: float
    """Seconds that a caller waits on this machine, with its other load."""
    minimum: float
    """Seconds; disturbed least by other load, so ratios are made of minima."""
    n: int
    """The number of calls that were timed."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one model costs.

    See Also
    --------
    evenhand.compression.measure_footprint : Measures it.
    """

    file_bytes: int | None
    """The bytes of the deployable file on disk; None when there is no file."""
    parameters: int | None
    """The numbers that were learned."""
    nonzero_parameters: int | None
    """Those that are not zero. Zeros save neither bytes nor time in a dense file."""
    macs: int | None
    """Multiplications with addition for one row, whatever their precision."""
    latency: Mapping[int, Latency]
    """By batch size: the network alone where every model of the run has one, else the whole of `predict`."""
    end_to_end: Mapping[int, Latency]
    """By batch size: the whole of `predict`, with the preprocessing of a table."""
    measures: Literal["network", "predict"]
    """What `latency` is of."""
    runtime: str
    """What ran it: ``torch``, ``onnxruntime``, or the kind of another model."""
    threads: int
    """The threads a call could use."""
    peak_bytes: int | None = None
    """The most memory of a process that does nothing but load the file and predict a batch, runtime and all; None where
    it was not requested."""
    joules: float | None = None
    """Energy of a thousand rows in the largest batch, by the processor's meter; None without one."""


@runtime_checkable
class PreparedSubject(Protocol):
    """A subject whose preprocessing and network can be called separately."""

    def prepare(self, batch: Batch) -> NDArray[np.float32]:
        """Return the inputs of the network, shape (n, ...)."""
        ...

    def answer(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's answer to prepared rows, (n,) or (n, C), and do nothing else."""
        ...


def measure_footprint(
    models: Mapping[str, Subject],
    inputs: Inputs | Batch,
    *,
    batches: Sequence[int] = (1, 256),
    repeats: int = 60,
    seconds: float = 2.0,
    memory: bool = False,
) -> dict[str, Footprint]:
    """Measure models in turns (A B A B ...), after a warm-up, on one thread.

    Parameters
    ----------
    models : mapping of name to subject
        The models to compare, all in this one run: times of different runs cannot be compared.
    inputs : table, array, list or Inputs
        Rows to predict, as the models read them; they are repeated where a batch is larger.
    batches : sequence of int
        Rows a call.
    repeats : int
        Rounds for each batch size.
    seconds : float
        No further round of a batch size begins after this time, but there are five at least.
    memory : bool
        Whether to start a process for each model, some seconds, that measures its memory.

    Returns
    -------
    dict of name to Footprint

    Raises
    ------
    InputError
        When there are no rows, or a batch or the number of rounds is below 1.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> model = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> found = measure_footprint({"small": model}, data.X, batches=(1,), repeats=5, seconds=0.1)["small"]
    >>> found.parameters == found.nonzero_parameters, found.latency[1].n >= 5
    (True, True)
    """
    if not len(inputs) or repeats < 1 or min(batches, default=0) < 1:
        raise InputError(
            f"Times can be measured with one row, one round and a batch of one at least: there are {len(inputs)} rows, "
            f"{repeats} rounds and batches of {list(batches)}."
        )
    by_network = all(isinstance(model, PreparedSubject) for model in models.values())
    with _one_thread():
        whole = {size: _race(_whole_calls(models, _rows(inputs, size)), repeats, seconds) for size in batches}
        network = (
            {size: _race(_network_calls(models, _rows(inputs, size)), repeats, seconds) for size in batches}
            if by_network
            else whole
        )
        joules = {name: energy_of(model, _rows(inputs, max(batches)), seconds) for name, model in models.items()}
    return {
        name: Footprint(
            file_bytes=artefact_bytes(model),
            parameters=_count(model, "parameters"),
            nonzero_parameters=_count(model, "nonzero_parameters"),
            macs=count_macs(model),
            latency={size: network[size][name] for size in batches},
            end_to_end={size: whole[size][name] for size in batches},
            measures="network" if by_network else "predict",
            runtime=str(model.facts.get("runtime") or model.facts.get("kind") or type(model).__name__),
            threads=1,
            peak_bytes=peak_memory(model, _rows(inputs, max(batches))) if memory else None,
            joules=joules[name],
        )
        for name, model in models.items()
    }


def artefact_bytes(model: Subject) -> int | None:
    """Return the size of the deployable file: of the file it came from, else of the one that `save` writes."""
    known = model.facts.get("file_bytes")
    if isinstance(known, int):
        return known
    save = getattr(model, "save", None)
    if not callable(save):
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.safetensors"
        save(place)
        return place.stat().st_size


def count_macs(model: Subject) -> int | None:
    """Return multiplications with addition for one row, counted by torch on the network; None without one."""
    known = model.facts.get("macs")
    if isinstance(known, int):
        return known
    network = getattr(model, "network", None)
    if network is None:
        return None
    from evenhand.compression.networks import network_macs

    return network_macs(network, model.preprocessing.shape)  # type: ignore[attr-defined]


def _count(model: Subject, fact: str) -> int | None:
    value = model.facts.get(fact)
    return value if isinstance(value, int) else None


def _rows(inputs: Inputs | Batch, size: int) -> Batch:
    """Return so many rows, the first ones, again where there are fewer."""
    import numpy as np

    found = pick(inputs, np.arange(size) % len(inputs))
    return found.reset_index(drop=True) if hasattr(found, "reset_index") else found


def _whole_calls(models: Mapping[str, Subject], batch: Batch) -> dict[str, Callable[[], object]]:
    return {name: lambda model=model: model.predict(batch) for name, model in models.items()}  # type: ignore[misc]


def _network_calls(models: Mapping[str, Subject], batch: Batch) -> dict[str, Callable[[], object]]:
    calls: dict[str, Callable[[], object]] = {}
    for name, model in models.items():
        assert isinstance(model, PreparedSubject)
        ready = model.prepare(batch)
        calls[name] = lambda model=model, ready=ready: model.answer(ready)  # type: ignore[misc]
    return calls


def _race(calls: Mapping[str, Callable[[], object]], repeats: int, seconds: float) -> dict[str, Latency]:
    """Time calls in turns, so that other load affects all of them; an untimed one before each warms caches."""
    for call in calls.values():
        for _ in range(3):
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    start = time.perf_counter()
    for done in range(repeats):
        if done >= 5 and time.perf_counter() - start > seconds:
            break
        for name, call in calls.items():
            call()
            before = clock()
            call()
            times[name].append(clock() - before)
    return {name: Latency(statistics.median(taken), min(taken), len(taken)) for name, taken in times.items()}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hold torch to one thread, when it is loaded: two threads on two busy cores make small batches slower."""
    import sys

    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
