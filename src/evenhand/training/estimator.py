"""The fit as a scikit-learn classifier, for its cross-validation, grid and random search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from evenhand.data import read_evaluation_set
from evenhand.training.config import TrainingConfig
from evenhand.training.fitting import fit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class TabularClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network over the columns of a table, in scikit-learn's words.

    Its settings are those of `TrainingConfig`, so ``GridSearchCV``, ``RandomizedSearchCV`` and ``cross_validate`` take
    it, with any of scikit-learn's splitters: stratified, grouped, by time.

    Examples
    --------
    >>> from evenhand.training import TabularClassifier
    >>> TabularClassifier(hidden=(8,), epochs=2).get_params()["hidden"]
    (8,)
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64, 32),
        network: str = "mlp",
        activation: str = "relu",
        dropout: float = 0.1,
        loss: str = "cross_entropy",
        optimizer: str = "adamw",
        schedule: str = "cosine",
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-2,
        epochs: int = 60,
        batch_size: int = 64,
        patience: int = 10,
        batch_norm: bool = False,
        embedding: int = 0,
        scaling: str = "standard",
        label_smoothing: float = 0.0,
        noise: float = 0.0,
        mixup: float = 0.0,
        class_weight: str | None = None,
        resample: str | None = None,
        threshold: str | float = "accuracy",
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.network = network
        self.activation = activation
        self.dropout = dropout
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.batch_norm = batch_norm
        self.embedding = embedding
        self.scaling = scaling
        self.label_smoothing = label_smoothing
        self.noise = noise
        self.mixup = mixup
        self.class_weight = class_weight
        self.resample = resample
        self.threshold = threshold
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> TabularClassifier:
        """Fit on rows (n, m) and labels (n,) of two values."""
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
        self.model_ = fit(data, config=TrainingConfig.from_plain(self.get_params()))
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
