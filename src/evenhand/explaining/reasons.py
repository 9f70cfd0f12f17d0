"""Reason codes: the features that count most against a person; a sensitive one is never left out silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.errors import InputError
from evenhand.explaining.blocks import block_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from evenhand.explaining.attributions import Attributions

MOST_REASONS: Final = 4
"""Principal reasons of a notice, at most (Regulation B, 12 CFR 1002.9, official interpretation of paragraph (b)(2))."""
MATERIAL: Final = 0.05
"""A feature is a reason when it carries at least this share of all that counts against the person."""


def reasons_against(values: NDArray[np.float64], *, low_is_bad: bool = True) -> NDArray[np.int64]:
    """Return (n, 4): the positions of the principal reasons of each row, greatest first; -1 where there are fewer.

    `values` (n, m) are Shapley values; `low_is_bad`: whether a low score is bad for the person.
    """
    against = -values if low_is_bad else values
    order = np.argsort(-against, axis=1, kind="stable")[:, :MOST_REASONS]
    kept = np.take_along_axis(against, order, axis=1)
    total = np.maximum(against, 0).sum(axis=1, keepdims=True)
    found = np.where((kept > 0) & (kept >= MATERIAL * total), order, -1)
    return np.pad(found, ((0, 0), (0, MOST_REASONS - found.shape[1])), constant_values=-1)


def reason_codes(
    attributions: Attributions,
    adverse: NDArray[np.bool_],
    *,
    low_is_bad: bool = True,
    sensitive: Iterable[str] = (),
    words: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return a notice for each adverse decision: up to four principal reasons against the mean of the background.

    Where a sensitive feature is among the reasons, the notice is withheld, with a note: leaving the feature out would
    state other reasons than those the model had.

    Parameters
    ----------
    attributions : Attributions
        Of the explained rows.
    adverse : (n,) array of bool
        Which of them were decided against the person.
    low_is_bad : bool
        Whether a low score is the one that is bad for the person.
    sensitive : iterable of str
        Features that may not be a reason.
    words : mapping of feature to sentence, optional
        A feature dictionary, in the words of the notice.

    Returns
    -------
    DataFrame
        One row an adverse decision: ``row`` (its position), ``status`` (``ready`` or ``withheld: ...``), ``reason_1``
        to ``reason_4`` (empty where there are fewer).

    Raises
    ------
    InputError
        When `adverse` is of another length.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from evenhand.explaining import explain
    >>> rows = pd.DataFrame({"income": [0.0, 1.0, 2.0, 3.0]})
    >>> found = explain(lambda X: X["income"] / 4, rows, rows, link="identity")
    >>> reason_codes(found, np.array([True, False, False, False]))["reason_1"].tolist()
    ['income']
    """
    if len(adverse) != len(attributions.values):
        raise InputError(f"adverse has {len(adverse)} rows, the attributions {len(attributions.values)}.")
    said, barred = words or {}, set(sensitive)
    rows = np.flatnonzero(adverse)
    names = attributions.feature_names
    found = reasons_against(attributions.values[rows], low_is_bad=low_is_bad)
    table: dict[str, list[object]] = {"row": list(rows.tolist()), "status": []}
    for place in range(MOST_REASONS):
        table[f"reason_{place + 1}"] = []
    for reasons in found:
        chosen = [names[at] for at in reasons if at >= 0]
        held = [name for name in chosen if name in barred]
        table["status"].append(f"withheld: {', '.join(held)} is among the reasons" if held else "ready")
        shown = [] if held else [said.get(name, name) for name in chosen]
        for place in range(MOST_REASONS):
            table[f"reason_{place + 1}"].append(shown[place] if place < len(shown) else "")
    return pd.DataFrame(table)


def unstable(attributions: Attributions, rows: NDArray[np.int64], *, low_is_bad: bool = True) -> NDArray[np.bool_]:
    """Return for each row whether its first reason is another against one half of the background than the other.

    Raises InputError when the attributions have no blocks of the background.
    """
    if attributions.block_values is None or len(attributions.block_values) < 2:
        raise InputError("These attributions have no blocks of the background, so nothing tells how stable they are.")
    blocks = attributions.block_values[:, rows]
    halves = (blocks[: len(blocks) // 2].mean(axis=0), blocks[len(blocks) // 2 :].mean(axis=0))
    first = [reasons_against(half, low_is_bad=low_is_bad)[:, 0] for half in halves]
    return np.asarray(first[0] != first[1])


def tied(attributions: Attributions, rows: NDArray[np.int64], *, low_is_bad: bool = True) -> NDArray[np.bool_]:
    """Return for each row whether its last reason and the first feature that is none differ by less than two errors.

    The error is that of their difference, from the blocks of the background, so that what both share drops out.

    Raises InputError when the attributions have no blocks of the background.
    """
    if attributions.block_values is None or attributions.block_rows is None or len(attributions.block_values) < 2:
        raise InputError("These attributions have no blocks of the background, so nothing tells how stable they are.")
    values = attributions.values[rows]
    against = -values if low_is_bad else values
    stated = (reasons_against(values, low_is_bad=low_is_bad) >= 0).sum(axis=1)
    order = np.argsort(-against, axis=1, kind="stable")
    known = np.flatnonzero((stated > 0) & (stated < values.shape[1]))
    found = np.zeros(len(rows), dtype=bool)
    last, next_one = order[known, stated[known] - 1], order[known, stated[known]]
    blocks = attributions.block_values[:, rows[known]]
    at = np.arange(len(known))
    apart = (blocks[:, at, last] - blocks[:, at, next_one])[:, :, None]
    errors = block_errors(apart, attributions.block_rows)
    assert errors is not None  # there are two blocks or more
    found[known] = np.abs(against[known, last] - against[known, next_one]) < 2 * errors[:, 0]
    return found
