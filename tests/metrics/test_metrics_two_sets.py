"""Two sets of rows: what they differ by is covered, and equal rows are not counted as independent."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.data.checks import twins
from evenhand.metrics import Tally, measure
from evenhand.metrics.comparisons.two_sets import alike_share, gap_of_sets, seen_excess
from evenhand.metrics.inference.intervals import clopper_pearson


def test_rows_that_come_by_twos_count_as_one_each() -> None:
    _, low, high = alike_share(40, 100_000, 20, 1.96)
    few = clopper_pearson(np.array([20]), np.array([50_000]), 1.96)
    assert low[0] == pytest.approx(few[0][0], rel=1e-3)
    assert high[0] == pytest.approx(few[1][0], rel=1e-3)


@pytest.mark.parametrize("alike", [(0, 50, 0), (2, 50, 1), (50, 50, 25), (50, 50, 0), (0, 1, 0)])
def test_the_ends_are_shares_around_the_estimate_in_every_corner(alike: tuple[int, int, int]) -> None:
    share, low, high = alike_share(*alike, 1.96)
    assert 0 <= low[0] <= share[0] <= high[0] <= 1
    assert high[0] > low[0]


def test_new_rows_of_few_kinds_are_not_called_seen_before() -> None:
    """Of 300 kinds drawn 300 times, 3,000 new rows say exactly how many kinds are there; the fitted rows do not."""
    rng, wrong, runs = np.random.default_rng(0), 0, 400
    for _ in range(runs):
        theirs, mine = (rng.integers(0, 300, n).astype(np.uint64) for n in (300, 3_000))
        found = twins(mine, theirs)
        _, low, high = seen_excess((found.seen, found.rows), (found.alike, found.others, found.pairs), 0.95)
        wrong += not low <= 0 <= high
    assert wrong / runs < 0.1  # independent rows: .17


def test_a_leak_is_still_seen() -> None:
    rng = np.random.default_rng(1)
    theirs = rng.integers(0, 10**9, 2_000).astype(np.uint64)
    mine = np.concatenate([rng.integers(0, 10**9, 450).astype(np.uint64), theirs[:50]])
    found = twins(mine, theirs)
    value, low, _ = seen_excess((found.seen, found.rows), (found.alike, found.others, found.pairs), 0.95)
    assert value == pytest.approx(0.1, abs=0.01)
    assert low > 0.05


def test_a_gap_of_sets_is_open_where_a_group_has_one_row_and_not_defined_where_it_has_none() -> None:
    seen = measure("accuracy", Tally.count([1] * 9, [1] * 9, [0] * 8 + [1], 3))
    new = measure("accuracy", Tally.count([1] * 9, [1, 0] * 4 + [1], [0] * 7 + [1, 2], 3))
    gap = gap_of_sets("generalization_gap", seen, new, 0.95, "Nobody was fitted on.")
    assert gap.defined.tolist() == [True, True, False]
    assert gap.reason[2] == "Nobody was fitted on."
    assert gap.high[1] - gap.low[1] > 1
