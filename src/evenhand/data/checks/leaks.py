"""Columns that are the label, or nearly: written otherwise, with noise, or known only after the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.checks.coding import Told, telling, telling_of_classes
from evenhand.data.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from evenhand.findings import Task

LOOKED_AT: Final = 2_000
"""Rows that are enough to see that a column is no copy."""
WORTH_A_LOOK: Final = 0.85
"""Columns whose area in those rows is below this are left."""
MOST_CLASSES: Final = 12
"""Labels of more classes are looked at by their most frequent ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """A column that tells the label well.

    See Also
    --------
    evenhand.data.checks.label_copies : Makes it.
    """

    column: str
    """The column."""
    told: tuple[Told, ...] = ()
    """Counts by what it says: of a label of two values one, of several classes one of each against the rest."""
    correlation: float | None = None
    """Of a label of numbers, its rank correlation with the column; None of others."""
    rows: int = 0
    """The rows in which both are known."""


def label_copies(
    table: pd.DataFrame, columns: Iterable[str], truth: NDArray[np.generic], task: Task, *, seed: int = 0,
    every: bool = False,
) -> Iterator[Copies]:  # fmt: skip
    """Yield columns that may be copies of the label, with what is needed to say how good they are.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns a model may read.
    truth : (n,) array
        The label: 0 and 1, classes from 0, or numbers.
    task : Task
        What the label is.
    seed : int
        Seed of halves and of the first look.
    every : bool
        Whether all columns are told; else those that a first look at 2,000 rows finds worth it.

    Notes
    -----
    Whatever a column holds, its values (or 62 ranges of a number) are put in order by the label in one half of the
    rows, and the area under the ROC curve is counted in the other; a name that no two rows share says nothing then.

    Examples
    --------
    >>> rows = pd.DataFrame({"income": range(100), "state": ["closed", "open"] * 50})
    >>> [copy.column for copy in label_copies(rows, rows.columns, np.array([0, 1] * 50), "binary")]
    ['state']
    """
    if task not in ("binary", "multiclass", "regression", "ranking") or len(table) < 2:
        return
    few = _first_look(len(table), seed)
    for name in columns:
        if every or _worth(table[name].iloc[few], truth[few], task, seed):
            yield _copy(name, table[name], truth, task, seed)


def _first_look(n: int, seed: int) -> NDArray[np.intp]:
    if n <= LOOKED_AT:
        return np.arange(n)
    return np.sort(np.random.default_rng([seed, 32]).choice(n, LOOKED_AT, replace=False))


def _worth(column: pd.Series, truth: NDArray[np.generic], task: Task, seed: int) -> bool:
    found = _copy("", column, truth, task, seed)
    if found.correlation is not None:
        return abs(found.correlation) >= WORTH_A_LOOK
    areas = [told.auc for told in found.told]
    return bool(np.nanmean(areas) >= WORTH_A_LOOK) if np.isfinite(areas).any() else False


def _copy(name: str, column: pd.Series, truth: NDArray[np.generic], task: Task, seed: int) -> Copies:
    if task == "binary":
        return Copies(name, (telling(column, truth, seed),), rows=len(column))
    if task == "multiclass":
        classes = np.argsort(-np.bincount(truth.astype(np.int64)), kind="stable")
        kept = classes[:MOST_CLASSES]
        places = np.full(len(classes), len(kept), dtype=np.int64)
        places[kept] = np.arange(len(kept))
        told = telling_of_classes(column, places[truth.astype(np.int64)], len(kept), seed)
        return Copies(name, tuple(told), rows=len(column))
    if not is_number(column) or column.dtype == object:
        return Copies(name, correlation=0.0)
    numbers = pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan))
    both = numbers.notna().to_numpy() & np.isfinite(truth.astype(np.float64))
    if both.sum() < 3 or numbers[both].nunique() < 2:
        return Copies(name, correlation=0.0)
    ranks = [pd.Series(each).rank().to_numpy() for each in (numbers[both].to_numpy(), truth[both])]
    spread = [part.std() for part in ranks]
    if not all(spread):
        return Copies(name, correlation=0.0)
    return Copies(name, correlation=float(np.corrcoef(ranks[0], ranks[1])[0, 1]), rows=int(both.sum()))
