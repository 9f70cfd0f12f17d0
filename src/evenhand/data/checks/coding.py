"""A column as few codes, and how well they tell a truth in rows that were not looked at for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.values import is_number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]

MOST_CODES: Final = 64
"""Values, or ranges of a number, that are told apart; rarer values are one."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Counts of a truth by what a column says of it; in each half of the rows by the shares of the other half.

    See Also
    --------
    evenhand.data.checks.telling : Makes it.
    """

    counts: NDArray[np.int64]
    """(S, 2) rows whose truth is 0 and 1, by ascending share that the other half has of 1."""

    @property
    def auc(self) -> float:
        """The area under the ROC curve: 0.5 says nothing, 1 everything; NaN where one truth has no row.

        A column that tells nothing is near 0.5, on either side of it.
        """
        negatives, positives = self.counts.T.astype(np.float64)
        pairs = negatives.sum() * positives.sum()
        below = np.cumsum(negatives) - negatives / 2
        return float((positives * below).sum() / pairs) if pairs else float("nan")


def code(column: pd.Series) -> Ints:
    """Return (n,) codes from 0 of the values of a column: 0 is missing, 1 is a rare one.

    Of a number of many values each of 62 ranges of as many rows has a code, and so does each value that fills one.

    Parameters
    ----------
    column : pandas.Series
        (n,) values of any kind.

    Examples
    --------
    >>> code(pd.Series(["a", None, "b", "a"])).tolist()
    [2, 0, 3, 2]
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        found = column.cat.codes.to_numpy(dtype=np.int64)
    elif is_number(column) and str(column.dtype) != "object":
        return _ranges(column.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        found = pd.factorize(column if column.dtype != object else column.map(_hashable, na_action="ignore"))[0]
    return _frequent(found.astype(np.int64))


def _hashable(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _ranges(numbers: NDArray[np.float64]) -> Ints:
    known = np.isfinite(numbers)
    values, found = np.unique(numbers[known], return_inverse=True)
    codes = np.zeros(len(numbers), dtype=np.int64)
    if len(values) > MOST_CODES - 2:
        rows = np.bincount(found)
        # a value that fills a range, such as 0 of an amount, is one by itself
        places = (np.cumsum(rows) - rows / 2) * ((MOST_CODES - 2) / max(len(found), 1))
        full = rows * (MOST_CODES - 2) >= len(found)
        edges = np.floor(places) != np.floor(np.append(-1, places[:-1]))
        found = np.cumsum(edges | full | np.append(False, full[:-1]))[found] - 1
    codes[known] = found + 2
    return codes


def _frequent(found: Ints) -> Ints:
    """Return codes of the most frequent values; rarer ones are 1, a missing one 0."""
    rows = np.bincount(found + 1)
    rows[0] = 0
    places = np.ones(len(rows), dtype=np.int64)
    most = np.argsort(-rows, kind="stable")[: MOST_CODES - 2]
    most = np.sort(most[rows[most] > (1 if len(rows) > MOST_CODES else 0)])
    places[most] = np.arange(2, len(most) + 2)
    places[0] = 0
    return np.asarray(places[found + 1])


def halves(truth: ArrayLike, seed: int) -> NDArray[np.bool_]:
    """Return (n,) a half of the rows, drawn with a seed, in which each truth is as frequent as in the other.

    Parameters
    ----------
    truth : (n,) array
    seed : int

    Examples
    --------
    >>> half = halves([0, 0, 1, 1], 0)
    >>> int(half[:2].sum()), int(half[2:].sum())
    (1, 1)
    """
    true = np.asarray(truth)
    rng = np.random.default_rng([seed, 31])
    order = np.lexsort((rng.random(len(true)), true))
    half = np.zeros(len(true), dtype=bool)
    half[order[1::2]] = True
    return half


def counted(codes: Ints, truth: NDArray[np.bool_], half: NDArray[np.bool_]) -> Told:
    """Return how well codes tell a truth: each half is put in order by what the other half has shown.

    Parameters
    ----------
    codes : (n,) array of int
    truth : (n,) array of bool
    half : (n,) array of bool
        As `halves` draws it.
    """
    size = int(codes.max(initial=0)) + 1
    cells = np.bincount((codes * 2 + truth) * 2 + half, minlength=4 * size).reshape(size, 2, 2)
    rate = float(truth.mean()) if len(truth) else 0.0
    shares = (cells[:, 1] + rate) / (cells.sum(axis=1) + 1.0)  # (size, 2) of each half, drawn to the mean by one row
    own = np.concatenate([cells[:, :, 0], cells[:, :, 1]])
    learned = np.concatenate([shares[:, 1], shares[:, 0]])
    order = np.argsort(learned, kind="stable")
    filled = order[own[order].sum(axis=1) > 0]
    _, block = np.unique(learned[filled], return_inverse=True)
    counts = np.zeros((int(block.max(initial=-1)) + 1, 2), dtype=np.int64)
    np.add.at(counts, block, own[filled])
    return Told(counts)


def telling(column: pd.Series, truth: ArrayLike, seed: int = 0) -> Told:
    """Return how well a column, whatever it holds, tells a truth of two values in rows that were not looked at.

    Parameters
    ----------
    column : pandas.Series
        (n,) numbers, texts, times; missing values are a value.
    truth : (n,) array
        0 and 1.
    seed : int
        Seed of the halves.

    Returns
    -------
    Told

    Examples
    --------
    >>> paid = pd.Series([0, 1] * 50)
    >>> telling(paid.map({0: "late", 1: "in time"}), paid).auc
    1.0
    """
    true = np.asarray(truth) == 1
    return counted(code(column), true, halves(true, seed))


def telling_of_classes(column: pd.Series, truth: ArrayLike, classes: int, seed: int = 0) -> list[Told]:
    """Return how well a column tells each of several classes from the rest.

    Parameters
    ----------
    column : pandas.Series
        (n,) values.
    truth : (n,) array of int
        Classes, from 0.
    classes : int
        How many there are.
    seed : int
        Seed of the halves.

    Examples
    --------
    >>> [told.auc for told in telling_of_classes(pd.Series(list("abc") * 20), [0, 1, 2] * 20, 3)]
    [1.0, 1.0, 1.0]
    """
    true, codes = np.asarray(truth), code(column)
    half = halves(true, seed)
    return [counted(codes, true == each, half) for each in range(classes)]
