"""A compressed model: one ONNX file with its preprocessing, threshold and history."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, shorten
from evenhand.subjects.onnx import start_session
from evenhand.training.model import as_text, read_about
from evenhand.training.stages import Staged, read_stages, write_stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

    from evenhand.compression.agreement import Agreement
    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects import ScoreKind
    from evenhand.subjects.isolation.isolated import IsolatedSession
    from evenhand.subjects.isolation.limits import Limits
    from evenhand.training import NetworkModel, Preparing

METADATA: Final = "evenhand"
"""The key of the JSON in the graph's metadata."""
FORMAT: Final = 1
"""The version of that JSON."""
_TOLD_BY_THE_FILE: Final = ("file_bytes", "sha256", "features", "preprocessing", "stored_as")


@dataclass(frozen=True, slots=True)
class Twin:
    """A differentiable model that matches a file that is not.

    See Also
    --------
    evenhand.compression.make_twin : Makes one.
    """

    model: NetworkModel
    """The network with the file's weights, as float32."""
    agreement: Agreement
    """How often it decides as the file does, and by how much their scores differ: its activations are not rounded."""
    weights: int
    """Weight tensors put back."""
    left: tuple[str, ...]
    """Weight tensors of the network that are not quantized in the file."""


class CompressedModel(Staged):
    """A subject run by ONNX Runtime on one thread.

    Parameters
    ----------
    content : bytes
        An ONNX file with the metadata of `from_network`.
    where : str
        What to call the file in a sentence.
    fit_row_hashes : array of uint64, optional
        Fingerprints of the rows it was fitted, tuned and calibrated on, sorted; none when unknown.
    limits : Limits, optional
        Run it in a separate process, within these.

    Raises
    ------
    ModelError
        When the file cannot be run, or was not written by this module, or by a newer version of it.

    See Also
    --------
    evenhand.compression.compress : Makes one.
    evenhand.compression.load_compressed : Reads one.
    """

    def __init__(
        self,
        content: bytes,
        where: str = "the compressed model",
        fit_row_hashes: NDArray[np.uint64] | None = None,
        limits: Limits | None = None,
    ) -> None:
        from evenhand.training.preparing import GRID, preparing_from_plain
        from evenhand.training.target import Target

        self.content = content
        self._limits = limits
        self._session = start_session(content, where, limits)
        about = read_metadata(self._session, where)
        try:
            self._input = str(self._session.get_inputs()[0].name)
            self.name = str(about["name"])
            self.threshold = float(cast("float", about["threshold"]))
            prepared = cast("dict[str, Plain]", about["preprocessing"])
            self.preprocessing: Preparing = preparing_from_plain(prepared)
            self.fit_row_hashes = fit_row_hashes if prepared.get("kind") != GRID else None
            told = about.get("target")
            self.target = None if told is None else Target.from_plain(cast("dict[str, Plain]", told))
            self._facts = dict(cast("dict[str, Plain]", about["facts"]))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as problem:
            raise ModelError(f"What {where} says of its own preprocessing is damaged: {shorten(problem)}.") from None
        several = len(self._session.get_outputs()[0].shape) > 1
        self.score_kind: ScoreKind = "probability" if self.target is None else "label"
        self.task: Task = self.target.task if self.target is not None else "multiclass" if several else "binary"
        self.twin: Twin | None = None

    @property
    def reads(self) -> Reads:
        """A table or arrays, as its preprocessing takes them."""
        return self.preprocessing.reads

    def prepare(self, batch: Batch) -> NDArray[np.float32]:
        """Return the inputs of the network, shape (n, ...)."""
        return self.preprocessing.transform(batch)

    def answer(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the graph's logits for prepared rows, shape (n,) or (n, C)."""
        try:
            found = self._session.run(None, {self._input: prepared})[0]
        except ModelError:
            raise
        except Exception as problem:  # ONNX Runtime's errors share no base below Exception
            raise ModelError(f"Model '{self.name}' could not be run: {shorten(problem, 300)}") from problem
        kind, shape = getattr(found, "dtype", None), getattr(found, "shape", ())
        if getattr(kind, "kind", "") != "f" or shape[:1] != (len(prepared),) or len(shape) > 2:
            raise ModelError(
                f"Model '{self.name}' was given {len(prepared):,} rows and returned {shape} of {kind}: it must return "
                "one logit a row, or one a class."
            )
        return cast("NDArray[np.float32]", found)

    def predict_prepared(self, prepared: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what `predict` does for prepared rows."""
        from evenhand.training.model import predictions

        return predictions(self._pieces(prepared), self.name, self.target)

    def predict_quantiles(self, batch: Batch) -> NDArray[np.float64]:
        """Return all quantiles of each row, (n, Q), in the label's units; none is below the one before.

        Raises ModelError when the model was not fitted with quantiles.
        """
        from evenhand.training.model import quantiles_of

        return quantiles_of(self._pieces(self.prepare(batch)), self.name, self.target)

    def _pieces(self, prepared: NDArray[np.float32]) -> NDArray[np.float64]:
        from evenhand.training.model import SPREAD, pieces

        return pieces(self.answer, prepared, SPREAD if self.reads == "texts" else 1)

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the probability of the positive class of each row, (n,), or of each class, (n, C); or numbers."""
        return self.predict_prepared(self.prepare(batch))

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Facts about the model, such as the bytes and hash of its file."""
        return {
            **self._facts,
            "features": list(self.preprocessing.features),
            "preprocessing": self.preprocessing.describe(),
            "file_bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }

    def save(self, path: str | Path) -> None:
        """Write the one file, whole or not at all, and the fingerprints of its training rows in a second file.

        The models on the way to it, by which an audit tells what each act did, are in files of their own.

        Raises
        ------
        OutputError
            When the place cannot be written to.
        """
        from evenhand.output.writing import write_bytes
        from evenhand.training.rows import write_rows

        write_bytes(Path(path), self.content)
        if self.fit_row_hashes is not None:
            write_rows(Path(path), self.fit_row_hashes)
        write_stages(Path(path), self.stages, self.content)

    def __getstate__(self) -> dict[str, object]:
        """A session cannot be pickled; it is started again from the bytes."""
        return {key: value for key, value in self.__dict__.items() if key != "_session"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._session = start_session(self.content, self.name, self._limits)


def from_network(graph: bytes, model: NetworkModel, recipe: Mapping[str, Plain]) -> CompressedModel:
    """Return the compressed model of a graph over what `model` prepares."""
    from evenhand.compression.exporting import count_graph_parameters, with_metadata
    from evenhand.compression.networks import network_macs

    parameters, nonzero = count_graph_parameters(graph)
    facts: dict[str, Plain] = {
        **model.facts,
        "kind": "onnx",
        "runtime": "onnxruntime",
        "recipe": [*history(model.facts), {**recipe, "bytes_before": len(model.content)}],
        "parameters": parameters,
        "nonzero_parameters": nonzero,
        "macs": network_macs(model.network, model.preprocessing.shape),
    }
    about: dict[str, Plain] = {
        "format": FORMAT,
        "name": f"{model.name} + {recipe['recipe']}",
        "threshold": model.threshold,
        "preprocessing": model.preprocessing.to_plain(),
        **({"target": model.target.to_plain()} if model.target is not None else {}),
        "facts": {key: value for key, value in facts.items() if key not in _TOLD_BY_THE_FILE},
    }
    return CompressedModel(with_metadata(graph, {METADATA: as_text(about)}), fit_row_hashes=model.fit_row_hashes)


def history(facts: Mapping[str, Plain]) -> list[Plain]:
    """Return the recipes that a model has already been through."""
    known = facts.get("recipe")
    if not known:
        return []
    return list(known) if isinstance(known, list) else [known]


def load_compressed(
    path: str | Path, *, isolate: bool | Limits | None = None, allowed_signers: str | Path | None = None
) -> CompressedModel:
    """Read a compressed model from its one file; nothing in it can run code.

    Parameters
    ----------
    path : str or Path
        The file.
    isolate, allowed_signers
        As in `evenhand.subjects.open_subject`.

    Returns
    -------
    CompressedModel

    Raises
    ------
    ModelError
        When the file is missing or of another kind.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.compression import OnnxExport, compress
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> small = compress(fit(data, config=TrainingConfig(epochs=1, hidden=(4,))), OnnxExport(), train=data)
    >>> small.save("small.onnx")
    >>> again = load_compressed("small.onnx", isolate=False)
    >>> again.predict(data.X).tolist() == small.predict(data.X).tolist()
    True
    """
    from evenhand.subjects.loading import limits_of, model_kind
    from evenhand.subjects.model_file import read_model_file
    from evenhand.training.rows import read_rows

    place = Path(path)
    if model_kind(place) != "onnx":
        raise ModelError(f"'{place}' is no ONNX file; compressed models are saved as .onnx.")
    limits = limits_of(place, isolate, allowed_signers)
    model = CompressedModel(read_model_file(place), f"'{place}'", read_rows(place), limits)
    model.stages_from = partial(read_stages, place, model.content, _stage)
    return model


def _stage(path: Path) -> NetworkModel:
    """Read a model on the way to a compressed one; torch is loaded by it and not before."""
    from evenhand.training import load_model

    return load_model(path)


def read_metadata(session: onnxruntime.InferenceSession | IsolatedSession, where: str) -> dict[str, Plain]:
    """Return the description in the file.

    Raises ModelError when there is none, or a newer version of evenhand wrote it.
    """
    text = session.get_modelmeta().custom_metadata_map.get(METADATA)
    if text is None:
        raise ModelError(
            f"{where} is an ONNX file that evenhand did not write: open it with evenhand.subjects.open_subject, "
            "which runs it without preprocessing."
        )
    about, version = read_about(text, f"What {where} says of itself is damaged.")
    if version > FORMAT:
        raise ModelError(
            f"{where} is of format {version}, newer than this evenhand, which reads up to {FORMAT}: update it."
        )
    return about
