"""Estimators and pipelines of scikit-learn, and whatever has the same methods."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final, Protocol, cast

from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import NOT_KNOWN, Adapter
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.inputs import as_table, flat, is_table, read_by, select
from evenhand.subjects.kinds import NO_CLASSES, classes_of, says, type_of
from evenhand.subjects.model_file import ModelFile, file_facts
from evenhand.subjects.outputs import answer_of
from evenhand.subjects.proof import Proof
from evenhand.subjects.refitting import fitted_again
from evenhand.subjects.target import Declared, no_classes_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import FitRows, ScoreKind, Subject
    from evenhand.subjects.target import Decide, DeclaredKind, Target


_METHODS: Final[dict[str, DeclaredKind | None]] = {
    "predict_proba": "probability", "decision_function": "ranking", "predict": None,
}  # fmt: skip
"""The methods to call, of which the first that exists is used, and the kind of their output; `predict` has to tell."""


class Estimator(Protocol):
    """A fitted model with scikit-learn's `predict`."""

    def predict(self, X: object, /) -> object:
        """Return one label per row."""
        ...


class SklearnSubject:
    """A fitted estimator, called by `predict_proba`, else `decision_function`, else `predict`.

    A regressor, or whatever predicts numbers, decides by the `threshold` or as `decide` says; nothing is guessed.

    Parameters
    ----------
    estimator : Estimator
        A fitted classifier or pipeline.
    name : str, optional
        What the report calls it; the class's name when not given.
    threshold : float, optional
        When not given, that of the model's own decisions.
    positive : object
        The class of the model that stands for the positive class, where its classes are not those of the label.
    features : sequence of str, optional
        The columns it takes; `feature_names_in_` when it has that.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; inferred from its columns, or from a first step that splits texts; else those of the set.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file it came from.
    score_kind : "probability", "logit", "ranking" or "label", optional
        What its output is, where the method does not tell; "label" for its decisions alone.
    decide : callable, optional
        From what `predict` returns to decisions in the label's classes.

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
        positive: object = None,
        features: Sequence[str] | None = None,
        file_facts: Mapping[str, Plain] | None = None,
        reads: Reads | None = None,
        score_kind: DeclaredKind | None = None,
        decide: Decide | None = None,
    ) -> None:
        self.estimator = estimator
        self.name = name or type(estimator).__name__
        seen = getattr(estimator, "feature_names_in_", None) if features is None else features
        self.features = None if seen is None else tuple(map(str, seen) if features is None else features)
        self.reads: Reads | None = reads or (read_by(estimator) if self.features is None else "table")
        self.declared = Declared(threshold, positive, score_kind, decide)
        self._classes = classes_of(estimator)
        # scores of a model that names no classes are of its second one
        self._known = self._classes or (
            (0, 1) if callable(getattr(estimator, "predict_proba", None)) or says(estimator) else ()
        )
        self._file_facts = dict(file_facts or {})
        self._start(None)
        if positive is not None and self._known:
            self.proof.index(self._known)

    def bound(self, target: Target) -> Self:
        """Return the same model, to be audited on a label of two classes.

        Raises ModelError when its kind already says that it predicts no classes, and nothing was declared.
        """
        twin = copy.copy(self)
        twin._start(target)
        twin._refuse(type_of(self.estimator))
        return twin

    def _refuse(self, kind: str | None) -> None:
        """Raise ModelError for what type, classes and declarations already show to be no model of the label."""
        proof, told = self.proof, self.declared
        if kind in NO_CLASSES and (self._kind is None or (kind != "regressor" and told.decide is None)):
            raise ModelError(proof.no_classes(kind))
        if self._method == "predict" and self._kind == "ranking" and told.threshold is None:
            raise ModelError(proof.numbers("gives numbers that rank, without a threshold on their own scale"))
        if told.decide is not None:
            return
        if self._known:
            proof.index(self._known)
        if self._known and not self._classes and not proof.target.ordered and told.positive is None:
            raise no_classes_named(self.name)

    def declaring(self, declared: Declared) -> Self:
        """Return the same model with other declarations about its output."""
        twin = copy.copy(self)
        twin.declared = declared
        twin._start(self.proof.target if self.proof.bound else None)
        return twin

    def _start(self, target: Target | None) -> None:
        self.proof = Proof(self.name, self.declared, target)
        self._method, self._kind = _chosen(self.estimator, self.declared)
        self.proof.kind = self._kind

    @property
    def score_kind(self) -> ScoreKind:
        """As declared, as the method tells, or as the predictions have told; labels before any prediction."""
        return "label" if self.proof.kind is None else self.proof.score_kind

    @property
    def threshold(self) -> float:
        """A score at or above it is predicted positive."""
        return self.proof.threshold

    def settle(self, threshold: float) -> None:
        """Take the threshold that its own decisions show."""
        self.proof.settle(threshold)

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        import numpy as np

        raw, rows = self._ask(self._method, batch), len(batch)
        if self._kind is None:
            if not self.proof.bound and type_of(self.estimator) == "regressor":
                return self.proof.scores(raw, rows, "ranking")
            return self.proof.untold(raw, rows, self._classes)
        index = self.proof.index(self._known) if self._known and self._kind != "label" else 1
        scores = self.proof.scores(raw, rows, self._kind, self._classes, index)
        if np.ndim(raw) > 1 or index == 1 or len(self._known) != 2:  # type: ignore[arg-type]
            return scores
        return -scores if self._kind == "ranking" else 1 - scores  # one column is of the second class

    def refit(self, rows: FitRows, seed: int) -> SklearnSubject:
        """Return a clone that is fitted on other rows: same settings, columns and classes, other draws.

        Raises ModelError when it cannot be cloned or fitted.
        """
        twin = copy.copy(self)
        twin.estimator = cast(
            "Estimator", fitted_again(self.estimator, rows, self.features, self.positive, seed, self.name)
        )
        twin._start(self.proof.target if self.proof.bound else None)
        return twin

    @property
    def untold(self) -> bool:
        """Whether neither type, method nor user tells what its output is."""
        return self._kind is None

    @property
    def positive(self) -> object:
        """The class of the model whose score is used; None where it names no classes."""
        return self._known[self.proof.index(self._known)] if self._known else self.declared.positive

    @property
    def own_decisions(self) -> _Decides | None:
        """A function from a batch to the model's own decisions; None where its scores are these, or were redefined."""
        two = self._method != "predict" and callable(getattr(self.estimator, "predict", None))
        return self._decided if two and self.declared.threshold is None else None

    def _decided(self, batch: Batch) -> NDArray[np.intp]:
        return self.proof.decisions(self._ask("predict", batch), len(batch), self._classes)

    @property
    def own_threshold(self) -> float | None:
        """The threshold that the model names: of `TunedThresholdClassifierCV`, or `FixedThresholdClassifier`."""
        found = getattr(self.estimator, "best_threshold_", getattr(self.estimator, "threshold", None))
        return float(found) if isinstance(found, (int, float)) else None

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Class, number of features and classes; parameters where the model is linear."""
        count = getattr(self.estimator, "n_features_in_", None)
        return {
            "kind": "scikit-learn",
            "class": type(self.estimator).__name__,
            "method": self._method,
            "n_features": None if count is None else int(count),
            "features": None if self.features is None else list(self.features),
            "classes": [str(value) for value in self._classes],
            **NOT_KNOWN,
            **self._file_facts,
            **self.proof.facts,
        }

    def _ask(self, method: str, batch: Batch) -> object:
        given = self._given(select(batch, self.features, self.name))
        answer = answer_of(getattr(self.estimator, method), given, self.name)
        return answer if self._classes else self.proof.by_name(answer)

    def _given(self, batch: Batch) -> Batch:
        """Return the batch as the estimator was fitted on it: tables without names where it has none, flat arrays."""
        count = getattr(self.estimator, "n_features_in_", None)
        if not is_table(batch):
            return flat(batch, count)
        named = hasattr(self.estimator, "feature_names_in_") or count is None
        return batch if named else as_table(batch, self.name).to_numpy()  # else it warns of unknown names


class _Decides(Protocol):
    def __call__(self, batch: Batch, /) -> NDArray[np.intp]: ...


def _chosen(estimator: object, declared: Declared) -> tuple[str, DeclaredKind | None]:
    """Return the method to call and the kind of its output; None where its predictions have to tell."""
    # hasattr is False for an SVC without probability=True, as scikit-learn means it to be.
    there = [method for method in _METHODS if callable(getattr(estimator, method, None))]
    if not there:
        wanted = ", ".join(_METHODS)
        raise ModelError(f"A {type(estimator).__name__} has none of the methods {wanted}, so it cannot predict.")
    kind: DeclaredKind | None = declared.score_kind
    if declared.decide is not None or kind == "label" or type_of(estimator) in NO_CLASSES:
        free: DeclaredKind | None = "ranking" if declared.threshold is not None else None
        return there[-1], "label" if declared.decide is not None else kind or free
    if kind == "logit" and "decision_function" not in there and there != ["predict"]:
        raise ModelError(f"A {type(estimator).__name__} has no decision_function, so nothing of it is a logit.")
    order = ["predict_proba", "decision_function"]
    tried = [*(order[::-1] if kind in ("logit", "ranking") else order), there[-1]]
    method = next(name for name in tried if name in there)
    return method, kind or _METHODS[method] or says(estimator)


def _fits(model: object) -> bool:
    return not isinstance(model, type) and callable(getattr(model, "predict", None))


def _open(path: Path, asked: Opening) -> Subject:
    """Return what a pickle holds as a subject, of whichever adapter it is."""
    import joblib

    facts = file_facts(path)
    try:
        model: object = joblib.load(path)
    except Exception as problem:  # a pickle can raise anything
        raise ModelError(
            f"'{path}' could not be unpickled: {type(problem).__name__}: {shorten(problem, 300)}. The packages it was "
            "made with must be installed, in much the same versions."
        ) from problem
    return as_subject(model, file_facts=facts, **asked.declared)  # type: ignore[arg-type]


FILE: Final = ModelFile(
    "pickle",
    (".joblib", ".pkl", ".pickle"),
    _open,
    runs_code="is a pickle: loading it",
    safety="Code. Opened only when it is trusted.",
)
ADAPTER: Final = Adapter(SklearnSubject, _fits, 100, files=(FILE,))
