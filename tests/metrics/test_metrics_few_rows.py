"""Means that rest on few rows are marked, and others are not."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from evenhand.metrics.values.few_rows import few_heavier, few_moved


def test_groups_are_marked_each_by_its_own_rows() -> None:
    values = np.concatenate([np.zeros(90), np.ones(10), np.zeros(95), np.ones(5), np.ones(3)])
    codes = np.repeat([0, 1, 2], [100, 100, 3])
    assert_array_equal([bool(why) for why in few_moved(values, codes, 3)], [False, True, False])


def test_a_rare_outcome_is_asked_for_ten_times() -> None:
    score, new = np.full(400, 0.02), np.full(400, 0.05)
    so, other = (new - 1) ** 2 - (score - 1) ** 2, new**2 - score**2
    happened = np.zeros(400, dtype=np.int8)
    happened[:9] = 1
    assert few_heavier(so, other, happened, np.zeros(400, dtype=int))[0]
    happened[:10] = 1
    assert few_heavier(so, other, happened, np.zeros(400, dtype=int)) == ()


def test_a_correction_that_changes_nothing_here_is_no_proof_that_it_never_does() -> None:
    none = np.zeros(50)
    assert few_heavier(none, none, np.arange(50) % 2, np.zeros(50, dtype=int))[0]


def test_a_chance_of_zero_is_judged_by_the_rows_it_is_wrong_about() -> None:
    """Half of the rows are moved by nothing to speak of; what counts is the one that was said to be impossible."""
    so, other = np.full(1_000, 34.0), np.full(1_000, -0.01)
    happened = (np.arange(1_000) < 3).astype(np.int8)
    assert few_heavier(so, other, happened, np.zeros(1_000, dtype=int))[0]
