"""The fit as a scikit-learn classifier, for its cross-validation, grid and random search."""

from __future__ import annotations

from dataclasses import replace
from inspect import Parameter, Signature
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from evenhand.data import read_evaluation_set
from evenhand.data.aligning import refuse_misaligned
from evenhand.errors import InputError, raise_all
from evenhand.settings import settings_of, unknown
from evenhand.training.config import TrainingConfig
from evenhand.training.fitting import fit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


_SIGNATURE = Signature(
    [
        Parameter("self", Parameter.POSITIONAL_ONLY),
        *(
            Parameter(name, Parameter.KEYWORD_ONLY, default=declared.default)
            for name, declared in settings_of(TrainingConfig).items()
        ),
    ]
)
"""scikit-learn reads the names of the settings here."""


class _Tabular(BaseEstimator):  # type: ignore[misc]
    """What the estimators share: settings by name, and the reading of a table with its label."""

    def __init__(self, **settings: object) -> None:
        raise_all(InputError, unknown(settings, settings_of(TrainingConfig), "There is no training setting"))
        for name, declared in settings_of(TrainingConfig).items():
            setattr(self, name, settings.get(name, declared.default))

    __init__.__signature__ = _SIGNATURE  # type: ignore[attr-defined]

    def _fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None, **label: object) -> None:
        refuse_misaligned("fit", {"X": X, "y": y, "sample_weight": sample_weight})
        table = _named(X).reset_index(drop=True)
        self.feature_names_in_ = np.array(table.columns, dtype=object)
        self.n_features_in_ = table.shape[1]
        columns = {_LABEL: np.asarray(y)} | ({} if sample_weight is None else {_WEIGHT: np.asarray(sample_weight)})
        data = read_evaluation_set(
            table.assign(**columns),
            label=_LABEL,
            sample_weight=None if sample_weight is None else _WEIGHT,
            **label,  # type: ignore[arg-type]
        )
        self.model_ = fit(data, config=replace(TrainingConfig.from_plain(self.get_params()), baseline=False))

    def _predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        check_is_fitted(self)
        return np.asarray(self.model_.predict(_named(X)))


def _named(X: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns are named by texts."""
    table = pd.DataFrame(X)
    return table.set_axis([str(name) for name in table.columns], axis=1)


class TabularClassifier(ClassifierMixin, _Tabular):  # type: ignore[misc]
    """A network over the columns of a table, in scikit-learn's words.

    Its settings are those of `TrainingConfig`, so ``GridSearchCV``, ``RandomizedSearchCV`` and ``cross_validate`` take
    it, with any of scikit-learn's splitters: stratified, grouped, by time.

    Parameters
    ----------
    **settings
        The fields of `TrainingConfig`, by name.

    Examples
    --------
    >>> from evenhand.training import TabularClassifier
    >>> TabularClassifier(hidden=(8,), epochs=2).get_params()["hidden"]
    (8,)
    """

    def fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> TabularClassifier:
        """Fit on rows (n, m) and labels (n,) of two values or several; pandas objects must have one index."""
        self.classes_ = np.unique(np.asarray(y))
        if len(self.classes_) > 2:
            self._fit(X, y, sample_weight, task="multiclass")
        else:
            last = self.classes_[-1]
            self._fit(X, y, sample_weight, positive=last.item() if hasattr(last, "item") else last)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return (n, C) probabilities, in the order of ``classes_``."""
        said = self._predict(X)
        return said if said.ndim == 2 else np.column_stack([1 - said, said])

    def predict(self, X: pd.DataFrame) -> NDArray[np.generic]:
        """Return (n,) labels: of two at the threshold that the fit chose, of several the most probable."""
        said = self._predict(X)
        decided = said.argmax(axis=1) if said.ndim == 2 else (said >= self.model_.threshold).astype(np.intp)
        return np.asarray(self.classes_[decided])


class TabularRegressor(RegressorMixin, _Tabular):  # type: ignore[misc]
    """A network over the columns of a table for a label of numbers, in scikit-learn's words.

    With `quantiles`, it predicts the middle one; ``model_.predict_quantiles`` gives all.

    Parameters
    ----------
    **settings
        The fields of `TrainingConfig`, by name.

    Examples
    --------
    >>> import pandas as pd
    >>> from evenhand.training import TabularRegressor
    >>> X = pd.DataFrame({"a": range(60), "b": [1, 2, 3] * 20})
    >>> TabularRegressor(hidden=(4,), epochs=1).fit(X, X["a"] * 2.0).predict(X).shape
    (60,)
    """

    def fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> TabularRegressor:
        """Fit on rows (n, m) and numbers (n,); pandas objects must have one index."""
        self._fit(X, y, sample_weight, task="regression")
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return (n,) numbers, in the units of the label."""
        return self._predict(X)


_LABEL, _WEIGHT = "evenhand label", "evenhand weight"
