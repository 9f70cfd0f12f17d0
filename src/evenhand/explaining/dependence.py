"""How the score moves with one feature, over its values: partial dependence, accumulated effects, interactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.explaining.blocks import jackknife_variance, t_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Score = Callable[[pd.DataFrame], NDArray[np.float64]]

PLACES: Final = 7
"""Values of a number at which its effect is stated: its quantiles."""
MOST_LEVELS: Final = 12
"""Values of a category that are stated, the most frequent ones."""
GRID: Final = 40
"""Rows over which an interaction is measured, against each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """The effect of one feature at some of its values, in units of the explained scale, 0 on average."""

    feature: str
    """The feature."""
    kind: str
    """``partial_dependence`` or ``accumulated_effect``."""
    places: tuple[object, ...]
    """The values."""
    estimate: NDArray[np.float64]
    """(k,)."""
    low: NDArray[np.float64]
    """(k,): lower ends, over rows; nan with one row."""
    high: NDArray[np.float64]
    """(k,): upper ends."""
    rows: int
    """Rows averaged over."""


def partial_dependence(score: Score, X: pd.DataFrame, feature: str, level: float = 0.95) -> Effect:
    """Return the mean over rows of the score with the feature set to a value, less the mean score.

    Numbers are set to their quantiles, categories to their values. Where features are correlated it predicts rows
    that do not occur; `accumulated_effect` does not (Friedman 2001; Goldstein et al. 2015 for its spread over rows).
    """
    places = places_of(X[feature])
    if not places:
        nothing = np.zeros(0)
        return Effect(feature, "partial_dependence", (), nothing, nothing, nothing, len(X))
    own = score(X)
    moved = np.stack([score(_put(X, feature, [value] * len(X))) for value in places])
    change = moved - own
    half = _half(change.std(axis=1, ddof=1) / len(X) ** 0.5 if len(X) > 1 else np.full(len(places), np.nan), X, level)
    estimate = change.mean(axis=1)
    return Effect(feature, "partial_dependence", places, estimate, estimate - half, estimate + half, len(X))


def accumulated_effect(score: Score, X: pd.DataFrame, feature: str, level: float = 0.95) -> Effect | None:
    """Return the accumulated local effect of a number: steps between quantiles, of the rows there, summed up.

    ``sum over bins up to x of mean over the bin's rows of f(upper end) - f(lower end)``, centred on 0 over the rows
    (Apley and Zhu 2020). None for a category, or a number of one or two values.
    """
    if not is_number(X[feature]):
        return None
    values = X[feature].to_numpy(dtype=np.float64, na_value=np.nan)
    edges = np.array(places_of(X[feature]), dtype=np.float64)
    if len(edges) < 3:
        return None
    known = np.flatnonzero(np.isfinite(values) & (values >= edges[0]) & (values <= edges[-1]))
    bins = np.clip(np.searchsorted(edges, values[known], side="left") - 1, 0, len(edges) - 2)
    table = X.iloc[known]
    step = score(_put(table, feature, edges[bins + 1])) - score(_put(table, feature, edges[bins]))
    rows = np.bincount(bins, minlength=len(edges) - 1)
    mean = np.bincount(bins, weights=step, minlength=len(rows)) / np.maximum(rows, 1)
    spread = np.bincount(bins, weights=(step - mean[bins]) ** 2, minlength=len(rows)) / np.maximum(rows - 1, 1)
    # The effect at an edge is a sum of steps less its mean over the rows: both are sums of steps, so one matrix of
    # weights gives estimate and variance.
    up_to = (np.arange(len(edges))[:, None] > np.arange(len(rows))[None, :]).astype(np.float64)
    share = rows / rows.sum()
    centre = share @ ((up_to[:-1] + up_to[1:]) / 2)
    weight = up_to - centre
    half = _half(np.sqrt((weight**2) @ (spread / np.maximum(rows, 1))), table, level)
    estimate = weight @ mean
    places = tuple(edges.tolist())
    return Effect(feature, "accumulated_effect", places, estimate, estimate - half, estimate + half, len(known))


def interaction(score: Score, X: pd.DataFrame, one: str, other: str, seed: int = 0) -> tuple[float, float]:
    """Return Friedman and Popescu's H of two features and its jackknife standard error: 0 for none, 1 for nothing else.

    ``H^2 = sum (PD_jk - PD_j - PD_k)^2 / sum PD_jk^2``, all centred, over at most `GRID` rows.
    """
    rows = np.sort(np.random.default_rng([seed, 17]).permutation(len(X))[:GRID])
    table = X.iloc[rows].reset_index(drop=True)
    both, first, second = (_over_grid(score, table, columns) for columns in ([one, other], [one], [other]))

    def strength(kept: NDArray[np.int64]) -> float:
        parts = [values[kept].mean(axis=0) for values in (both, first, second)]
        joint, a, b = (part - part.mean() for part in parts)
        total = float((joint**2).sum())
        return float(np.sqrt(min(((joint - a - b) ** 2).sum() / total, 1.0))) if total > 1e-12 else 0.0

    every = np.arange(len(table))
    parts = np.array_split(every, min(10, len(table)))
    left_out = np.array([strength(np.setdiff1d(every, part)) for part in parts]) if len(parts) > 1 else np.zeros(1)
    return strength(every), float(np.sqrt(jackknife_variance(left_out)))


def places_of(column: pd.Series) -> tuple[object, ...]:
    """Return the values at which a feature's effect is stated, in order."""
    known = column.dropna()
    if is_number(column):
        values = known.to_numpy(dtype=np.float64)
        if not len(values):
            return ()
        found = np.unique(np.quantile(values, np.linspace(0.05, 0.95, PLACES), method="inverted_cdf"))
        return tuple(float(value) for value in found)
    return tuple(known.value_counts().index[:MOST_LEVELS])


def is_number(column: pd.Series) -> bool:
    """Whether a column is numeric and not boolean."""
    return bool(pd.api.types.is_numeric_dtype(column.dtype)) and not pd.api.types.is_bool_dtype(column.dtype)


def _over_grid(score: Score, table: pd.DataFrame, columns: list[str]) -> NDArray[np.float64]:
    """Return (rows, places): each row's score with its columns set to those of each row."""
    n = len(table)
    mixed = table.iloc[np.repeat(np.arange(n), n)].reset_index(drop=True)
    given = table[columns].iloc[np.tile(np.arange(n), n)].reset_index(drop=True)
    mixed[columns] = given
    return score(mixed).reshape(n, n)


def _put(X: pd.DataFrame, feature: str, values: object) -> pd.DataFrame:
    moved = X.copy()
    given = pd.Series(values, index=X.index)
    if pd.api.types.is_integer_dtype(X[feature].dtype):
        given = given.round()
    moved[feature] = given.astype(X[feature].dtype)
    return moved


def _half(errors: NDArray[np.float64], X: pd.DataFrame, level: float) -> NDArray[np.float64]:
    return np.asarray(t_quantile(level, max(len(X) - 1, 1)) * errors, dtype=np.float64)
