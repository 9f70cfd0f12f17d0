"""Paired changes: laws and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.metrics.inference.paired import paired_change


def change(both: int, gained: int, lost: int, neither: int) -> tuple[float, float, float]:
    found = paired_change(*(np.array([cell]) for cell in (both, gained, lost, neither)))
    return float(found.estimate[0]), float(found.low[0]), float(found.high[0])


def test_no_change_still_has_a_width() -> None:
    estimate, low, high = change(30, 0, 0, 10)
    assert estimate == 0
    assert low < 0 < high


def test_exchanging_the_models_turns_the_sign() -> None:
    forth, back = change(20, 12, 2, 16), change(20, 2, 12, 16)
    assert forth == pytest.approx((-back[0], -back[2], -back[1]))


def test_an_empty_group_has_no_estimate() -> None:
    assert np.isnan(change(0, 0, 0, 0)[0])


@pytest.mark.parametrize("n", [10, 30, 100])
def test_neither_end_errs_more_than_it_says(n: int) -> None:
    """Every outcome is listed and weighted by its chance: nothing is simulated."""
    from scipy.stats import multinomial

    gained, lost = (part.ravel() for part in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    gained, lost = gained[gained + lost <= n], lost[gained + lost <= n]
    rest = n - gained - lost
    found = paired_change(rest, gained, lost, np.zeros_like(rest))
    outcomes = np.column_stack([gained, lost, rest])
    rates = (0.0, 0.002, 0.01, 0.03, 0.1, 0.2, 0.3)
    for gain, loss in ((gain, loss) for gain in rates for loss in rates if gain + loss > 0):
        chance = multinomial.pmf(outcomes, n, [gain, loss, 1 - gain - loss])
        for missed in (found.low > gain - loss + 1e-12, found.high < gain - loss - 1e-12):
            assert chance[missed].sum() <= 0.0255, (n, gain, loss)
