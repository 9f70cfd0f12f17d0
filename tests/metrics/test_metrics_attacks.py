"""Areas, advantages and hits of attacks: their intervals cover, and what is chance is not taken for a leak."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from evenhand.metrics import roc_auc
from evenhand.metrics.values import attacks
from evenhand.metrics.values.attacks import advantage, attack_auc, attack_auc_change, best_threshold, excess, hits_at


def drawn(rng: np.random.Generator, rows: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Half members, whose scores are `shift` greater."""
    member = np.arange(rows) % 2
    return member, rng.normal(size=rows) + shift * member


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_hits_at_one_percent_cover_the_true_share(shift: float) -> None:
    true = float(norm.sf(norm.isf(0.01) - shift))
    rng, inside = np.random.default_rng(0), []
    for _ in range(300):
        found = hits_at("membership_tpr", 0.01, *drawn(rng, 4_000, shift))
        inside.append(bool(found.low[0] <= true <= found.high[0]))
    assert np.mean(inside) >= 0.95


def test_hits_count_the_error_of_the_threshold() -> None:
    rng = np.random.default_rng(1)
    found = [hits_at("membership_tpr", 0.01, *drawn(rng, 4_000, 0.5)) for _ in range(60)]
    spread = np.std([float(each.estimate[0]) for each in found])
    binomial = np.sqrt(0.034 * 0.966 / 2_000)
    assert spread > 1.5 * binomial  # members alone would tell half of it
    assert np.mean([float(each.high[0] - each.low[0]) for each in found]) > 4 * spread * 0.9


def test_hits_of_tied_scores_are_not_made_of_the_ties() -> None:
    member = np.arange(4_000) % 2
    found = hits_at("membership_tpr", 0.01, member, np.ones(4_000))
    assert found.estimate[0] == 0 and found.low[0] == 0 and found.high[0] == 1


def test_hits_are_not_defined_with_few_others() -> None:
    few = hits_at("membership_tpr", 0.01, np.arange(1_998) % 2, np.arange(1_998))
    assert not few.defined[0] and "1,000 are needed" in few.reason[0]
    assert hits_at("membership_tpr", 0.01, np.arange(2_000) % 2, np.arange(2_000)).defined[0]


def test_the_advantage_is_zero_on_average_where_nothing_is_told_and_its_interval_holds_that() -> None:
    rng, found, naive = np.random.default_rng(2), [], []
    for seed in range(300):
        member, score = drawn(rng, 400, 0.0)
        found.append(advantage("membership_advantage", member, score, np.zeros(400, dtype=int), seed=seed))
        at = best_threshold(score[member == 1], score[member == 0])
        naive.append((score[member == 1] >= at).mean() - (score[member == 0] >= at).mean())
    assert np.mean(naive) > 0.05  # what choosing and judging by the same rows shows
    assert abs(np.mean([float(each.estimate[0]) for each in found])) < 0.01
    assert np.mean([bool(each.low[0] <= 0 <= each.high[0]) for each in found]) >= 0.93


@pytest.mark.parametrize("rows", [200, 2_000])
def test_the_advantage_at_the_thresholds_that_were_chosen_is_covered(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift, chosen = 0.8, []

    def noted(members: np.ndarray, others: np.ndarray) -> float:
        chosen.append(best_threshold(members, others))
        return chosen[-1]

    monkeypatch.setattr(attacks, "best_threshold", noted)
    rng, inside, estimates = np.random.default_rng(3), [], []
    for seed in range(200):
        chosen.clear()
        found = advantage("membership_advantage", *drawn(rng, rows, shift), np.zeros(rows, dtype=int), seed=seed)
        true = np.mean([norm.sf(at - shift) - norm.sf(at) for at in chosen])
        inside.append(bool(found.low[0] <= true <= found.high[0]))
        estimates.append(float(found.estimate[0]))
    assert np.mean(inside) >= 0.92
    assert np.mean(estimates) < 2 * norm.cdf(shift / 2) - 1 + 0.005  # never above that of the best threshold


def test_few_rows_have_no_advantage() -> None:
    member, score = drawn(np.random.default_rng(4), 60, 1.0)
    codes = (np.arange(60) >= 50).astype(int)
    found = advantage("membership_advantage", member, score, codes, 2)
    assert found.defined.tolist() == [True, False] and "Fewer than 10" in found.reason[1]


def test_the_area_is_delongs_under_another_name() -> None:
    member, score = drawn(np.random.default_rng(5), 500, 0.3)
    codes = np.arange(500) % 3
    mine, known = attack_auc("membership_auc", member, score, codes, 3), roc_auc(member, score, codes, 3)
    assert mine.metric == "membership_auc"
    assert np.array_equal(mine.estimate, known.estimate) and np.array_equal(mine.low, known.low)


def test_the_excess_of_a_group_is_covered_and_of_two_groups_opposite() -> None:
    rng, inside = np.random.default_rng(6), []
    true = float(norm.cdf(0.5 / np.sqrt(2)) - 0.5)
    for _ in range(200):
        member, score = drawn(rng, 800, 0.0)
        codes = (np.arange(800) // 2 % 4 > 0).astype(int)
        found = excess("membership_excess", member, score + 0.5 * member * (codes == 0), codes, 2)
        inside.append(bool(found.low[0] <= true <= found.high[0]))
        assert found.estimate[0] == pytest.approx(-found.estimate[1])
    assert np.mean(inside) >= 0.93


def test_a_change_is_paired_and_groups_of_one_member_have_none() -> None:
    rng = np.random.default_rng(7)
    member, score = drawn(rng, 1_000, 0.3)
    moved = score + 0.02 * rng.normal(size=1_000)
    found = attack_auc_change("membership_auc_change", member, score, moved, np.zeros(1_000, dtype=int), 1, 0.95)
    area = attack_auc("membership_auc", member, score, np.zeros(1_000, dtype=int))
    assert found.high[0] - found.low[0] < 0.2 * (area.high[0] - area.low[0])
    codes = np.where(np.arange(1_000) < 3, 1, 0)
    assert attack_auc_change("membership_auc_change", member, score, moved, codes, 2, 0.95).defined.tolist() == [
        True,
        False,
    ]


def test_both_halves_err_together_and_the_advantage_counts_it() -> None:
    """Where nothing is told each half has the other's luck: the low end is above 0 in 2.5 %, not in more."""
    rng, above, runs = np.random.default_rng(8), 0, 600
    for seed in range(runs):
        member, score = drawn(rng, 1_000, 0.0)
        found = advantage("membership_advantage", member, score, np.zeros(1_000, dtype=int), seed=seed)
        two = found.ends(1.96 / attacks.TOGETHER)
        assert two[0][0] > found.low[0]
        above += bool(found.low[0] > 0)
    assert above / runs <= 0.035 + 2 * np.sqrt(0.035 * 0.965 / runs)


@pytest.mark.parametrize("rows", [20, 400])
def test_where_all_is_told_no_interval_is_a_point(rows: int) -> None:
    member = np.arange(rows) % 2
    codes = np.arange(rows) // 2 % 2
    for found in (
        attack_auc("membership_auc", member, member, codes, 2),
        excess("membership_excess", member, member, codes, 2),
        attack_auc_change("membership_auc_change", member, member, member, codes, 2, 0.95),
        advantage("membership_advantage", member, member, np.zeros(rows, dtype=int)),
    ):
        assert np.all(found.high - found.low > 1 / rows)
