"""Models of other tasks than two classes: several classes, several labels, numbers, places in a list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import NOT_KNOWN, Adapter, name_of
from evenhand.subjects.inputs import flat, is_table, select
from evenhand.subjects.outputs import answer_of

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
    was fitted on named columns. Raises ModelError when it can neither predict nor be called.
    """

    def __init__(
        self,
        model: object,
        task: Task,
        classes: Sequence[object] = (),
        name: str | None = None,
        reads: Reads | None = None,
    ) -> None:
        self.model = model
        self.task = task
        self.classes = tuple(classes)
        self.name = name or name_of(model)
        self.threshold = 0.5
        self.score_kind: ScoreKind = "label"
        own = getattr(model, "facts", None)
        self._own: Mapping[str, Plain] = own if isinstance(own, dict) else {}
        listed = self._own.get("features")
        found = listed if isinstance(listed, list) else getattr(model, "feature_names_in_", None)
        self._features = None if found is None else [str(name) for name in found]
        self.reads: Reads | None = "table" if self._features else reads or getattr(model, "reads", None)
        self.fit_row_hashes = getattr(model, "fit_row_hashes", None)
        self.cost = getattr(model, "cost", None)
        self._ask()

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
        }

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return (n,) numbers, or (n, C) scores of the classes; a predicted class is 1 in its column."""
        import numpy as np

        given = select(batch, self._features, self.name)
        if not is_table(given):
            given = flat(given, getattr(self.model, "n_features_in_", None))
        values = np.asarray(answer_of(self._ask(), given, self.name))
        if self.task in ("regression", "ranking"):
            return np.asarray(values, dtype=np.float64).reshape(len(batch))
        if values.ndim == 2:
            self.score_kind = "probability" if values.dtype.kind == "f" else "label"
            return self._in_order(values.astype(np.float64))
        return self._one_hot(values)

    def _ask(self) -> Callable[[Batch], object]:
        named = ("class_scores", "predict_proba", "predict")
        if self.task in ("regression", "ranking"):
            named = ("numbers", "predict")
        for method in named:
            found = getattr(self.model, method, None)
            if callable(found) and method == "class_scores":
                return partial(found, exclusive=self.task == "multiclass")
            if callable(found):
                return cast("Callable[[Batch], object]", found)
        if callable(self.model):
            return cast("Callable[[Batch], object]", self.model)
        raise ModelError(f"A {type(self.model).__name__} can neither predict nor be called.")

    def _in_order(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the columns in the order of the label's classes; a class the model does not know gets 0."""
        import numpy as np

        known = getattr(self.model, "classes_", None)
        if known is None or self.task != "multiclass":
            return values
        place = {str(value): at for at, value in enumerate(self.classes)}
        strange = [str(value) for value in known if str(value) not in place]
        if strange:
            raise ModelError(f"Model '{self.name}' predicts '{shorten(strange[0])}', which is no class of the label.")
        out = np.zeros((len(values), len(self.classes)))
        out[:, [place[str(value)] for value in known]] = values
        return out

    def _one_hot(self, labels: NDArray[np.generic]) -> NDArray[np.float64]:
        import numpy as np

        place = {str(value): at for at, value in enumerate(self.classes)}
        strange = sorted({str(value) for value in labels.tolist()} - set(place))
        if strange:
            raise ModelError(f"Model '{self.name}' predicts '{shorten(strange[0])}', which is no class of the label.")
        return np.eye(len(self.classes))[[place[str(value)] for value in labels.tolist()]]


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
