"""Bounds under label noise hold whichever labels are wrong, and no narrower ones would."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.values.label_noise import noise_bounds, noise_tolerance

RATES = ("recall", "false_positive_rate", "precision", "accuracy", "base_rate")


def value(rate: str, cells: np.ndarray) -> float:
    metric = METRICS[rate]
    lower = sum(cells[cell] for cell in metric.denominator)
    return sum(cells[cell] for cell in metric.numerator) / lower if lower else float("nan")


def every_way(cells: np.ndarray, most: int) -> list[np.ndarray]:
    """All tables that at most so many wrong labels make of one."""
    found = []
    for moved in product(*(range(int(cells[cell]) + 1) for cell in ((0, 0), (0, 1), (1, 0), (1, 1)))):
        if sum(moved) <= most:
            wrong = np.array(moved).reshape(2, 2)
            found.append(cells - wrong + wrong[::-1])
    return found


@pytest.mark.parametrize("rate", RATES)
def test_bounds_are_those_of_every_way_to_be_wrong(rate: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(25):
        cells = rng.integers(0, 6, (2, 2))
        most = int(rng.integers(0, 5))
        share = (most + 0.5) / max(cells.sum(), 1)
        if int(share * cells.sum()) != most or not cells.sum():
            continue
        values = [value(rate, table) for table in every_way(cells, most)]
        found = noise_bounds(rate, cells[None], share)
        if np.isfinite(values).any():
            assert found.low[0] == pytest.approx(np.nanmin(values))
            assert found.high[0] == pytest.approx(np.nanmax(values))
        else:
            assert np.isnan(found.low[0])


@pytest.mark.parametrize("share", [0.02, 0.05, 0.15])
@pytest.mark.parametrize("one_sided", [False, True])
def test_the_true_gap_is_within_the_bounds(share: float, one_sided: bool) -> None:
    """Labels of one group are flipped at a rate; the gap by right labels is within the bounds from the wrong ones."""
    rng = np.random.default_rng(2)
    for _ in range(25):
        n, codes = 600, np.repeat([0, 1], 300)
        truth = (rng.random(n) < np.where(codes == 0, 0.4, 0.6)).astype(int)
        decided = (rng.random(n) < 0.2 + 0.5 * truth).astype(int)
        may = np.flatnonzero((codes == 0) & ((truth == 1) | (not one_sided)))
        flips = rng.choice(may, int(share * 300), replace=False)
        wrong = truth.copy()
        wrong[flips] = 1 - wrong[flips]
        right, seen = (
            np.bincount((codes * 2 + label) * 2 + decided, minlength=8).reshape(2, 2, 2) for label in (truth, wrong)
        )
        for rate in RATES:
            low, high = noise_bounds(rate, seen, share).difference
            true = abs(value(rate, right[0]) - value(rate, right[1]))
            assert low - 1e-12 <= true <= high + 1e-12


def test_a_gap_withstands_noise_up_to_its_tolerance() -> None:
    counts = np.array([[[80, 20], [10, 90]], [[80, 20], [40, 60]], [[70, 30], [30, 70]]])
    found = noise_tolerance("recall", counts)
    assert noise_bounds("recall", counts, found * 0.99).difference[0] > 0
    assert noise_bounds("recall", counts, found + 0.01).difference[0] == 0
    alike = np.array([[[80, 20], [10, 90]], [[80, 20], [10, 90]]])
    assert noise_tolerance("recall", alike) == 0
    assert np.isnan(noise_tolerance("recall", counts[:1]))
