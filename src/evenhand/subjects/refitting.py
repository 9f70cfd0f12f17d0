"""An estimator of scikit-learn's kind fitted again on other rows: the same settings, columns and classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenhand.errors import ModelError, shorten
from evenhand.subjects.inputs import flat, is_table, select
from evenhand.subjects.kinds import classes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch
    from evenhand.subjects.protocol import FitRows


def fitted_again(
    estimator: object, rows: FitRows, features: Sequence[str] | None, positive: object, seed: int, name: str
) -> object:
    """Return a clone of an estimator, fitted on the rows.

    Parameters
    ----------
    estimator : object
        A fitted estimator or pipeline, which stays as it is.
    rows : FitRows
        The rows; their truth is given in the classes that the estimator knows.
    features : sequence of str, optional
        The columns it reads.
    positive : object
        Of two classes, the one that stands for the positive value of the label.
    seed : int
        What its `random_state` is set to, wherever it has one.
    name : str
        How messages call it.

    Raises
    ------
    ModelError
        When it cannot be cloned or fitted.
    """
    from sklearn.base import clone

    try:
        made: Any = clone(estimator)
        drawn = [at for at in made.get_params(deep=True) if at == "random_state" or at.endswith("__random_state")]
        made.set_params(**dict.fromkeys(drawn, seed % 2**32))
        return made.fit(_given(estimator, rows, features, name), _truth(classes_of(estimator), rows, positive))
    except Exception as problem:  # whatever fits can raise anything
        raise ModelError(
            f"Model '{name}' could not be fitted again: {type(problem).__name__}: {shorten(str(problem), 300)}"
        ) from problem


def _given(estimator: object, rows: FitRows, features: Sequence[str] | None, name: str) -> Batch:
    batch = rows.held.whole() if rows.held is not None else rows.table if features is not None else rows.X
    given = select(batch, features, name)
    count = getattr(estimator, "n_features_in_", None)
    if not is_table(given):
        return flat(given, count)
    named = hasattr(estimator, "feature_names_in_") or count is None
    return given if named else given.to_numpy()  # type: ignore[union-attr]


def _truth(known: tuple[object, ...], rows: FitRows, positive: object) -> NDArray[np.generic]:
    """Return the truth in the classes that the estimator knows; as codes where these are none of the label's."""
    import numpy as np

    codes = np.asarray(rows.y_true).astype(np.intp)
    if rows.task == "binary" and len(known) == 2 and positive in known:
        names = [next(value for value in known if value != positive), positive]
    elif {*map(str, known)} >= {*map(str, rows.classes)}:
        of = {str(value): value for value in known}
        names = [of[str(value)] for value in rows.classes]
    elif len(known) == len(rows.classes):
        names = list(known)
    else:
        return codes
    return np.asarray(names)[codes]
