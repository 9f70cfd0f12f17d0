"""Whether a model takes missing values and unseen categories: it is asked about a few rows with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import ModelError
from evenhand.probing.corruption.tables import missing, typos
from evenhand.subjects.outputs import answer_of

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.probing.corruption.ranges import Kind, Ranges
    from evenhand.subjects import Subject

__all__ = ["tried"]

FEW: Final = 64
"""Rows that are tried."""
SHARE: Final = 0.5
"""The share of their cells that is changed."""


def tried(subject: Subject, rows: pd.DataFrame, ranges: Ranges) -> Ranges:
    """Return the ranges with what a model takes: missing numbers, missing categories, categories that no row has.

    Parameters
    ----------
    subject : Subject
        The model.
    rows : table
        Rows as it reads them; a few are changed.
    ranges : Ranges
        What `learn_ranges` returned.

    Examples
    --------
    >>> import pandas as pd
    >>> from evenhand.probing.corruption import learn_ranges
    >>> from evenhand.subjects import as_subject
    >>> rows = pd.DataFrame({"age": [20, 30, 40, 60] * 5})
    >>> plain, careful = as_subject(lambda X: X["age"] / 60), as_subject(lambda X: X["age"].fillna(30) / 60)
    >>> [sorted(tried(each, rows, learn_ranges(rows)).takes_missing) for each in (plain, careful)]
    [[], ['number']]
    """
    few, taken = rows.iloc[:FEW], []
    kinds: tuple[Kind, ...] = ("number", "category")
    for kind in kinds:
        there = ranges.of(kind)
        asked = replace(ranges, columns=there, takes_missing=frozenset({kind}))
        if there and _answers(subject, missing(few, SHARE, np.random.default_rng(0), asked)):
            taken.append(kind)
    unseen = replace(ranges, takes_unseen=True)
    takes = _answers(subject, typos(few, SHARE, np.random.default_rng(0), unseen))
    return replace(ranges, takes_missing=frozenset(taken), takes_unseen=takes)


def _answers(subject: Subject, rows: pd.DataFrame) -> bool:
    """Whether a model gives finite numbers for rows."""
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(answer_of(subject.predict, rows, subject.name), dtype=np.float64)
    except (ModelError, ValueError, TypeError):
        return False
    return bool(np.isfinite(found).all())
