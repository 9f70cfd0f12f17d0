"""Rows that are nearly equal: numbers but for their last digits, texts but for a few words."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.hashing import hash_rows
from evenhand.data.values import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

STEPS: Final = 200
"""Parts of a number's middle half that are told apart in near rows."""
HASHES: Final = 64
"""Permutations of a text's words, of which the least is kept."""
BANDS: Final = 16
"""Parts of these in one of which two texts have to agree to be compared."""
NEAR: Final = 0.8
"""Share of the permutations in which near texts agree: an estimate of their words in common (Jaccard)."""
WORD: Final = re.compile(r"\w+")
MOST_IN_BAND: Final = 200
"""Texts that agree in a band, of which more are not compared each with each."""


def hash_near(table: pd.DataFrame, columns: Sequence[str], like: pd.DataFrame | None = None) -> Hashes:
    """Return one hash for each row, equal for rows whose numbers are close and whose texts differ in looks alone.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : sequence of str
        The columns that are compared.
    like : pandas.DataFrame, optional
        Rows whose spread the steps of numbers are taken from; those of the table when absent.

    Notes
    -----
    A number is rounded to a two-hundredth of the distance between the quartiles of its column (of its standard
    deviation where these are equal), a text is taken in lower case without signs and blanks. Two numbers that are
    close but on two sides of an edge are not found, so near copies may be missed, a few in every column of numbers.

    Examples
    --------
    >>> rows = pd.DataFrame({"debt": [1000.0, 1000.01, 5000.0, 9000.0], "city": ["Lyon", "lyon ", "Paris", "Nice"]})
    >>> found = hash_near(rows, ["debt", "city"])
    >>> bool(found[0] == found[1]), bool(found[0] == found[2])
    (True, False)
    """
    model = table if like is None else like
    rounded = pd.DataFrame({name: _rounded(table[name], model[name]) for name in columns}, index=table.index)
    return hash_rows(rounded, list(columns), np.zeros(len(table), dtype=np.int8))


def _rounded(column: pd.Series, model: pd.Series) -> pd.Series:
    if is_number(column) and column.dtype != object and is_number(model):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        usual = model.to_numpy(dtype=np.float64, na_value=np.nan)
        usual = usual[np.isfinite(usual)]
        low, high = np.quantile(usual, (0.25, 0.75)) if len(usual) else (0.0, 0.0)
        step = float(high - low or (usual.std() if len(usual) else 0.0)) / STEPS
        return pd.Series(np.round(numbers / step) if step else numbers, index=column.index)
    codes, found = pd.factorize(column)
    plain = ["".join(WORD.findall(str(value).casefold())) for value in found]
    return pd.Series([None if at < 0 else plain[at] for at in codes], index=column.index, dtype=object)


def signatures(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return (n, 64) minhash signatures of the words of texts, two by two, and whether a text has enough of them.

    Source: Broder (1997), On the resemblance and containment of documents.
    """
    rng = np.random.default_rng(33)
    factors = rng.integers(0, 1 << 63, HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    shifts = rng.integers(0, 1 << 63, HASHES, dtype=np.uint64)
    known: dict[str, int] = {}
    rows, words = [], []
    enough = np.zeros(len(texts), dtype=bool)
    for at, text in enumerate(texts):
        said = WORD.findall(text.casefold())
        pairs = {f"{one} {other}" for one, other in pairwise(said)}
        enough[at] = len(pairs) >= 3
        for pair in pairs:
            rows.append(at)
            words.append(known.setdefault(pair, len(known)))
    found = np.full((len(texts), HASHES), np.iinfo(np.uint64).max, dtype=np.uint64)
    if known:
        hashed = pd.util.hash_array(np.array(list(known), dtype=object), categorize=False).astype(np.uint64)
        place, owner = np.array(words, dtype=np.intp), np.array(rows, dtype=np.intp)
        starts = np.flatnonzero(np.append(True, np.diff(owner) > 0))
        for each in range(HASHES):
            mixed = (hashed ^ shifts[each]) * factors[each]
            mixed = (mixed ^ (mixed >> np.uint64(29))) * factors[each]
            found[owner[starts], each] = np.minimum.reduceat(mixed[place], starts)
    return found, enough


def near_texts(texts: Sequence[str], others: Sequence[str] | None = None) -> NDArray[np.bool_]:
    """Return (n,) whether a text has nearly the words of another one: of an earlier text, or of `others`.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    others : sequence of str, optional
        Texts to compare with; the earlier ones among `texts` when absent.

    Examples
    --------
    >>> said = "the bank has turned down my loan for the third time this year and will not tell me why"
    >>> near_texts([said, "the weather is fine today", said.replace("my loan", "the loan")]).tolist()
    [False, False, True]
    """
    whole = [*(others or ()), *texts]
    marks, enough = signatures(whole)
    first, found = len(others or ()), np.zeros(len(whole), dtype=bool)
    width = HASHES // BANDS
    for band in range(BANDS):
        part = marks[:, band * width : (band + 1) * width]
        _, block = np.unique(part, axis=0, return_inverse=True)
        order = np.argsort(block.ravel(), kind="stable")
        edges = np.flatnonzero(np.append(True, np.diff(block.ravel()[order]) > 0))
        for rows in np.split(order, edges[1:]):
            if len(rows) < 2 or not enough[rows[0]]:
                continue
            _compare(marks, rows[enough[rows]], first if others is not None else None, found)
    return found[first:]


def _compare(marks: NDArray[np.uint64], rows: NDArray[np.intp], first: int | None, found: NDArray[np.bool_]) -> None:
    """Mark rows that agree with an earlier one, or with one before `first`."""
    known = rows if first is None else rows[rows < first]
    for at in rows:
        if found[at] or (first is not None and at < first):
            continue
        before = known[known < at][:MOST_IN_BAND]
        if len(before) and float((marks[before] == marks[at]).mean(axis=1).max()) >= NEAR:
            found[at] = True
