"""Means between bounds: the mean itself, and limits that hold where few rows show nothing of the others."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.metrics import means
from evenhand.metrics.values.bounded import bounded_mean

METRIC = "reason_comprehensiveness"


def drawn(kind: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Values from -0.5 to 1: nearly all alike with a few far off, on either side, or spread."""
    if kind == "spread":
        return np.asarray(rng.beta(0.5, 0.5, rows))
    few, rest = {"few high": (0.8, 0.0), "few low": (-0.3, 0.6)}[kind]
    return np.where(rng.random(rows) < 0.04, few, rest) + rng.uniform(-0.02, 0.02, rows)


@pytest.mark.parametrize("kind", ["few high", "few low", "spread"])
@pytest.mark.parametrize("rows", [5, 20, 80])
def test_the_interval_covers(kind: str, rows: int) -> None:
    rng = np.random.default_rng([rows, 7])
    truth, draws = drawn(kind, 400_000, rng).mean(), 1_500
    codes = np.repeat(np.arange(draws), rows)
    found = bounded_mean(METRIC, drawn(kind, rows * draws, rng), codes, draws, (-0.5, 1.0), 0.95)
    assert ((found.low <= truth) & (truth <= found.high)).mean() >= 0.94


def test_weights_and_clusters_are_those_of_the_mean_and_the_ends_stay_within_the_bounds() -> None:
    rng = np.random.default_rng(0)
    values, weight, clusters = rng.random(60), rng.random(60) + 0.5, np.repeat(np.arange(12), 5)
    codes = np.repeat([0, 1], 30)
    found = bounded_mean(METRIC, values, codes, 2, (0.0, 1.0), 0.95, weight=weight, clusters=clusters)
    assert found.estimate == pytest.approx(means(values, codes, 2, weight, clusters).mean)
    assert (found.low >= 0).all() and (found.high <= 1).all()
    alone = bounded_mean(METRIC, values, codes, 2, (0.0, 1.0), 0.95)
    narrow = bounded_mean(METRIC, values, codes, 2, (0.0, 1.0), 0.8)
    assert (alone.high - alone.low > narrow.high - narrow.low).all()


def test_one_row_says_nothing_but_the_bounds_and_no_row_nothing_at_all() -> None:
    found = bounded_mean(METRIC, [0.4], [0], 2, (-0.5, 1.0), 0.95)
    assert (found.estimate[0], found.low[0], found.high[0]) == (0.4, -0.5, 1.0)
    assert not found.defined[1] and found.reason[1]


def test_values_turned_round_have_the_interval_turned_round() -> None:
    values = np.random.default_rng(3).beta(0.4, 2, 50)
    one = bounded_mean(METRIC, values, np.zeros(50, int), 1, (0.0, 1.0), 0.95)
    other = bounded_mean(METRIC, -values, np.zeros(50, int), 1, (-1.0, 0.0), 0.95)
    assert (other.low[0], other.high[0]) == pytest.approx((-one.high[0], -one.low[0]))
