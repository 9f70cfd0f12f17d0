"""What is fitted again under a constraint: the model's own kind of estimator on prepared columns, else a linear one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.errors import ModelError
from evenhand.messages import message
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject

MOST_VALUES: Final = 40
"""Values of a column of text that get a column of their own; the rarer ones share one."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """A preparation that is fitted, and an estimator that is not."""

    columns: tuple[str, ...]
    """The columns that are read."""
    prepare: Any
    """From these columns to numbers, as a transformer of scikit-learn."""
    estimator: Any
    """A classifier that takes weights of rows."""
    own: bool
    """Whether it is of the deployed model's own kind."""

    def prepared(self, rows: EvaluationSet) -> NDArray[np.float64]:
        """Return (n, d) the numbers of rows.

        Parameters
        ----------
        rows : EvaluationSet
            The rows.
        """
        return dense(self.prepare.transform(rows.table[list(self.columns)]))

    def subject(self, fitted: object, name: str) -> Subject:
        """Return a fitted estimator over the preparation as a subject.

        Parameters
        ----------
        fitted : estimator
            Fitted on what `prepared` gives, with 1 for the positive class.
        name : str
            What the report calls it.
        """
        from sklearn.pipeline import Pipeline

        whole = Pipeline([("prepare", self.prepare), ("model", fitted)])
        return as_subject(whole, name=name, features=self.columns, positive=1)


def recipe(problem: Problem, rows: EvaluationSet, seed: int) -> Recipe:
    """Return what to fit again, with its preparation fitted on the rows.

    Parameters
    ----------
    problem : Problem
        The problem.
    rows : EvaluationSet
        The rows to fit on.
    seed : int
        Of what draws.

    Raises
    ------
    ModelError
        When the model reads no table.
    """
    from sklearn.base import clone
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    columns = problem.columns
    if not columns:
        raise ModelError(message("The model reads no table, and this fits one that does."))
    table = rows.table[list(columns)]
    estimator = getattr(problem.model, "estimator", None)
    before, last = (estimator[:-1], estimator[-1]) if isinstance(estimator, Pipeline) else (None, estimator)
    usable = last is not None and hasattr(last, "classes_") and has_fit_parameter(last, "sample_weight")
    if usable and ((before is not None and len(before)) or all(_numeric(table[column]) for column in columns)):
        prepare = clone(before) if before is not None and len(before) else _as_it_is(columns)
        made = clone(last)
        if "random_state" in made.get_params():
            made.set_params(random_state=seed % 2**32)
        return Recipe(columns, prepare.fit(table, rows.y_true), made, own=True)
    return Recipe(columns, preparation(table).fit(table), _linear(), own=False)


def preparation(table: pd.DataFrame) -> Any:
    """Return a transformer of columns to numbers, which is not fitted.

    Parameters
    ----------
    table : pd.DataFrame
        Rows, by which columns of numbers are told from others.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [column for column in table.columns if _numeric(table[column])]
    others = [column for column in table.columns if column not in numbers]
    coded = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_VALUES, sparse_output=False)
    parts: Sequence[tuple[str, Any, list[str]]] = [
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ("others", coded, others),
    ]
    return ColumnTransformer([part for part in parts if part[2]])


def dense(found: Any) -> NDArray[np.float64]:
    """Return numbers as an array.

    Parameters
    ----------
    found : array, table or sparse matrix
        (n, d) numbers.
    """
    whole = found.toarray() if hasattr(found, "toarray") else found
    return np.asarray(whole, dtype=np.float64)


def _linear() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


def _as_it_is(columns: tuple[str, ...]) -> Any:
    """Return what hands the columns on without their names."""
    from sklearn.compose import ColumnTransformer

    return ColumnTransformer([("all", "passthrough", list(columns))])


def _numeric(column: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column.dtype)
