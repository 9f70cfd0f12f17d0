"""From the rows of a table to what a model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import ModelError, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def select(X: pd.DataFrame, features: Sequence[str] | None, name: str) -> pd.DataFrame:
    """Return the columns that the model takes, in its order; all of `X` when the model does not say.

    Raises
    ------
    ModelError
        When columns are absent; all of them are named.
    """
    if features is None:
        return X
    present = set(X.columns)
    raise_all(
        ModelError,
        (
            f"Model '{name}' needs column '{shorten(feature)}', which the table does not have."
            f"{did_you_mean(feature, X.columns)}"
            for feature in features
            if feature not in present
        ),
    )
    return X.loc[:, list(features)]


def numeric_matrix(X: pd.DataFrame, name: str) -> NDArray[np.float32]:
    """Return the columns as a float32 matrix, shape (n, features).

    Raises
    ------
    ModelError
        When columns hold something else than numbers; all of them are named.
    """
    import pandas as pd

    raise_all(
        ModelError,
        (
            f"Model '{name}' takes numbers only, but column '{shorten(column)}' holds {dtype}. "
            "Encode it beforehand, or pass features= with the numeric columns."
            for column, dtype in X.dtypes.items()
            if not pd.api.types.is_numeric_dtype(dtype)
        ),
    )
    return X.to_numpy(dtype="float32", na_value=float("nan"))
