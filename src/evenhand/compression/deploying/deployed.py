"""A model in one ONNX file with its preprocessing in the graph, read back as a subject."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.compression.deploying.answers import Outputs
from evenhand.compression.deploying.columns import MISSING
from evenhand.errors import ModelError, shorten
from evenhand.subjects.inputs import as_table
from evenhand.subjects.onnx import start_session
from evenhand.training.columns import to_numbers
from evenhand.training.levels import texts_of
from evenhand.training.model import as_text, read_about
from evenhand.training.preprocessing import check_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.compression.deploying.graph import Graph
    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects import ScoreKind
    from evenhand.subjects.isolation.limits import Limits

DEPLOYED: Final = "evenhand-deployed"
"""The key of the JSON in the graph's metadata."""
FORMAT: Final = 1
"""The version of that JSON."""


class DeployedModel:
    """A subject whose graph takes the columns of a table as they are.

    Parameters
    ----------
    content : bytes
        An ONNX file that `export_model` wrote.
    where : str
        What to call the file in a sentence.
    limits : Limits, optional
        Run it in a separate process, within these.

    Raises
    ------
    ModelError
        When the file cannot be run, or is of another kind.

    See Also
    --------
    evenhand.compression.export_model : Writes one.
    """

    reads: Reads = "table"

    def __init__(self, content: bytes, where: str = "the exported model", limits: Limits | None = None) -> None:
        self.content = content
        self._limits = limits
        self._session = start_session(content, where, limits)
        text = self._session.get_modelmeta().custom_metadata_map.get(DEPLOYED)
        if text is None:
            raise ModelError(f"{where} is an ONNX file that evenhand export did not write.")
        about, version = read_about(text, f"What {where} says of itself is damaged.")
        if version > FORMAT:
            raise ModelError(f"{where} is of format {version}, newer than this evenhand, which reads up to {FORMAT}.")
        try:
            self.name = str(about["name"])
            self.threshold = float(cast("float", about["threshold"]))
            self.task = cast("Task", about["task"])
            self.score_kind = cast("ScoreKind", about["score_kind"])
            self.outputs = Outputs.from_plain(cast("dict[str, Plain]", about["outputs"]))
            self._columns = {str(name): str(kind) for name, kind in cast("list[list[str]]", about["columns"])}
            self._facts = dict(cast("dict[str, Plain]", about["facts"]))
        except (LookupError, TypeError, ValueError, AttributeError) as problem:
            raise ModelError(f"What {where} says of itself is damaged: {shorten(problem)}.") from None

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        return tuple(self._columns)

    def feed(self, batch: Batch) -> dict[str, NDArray[np.generic]]:
        """Return the inputs of the graph: doubles, NaN where missing, and texts, empty where missing.

        Raises
        ------
        ModelError
            When columns are absent, or hold text where the model takes numbers.
        """
        X = as_table(batch, self.name)
        check_columns(X, self.features)
        return {name: _fed(name, X[name], kind) for name, kind in self._columns.items()}

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the probability of the positive class of each row, (n,), or of each class, (n, C); or numbers."""
        import numpy as np

        try:
            found = self._session.run([self.outputs.score], self.feed(batch))[0]
        except ModelError:
            raise
        except Exception as problem:  # ONNX Runtime's errors share no base below Exception
            raise ModelError(f"Model '{self.name}' could not be run: {shorten(problem, 300)}") from problem
        score = np.asarray(found, dtype=np.float64)
        if score.shape[:1] != (len(batch),) or score.ndim > 2 or not np.isfinite(score).all():
            raise ModelError(
                f"Model '{self.name}' was given {len(batch):,} rows and returned {score.shape}: it must return one "
                "finite score a row, or one a class."
            )
        return score

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Facts about the model it was exported from, and the bytes and hash of the file."""
        return {
            **self._facts,
            "kind": "onnx",
            "runtime": "onnxruntime",
            "features": list(self.features),
            "file_bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }

    def save(self, path: str | Path) -> None:
        """Write the model's file, whole or not at all; raises OutputError when the place cannot be written to."""
        from evenhand.output.writing import write_bytes

        write_bytes(Path(path), self.content)

    def __getstate__(self) -> dict[str, object]:
        """A session cannot be pickled; it is started again from the bytes."""
        return {key: value for key, value in self.__dict__.items() if key != "_session"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._session = start_session(self.content, self.name, self._limits)


def _fed(name: str, values: pd.Series, kind: str) -> NDArray[np.generic]:
    import numpy as np

    if kind == "text":
        texts = texts_of(values)
        return np.where(values.isna().to_numpy(), MISSING, texts).astype(object)
    return to_numbers(name, values, text=kind == "number in text")


def described(model: Any, columns: Sequence[tuple[str, str]], outputs: Outputs) -> str:
    """Return what a file says of itself: whose model it is, and what its inputs and outputs are."""
    kept = ("parameters", "nonzero_parameters", "recipe", "used_sensitive", "fit_rows", "macs")
    facts: dict[str, Plain] = {name: model.facts[name] for name in kept if name in model.facts}
    return as_text(
        {
            "format": FORMAT,
            "name": model.name,
            "threshold": model.threshold,
            "task": getattr(model, "task", "binary"),
            "score_kind": model.score_kind,
            "columns": [[name, kind] for name, kind in columns],
            "outputs": outputs.to_plain(),
            "facts": {**facts, "exported_from": model.facts.get("sha256")},
        }
    )


def deployed_from(graph: Graph, outputs: Outputs, model: Any, columns: Sequence[tuple[str, str]]) -> DeployedModel:
    """Return the subject of a graph, made of `model`."""
    return DeployedModel(graph.to_bytes({DEPLOYED: described(model, columns, outputs)}), f"'{model.name}'")
