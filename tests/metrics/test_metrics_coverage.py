"""A quick version of `make coverage`: the same grid, fewer rounds, and the arithmetic of the gate itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SIDE, COVERAGE = 0.035, 0.93
NOISE = 0.015
"""Two standard errors of a rate of 3 % over the rounds here."""
ROUNDS = 500


@pytest.fixture(scope="module")
def grid() -> Iterator[Any]:
    sys.path.insert(0, str(BENCHMARKS))
    import interval_coverage

    yield interval_coverage
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def gaps() -> Iterator[Any]:
    sys.path.insert(0, str(BENCHMARKS))
    import gap_coverage

    yield gap_coverage
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("n", [10, 30, 100, 1000])
def test_single_rates(grid: Any, n: int) -> None:
    found = grid.single(n)
    assert found["clopper-pearson"]["worst_side"] <= 0.025 + 1e-9
    assert found["clopper-pearson"]["least_coverage"] >= 0.95 - 1e-9
    assert found["wilson"]["worst_side"] > 0.06, "what exact limits are used for"


@pytest.mark.parametrize("n", [(10, 10), (30, 30), (100, 100), (10, 30), (20, 200), (10, 1000)])
def test_two_rates_near_0_and_1_and_between(grid: Any, n: tuple[int, int]) -> None:
    for how, methods in (("difference", grid.DIFFERENCES), ("ratio", grid.RATIOS)):
        found = grid.paired(n, how, methods["score test, corrected"])
        assert found["worst_side"] <= SIDE, (how, found)
        assert found["least_coverage"] >= COVERAGE, (how, found)


def test_a_plain_score_test_errs_near_the_corners(grid: Any) -> None:
    for how, methods in (("difference", grid.DIFFERENCES), ("ratio", grid.RATIOS)):
        assert grid.paired((30, 30), how, methods["score test"])["worst_side"] > 0.1


def test_the_corner_is_what_the_correction_is_for(grid: Any) -> None:
    plain = grid.paired((30, 30), "difference", grid.DIFFERENCES["exact limits"])
    assert plain["worst_side"] > 0.06
    assert {min(plain["at"]) <= 0.02, max(plain["at"]) >= 0.98} == {True}


def test_extremes_over_groups_in_every_named_cell(grid: Any) -> None:
    found = list(grid.cells(ROUNDS, sizes=(10, 100)))
    assert len(found) == 2 * 2 * 2 * len(grid.PROFILES)
    for cell in found:
        assert max(cell["low_end_above"], cell["high_end_below"]) <= SIDE + NOISE, cell
        assert cell["coverage"] >= COVERAGE, cell


@pytest.mark.parametrize(
    "metric", ["roc_auc", "calibration_error", "brier_score", "r2", "root_mean_squared_error", "mean_residual"]
)
def test_gaps_in_scores_and_numbers(gaps: Any, metric: str) -> None:
    rounds = 300
    noise = 2.5 * np.sqrt(SIDE / rounds)
    for groups, apart in ((2, False), (2, True), (10, False)):
        found = gaps.gap(metric, 60, groups, apart, rounds, seed=3)
        assert max(found["low_end_above"], found["high_end_below"]) <= SIDE + noise, (groups, apart, found)
