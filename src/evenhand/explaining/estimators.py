"""What can be known of an estimator inside a subject: whether it is linear or a tree on exactly these columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import pandas as pd

from evenhand.explaining.choosing import NotThisWay

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Fitted(Protocol):
    """A fitted estimator; only what scikit-learn promises of each is used."""

    n_features_in_: int


def fitted_estimator(model: object) -> Fitted:
    """Return the estimator of a subject, or raise that there is none."""
    found = getattr(model, "estimator", None)
    if found is None:
        raise NotThisWay("The model shows no estimator.")
    return cast("Fitted", found)


def plain_numbers(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the table as float64, or raise which column is not numeric."""
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            raise NotThisWay("Column '{column}' is not numeric.", column=str(name))
    return table.to_numpy(dtype=np.float64, na_value=np.nan)


def takes_exactly(estimator: Fitted, table: pd.DataFrame, model: object) -> None:
    """Raise unless the estimator was fitted on exactly these columns in this order."""
    names = getattr(estimator, "feature_names_in_", None)
    names = getattr(model, "features", None) if names is None else names
    columns = [str(column) for column in table.columns]
    if names is not None and [str(name) for name in names] != columns:
        raise NotThisWay("The estimator was not fitted on exactly these columns.")
    count = getattr(estimator, "n_features_in_", len(columns))
    if int(count) != len(columns):
        raise NotThisWay(
            "The estimator was fitted on {n} columns and there are {columns}.", n=count, columns=len(columns)
        )
