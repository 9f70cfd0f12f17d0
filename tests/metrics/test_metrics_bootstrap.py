"""Counts drawn again are rows drawn again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from evenhand.errors import InputError
from evenhand.metrics import Tally
from evenhand.metrics.inference.bootstrap import resample


def rows(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    return rng.integers(0, 2, n), rng.integers(0, 2, n), codes, rng.gamma(2.0, 1.0, n)


def rates(metric: str, cells: np.ndarray) -> np.ndarray:
    """Return (replicates, G) of (replicates, G, truth, decision) cells."""
    bottom = {"recall": cells[..., 1, :], "precision": cells[..., 1], "selection_rate": cells}[metric]
    top = cells[..., 1].sum(axis=-1) if metric == "selection_rate" else cells[..., 1, 1]
    return top / bottom.reshape(*cells.shape[:2], -1).sum(axis=-1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", ["recall", "precision", "selection_rate"])
def test_equal_in_distribution_to_a_bootstrap_over_rows(metric: str, weighted: bool) -> None:
    chances = []
    for seed in range(6):
        truth, decided, codes, weight = rows(seed)
        one = weight if weighted else None
        tally = Tally.count(truth, decided, codes, 3, one)
        mine = rates(metric, resample(tally, 1_500, seed))
        rng = np.random.default_rng(seed + 100)
        theirs = []
        for _ in range(1_500):
            at = rng.integers(0, len(truth), len(truth))
            again = Tally.count(truth[at], decided[at], codes[at], 3, None if one is None else one[at])
            cells = (again.counts if again.weights is None else again.weights)[None].astype(float)
            theirs.append(rates(metric, cells)[0])
        gaps = [np.ptp(draws, axis=1) for draws in (mine[:, :2], np.array(theirs)[:, :2])]
        chances += [ks_2samp(mine[:, 0], np.array(theirs)[:, 0]).pvalue, ks_2samp(*gaps).pvalue]
    assert min(chances) > 0.001
    assert np.mean(np.array(chances) < 0.05) <= 0.34


def test_draws_keep_the_number_of_rows_and_follow_the_seed() -> None:
    truth, decided, codes, _ = rows(0)
    tally = Tally.count(truth, decided, codes, 3)
    drawn = resample(tally, 50, 1)
    assert (drawn.sum(axis=(1, 2, 3)) == len(truth)).all()
    assert np.array_equal(drawn, resample(tally, 50, 1))
    with pytest.raises(InputError, match="not independent"):
        resample(Tally.count(truth, decided, clusters=np.arange(len(truth)) // 2))
