"""Models of other tasks than two classes: several classes, several labels, numbers, places in a list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, raise_all
from evenhand.subjects.adapter import NOT_KNOWN, Adapter, name_of
from evenhand.subjects.inputs import flat, is_table, select
from evenhand.subjects.kinds import NO_CLASSES, classes_of, type_of
from evenhand.subjects.outputs import answer_of, check_probabilities, check_scores, one_column, to_class_scores
from evenhand.subjects.proof import Proof
from evenhand.subjects.refitting import fitted_again
from evenhand.subjects.target import Declared, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects.protocol import FitRows, ScoreKind


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
            return check_scores(one_column(values, rows, self.name), rows, self.name)
        if self.task == "multilabel":
            return self._labels(values, rows)
        if values.ndim < 2 or values.shape[1] == 1 or self.declared.decide is not None:
            self.score_kind = "label"
            return np.eye(len(self.classes))[self.proof.decisions(values, rows, self._known)]
        return self._in_order(values, rows)

    @property
    def refit(self) -> Callable[[FitRows, int], TaskSubject]:
        """A function from rows and a seed to the same estimator fitted on them; absent of what is no estimator."""
        if not callable(getattr(self.model, "fit", None)) or not callable(getattr(self.model, "get_params", None)):
            raise AttributeError("refit")
        return self._refit

    def _refit(self, rows: FitRows, seed: int) -> TaskSubject:
        made = fitted_again(self.model, rows, self._features, None, seed, self.name)
        return TaskSubject(made, self.task, self.classes, self.name, self.reads, self.declared, self._own)

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
        if not self._known:
            answered = self.proof.by_name(answered)
        if isinstance(answered, list) and self.task == "multilabel":  # one matrix (n, 2) a label
            parts = [np.asarray(part) for part in answered]
            if all(part.ndim == 2 and part.shape[1] == 2 for part in parts):
                return np.column_stack([part[:, 1] for part in parts])
        return np.asarray(answered)

    def _refuse_another_kind(self) -> None:
        """Refuse a classifier where the label is a number, a regressor where it is classes, and what is of no use."""
        kind, told = type_of(self.model), self.declared
        numbers = self.task in ("regression", "ranking")
        named = {"decide": told.decide, "score_kind": told.score_kind} if numbers else {}
        given = {"threshold": told.threshold, "positive": told.positive, **named}
        raise_all(
            ModelError,
            (f"{name}= is about two classes; leave it out: the task is {self.task}." for name in given if given[name]),
        )
        if numbers and kind in ("classifier", "clusterer", "outlier_detector"):
            raise ModelError(
                f"Model '{self.name}' is a {kind.replace('_', ' ')}, and the label is a number. Pass a function of the "
                "rows that returns numbers, or name another task of the data."
            )
        if not numbers and kind in NO_CLASSES and told.decide is None and told.score_kind is None:
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
        self._check_shape(values, (rows, width), "class")
        own = getattr(self.model, "score_kind", None) if self._method() == "class_scores" else None
        kind = "ranking" if own is not None else self.declared.score_kind or "probability"
        scores = to_class_scores(values, kind, rows, self.name, exclusive=True)  # type: ignore[arg-type]
        self.score_kind = own or ("ranking" if kind == "ranking" else "probability")
        if not self._known:
            return scores
        out = np.zeros((rows, len(self.classes)))
        out[:, self.proof.places(self._known)] = scores
        return out

    def _check_shape(self, values: NDArray[np.generic], needed: tuple[int, int], what: str) -> None:
        if values.shape != needed:
            raise ModelError(
                f"Model '{self.name}' returned the shape {values.shape}; needed is {needed}, one column for each "
                f"{what}."
            )

    def _labels(self, values: NDArray[np.generic], rows: int) -> NDArray[np.float64]:
        """Return (n, L) scores of several labels, or 0 and 1."""
        self._check_shape(values, (rows, len(self.classes)), "label")
        self.score_kind = "probability" if values.dtype.kind == "f" else "label"
        output = self.declared.score_kind if self.declared.score_kind in ("logit", "ranking") else "ranking"
        scores = to_class_scores(values, output, rows, self.name, exclusive=False)
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
