"""Attribution means over a sample of explained rows and of background rows, against those of all rows."""

from __future__ import annotations

from functools import cache, partial
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from cells import Cell, Outcome, Topic, outcome
from sklearn.linear_model import LinearRegression

from evenhand.explaining import explain, gap_parts, importance

ROWS: Final = 20_000
SLOPES: Final = {"normal": 1.0, "skew": 0.5, "binary": -0.8}
"""The columns, and the slope of the score in each: additive, so that the true values are known without an explainer."""


@cache
def everyone() -> tuple[pd.DataFrame, np.ndarray]:
    """Return all rows, and who is of the group."""
    rng = np.random.default_rng(1)
    group = rng.random(ROWS) < 0.2
    table = {
        "normal": rng.normal(size=ROWS) + 0.3 * group,
        "skew": rng.exponential(1 + 0.5 * group),
        "binary": (rng.random(ROWS) < np.where(group, 0.2, 0.05)).astype(float),
    }
    return pd.DataFrame(table), group


@cache
def model() -> LinearRegression:
    """Return the linear model."""
    table, _ = everyone()
    return LinearRegression().fit(table, table.to_numpy() @ np.array(list(SLOPES.values())))


def gap(column: str, size: int, background: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the contribution of a column to the gap in the mean score."""
    table, group = everyone()
    truth = SLOPES[column] * (table[column][group].mean() - table[column][~group].mean())
    return outcome(*_ends(column, size, background, rng, rounds, "gap"), truth)


def mean_size(column: str, size: int, background: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the mean absolute value of a column."""
    table, _ = everyone()
    truth = np.abs(SLOPES[column] * (table[column] - table[column].mean())).mean()
    return outcome(*_ends(column, size, background, rng, rounds, "size"), float(truth))


def _ends(column: str, size: int, background: int, rng: np.random.Generator, rounds: int, what: str) -> np.ndarray:
    table, group = everyone()
    at, ends = list(SLOPES).index(column), []
    for turn in range(rounds):
        rows, against = rng.choice(ROWS, size, replace=False), rng.choice(ROWS, background, replace=False)
        found = explain(model(), table.iloc[rows], table.iloc[against], seed=turn, link="identity")
        mean = gap_parts(found, group[rows].astype(int), 1, 0) if what == "gap" else importance(found)
        ends.append((mean.low[at], mean.high[at]))
    return np.array(ends).T


TOPIC: Final = Topic(
    "attributions",
    ("src/evenhand/explaining/summaries.py", "src/evenhand/explaining/blocks.py"),
    tuple(
        Cell(f"{name} of {column}, {size} explained, {background} background", run, rounds=1_000)
        for (name, simulate), column, (size, background) in product(
            (("gap part", gap), ("importance", mean_size)), SLOPES, ((50, 100), (200, 100), (200, 400), (1_000, 100))
        )
        for run in (partial(simulate, column, size, background),)
    ),
)
