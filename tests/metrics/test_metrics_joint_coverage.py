"""Coverage of paired limits over more rows, groups and rounds than the quick tests: minutes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multinomial

from evenhand.metrics.comparisons.changes import excess_change, measure_change
from evenhand.metrics.comparisons.disparity_changes import disparity_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.inference.paired import paired_change

pytestmark = pytest.mark.slow
ROUNDS = 1500
CASES = {
    "two unlike": ([300, 300], [(0.2, 0.6), (0.1, 0.3)], [0.9, 0.97]),
    "five, one harmed": ([200] * 5, [(0.2, 0.6)] * 5, [0.97] * 4 + [0.7]),
    "ten alike": ([100] * 10, [(0.2, 0.6)] * 10, [0.97] * 10),
    "of many sizes": ([1000, 300, 100, 30], [(0.2, 0.6), (0.1, 0.5), (0.3, 0.7), (0.2, 0.4)], [0.97, 0.9, 0.95, 0.8]),
    "nothing flips": ([200] * 3, [(0.2, 0.6)] * 3, [1.0] * 3),
    "gap closed": ([106, 584], [(0.69, 0.69), (0.85, 0.85)], [1.0, 0.94]),
    "gap turned": ([200] * 2, [(0.4, 0.4), (0.6, 0.6)], [1.0, 0.67]),
}
GAINED = {"gap closed": (0.35, 0.0), "gap turned": (0.33, 0.0)}


def cells(selected: tuple[float, float], kept: float, gained: float | None = None) -> np.ndarray:
    stays = (0.99 if kept < 1 else 1.0) if gained is None else 1 - gained
    found = np.zeros((2, 2, 2))
    for truth, share in ((1, 0.4), (0, 0.6)):
        found[truth, 1] = share * selected[truth] * np.array([1 - kept, kept])
        found[truth, 0] = share * (1 - selected[truth]) * np.array([stays, 1 - stays])
    return found


def right(chances: np.ndarray, who: int) -> float:
    return float(sum(chances[truth].take(truth, axis=who).sum() for truth in (0, 1)))


@pytest.mark.parametrize("n", [200, 400])
def test_every_outcome_listed(n: int) -> None:
    gained, lost = (part.ravel() for part in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    gained, lost = gained[gained + lost <= n], lost[gained + lost <= n]
    found = paired_change(n - gained - lost, gained, lost, np.zeros_like(lost))
    outcomes = np.column_stack([gained, lost, n - gained - lost])
    rates = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
    for gain, loss in ((gain, loss) for gain in rates for loss in rates if gain + loss > 0):
        chance = multinomial.pmf(outcomes, n, [gain, loss, 1 - gain - loss])
        for missed in (found.low > gain - loss + 1e-12, found.high < gain - loss - 1e-12):
            assert chance[missed].sum() <= 0.0255, (n, gain, loss)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("metric", ["selection_rate", "accuracy"])
def test_neither_end_of_a_change_of_a_gap_errs_more_than_it_says(case: str, metric: str) -> None:
    sizes, selected, kept = CASES[case]
    gained = GAINED.get(case, (None,) * len(sizes))
    chances = [cells(*each) for each in zip(selected, kept, gained, strict=True)]
    rates = [
        np.array([right(each, who) if metric == "accuracy" else each.take(1, axis=who + 1).sum() for each in chances])
        for who in (0, 1)
    ]
    truth = {"difference": np.ptp(rates[1]) - np.ptp(rates[0]), "group_min": rates[1].min() - rates[0].min()}
    truth["group_max"] = rates[1].max() - rates[0].max()
    rng, missed = np.random.default_rng(5), {how: np.zeros(2) for how in truth}
    for _ in range(ROUNDS):
        counts = [rng.multinomial(n, each.ravel()) for n, each in zip(sizes, chances, strict=True)]
        joint = JointTally.of_counts(np.array(counts).reshape(-1, 2, 2, 2))
        for how, value in truth.items():
            found = disparity_change(metric, how, joint)  # type: ignore[arg-type]
            assert found.low is not None
            assert found.high is not None
            missed[how] += (found.low > value + 1e-12, found.high < value - 1e-12)
    for how, counted in missed.items():
        assert counted.max() <= 0.035 * ROUNDS, (how, counted / ROUNDS)


@pytest.mark.parametrize("n", [50, 300, 1000])
@pytest.mark.parametrize("kept", [0.93, 0.995])
def test_changes_whose_rows_differ_cover(n: int, kept: float) -> None:
    both, rng = [cells((0.2, 0.6), kept), cells((0.2, 0.6), 0.97)], np.random.default_rng(6)
    own = [both[0][1].take(1, axis=who).sum() / both[0].take(1, axis=who + 1).sum() for who in (0, 1)]
    moved = [right(each, 1) - right(each, 0) for each in both]
    missed = np.zeros((2, 2))
    for _ in range(ROUNDS):
        joint = JointTally.of_counts(np.array([rng.multinomial(n, each.ravel()) for each in both]).reshape(2, 2, 2, 2))
        pairs = (
            (measure_change("precision", joint), own[1] - own[0]),
            (excess_change("accuracy", joint), (moved[0] - moved[1]) / 2),
        )
        for at, (found, value) in enumerate(pairs):
            missed[at] += (found.low[0] > value, found.high[0] < value)
    assert missed.max() <= 0.04 * ROUNDS, missed / ROUNDS
