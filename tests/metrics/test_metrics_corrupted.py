"""What a corruption changes: gaps of groups that are hit alike are rarely called gaps, planted ones are found."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.metrics import compare
from evenhand.metrics.comparisons.corrupted import corrupted_flips, gap_changes, shared_level, worst
from evenhand.metrics.counts.joint import JointTally

SEVERITIES = 3
STRICT = shared_level(0.95, SEVERITIES)


def joint_of(rates: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> JointTally:
    """Return counts of groups in which decisions flip at these rates, whatever the truth."""
    cells = np.zeros((len(rates), 2, 2, 2), dtype=np.int64)
    for group, (rate, n) in enumerate(zip(rates, rows, strict=True)):
        flips = rng.binomial(n, rate)
        stays = rng.multinomial(n - flips, [0.4, 0.1, 0.1, 0.4])
        turns = rng.multinomial(flips, [0.4, 0.1, 0.1, 0.4])
        for at, (truth, old) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
            cells[group, truth, old, old] += stays[at]
            cells[group, truth, old, 1 - old] += turns[at]
    return JointTally.of_counts(cells)


@pytest.mark.parametrize(("groups", "rows", "rate"), [(2, 500, 0.02), (2, 2_000, 0.2), (5, 300, 0.05)])
def test_groups_that_are_hit_alike_pass_at_the_stated_rate(groups: int, rows: int, rate: float) -> None:
    """The whole family errs at most 5 %: some severity's interval excludes 0, of three that share no row but one model.

    Severities are drawn apart from each other here, which is the worst case for a family.
    """
    rng, runs = np.random.default_rng(7), 240
    wrong = 0
    for _ in range(runs):
        rates = np.full(groups, rate)
        gaps = (
            compare(corrupted_flips(joint_of(times * rates, np.full(groups, rows), rng), STRICT), "difference", STRICT)
            for times in (0.5, 1.0, 2.0)
        )
        wrong += any((gap.low or 0.0) > 0 for gap in gaps)
    assert wrong / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_intervals_of_the_worst_corruption_cover() -> None:
    rng, runs, missed = np.random.default_rng(3), 240, 0
    rates = (0.03, 0.05, 0.05, 0.02)
    for _ in range(runs):
        parts = [corrupted_flips(joint_of(np.array([rate]), np.array([800]), rng), STRICT) for rate in rates]
        found = worst(parts, 0.95, SEVERITIES)
        missed += not found.low[0] <= max(rates) <= found.high[0]
    assert missed / runs <= 0.05


def test_a_gap_that_grows_is_told_for_every_disparity() -> None:
    """Decisions follow the truth; in one group half of the positives are lost."""
    rng = np.random.default_rng(0)
    truth, codes = rng.integers(0, 2, 4_000), rng.integers(0, 2, 4_000)
    after = np.where((codes == 1) & (rng.random(4_000) < 0.5), 0, truth)
    found = dict(gap_changes(JointTally.count(truth, truth, after, codes, 2), STRICT))
    for rate in ("selection_rate", "recall"):
        gap = found[f"corrupted_{rate}_difference_change"]
        assert gap.low is not None
        assert gap.low > 0.1
    odds = found["corrupted_equalized_odds_difference_change"]
    assert odds.estimate == found["corrupted_recall_difference_change"].estimate
    same = found["corrupted_false_positive_rate_difference_change"]
    assert same.estimate == 0
