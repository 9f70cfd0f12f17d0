"""Groups known by chance only: the truth is always between the bounds, and the estimate right where it may be."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.errors import InputError
from evenhand.metrics.comparisons.unobserved_groups import corrected_rates, proxy_rates, share_bounds


def test_the_true_rate_is_between_the_bounds_whatever_decisions_depend_on() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        chance = rng.choice([0.1, 0.3, 0.5, 0.8], 3_000)
        group = rng.random(3_000) < chance
        # decisions depend on the true group, which the probability does not tell: the estimate may be wrong
        event = rng.random(3_000) < np.where(group, 0.2, 0.7)
        found = proxy_rates(event, np.column_stack([chance, 1 - chance]))
        for at, mine in enumerate((group, ~group)):
            assert found.low[at] <= event[mine].mean() <= found.high[at]


def test_the_estimate_is_right_where_decisions_depend_on_the_probability_only() -> None:
    rng = np.random.default_rng(1)
    chance = rng.choice([0.1, 0.4, 0.9], 60_000)
    group, event = rng.random(60_000) < chance, rng.random(60_000) < 0.2 + 0.5 * chance
    found = proxy_rates(event, np.column_stack([chance, 1 - chance]))
    assert found.estimate == pytest.approx([event[group].mean(), event[~group].mean()], abs=0.01)
    assert found.expected_rows[0] == pytest.approx(group.sum(), rel=0.01)


def test_known_groups_have_no_open_bounds() -> None:
    rng = np.random.default_rng(2)
    group, event = rng.integers(0, 2, 4_000), rng.integers(0, 2, 4_000)
    found = proxy_rates(event, np.eye(2)[group])
    assert found.estimate == pytest.approx([event[group == 0].mean(), event[group == 1].mean()])
    assert (found.high - found.low < 0.06).all()


def test_shares_alone_leave_what_they_must() -> None:
    found = share_bounds(3_000_000, 10_000_000, [0.2, 0.8])
    assert found.low == pytest.approx([0.0, 0.125], abs=1e-3)
    assert found.high == pytest.approx([1.0, 0.375], abs=1e-3)
    assert found.estimate == pytest.approx([0.3, 0.3])


def test_a_known_error_matrix_is_undone_and_covers() -> None:
    rng = np.random.default_rng(3)
    errors = np.array([[0.9, 0.2], [0.1, 0.8]])
    missed = 0
    for _ in range(400):
        group = (rng.random(2_000) < 0.3).astype(int)
        event = rng.random(2_000) < np.where(group == 1, 0.3, 0.6)
        recorded = (rng.random(2_000) < errors[1, group]).astype(int)
        rows = np.bincount(recorded, minlength=2)
        found = corrected_rates(np.bincount(recorded[event], minlength=2), rows, errors)
        missed += not found.low[1] <= 0.3 <= found.high[1]
    assert missed <= 32
    with pytest.raises(InputError, match="says nothing"):
        corrected_rates([1, 1], [2, 2], [[0.5, 0.5], [0.5, 0.5]])


def test_probabilities_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="sum to 1"):
        proxy_rates([1, 0], [[0.5, 0.6], [0.5, 0.5]])


@pytest.mark.parametrize("size", [60, 1_000])
def test_decisions_that_follow_the_group_are_inside_the_bounds(size: int) -> None:
    """The share decided is near the probability in every bin, where noise makes the plain bound too low."""
    rng, missed = np.random.default_rng(4), np.zeros(2)
    for _ in range(200):
        chance = rng.beta(0.3, 0.3, size)
        group = rng.random(size) < chance
        found = proxy_rates(group, np.column_stack([chance, 1 - chance]))
        missed += [found.high[0] < 1 - 1e-9, found.low[1] > 1e-9]
    assert (missed <= 0.025 * 200 + 3 * np.sqrt(0.025 * 200)).all()


def test_few_rows_of_known_groups_have_exact_limits() -> None:
    group = np.repeat([0, 1], 20)
    found = proxy_rates(np.zeros(40), np.eye(2)[group])
    assert found.high == pytest.approx([1 - 0.025 ** (1 / 20)] * 2)
    undone = corrected_rates([0, 20], [20, 20], np.eye(2))
    assert undone.high[0] == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-2)
    assert undone.low[1] == pytest.approx(0.025 ** (1 / 20), rel=1e-2)


def test_a_corrected_rate_beyond_its_range_is_at_its_end() -> None:
    """Noise takes a rate of 5 % below 0 in every other sample; that is no reason to say nothing of it."""
    found = corrected_rates([40, 1], [80, 20], [[0.9, 0.2], [0.1, 0.8]])
    assert found.estimate[1] == 0.0
    assert found.low[1] == 0.0
    assert 0.05 < found.high[1] < 1.0
