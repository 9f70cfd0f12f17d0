"""Shapley values by all coalitions of players, from the user's own predict: the oracle of every other way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import factorial

import numpy as np
import pandas as pd

Raw = Callable[[pd.DataFrame], np.ndarray]


def brute(raw: Raw, rows: pd.DataFrame, background: pd.DataFrame, players: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Return (n, players): the mean over the background of the values of each pair of rows.

    `raw`: the model's own score; rows are mixed column by column, keeping their types.
    """
    n, b, names = len(rows), len(background), list(players)
    # Joined first: two tables of one category type stay of that type.
    both = pd.concat([rows, background], ignore_index=True)
    mine, theirs = np.repeat(np.arange(n), b), np.tile(np.arange(b), n) + n
    worth = {}
    for inside in product((False, True), repeat=len(names)):
        mixed = {
            column: both[column].take(np.where(taken, mine, theirs)).reset_index(drop=True)
            for name, taken in zip(names, inside, strict=True)
            for column in players[name]
        }
        worth[inside] = np.asarray(raw(pd.DataFrame(mixed)[list(rows.columns)])).reshape(n, b).mean(axis=1)
    values = np.zeros((n, len(names)))
    for inside, value in worth.items():
        size = sum(inside)
        for at, taken in enumerate(inside):
            others = size - taken
            weight = factorial(others) * factorial(len(names) - others - 1) / factorial(len(names))
            values[:, at] += weight * value if taken else -weight * value
    return values
