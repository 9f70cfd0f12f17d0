"""References where the recipe of a model is not known: logistic regression over what it reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.probing.membership.pool import Pool

    Floats = NDArray[np.float64]

__all__ = ["Proxy", "matrix"]

WORDS: Final = 2**14
"""Columns into which the words of texts are hashed."""
MOST_COLUMNS: Final = 2_048
"""Numbers of one array; of more, every so many-th is read."""
MOST: Final = 1e100
"""Numbers are held at it, so that their squares can be added up."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Logistic regression over the columns a model reads, one-hot and scaled; over words, or the numbers of arrays.

    Examples
    --------
    >>> Proxy(("age",)).kind
    'proxy'
    """

    columns: Sequence[str]
    """The columns of the table; none where the model reads something else."""
    kind: str = "proxy"
    """What the references are."""
    _known: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """The columns."""
        return "logistic 1 " + " ".join(self.columns)

    def answers(self, pool: Pool, chosen: NDArray[np.intp], seed: int) -> Floats:
        """Return the confidences of a regression that was fitted on the chosen rows; it draws nothing.

        Parameters
        ----------
        pool : Pool
            The rows.
        chosen : (k,) array of int
            Those to fit on.
        seed : int
            Of no use here.
        """
        from sklearn.linear_model import LogisticRegression

        if id(pool) not in self._known:  # the same for all references of a pool
            self._known.clear()
            self._known[id(pool)] = matrix(pool.rows, self.columns)
        X, truth = self._known[id(pool)], pool.rows.y_true.astype(np.intp)
        made = LogisticRegression(C=1.0, max_iter=200).fit(X[chosen], truth[chosen])
        said, places = made.predict_proba(X), {int(value): at for at, value in enumerate(made.classes_)}
        at = np.array([places.get(int(value), -1) for value in truth])
        return np.where(at >= 0, said[np.arange(len(truth)), at], 0.0)


def matrix(rows: EvaluationSet, columns: Sequence[str]) -> Any:
    """Return rows as a matrix of numbers, sparse where most of it is 0.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    columns : sequence of str
        The columns of the table; of none, what else the set holds.

    Returns
    -------
    (n, m) array or sparse matrix

    Examples
    --------
    >>> import evenhand as eh
    >>> matrix(eh.load_loanapp(), ["married", "appinc"]).shape[1]
    3
    """
    if columns:
        return _of_table(rows, columns)
    batch: Any = rows.inputs.whole()
    if rows.inputs.kind == "texts":
        from sklearn.feature_extraction.text import HashingVectorizer

        return HashingVectorizer(n_features=WORDS, alternate_sign=False).transform(batch)
    if rows.inputs.kind == "table":
        return _of_table(rows, rows.features)
    if rows.inputs.kind == "tokens":
        from sklearn.feature_extraction import FeatureHasher

        return FeatureHasher(WORDS, input_type="string").transform([[str(token) for token in row] for row in batch])
    if rows.inputs.kind == "records":
        from sklearn.feature_extraction import FeatureHasher

        return FeatureHasher(WORDS, input_type="string").transform(
            [[f"{name}={record[name]}" for name in sorted(record, key=str)] for record in batch]
        )
    values = np.asarray(batch, dtype=np.float64).reshape(len(rows), -1)
    return _scaled(values[:, :: -(-values.shape[1] // MOST_COLUMNS)])


def _of_table(rows: EvaluationSet, columns: Sequence[str]) -> Any:
    import pandas as pd
    from scipy import sparse
    from sklearn.preprocessing import OneHotEncoder

    table = rows.table[list(columns)]
    numbers = [name for name in columns if pd.api.types.is_numeric_dtype(table[name].dtype)]
    texts = [name for name in columns if name not in numbers]
    parts = []
    if numbers:
        values = table[numbers].astype(np.float64).to_numpy()
        middle = np.nan_to_num(
            np.array([np.nanmedian(column) if np.isfinite(column).any() else 0 for column in values.T])
        )
        parts.append(sparse.csr_matrix(_scaled(np.where(np.isfinite(values), values, middle))))
    if texts:
        parts.append(OneHotEncoder(handle_unknown="ignore").fit_transform(table[texts].astype(str)))
    return sparse.hstack(parts).tocsr()


def _scaled(values: Floats) -> Floats:
    values = np.clip(values, -MOST, MOST)
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
