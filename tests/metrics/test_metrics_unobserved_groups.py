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
    found = share_bounds(300, 1_000, [0.2, 0.8], level=1e-9)
    assert found.low == pytest.approx([0.0, 0.125], abs=1e-6)
    assert found.high == pytest.approx([1.0, 0.375], abs=1e-6)
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
