"""Attribution means over a sample of explained rows and of background rows, against those of all rows."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from cells import Cell, Outcome, Topic, outcome
from sklearn.linear_model import LinearRegression

from evenhand.explaining import Attributions, GapParts, explain, gap_parts, importance

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
def pattern(background: int) -> Attributions:
    """Return the attributions of a linear model of one row, by the public function."""
    table, _ = everyone()
    model = LinearRegression().fit(table, table.to_numpy() @ np.array(list(SLOPES.values())))
    return explain(model, table.iloc[:1], table.iloc[-background:], link="identity")


def explained(rows: np.ndarray, against: np.ndarray) -> Attributions:
    """Return the attributions of rows: those of a linear model in closed form, with its blocks of the background."""
    first = pattern(len(against))
    assert first.block_rows is not None
    values, slopes = everyone()[0].to_numpy(), np.array(list(SLOPES.values()))
    parts = np.split(values[against], np.cumsum(first.block_rows)[:-1])
    blocks = np.stack([slopes * (values[rows] - part.mean(axis=0)) for part in parts])
    own = slopes * (values[rows] - values[against].mean(axis=0))
    return replace(first, values=own, predictions=values[rows] @ slopes, block_values=blocks)


def gap(column: str, size: int, background: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the contribution of a column to the gap in the mean score."""
    table, group = everyone()
    truth = SLOPES[column] * (table[column][group].mean() - table[column][~group].mean())
    low, high, marked = _ends(column, size, background, rng, rounds, "gap")
    return outcome(low, high, truth, marked)


def mean_size(column: str, size: int, background: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the mean absolute value of a column."""
    table, _ = everyone()
    truth = np.abs(SLOPES[column] * (table[column] - table[column].mean())).mean()
    low, high, marked = _ends(column, size, background, rng, rounds, "size")
    return outcome(low, high, float(truth), marked)


def _ends(
    column: str, size: int, background: int, rng: np.random.Generator, rounds: int, what: str
) -> tuple[np.ndarray, ...]:
    _, group = everyone()
    at, ends = list(SLOPES).index(column), []
    marked = []
    for _ in range(rounds):
        rows, against = rng.choice(ROWS, size, replace=False), rng.choice(ROWS, background, replace=False)
        found = explained(rows, against)
        mean = gap_parts(found, group[rows].astype(int), 1, 0) if what == "gap" else importance(found)
        ends.append((mean.low[at], mean.high[at]))
        marked.append(isinstance(mean, GapParts) and bool(mean.uncovered))
    return (*np.array(ends).T, np.array(marked))


TOPIC: Final = Topic(
    "attributions",
    ("src/evenhand/explaining/summaries.py", "src/evenhand/explaining/blocks.py"),
    tuple(
        Cell(f"{name} of {column}, {size} explained, {background} background", run, rounds=2_000)
        for (name, simulate), column, (size, background) in product(
            (("gap part", gap), ("importance", mean_size)), SLOPES, ((50, 100), (200, 100), (200, 400), (1_000, 100))
        )
        for run in (partial(simulate, column, size, background),)
    ),
)
