"""From a model to a folder that can be deployed: one file with its preprocessing, and what belongs to it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from evenhand.compression.deploying.comparing import TOLERANCE, compare, refuse_difference
from evenhand.compression.deploying.files import SUFFIXES, ExportedFile, ExportFormat, make_file
from evenhand.compression.deploying.memory import measure_memory
from evenhand.compression.deploying.schema import inputs_schema, outputs_schema
from evenhand.data import pick
from evenhand.errors import InputError, ModelError, argument, did_you_mean, raise_all
from evenhand.subjects.sklearn import SklearnSubject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from evenhand.compression.deploying.comparing import Compared
    from evenhand.compression.deploying.estimators import Precision
    from evenhand.compression.deploying.memory import Memory
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord, Plain
    from evenhand.subjects import Subject

MEASURED: Final = 256
"""Rows that are predicted at once where memory is measured; all when there are fewer."""
_PRECISIONS: Final[tuple[Precision, ...]] = ("double", "float")
"""In which numbers a model of scikit-learn is tried: trees of some kinds are computed in float there."""
MANIFEST: Final = "export.json"
"""What an export says of itself and of the files beside it."""
_PACKAGES: Final[dict[ExportFormat, tuple[str, ...]]] = {
    "onnx": ("onnx", "onnxruntime"), "ort": ("onnx", "onnxruntime"), "torch-export": ("torch",),
    "executorch": ("torch", "executorch"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported model, not yet written.

    See Also
    --------
    evenhand.compression.export_model : Makes one, with an example.
    """

    format: ExportFormat
    """The format of its file."""
    file: str
    """The name of its file."""
    files: Mapping[str, bytes]
    """The file, its schema and what belongs to it, by name."""
    compared: Compared | None
    """How it answered beside its model; None where no rows were given."""
    memory: Memory | None
    """What loading it and predicting took; None where that was not measured."""
    exported_from: str | None
    """The sha256 of the model's file."""

    def save(self, folder: str | Path, more: Mapping[str, bytes] | None = None) -> None:
        """Write all files, and further ones, into a new folder, whole or not at all; `export.json` names each hash.

        Raises
        ------
        OutputError
            When there is something already, or it cannot be written.
        """
        from evenhand.output.folders import write_folder

        held = {**self.files, **(more or {})}
        write_folder(folder, {**held, MANIFEST: self._manifest(held)})

    def _manifest(self, held: Mapping[str, bytes]) -> bytes:
        told: dict[str, Plain] = {
            "format": 1,
            "kind": self.format,
            "model": self.file,
            "exported_from": self.exported_from,
            "compared": None if self.compared is None else self.compared.to_plain(),
            "memory": None if self.memory is None else self.memory.to_plain(),
            "versions": {name: version(name) for name in ("evenhand", *_PACKAGES[self.format])},
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(held.items())},
        }
        return _json(told)


def export_model(
    model: Subject,
    format: ExportFormat = "onnx",
    *,
    rows: EvaluationSet | None = None,
    train: EvaluationSet | None = None,
    record: AuditRecord | None = None,
    tolerance: float = TOLERANCE,
    measure: bool = False,
    memory_cap: int | None = None,
) -> Exported:
    """Export a model over a table with its preprocessing inside the file, and compare the file with the model.

    Parameters
    ----------
    model : Subject
        A network or boosted trees, as `evenhand.training` fits them; a compressed network; or a classifier of two
        classes of scikit-learn, for which skl2onnx must be installed.
    format : {"onnx", "ort", "torch-export", "executorch"}
        ONNX; ONNX Runtime's own format for small devices; a program of `torch.export`; or one of ExecuTorch. The last
        two are of networks alone, and take categories as places of their levels.
    rows : EvaluationSet, optional
        Rows that model and file answer both, such as those of the audit.
    train : EvaluationSet, optional
        Training rows, whose ranges the schema states.
    record : AuditRecord, optional
        The audit of the model, which must be of this model, at its threshold, and of `rows`.
    tolerance : float
        By how much a probability may differ, or a number as a share of its size. Decisions must not differ at all.
    measure : bool
        Whether the memory of the file is measured, in a process of its own.
    memory_cap : int, optional
        Bytes that loading the file and predicting 256 rows may add to a process that has loaded the runtime.

    Returns
    -------
    Exported

    Raises
    ------
    ModelError
        When the model cannot be exported, an answer differs, or it needs more memory than the cap.
    InputError
        When the record is of another model or of other rows, or an argument does not fit.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.compression import export_model
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> model = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> exported = export_model(model, rows=data)
    >>> exported.file, exported.compared.rows, exported.compared.decisions_changed
    ('model.onnx', 1971, 0)
    >>> exported.save("exported")
    >>> eh.open_model("exported/model.onnx").features == model.preprocessing.features
    True
    """
    model = _bound(model, rows)
    raise_all(InputError, _problems(model, format, rows, record, tolerance, memory_cap))
    made, compared = _made(model, format, rows, tolerance)
    memory = None
    if measure or memory_cap is not None:
        table = _sample(made, rows)
        memory = measure_memory(made.content, SUFFIXES[format], made.runner, made.feed(table))
        _refuse_above(memory, memory_cap, model.name)
    file = f"model{SUFFIXES[format]}"
    said: dict[str, Plain] = {
        "format": 1,
        "model": file,
        "name": model.name,
        "task": _task(model),
        "inputs": _inputs(made, train),
        "outputs": outputs_schema(made.outputs, _task(model), model.threshold, () if rows is None else rows.classes),
    }
    from_file = model.facts.get("sha256")
    return Exported(
        format, file, {file: made.content, "schema.json": _json(said), **made.more}, compared, memory,
        None if from_file is None else str(from_file),
    )  # fmt: skip


def _made(
    model: Subject, format: ExportFormat, rows: EvaluationSet | None, tolerance: float
) -> tuple[ExportedFile, Compared | None]:
    """Return the file and how it answers; of scikit-learn in the precision in which it answers alike."""
    if rows is None:
        return make_file(model, format, None), None
    X = rows.table
    made = compared = problem = None
    for precision in _PRECISIONS if isinstance(model, SklearnSubject) else _PRECISIONS[:1]:
        try:
            made = make_file(model, format, X, precision)
        except ModelError as wrong:  # the other precision may be one that its parts can be converted in
            problem = problem or wrong
            continue
        compared = _compared(model, made, X, tolerance)
        if not compared.decisions_changed and compared.largest <= tolerance:
            break
    if made is None or compared is None:
        assert problem is not None  # there is one precision at least
        raise problem
    refuse_difference(compared, model.name)
    return made, compared


def _compared(model: Subject, made: ExportedFile, X: pd.DataFrame, tolerance: float) -> Compared:
    after, decided = made.run(X)
    return compare(model.predict(X), after, decided, cast("Any", _task(model)), model.threshold, tolerance)


def _bound(model: Subject, rows: EvaluationSet | None) -> Subject:
    """Return a model of others bound to the label of the rows, by which its classes are known."""
    if not isinstance(model, SklearnSubject) or rows is None or rows.task != "binary":
        return model
    from evenhand.subjects.target import Target

    return model.bound(Target("binary", rows.classes))


def _task(model: Subject) -> str:
    return str(getattr(model, "task", "binary"))


def _sample(made: ExportedFile, rows: EvaluationSet | None) -> pd.DataFrame:
    """Return the rows whose prediction is measured: the first ones, or empty ones where there are none."""
    import numpy as np
    import pandas as pd

    if rows is not None and len(rows):
        return cast("pd.DataFrame", pick(rows.table, np.arange(min(MEASURED, len(rows)))))
    return pd.DataFrame(
        {name: [None] * MEASURED if kind == "text" else np.zeros(MEASURED) for name, kind in made.kinds}
    )


def _inputs(made: ExportedFile, train: EvaluationSet | None) -> list[Plain]:
    encoded = made.outputs is None
    return inputs_schema(made.kinds, made.columns, None if train is None else train.table, encoded)


def _refuse_above(memory: Memory, cap: int | None, name: str) -> None:
    if cap is not None and memory.model_bytes > cap:
        raise ModelError(
            f"'{name}' is not exported: loading it and predicting {memory.rows:,} rows takes {memory.model_bytes:,} "
            f"bytes, and {cap:,} are allowed. Make it smaller (evenhand compress), or allow more."
        )


def _problems(
    model: Subject, format: str, rows: EvaluationSet | None, record: AuditRecord | None, tolerance: float,
    cap: int | None,
) -> Iterator[str]:  # fmt: skip
    if format not in get_args(ExportFormat):
        known = get_args(ExportFormat)
        yield f"There is no format '{format}' of exports; there are {', '.join(known)}.{did_you_mean(format, known)}"
    if not 0 <= tolerance < 1:
        yield f"{argument('tolerance', tolerance)}: a number from 0 to below 1 is needed."
    if cap is not None and cap < 1:
        yield f"{argument('memory_cap', cap)}: some bytes are needed."
    if record is None:
        return
    told = record.provenance.get("subject", {})
    if told.get("sha256") is None or told.get("sha256") != model.facts.get("sha256"):
        yield (
            f"The record is not of this model: it is of sha256 {str(told.get('sha256'))[:12]}, and the model's is "
            f"{str(model.facts.get('sha256'))[:12]}. Audit this file first."
        )
    elif "threshold" in told and _task(model) == "binary" and float(told["threshold"]) != float(model.threshold):
        yield (
            f"The record is of decisions at {told['threshold']}, and the model decides at {model.threshold}: what is "
            "exported would decide otherwise than what was audited. Audit it at its own threshold."
        )
    if rows is not None and record.provenance.get("data", {}).get("content_hash") != rows.content_hash():
        yield f"The record is of other rows than {rows.name}. Give the rows of the audit."


def _json(told: Mapping[str, Plain]) -> bytes:
    return (json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
