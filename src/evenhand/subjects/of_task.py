"""Models of other tasks than two classes: several classes, several labels, numbers, places in a list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError
from evenhand.subjects.adapter import NOT_KNOWN, Adapter, name_of
from evenhand.subjects.inputs import flat, is_table, select
from evenhand.subjects.kinds import NO_CLASSES, classes_of, type_of
from evenhand.subjects.outputs import answer_of, check_probabilities, check_scores, to_class_scores
from evenhand.subjects.proof import Proof
from evenhand.subjects.target import Declared, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects.protocol import ScoreKind


class TaskSubject:
    """A scikit-learn estimator, or a function of a table, that predicts for a task.

    `model`: with `predict_proba` (several classes) or `predict`, or itself callable; `task`: what the label is;
    `classes`: the classes, or the names of several labels, in the order of the output's columns; empty for numbers;
    `name`: what the report calls it; `reads`: its inputs; those it declares when not given, and a table when it
    was fitted on named columns; `declared`: what the user declares about its output; `known`: facts about its file.
    Raises ModelError when it can neither predict nor be called, or is a regressor where classes are predicted, or the
    reverse.
    """

    def __init__(
        self,
        model: object,
        task: Task,
        classes: Sequence[object] = (),
        name: str | None = None,
        reads: Reads | None = None,
        declared: Declared | None = None,
        known: Mapping[str, Plain] | None = None,
    ) -> None:
        self.model = model
        self.task = task
        self.classes = tuple(classes)
        self.name = name or name_of(model)
        self.threshold = 0.5
        self.score_kind: ScoreKind = "label"
        own = getattr(model, "facts", None)
        self._own: Mapping[str, Plain] = {**(known or {}), **(own if isinstance(own, dict) else {})}
        listed = self._own.get("features")
        found = listed if isinstance(listed, list) else getattr(model, "feature_names_in_", None)
        self._features = None if found is None else [str(name) for name in found]
        self.reads: Reads | None = "table" if self._features else reads or getattr(model, "reads", None)
        self.fit_row_hashes = getattr(model, "fit_row_hashes", None)
        self.cost = getattr(model, "cost", None)
        self.declared = declared or Declared()
        self.proof = Proof(self.name, self.declared, Target(task, self.classes))
        self._known = classes_of(model)
        self._ask()
        self._refuse_another_kind()

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Class, task and the columns it was fitted on."""
        return {
            "kind": "scikit-learn" if hasattr(self.model, "predict") else "callable",
            "class": name_of(self.model),
            "task": self.task,
            "features": cast("Plain", self._features),
            **NOT_KNOWN,
            **self._own,
            **(self.proof.facts if self.task == "multiclass" else {}),
        }

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return (n,) numbers, or (n, C) scores of the classes; a predicted class is 1 in its column."""
        import numpy as np

        rows, values = len(batch), self._answer(self._ask(), batch)
        if self.task in ("regression", "ranking"):
            return check_scores(values, rows, self.name, 0)
        if self.task == "multilabel":
            return self._labels(values, rows)
        if values.ndim < 2 or values.shape[1] == 1 or self.declared.decide is not None:
            self.score_kind = "label"
            return np.eye(len(self.classes))[self.proof.decisions(values, rows, self._known)]
        return self._in_order(values, rows)

    @property
    def own_decisions(self) -> Callable[[Batch], NDArray[np.intp]] | None:
        """A function from a batch to the classes that the model itself decides for; None where its scores are all."""
        own = getattr(self.model, "predict", None)
        scored = callable(getattr(self.model, "predict_proba", None)) and self._method() == "predict_proba"
        if not (scored and callable(own) and self.task == "multiclass"):
            return None
        return lambda batch: self.proof.decisions(self._answer(own, batch), len(batch), self._known)

    def _answer(self, ask: Callable[[Batch], object], batch: Batch) -> NDArray[np.generic]:
        import numpy as np

        given = select(batch, self._features, self.name)
        if not is_table(given):
            given = flat(given, getattr(self.model, "n_features_in_", None))
        answered = answer_of(ask, given, self.name)
        if isinstance(answered, list) and self.task == "multilabel" and all(np.ndim(part) == 2 for part in answered):
            return np.column_stack([np.asarray(part)[:, -1] for part in answered])  # one matrix (n, 2) a label
        return np.asarray(answered)

    def _refuse_another_kind(self) -> None:
        """Refuse a classifier where the label is a number, and a regressor where it is classes."""
        kind, told = type_of(self.model), self.declared
        numbers = self.task in ("regression", "ranking")
        if told.decide is not None or told.score_kind is not None:
            return
        if numbers and kind == "classifier":
            raise ModelError(
                f"Model '{self.name}' is a classifier, and the label is a number. Pass a function of the rows that "
                "returns numbers, or name another task of the data."
            )
        if not numbers and kind in NO_CLASSES:
            raise ModelError(self.proof.no_classes(kind))

    def _method(self) -> str | None:
        """Return the method that answers; None where the model itself is called."""
        named: tuple[str, ...] = ("class_scores", "predict_proba", "predict")
        if self.task in ("regression", "ranking"):
            named = ("numbers", "predict")
        elif self.declared.decide or self.declared.score_kind == "label":
            named = ("predict",)
        return next((method for method in named if callable(getattr(self.model, method, None))), None)

    def _ask(self) -> Callable[[Batch], object]:
        method = self._method()
        if method == "class_scores":
            return partial(self.model.class_scores, exclusive=self.task == "multiclass")  # type: ignore[attr-defined]
        if method is not None:
            return cast("Callable[[Batch], object]", getattr(self.model, method))
        if callable(self.model):
            return cast("Callable[[Batch], object]", self.model)
        raise ModelError(f"A {type(self.model).__name__} can neither predict nor be called.")

    def _in_order(self, values: NDArray[np.generic], rows: int) -> NDArray[np.float64]:
        """Return the columns in the order of the label's classes; a class the model does not know gets 0."""
        import numpy as np

        width = len(self._known) or len(self.classes)
        if values.shape != (rows, width):
            raise ModelError(
                f"Model '{self.name}' was given {rows:,} rows and returned an array of shape {values.shape}; one column "
                f"a class is meant, of which there are {width}."
            )
        scores, self.score_kind = self._scores(values, rows)
        if not self._known:
            return scores
        out = np.zeros((rows, len(self.classes)))
        out[:, self.proof.places(self._known)] = scores
        return out

    def _scores(self, values: NDArray[np.generic], rows: int) -> tuple[NDArray[np.float64], ScoreKind]:
        """Return scores of classes and their kind: as the model, or the user, says, else probabilities if they are."""
        own = getattr(self.model, "score_kind", None) if self._method() == "class_scores" else None
        if own is not None:
            return to_class_scores(values, "ranking", rows, self.name, exclusive=True), own
        kind = self.declared.score_kind or "probability"
        output = "ranking" if kind == "label" else kind
        return to_class_scores(
            values, output, rows, self.name, exclusive=True
        ), "ranking" if output == "ranking" else "probability"

    def _labels(self, values: NDArray[np.generic], rows: int) -> NDArray[np.float64]:
        """Return (n, L) scores of several labels, or 0 and 1."""

        if values.shape != (rows, len(self.classes)):
            raise ModelError(
                f"Model '{self.name}' was given {rows:,} rows and returned an array of shape {values.shape}; one column "
                f"a label is meant, of which there are {len(self.classes)}."
            )
        self.score_kind = "probability" if values.dtype.kind == "f" else "label"
        output = self.declared.score_kind if self.declared.score_kind in ("logit", "ranking") else "ranking"
        scores = to_class_scores(values, output, rows, self.name, exclusive=False)  # type: ignore[arg-type]
        return scores if self.declared.score_kind == "ranking" else check_probabilities(scores, self.name)


class GivenSubject:
    """Answers for a task that were made before, in the order of the rows."""

    def __init__(self, values: NDArray[np.generic], name: str = "predictions") -> None:
        self.name = name
        self.values = values
        self.threshold = 0.5
        self.score_kind: ScoreKind = "label"

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Return the facts, which are unknown without a model."""
        return {"features": None, **NOT_KNOWN, "kind": "predictions"}

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the stored answers, for all of their rows only.

        Raises ModelError when `batch` has another number of rows.
        """
        import numpy as np

        if len(batch) != len(self.values):
            raise ModelError(
                f"'{self.name}' holds {len(self.values):,} predictions and was asked for {len(batch):,} rows."
            )
        return np.asarray(self.values, dtype=np.float64)


ADAPTER: Final = Adapter(TaskSubject)
