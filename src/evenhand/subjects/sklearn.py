"""Estimators and pipelines of scikit-learn, and whatever has the same methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import NOT_KNOWN, Adapter
from evenhand.subjects.inputs import as_table, flat, is_table, read_by, select
from evenhand.subjects.outputs import (
    answer_of,
    check_probabilities,
    check_scores,
    default_threshold,
    labels_to_scores,
    same_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import ScoreKind


_KINDS: Final[dict[str, ScoreKind]] = {
    "predict_proba": "probability", "decision_function": "ranking", "predict": "label",
}  # fmt: skip
"""The methods to call, of which the first that exists is used, and the kind of their scores."""


class Estimator(Protocol):
    """A fitted model with scikit-learn's `predict`."""

    def predict(self, X: object, /) -> object:
        """Return one label per row."""
        ...


class SklearnSubject:
    """A fitted estimator, called by `predict_proba`, else `decision_function`, else `predict`.

    Parameters
    ----------
    estimator : Estimator
        A fitted classifier or pipeline.
    name : str, optional
        What the report calls it; the class's name when not given.
    threshold : float, optional
        0.5 for probabilities and labels and 0 for decision functions when not given.
    positive : object
        The class whose score is used, one of `classes_`.
    features : sequence of str, optional
        The columns it takes; `feature_names_in_` when it has that.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; inferred from its columns, or from a first step that splits texts; else those of the set.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file it came from.

    Raises
    ------
    ModelError
        When it has no `predict`, is not fitted, or does not know the class `positive`.
    """

    def __init__(
        self,
        estimator: Estimator,
        *,
        name: str | None = None,
        threshold: float | None = None,
        positive: object = 1,
        features: Sequence[str] | None = None,
        file_facts: Mapping[str, Plain] | None = None,
        reads: Reads | None = None,
    ) -> None:
        self.estimator = estimator
        self.name = name or type(estimator).__name__
        self.positive = positive
        seen = getattr(estimator, "feature_names_in_", None) if features is None else features
        self.features = None if seen is None else tuple(map(str, seen) if features is None else features)
        self.reads: Reads | None = reads or (read_by(estimator) if self.features is None else "table")
        self.score_kind: ScoreKind = _KINDS[_method(estimator)]
        self.threshold = default_threshold(self.score_kind) if threshold is None else float(threshold)
        self._classes = _classes(estimator)
        self._index = self._positive_index()
        self._file_facts = dict(file_facts or {})

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        import numpy as np

        given = self._given(select(batch, self.features, self.name))
        raw = answer_of(getattr(self.estimator, _method(self.estimator)), given, self.name)
        if self.score_kind == "label":
            labels = np.asarray(raw)
            check_scores(np.zeros(labels.shape), len(batch), self.name)
            return labels_to_scores(labels.reshape(len(batch)), self.positive)
        scores = check_scores(raw, len(batch), self.name, self._index)
        if self.score_kind == "probability":
            return check_probabilities(scores, self.name)
        # a decision function of one column is of the second class
        turned = np.ndim(raw) == 1 and len(self._classes) == 2 and self._index == 0  # type: ignore[arg-type]
        return -scores if turned else scores

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Class, number of features and classes; parameters where the model is linear."""
        count = getattr(self.estimator, "n_features_in_", None)
        return {
            "kind": "scikit-learn",
            "class": type(self.estimator).__name__,
            "method": _method(self.estimator),
            "n_features": None if count is None else int(count),
            "features": None if self.features is None else list(self.features),
            "classes": [str(value) for value in self._classes],
            **NOT_KNOWN,
            **self._file_facts,
        }

    def _positive_index(self) -> int:
        if not self._classes:
            return 1
        for index, value in enumerate(self._classes):
            if same_label(value, self.positive):
                return index
        known = ", ".join(repr(value) for value in self._classes[:10])
        raise ModelError(
            f"Model '{self.name}' knows no class {shorten(repr(self.positive))}; its classes are {known}. "
            "Pass positive= with the one that stands for the positive label."
        )

    def _given(self, batch: Batch) -> Batch:
        """Return the batch as the estimator was fitted on it: tables without names where it has none, flat arrays."""
        count = getattr(self.estimator, "n_features_in_", None)
        if not is_table(batch):
            return flat(batch, count)
        named = hasattr(self.estimator, "feature_names_in_") or count is None
        return batch if named else as_table(batch, self.name).to_numpy()  # else it warns of unknown names


def _method(estimator: object) -> str:
    # hasattr is False for an SVC without probability=True, as scikit-learn means it to be.
    for method in _KINDS:
        if callable(getattr(estimator, method, None)):
            return method
    raise ModelError(f"A {type(estimator).__name__} has none of the methods {', '.join(_KINDS)}, so it cannot predict.")


def _classes(estimator: object) -> tuple[object, ...]:
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return ()
    return tuple(classes.tolist()) if hasattr(classes, "tolist") else tuple(classes)


def _fits(model: object) -> bool:
    return not isinstance(model, type) and callable(getattr(model, "predict", None))


ADAPTER: Final = Adapter(SklearnSubject, _fits, 100)
