"""Rules of rows: the score of a row depends on what is declared of that row, and on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.data import pick
from evenhand.errors import EvenhandError

if TYPE_CHECKING:
    from evenhand.testing.asked import Asked


def repeated(asked: Asked) -> str:
    """Say whether the same rows get other scores when asked again."""
    apart = asked.differ(asked.again(asked.batch))
    return f"the same rows, asked again, get other scores: {apart:,} of {len(asked.batch):,}" if apart else ""


def batches(asked: Asked) -> str:
    """Say whether a score depends on the batch."""
    for size, words in ((1, "alone"), (7, "in batches of 7")):
        parts = [asked.again(pick(asked.batch, slice(at, at + size))) for at in range(0, len(asked.batch), size)]
        apart = asked.differ(np.concatenate([np.atleast_1d(part) for part in parts]))
        if apart:
            return (
                f"{apart:,} of {len(asked.batch):,} rows get another score {words}: a row must not depend on its batch"
            )
    return ""


def order(asked: Asked) -> str:
    """Say whether a score depends on the order of rows."""
    turned = np.arange(len(asked.batch))[::-1]
    apart = asked.differ(asked.again(pick(asked.batch, turned))[::-1])
    return (
        f"{apart:,} of {len(asked.batch):,} rows get another score when the rows are in another order" if apart else ""
    )


def index(asked: Asked) -> str:
    """Say whether a score depends on the index of the table."""
    table = asked.table
    if table is None:
        return ""
    apart = asked.differ(asked.again(table.set_axis([f"row {at}" for at in range(len(table))], axis=0)))
    return f"{apart:,} of {len(table):,} rows get another score under another index of the table" if apart else ""


def columns(asked: Asked) -> str:
    """Shuffle the columns that are not declared, in rows and in order."""
    table, features = asked.table, asked.features
    if table is None or features is None:
        return ""
    whole = asked.data.table.iloc[asked.at].copy()
    for name in whole.columns.difference(features):
        whole[name] = whole[name].to_numpy()[asked.rng.permutation(len(whole))]
    apart = asked.differ(asked.again(whole[sorted(whole.columns, reverse=True)]))
    return (
        f"{apart:,} of {len(whole):,} rows get another score when columns that it does not declare change"
        if apart
        else ""
    )


def places(asked: Asked) -> str:
    """Say whether columns are taken by their place."""
    table = asked.table
    if table is None or asked.features is not None or len(table.columns) < 2:
        return ""
    try:
        apart = asked.differ(asked.again(table[list(table.columns)[::-1]]))
    except EvenhandError:
        apart = len(table)
    return (
        "it takes columns by their place in the table; declare features=, so that another order does no harm"
        if apart
        else ""
    )


def missing(asked: Asked) -> str:
    """Empty one cell of each column that is read, in a row each."""
    table = asked.table
    if table is None:
        return ""
    holes = table.astype({name: "float64" for name, kind in table.dtypes.items() if kind.kind in "biu"})
    for at in range(min(len(table), len(table.columns))):
        holes.iloc[at, at] = None
    try:
        scores = asked.again(holes)
    except EvenhandError:
        return ""
    broken = int((~np.isfinite(scores)).sum())
    if broken:
        return f"{broken:,} scores of rows with a missing cell are no numbers: give a score, or raise a ModelError"
    whole = slice(min(len(table), len(table.columns)), None)
    apart = asked.differ(scores[whole], asked.first[whole])
    return f"a missing cell changes the scores of {apart:,} other rows" if apart else ""


def kept_state(asked: Asked) -> str:
    """Say whether the calls changed the subject."""
    apart = asked.differ(asked.again(asked.batch))
    return f"after all these calls the same rows get other scores: {apart:,} of {len(asked.batch):,}" if apart else ""
