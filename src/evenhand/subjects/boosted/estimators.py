"""Boosters, of which `predict` returns one number or one column a class, with the methods of an estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.errors import ModelError, shorten
from evenhand.subjects.kinds import type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Ask: TypeAlias = Callable[[object], NDArray[np.float64]]
    Convert: TypeAlias = Callable[[pd.DataFrame], pd.DataFrame]

TWO: Final = 2


class BoosterNumbers:
    """A booster that predicts numbers, or ranks.

    `booster`: what is asked, and whose trees are read; `ask`: from a table or a matrix to what it predicts;
    `columns`: the names that it was fitted on, None where it knows their number only; `count`: how many.
    """

    _estimator_type = "regressor"

    def __init__(self, booster: object, ask: Ask, columns: Sequence[str] | None, count: int) -> None:
        self.booster, self._ask = booster, ask
        self.n_features_in_ = count
        if columns is not None:
            self.feature_names_in_ = list(columns)

    def predict(self, X: object) -> NDArray[np.float64]:
        """Return a number a row, shape (n,)."""
        return self._ask(X)


class BoosterClasses(BoosterNumbers):
    """A booster that predicts the probability of the second of two classes, or of each of several."""

    _estimator_type = "classifier"

    def predict_proba(self, X: object) -> NDArray[np.float64]:
        """Return the probabilities of the classes, shape (n, classes)."""
        import numpy as np

        found = np.asarray(self._ask(X), dtype=np.float64)
        return found if found.ndim == TWO else np.stack([1.0 - found, found], axis=1)

    def predict(self, X: object) -> NDArray[np.float64]:
        """Return the position of the class of each row, shape (n,)."""
        import numpy as np

        found = np.asarray(self._ask(X), dtype=np.float64)
        return found.argmax(axis=1) if found.ndim == TWO else (found >= 0.5).astype(np.int64)


class BoosterLabels(BoosterNumbers):
    """A booster that predicts the position of a class alone."""

    _estimator_type = "classifier"

    def predict(self, X: object) -> NDArray[np.float64]:
        """Return the position of the class of each row, shape (n,)."""
        return self._ask(X).astype("int64")


def as_categories(column: pd.Series, known: Sequence[object]) -> pd.Categorical:
    """Return a column as the categories that a model was fitted on, in their order; missing cells stay missing.

    Raises ModelError for a value that is none of them: packages take it for a missing one, or for another.
    """
    import pandas as pd

    plain = column.astype(object)
    strange = plain[plain.notna() & ~plain.isin(list(known))]
    if len(strange):
        raise ModelError(
            f"Column '{shorten(column.name)}' holds {shorten(repr(strange.iloc[0]), 40)}, which is none of the "
            f"{len(known):,} categories that the model was fitted on. Leave such a cell empty where it is to count "
            "as a missing one."
        )
    return pd.Categorical(plain, categories=pd.Index(list(known), dtype=object))


class Converting:
    """A step before a model: of a table, the columns that the model takes as it takes them."""

    def __init__(self, convert: Convert) -> None:
        self.convert = convert

    def transform(self, X: object) -> object:
        """Return a table converted, arrays as they are."""
        return self.convert(X) if hasattr(X, "columns") else X  # type: ignore[arg-type]


class Behind:
    """A model behind a step that converts tables, as a pipeline has it; whatever else it has is the model's.

    `convert`: from a table of its columns to the one that it takes; `model`: an estimator, or a booster with the
    methods of one; `columns`: the names of its columns, None where it knows their number only.
    """

    def __init__(self, convert: Convert, model: object, columns: Sequence[str] | None) -> None:
        self.steps = [("columns", Converting(convert)), ("model", model)]
        if columns is not None:
            self.feature_names_in_ = list(columns)

    @property
    def _estimator_type(self) -> str | None:
        return type_of(self.steps[-1][1])

    def __getitem__(self, _: slice) -> Converting:
        """Return all steps but the model."""
        step = self.steps[0][1]
        assert isinstance(step, Converting)
        return step

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") or "steps" not in self.__dict__:
            raise AttributeError(name)
        found = getattr(self.steps[-1][1], name)
        if name not in ("predict", "predict_proba"):
            return found
        return lambda X: found(self[:-1].transform(X))


def behind(convert: Convert | None, model: object, columns: Sequence[str] | None) -> object:
    """Return a model, behind a step that makes columns of categories what it takes, where one is given."""
    return model if convert is None else Behind(convert, model, columns)
