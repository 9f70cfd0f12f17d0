"""Models of Keras 3: live ones, and ``.keras`` files, opened in safe mode after a look at what they name."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from evenhand.documents import parse_json
from evenhand.errors import EvenhandError, ModelError, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.inputs import as_numbers, as_table, is_table, numeric_matrix, select, shaped
from evenhand.subjects.keras_config import check_archive
from evenhand.subjects.model_file import ModelFile, could_not_open, file_facts, package
from evenhand.subjects.network import NetworkSubject
from evenhand.subjects.network_output import NetworkOutput
from evenhand.subjects.outputs import answer_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import OutputKind, Subject
    from evenhand.subjects.target import Decide

ENDING: Final = ".keras"
ROWS: Final = 256
"""Rows that the model is asked for at once."""
BACKENDS: Final = ("tensorflow", "torch", "jax")
"""What Keras can compute with, in the order in which it is looked for."""


class KerasSubject(NetworkSubject):
    """A model of one input and one output: columns of a table as one matrix, arrays, or token ids.

    Parameters
    ----------
    model : keras.Model
        Returns (n,), (n, 1) or (n, classes).
    name : str, optional
        What the report calls it; that of the model when not given.
    threshold : float, optional
        0.5, or 0 for a ranking score, when not given.
    features : sequence of str, optional
        The columns it takes, in order; all columns of the table when not given.
    output : "probability", "logit" or "ranking"
        What it returns. Nothing is guessed: "probability" outside [0, 1] is an error.
    positive_index : int, optional
        The column of the positive class, where it returns several: the second of two when not given.
    positive : object
        The class that its score is of, where the label's positive class is 0 of 0 and 1.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; those of the evaluation set when neither this nor `features` is given.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file it came from.

    Raises
    ------
    ModelError
        When it has several inputs or outputs.
    """

    def __init__(
        self,
        model: Any,
        *,
        name: str | None = None,
        threshold: float | None = None,
        features: Sequence[str] | None = None,
        output: OutputKind = "probability",
        positive_index: int | None = None,
        positive: object = None,
        reads: Reads | None = None,
        file_facts: Mapping[str, Plain] | None = None,
    ) -> None:
        self.model = model
        named = name or str(model.name)
        says = NetworkOutput(named, output, positive_index, positive)
        super().__init__(says, threshold, features, reads, file_facts)
        self._input = _only(model, "inputs", self.name)
        _only(model, "outputs", self.name)

    def _network_facts(self) -> Mapping[str, Plain]:
        return {
            "kind": "keras",
            "class": type(self.model).__name__,
            "parameters": int(self.model.count_params()),
            "nonzero_parameters": sum(int((weight != 0).sum()) for weight in self.model.get_weights()),
        }

    def answer(self, batch: Batch) -> NDArray[np.generic]:
        """Return what the model gives for rows, as float64 where it is of fractions."""
        import numpy as np

        dtype, shape = str(self._input.dtype), tuple(self._input.shape)[1:]
        if is_table(batch):
            chosen = as_table(select(batch, self.features, self.name), self.name)
            given = numeric_matrix(chosen, self.name, dtype)
        else:
            given = as_numbers(batch, dtype, self.name)
        rows = shaped(given, shape, self.name)
        parts = [
            np.asarray(answer_of(self._predict, rows[at : at + ROWS], self.name)) for at in range(0, len(rows), ROWS)
        ]
        found: NDArray[np.generic] = np.concatenate(parts)
        return found.astype(np.float64) if found.dtype.kind == "f" else found

    def _predict(self, rows: object) -> object:
        return self.model.predict_on_batch(rows)


def build(
    model: Any,
    *,
    name: str | None = None,
    threshold: float | None = None,
    features: Sequence[str] | None = None,
    output: OutputKind = "probability",
    positive: object = None,
    decide: Decide | None = None,
    reads: Reads | None = None,
    file_facts: Mapping[str, Plain] | None = None,
) -> Subject:
    """Return a model of Keras 3 with one input and one output as a subject.

    The parameters are those of `as_subject`.
    """
    told: dict[str, Any] = {"features": features, "reads": reads}
    made = KerasSubject(
        model, name=name, threshold=threshold, output=output, positive=positive, file_facts=file_facts, **told
    )
    return made if decide is None else as_subject(made.answer, name=made.name, decide=decide, **told)


def _only(model: Any, what: str, name: str) -> Any:
    """Return the only input or output of a model.

    Raises ModelError when it has several, or was not built yet.
    """
    puts = getattr(model, what, None)
    if not puts:
        raise ModelError(f"Model '{name}' has no {what} yet: call it on some rows once, or give it an Input.")
    if len(puts) > 1:
        named = ", ".join(str(getattr(put, "name", put)) for put in puts)
        raise ModelError(
            f"Model '{name}' has {len(puts)} {what} ({shorten(named, 120)}), and one is audited at a time: pass "
            "keras.Model(model.inputs, model.outputs[0]), or a function of a batch that returns the scores."
        )
    return puts[0]


def keras_package() -> Any:
    """Return Keras, with a backend that is installed where none was chosen.

    Raises ModelError when no backend is there.
    """
    chosen = "keras" in sys.modules or "KERAS_BACKEND" in os.environ
    if not chosen and importlib.util.find_spec("keras") is not None:
        tried = (*_configured(), *BACKENDS)
        there = next((name for name in tried if importlib.util.find_spec(name) is not None), None)
        if there is None:
            raise ModelError("Keras needs torch, tensorflow or jax, and none is installed: pip install torch")
        os.environ["KERAS_BACKEND"] = there
    return package("keras")


def _configured() -> tuple[str, ...]:
    """Return the backend of the user's settings of Keras; nothing where there are none."""
    place = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"
    try:
        told = parse_json(place.read_bytes(), str(place)) if place.is_file() else {}
    except (OSError, EvenhandError):
        return ()
    found = told.get("backend") if isinstance(told, dict) else None
    return (str(found),) if found in BACKENDS else ()


def _open(path: Path, asked: Opening) -> KerasSubject:
    keras = keras_package()
    try:
        with TemporaryDirectory() as folder:
            named = path
            if path.suffix != ENDING:  # Keras goes by it
                named = Path(shutil.copyfile(path, Path(folder) / f"model{ENDING}"))
            model = keras.saving.load_model(named, compile=False, safe_mode=True)
    except Exception as problem:  # a layer can raise anything
        raise could_not_open(path, problem, "Keras") from None
    names = ("name", "threshold", "features", "positive", "reads")
    told = {name: getattr(asked, name) for name in names}
    return KerasSubject(model, output=asked.output or "probability", file_facts=file_facts(path), **told)


def _fits(model: object) -> bool:
    there = sys.modules.get("keras")
    return there is not None and isinstance(model, getattr(there, "Model", ()))


FILE: Final = ModelFile(
    "keras",
    (ENDING,),
    _open,
    holds=("config.json", "metadata.json", "model.weights.h5"),
    check=check_archive,
    safety="Data. Layers that hold code, or are not of Keras, are refused by name; it is opened in Keras' safe mode.",
)
ADAPTER: Final = Adapter(build, _fits, 8, files=(FILE,))
