"""A plain ONNX file, run by ONNX Runtime on one thread."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, need, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.graph_bytes import check_graph
from evenhand.subjects.inputs import as_numbers, as_table, is_table, numeric_matrix, select, shaped
from evenhand.subjects.model_file import ModelFile, read_model_file
from evenhand.subjects.network import NetworkSubject
from evenhand.subjects.network_output import NetworkOutput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import onnxruntime
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.isolation.isolated import IsolatedSession
    from evenhand.subjects.isolation.limits import Limits
    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import OutputKind

_TYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int64)": "int64",
    "tensor(int32)": "int32", "tensor(uint8)": "uint8", "tensor(bool)": "bool", "tensor(string)": "object",
}  # fmt: skip
_FLOATING = ("tensor(float)", "tensor(double)", "tensor(float16)")


class OnnxSubject(NetworkSubject):
    """An ONNX graph over a matrix of all columns, an input a column under the column's name, arrays, or texts.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        What the report calls it.
    threshold : float, optional
        0.5, or 0 for a ranking score, when not given.
    features : sequence of str, optional
        The columns of the matrix input, in order; all columns of the table when not given.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs: a table where it has several inputs or `features` are given; else those of the evaluation set.
    output : "probability", "logit" or "ranking"
        Kind of output; never guessed: "probability" outside [0, 1] is an error.
    output_name : str, optional
        Which output to read; needed when several are floating-point.
    positive_index : int, optional
        The column of the positive class, where the output has several: the second of two when not given.
    positive : object
        The class that its score is of, where the label's positive class is 0 of 0 and 1.
    limits : Limits, optional
        Run it in a separate process, within these.

    Raises
    ------
    ModelError
        When the file cannot be run or its inputs or outputs cannot be read.
    """

    def __init__(
        self,
        content: bytes,
        *,
        name: str = "onnx model",
        threshold: float | None = None,
        features: Sequence[str] | None = None,
        output: OutputKind = "probability",
        output_name: str | None = None,
        positive_index: int | None = None,
        positive: object = None,
        reads: Reads | None = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(NetworkOutput(name, output, positive_index, positive), threshold, features, reads, None)
        self.content = content
        self._limits = limits
        self._session = start_session(content, f"'{name}'", limits)
        self._inputs = {put.name: _known_type(put.type, put.name, name) for put in self._session.get_inputs()}
        if not self._inputs:
            raise ModelError(f"Model '{name}' has no input, so it says the same of everybody.")
        self._first, self._shape = next(iter(self._inputs)), self._session.get_inputs()[0].shape
        self._matrix = len(self._inputs) == 1 and len(self._shape) == 2
        told: Reads | None = "table" if features is not None or len(self._inputs) > 1 else None
        self.reads: Reads | None = reads or told
        one = len(self._inputs) == 1 and len(self._shape) > 1
        columns = features if features is not None else None if one else self._inputs
        self.features = None if columns is None else tuple(columns)
        self._output_name = self._choose_output(output_name)

    def answer(self, batch: Batch) -> NDArray[np.generic]:
        """Return what the graph gives for rows, shape (n,), (n, 1) or (n, classes)."""
        import numpy as np

        return np.asarray(self._run(self._feed(batch)))

    def predict_prepared(self, prepared: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the scores of a matrix of numbers, for a graph with one matrix input."""
        raw = self._run({self._first: prepared.astype(self._inputs[self._first])})
        return self._says.scores(raw, len(prepared))

    def _feed(self, batch: Batch) -> dict[str, NDArray[np.generic]]:
        """Return the inputs of the graph: of a table a matrix or a column each, else one array or texts."""

        if len(self._inputs) == 1 and len(self._shape) > 1:
            given = self._one_array(batch)
            return {self._first: shaped(given, self._shape[1:], self.name)}
        if is_table(batch):
            chosen = as_table(select(batch, self.features, self.name), self.name)
            return {name: self._column(chosen, name) for name in self._inputs}
        if len(self._inputs) > 1:
            raise ModelError(f"Model '{self.name}' takes {len(self._inputs)} inputs; only a table holds several.")
        return {self._first: shaped(self._one_array(batch), (), self.name)}

    def _one_array(self, batch: Batch) -> NDArray[np.generic]:
        """Return what the only input is given: the columns of a table, an array, token ids, or texts."""
        import numpy as np

        dtype = self._inputs[self._first]
        if not is_table(batch):
            return np.array(list(batch), dtype=object) if dtype == "object" else as_numbers(batch, dtype, self.name)
        chosen = as_table(select(batch, self.features, self.name), self.name)
        if self.features is None and self._shape[1:] == [1] and self._first in chosen.columns:
            chosen = chosen[[self._first]]  # one column under its own name
        if dtype == "object":
            return chosen.astype(str).to_numpy(dtype=object)
        return numeric_matrix(chosen, self.name, dtype)

    def _network_facts(self) -> Mapping[str, Plain]:
        parameters, nonzero = _count(self.content)
        return {
            "kind": "onnx",
            "output_name": self._output_name,
            "parameters": parameters,
            "nonzero_parameters": nonzero,
            "file_bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }

    def __getstate__(self) -> dict[str, object]:
        """A session cannot be pickled; it is started again from the bytes."""
        return {key: value for key, value in self.__dict__.items() if key != "_session"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._session = start_session(self.content, f"'{self.name}'", self._limits)

    def _column(self, X: pd.DataFrame, name: str) -> NDArray[np.generic]:
        try:
            column = X[name].to_numpy(dtype=self._inputs[name])
        except (TypeError, ValueError):
            raise ModelError(
                f"Model '{self.name}' takes {self._inputs[name]} in column '{shorten(name)}', "
                f"which holds {X[name].dtype}."
            ) from None
        flat = len(next(put.shape for put in self._session.get_inputs() if put.name == name)) == 1
        return column if flat else column.reshape(-1, 1)

    def _run(self, feed: dict[str, NDArray[np.generic]]) -> object:
        try:
            (raw,) = self._session.run([self._output_name], feed)
        except ModelError:
            raise
        except Exception as problem:  # ONNX Runtime's errors share no base below Exception
            way = ""
            if self._shape and isinstance(self._shape[0], int):
                way = f" It was exported for batches of {self._shape[0]} rows: let the first dimension vary."
            raise ModelError(f"Model '{self.name}' could not be run: {shorten(problem, 300)}.{way}") from problem
        return raw

    def _choose_output(self, wanted: str | None) -> str:
        types = {put.name: str(put.type) for put in self._session.get_outputs()}
        if wanted is not None and wanted in types:
            return wanted
        floating = [name for name, kind in types.items() if kind in _FLOATING]
        if wanted is None and len(floating) == 1:
            return str(floating[0])
        listed = ", ".join(f"'{name}' ({kind})" for name, kind in types.items())
        if wanted is not None:
            raise ModelError(f"Model '{self.name}' has no output '{wanted}'; it has {listed}.")
        advice = "pass output_name=" if floating else "export it so that scores are a float tensor (zipmap=False)"
        raise ModelError(
            f"Model '{self.name}' has the outputs {listed}: which holds the scores is not clear; {advice}."
        )


def start_session(
    content: bytes, where: str, limits: Limits | None = None
) -> onnxruntime.InferenceSession | IsolatedSession:
    """Return a session of ONNX Runtime on one thread, in a separate process where limits are given.

    Raises ModelError when the file cannot be run.
    """
    runtime = need("onnxruntime", "onnx")
    check_graph(content, where)
    if limits is not None:
        from evenhand.subjects.isolation.isolated import IsolatedSession

        return IsolatedSession(content, where, limits)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if b"DequantizeLinear" in content and b"QuantizeLinear" not in content:
        # only weights are rounded: make them float32 once, on loading, and not in every call
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # ONNX Runtime's errors share no base below Exception
        raise ModelError(f"{where} is no ONNX file that ONNX Runtime can run: {shorten(problem, 300)}") from None


def _known_type(kind: str, put: str, name: str) -> str:
    if kind not in _TYPES:
        raise ModelError(f"Model '{name}' takes {kind} in its input '{put}'; known are {', '.join(_TYPES)}.")
    return _TYPES[kind]


def _count(content: bytes) -> tuple[int | None, int | None]:
    """Return parameters and non-zero ones; None where no package reads the graph or the types of its tensors."""
    try:
        import onnx
        from onnx import numpy_helper

        arrays = [numpy_helper.to_array(t) for t in onnx.load_from_string(content).graph.initializer]
    except (ModuleNotFoundError, ValueError, TypeError, LookupError, RuntimeError):
        return None, None
    return sum(int(a.size) for a in arrays), sum(int((a != 0).sum()) for a in arrays)


def _open(path: Path, asked: Opening) -> OnnxSubject:
    told = {
        name: getattr(asked, name) for name in ("name", "threshold", "features", "output_name", "positive", "reads")
    }
    return OnnxSubject(read_model_file(path), output=asked.output or "probability", limits=asked.limits, **told)


FILE: Final = ModelFile(
    "onnx",
    (".onnx",),
    _open,
    isolated=True,
    safety="Data. What it declares is checked against its bytes; it runs in a process with limits of time and memory.",
)
ADAPTER: Final = Adapter(OnnxSubject, files=(FILE,))
