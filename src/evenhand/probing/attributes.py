"""Attribute inference: which sensitive value a model's answers fit best, beside what can be guessed without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.data import as_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping

    Floats = NDArray[np.float64]

__all__ = ["fits", "imputed", "representatives"]

TINY: Final = 1e-12


def representatives(rows: EvaluationSet, grouping: Grouping) -> list[Any]:
    """Return the most frequent value of a column in each of its groups: what a row is given to be one of them.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    grouping : Grouping
        The groups of one column.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = eh.load_loanapp()
    >>> representatives(rows, rows.grouping("sex"))
    ['female', 'male']
    """
    values = rows.table[grouping.columns[0]]
    return [values[grouping.codes == group].mode(dropna=False).iloc[0] for group in range(len(grouping))]


def fits(table: pd.DataFrame, column: str, values: Sequence[Any], confidence: Callable[[Any], Floats]) -> Floats:
    """Return how well each value fits what the model says of the truth, as shares that add up to 1 in a row.

    The attacker knows the other columns and the truth, tries each value, and prefers the one under which the model is
    surest of the truth (Yeom et al. 2018, CSF, with the shares as the score).

    Parameters
    ----------
    table : pd.DataFrame
        (n, m) what the model reads.
    column : str
        The column that is tried.
    values : sequence
        The values.
    confidence : callable
        From inputs to (n,) confidences in the truth.

    Returns
    -------
    (n, V) array

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"a": [0, 1]})
    >>> fits(rows, "a", [0, 1], lambda inputs: 0.25 + inputs.whole()["a"] / 2).round(6).tolist()
    [[0.25, 0.75], [0.25, 0.75]]
    """
    import pandas as pd

    said = []
    for value in values:
        tried = table.copy()
        tried[column] = pd.Series([value] * len(table), index=table.index).astype(table[column].dtype)
        said.append(confidence(as_inputs(tried)))
    whole = np.stack(said, axis=1) + TINY
    return np.asarray(whole / whole.sum(axis=1, keepdims=True))


def imputed(rows: EvaluationSet, columns: Sequence[str], codes: NDArray[np.int32], fit: NDArray[np.intp]) -> Floats:
    """Return the probability of each group by a logistic regression over other columns and the truth, not the model.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    columns : sequence of str
        The other columns.
    codes : (n,) array of int
        The group of each row.
    fit : (k,) array of int
        The rows that it is fitted on.

    Returns
    -------
    (n, G) array

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = eh.load_loanapp()
    >>> imputed(rows, ["appinc"], rows.grouping("sex").codes, np.arange(500)).shape[1]
    2
    """
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    from evenhand.probing.membership.proxies import matrix

    truth = sparse.csr_matrix(np.eye(int(rows.y_true.max()) + 1)[rows.y_true.astype(np.intp)])
    X = sparse.hstack([matrix(rows, columns), truth]).tocsr() if columns else truth
    made = LogisticRegression(max_iter=200).fit(X[fit], codes[fit])
    found = np.zeros((len(rows), int(codes.max()) + 1))
    found[:, made.classes_] = made.predict_proba(X)
    return found
