"""Results of statsmodels: regressions that were fitted by a formula on a table, or on arrays."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.model_file import with_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects.protocol import Subject

_TWO_CLASSES: Final = ("Logit", "Probit")
_CONSTANT: Final = "const"


class ResultsOfNumbers:
    """Fitted results that predict numbers, with the methods of an estimator.

    `results`: what was fitted. Without a formula its columns are those of its matrix, and a constant is added where it
    was fitted with one.
    """

    _estimator_type = "regressor"

    def __init__(self, results: Any) -> None:
        self.results = results
        model = results.model
        self._formula = getattr(model, "formula", None) is not None
        self._names = [str(name) for name in model.exog_names or ()]
        named = hasattr(getattr(getattr(model, "data", None), "orig_exog", None), "columns")
        used = _used(model) if self._formula else [name for name in self._names if name != _CONSTANT] if named else None
        if used is not None:
            self.feature_names_in_ = used
        if not self._formula:
            self.n_features_in_ = len(self._names) - self._names.count(_CONSTANT)

    def _ask(self, X: Any) -> NDArray[np.float64]:
        import numpy as np

        if not self._formula:
            values = np.asarray(X, dtype=np.float64)
            if _CONSTANT in self._names:
                values = np.insert(values, self._names.index(_CONSTANT), 1.0, axis=1)
            if values.shape[1] != len(self._names):
                raise ModelError(
                    f"The regression was fitted on {len(self._names)} columns and is given {values.shape[1]}: "
                    "name them in features=, in the order in which it was fitted."
                )
            X = values
        return np.asarray(self.results.predict(X), dtype=np.float64)

    def predict(self, X: object) -> NDArray[np.float64]:
        """Return a number a row, shape (n,)."""
        return self._ask(X)


class ResultsOfClasses(ResultsOfNumbers):
    """Fitted results that predict probabilities: of the second of two classes, or of each of several."""

    _estimator_type = "classifier"

    def predict_proba(self, X: object) -> NDArray[np.float64]:
        """Return the probabilities of the classes, shape (n, classes)."""
        import numpy as np

        found = self._ask(X)
        return found if found.ndim == 2 else np.stack([1.0 - found, found], axis=1)

    def predict(self, X: object) -> NDArray[np.float64]:
        """Return the position of the class of each row, shape (n,)."""
        found: NDArray[np.float64] = self.predict_proba(X).argmax(axis=1).astype("float64")
        return found


def build(
    results: Any, *, name: str | None = None, file_facts: Mapping[str, Plain] | None = None, **said: Any
) -> Subject:
    """Return fitted results of statsmodels as a subject.

    The parameters are those of `as_subject`, which is handed what is `said`.
    """
    kind = type(results.model).__name__
    made = ResultsOfClasses(results) if _of_classes(results, kind) else ResultsOfNumbers(results)
    count = getattr(results, "params", None)
    facts = {"parameters": None if count is None else int(count.size), **(file_facts or {})}
    told = with_kind("statsmodels", results.model, facts)
    return as_subject(made, name=name or kind, file_facts=told, **said)


def _of_classes(results: Any, kind: str) -> bool:
    """Whether the results predict probabilities of classes: Logit, Probit, MNLogit, a GLM of the binomial family."""
    family = type(getattr(results.model, "family", None)).__name__
    return kind in (*_TWO_CLASSES, "MNLogit") or (kind in ("GLM", "GEE", "GLMGam") and family == "Binomial")


def _used(model: Any) -> list[str] | None:
    """Return the columns of the table that a formula names; None where the table was not kept."""
    frame = getattr(getattr(model, "data", None), "frame", None)
    if frame is None:
        return None
    right = str(model.formula).partition("~")[2]
    words = [str(name) for name in frame.columns]
    return [name for name in words if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", right)]


def _fits(model: object) -> bool:
    there = sys.modules.get("statsmodels.base.wrapper")
    base = sys.modules.get("statsmodels.base.model")
    kinds = (getattr(there, "ResultsWrapper", None), getattr(base, "Results", None))
    found = tuple(kind for kind in kinds if kind is not None)
    return bool(found) and isinstance(model, found) and hasattr(model, "model")


ADAPTER: Final = Adapter(build, _fits, 20)
