"""The fit as a scikit-learn classifier, for its cross-validation, grid and random search."""

from __future__ import annotations

from dataclasses import replace
from inspect import Parameter, Signature
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from evenhand.data import read_evaluation_set
from evenhand.data.aligning import refuse_misaligned
from evenhand.errors import InputError, raise_all
from evenhand.settings import settings_of, unknown
from evenhand.training.config import TrainingConfig
from evenhand.training.fitting import fit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class TabularClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
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

    def __init__(self, **settings: object) -> None:
        raise_all(InputError, unknown(settings, settings_of(TrainingConfig), "There is no training setting"))
        for name, declared in settings_of(TrainingConfig).items():
            setattr(self, name, settings.get(name, declared.default))

    # scikit-learn reads the names of the settings here
    __init__.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter("self", Parameter.POSITIONAL_ONLY),
            *(
                Parameter(name, Parameter.KEYWORD_ONLY, default=declared.default)
                for name, declared in settings_of(TrainingConfig).items()
            ),
        ]
    )

    def fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> TabularClassifier:
        """Fit on rows (n, m) and labels (n,) of two values; pandas objects must have one index."""
        refuse_misaligned("fit", {"X": X, "y": y, "sample_weight": sample_weight})
        table = pd.DataFrame(X).reset_index(drop=True)
        table.columns = [str(name) for name in table.columns]
        self.feature_names_in_ = np.array(table.columns, dtype=object)
        self.n_features_in_ = table.shape[1]
        self.classes_ = np.unique(np.asarray(y))
        columns = {_LABEL: np.asarray(y)} | ({} if sample_weight is None else {_WEIGHT: np.asarray(sample_weight)})
        data = read_evaluation_set(
            table.assign(**columns),
            label=_LABEL,
            positive=self.classes_[-1].item() if hasattr(self.classes_[-1], "item") else self.classes_[-1],
            sample_weight=None if sample_weight is None else _WEIGHT,
        )
        self.model_ = fit(data, config=replace(TrainingConfig.from_plain(self.get_params()), baseline=False))
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return (n, 2) probabilities, in the order of ``classes_``."""
        check_is_fitted(self)
        table = pd.DataFrame(X)
        table.columns = [str(name) for name in table.columns]
        positive = self.model_.predict(table)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: pd.DataFrame) -> NDArray[np.generic]:
        """Return (n,) labels, at the threshold that the fit chose."""
        decided = self.predict_proba(X)[:, 1] >= self.model_.threshold
        return np.asarray(self.classes_[decided.astype(np.intp)])


_LABEL, _WEIGHT = "evenhand label", "evenhand weight"
