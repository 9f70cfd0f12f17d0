"""Paired changes: textbook values, laws and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.metrics.paired import paired_change


def change(both: int, gained: int, lost: int, neither: int) -> tuple[float, float, float]:
    found = paired_change(*(np.array([cell]) for cell in (both, gained, lost, neither)))
    return float(found.estimate[0]), float(found.low[0]), float(found.high[0])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # Newcombe (1998b), table III, method 10
        ((36, 12, 2, 0), (0.20, 0.0569, 0.3404)),
        ((20, 12, 2, 16), (0.20, 0.0562, 0.3292)),
    ],
)
def test_textbook_values(cells: tuple[int, int, int, int], expected: tuple[float, float, float]) -> None:
    assert change(*cells) == pytest.approx(expected, abs=5e-5)


def test_no_change_still_has_a_width() -> None:
    estimate, low, high = change(30, 0, 0, 10)
    assert estimate == 0
    assert low < 0 < high


def test_exchanging_the_models_turns_the_sign() -> None:
    forth, back = change(20, 12, 2, 16), change(20, 2, 12, 16)
    assert forth == pytest.approx((-back[0], -back[2], -back[1]))


def test_an_empty_group_has_no_estimate() -> None:
    assert np.isnan(change(0, 0, 0, 0)[0])


@pytest.mark.parametrize("n", [30, 100, 1000])
@pytest.mark.parametrize("cells", [(0.6, 0.05, 0.05, 0.3), (0.8, 0.01, 0.04, 0.15), (0.45, 0.15, 0.05, 0.35)])
def test_intervals_cover(n: int, cells: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(5)
    draws = rng.multinomial(n, cells, size=4000)
    found = paired_change(*draws.T)
    truth = cells[1] - cells[2]
    missed_low, missed_high = (found.low > truth).mean(), (found.high < truth).mean()
    assert missed_low + missed_high <= 0.07
    assert max(missed_low, missed_high) <= 0.05
