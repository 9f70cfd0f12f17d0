"""The lattice counts what a group-by counts, finds what was planted, and finds nothing where there is nothing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from evenhand.metrics.slices import permuting
from evenhand.metrics.slices.effects import corrected, difference_end, effect
from evenhand.metrics.slices.lattice import Rows, Slice, counted, depth_of, totals_of
from evenhand.metrics.slices.permuting import maxima
from evenhand.metrics.slices.search import Search, find_slices, scan, weaker, wider


def table(n: int, features: int, values: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, values, n).astype(np.int32) for _ in range(features)]


def rows(n: int, features: int, values: int, marks: np.ndarray, seed: int = 0, **more: np.ndarray) -> Rows:
    return Rows(table(n, features, values, seed), [values] * features, marks, **more)


def test_counts_equal_a_group_by() -> None:
    codes = table(2000, 4, 3)
    marks = np.random.default_rng(1).random(2000) < np.where((codes[0] == 1) & (codes[2] == 2), 0.6, 0.2)
    search = find_slices(Rows(codes, [3] * 4, marks), least_rows=10)
    frame = pd.DataFrame(dict(enumerate(codes))).assign(marked=marks)
    assert search.slices
    assert search.tested == sum(3**size * len(list(combinations(range(4), size))) for size in (1, 2, 3))
    for found in search.slices:
        mine = frame[np.logical_and.reduce([frame[f] == v for f, v in zip(found.features, found.values, strict=True)])]
        assert (found.rows, found.marked) == (len(mine), mine["marked"].sum())


def test_z_is_the_root_of_the_likelihood_ratio() -> None:
    from scipy.stats import chi2_contingency

    codes = table(1500, 3, 3)
    marks = np.random.default_rng(1).random(1500) < np.where(codes[0] == 1, 0.5, 0.3)
    _, found = scan(Rows(codes, [3] * 3, marks), weaker, 20, 2)
    assert found
    for part in found:
        inside = part.members(codes)
        counts = pd.crosstab(inside, marks).to_numpy()
        expected = chi2_contingency(counts, correction=False, lambda_="log-likelihood").statistic
        assert part.z == pytest.approx(expected**0.5)


def test_a_planted_slice_is_found_first_and_not_again_in_other_words() -> None:
    codes = table(6000, 6, 4)
    marks = np.random.default_rng(1).random(6000) < np.where((codes[1] == 3) & (codes[4] == 0), 0.5, 0.1)
    search = find_slices(Rows(codes, [4] * 6, marks), least_rows=60)
    first = search.slices[0]
    assert (first.features, first.values) == ((1, 4), (3, 0))
    planted = {(1, 3), (4, 0)}
    parts = [found for found in search.slices[1:] if planted <= set(zip(found.features, found.values, strict=True))]
    assert parts == [], "a part of it at the same rate says nothing new"


def test_two_columns_that_say_the_same_make_one_slice() -> None:
    codes = table(4000, 3, 3)
    codes.append(codes[0].copy())
    marks = np.random.default_rng(2).random(4000) < np.where(codes[0] == 0, 0.4, 0.1)
    search = find_slices(Rows(codes, [3] * 4, marks), least_rows=30)
    assert [found.features for found in search.slices if found.z > 8] == [(0,)]


def alarms(made: list[Rows], least: int) -> float:
    """Return the share of searches that find a slice."""
    return float(np.mean([bool(find_slices(one, least_rows=least, seed=at).slices) for at, one in enumerate(made)]))


def persons(rng: np.random.Generator, number: int = 300, each: int = 10, constant: int = 4) -> Rows:
    """Make persons who differ, and features that say nothing: the first ones constant for each person."""
    who = np.repeat(np.arange(number), each)
    marks = rng.random(number * each) < rng.beta(0.5, 2, number)[who]
    codes = [rng.integers(0, 4, number)[who] if at < constant else rng.integers(0, 4, number * each) for at in range(4)]
    return Rows([part.astype(np.int32) for part in codes], [4] * 4, marks, clusters=who)


def test_where_there_is_nothing_hardly_anything_is_found() -> None:
    made = [rows(800, 4, 4, np.random.default_rng(1000 + seed).random(800) < 0.25, seed) for seed in range(80)]
    assert alarms(made, 15) <= 0.09, "2.5 % is 2 of 80 searches"


@pytest.mark.parametrize("constant", [4, 2])
def test_rows_of_a_person_are_no_independent_evidence(constant: int) -> None:
    made = [persons(np.random.default_rng(seed), constant=constant) for seed in range(40)]
    assert alarms(made, 30) <= 0.15, "2.5 % is one of 40 searches"
    naive = [Rows(one.codes, one.sizes, one.marks) for one in made[:10]]
    assert alarms(naive, 30) >= 0.4, "without their clusters most find one"


def test_weights_that_say_nothing_find_nothing() -> None:
    made = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        marks = rng.random(800) < 0.2
        made.append(rows(800, 4, 4, marks, seed, weight=np.where(marks, 3.0, 1.0) * rng.lognormal(0, 0.5, 800)))
    assert alarms(made, 15) <= 0.11


def test_gaps_where_there_are_none_are_seldom_found() -> None:
    made = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        group = rng.random(1_200) < 0.5
        made.append(rows(1_200, 4, 3, rng.random(1_200) < 0.3 + 0.2 * group, seed, group=group))
    assert alarms(made, 15) <= 0.11


def test_outcomes_of_a_person_stay_together_and_weights_with_their_rows() -> None:
    who = np.repeat(np.arange(40), 5)
    marks = np.repeat(np.arange(40) % 2 == 0, 5)
    donors = permuting._donors(Rows([who.astype(np.int32)], [40], marks, clusters=who))
    drawn = marks[donors(np.random.default_rng(0))].reshape(40, 5)
    assert (drawn.all(axis=1) | ~drawn.any(axis=1)).all()
    assert drawn.sum() == marks.sum()
    weight = np.repeat([1.0, 50.0], 100)
    donors = permuting._donors(Rows([who.astype(np.int32)], [40], marks, weight=weight))
    assert (weight[donors(np.random.default_rng(0))] == weight).all()


def test_the_threshold_is_that_of_permuted_rows_counted_plainly() -> None:
    made = rows(600, 3, 3, np.random.default_rng(4).random(600) < 0.7)
    chance = maxima(made, weaker, 15, 3, 0.025, 0)
    rng, plain = np.random.default_rng(9), []
    for _ in range(200):
        again = Rows(made.codes, made.sizes, made.marks[rng.permutation(600)])
        plain.append(max((part.z for part in scan(again, weaker, 15, 3)[1]), default=2.0))
    assert len(chance.greatest) == permuting.DRAWS
    assert np.median(chance.greatest) == pytest.approx(np.median(plain), abs=0.15)
    assert chance.p(chance.beyond(0.025) + 1e-9) <= 0.025
    assert chance.p(chance.beyond(0.025) - 1e-9) > 0.025


def test_a_search_that_is_too_costly_permutes_some_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = np.random.default_rng(1).random(8_000) < 0.2
    made = rows(8_000, 4, 5, marks)
    whole = maxima(made, weaker, 80, 3, 0.025, 0)
    monkeypatch.setattr(permuting, "BUDGET", 2_000_000)
    some = maxima(made, weaker, 80, 3, 0.025, 0)
    assert whole.rows == 8_000
    assert 1_500 < some.rows < 4_000
    assert len(some.greatest) == 199
    assert some.beyond(0.025) == pytest.approx(whole.beyond(0.025), abs=0.5)


def test_the_low_end_is_above_zero_for_what_is_found_and_nothing_else() -> None:
    rng = np.random.default_rng(3)
    codes = table(3_000, 4, 4, 3)
    marks = rng.random(3_000) < np.where((codes[0] == 1) & (codes[1] == 1), 0.4, 0.15)
    made = Rows(codes, [4] * 4, marks, weight=rng.lognormal(0, 0.5, 3_000))
    search = find_slices(made, least_rows=30)
    assert search.slices
    for part in search.slices:
        held = effect(part, search, made, 0.95)
        assert 0 < held.low < held.estimate < held.rates[1] - held.rates[0] < held.high
    _, candidates = scan(made, weaker, 30, 3)
    for part in candidates:
        if part.z < search.threshold - 1e-6:
            assert effect(part, search, made, 0.95).low < 0


def test_estimates_are_freed_of_the_luck_of_the_search() -> None:
    shown, stated = [], []
    for seed in range(60):
        codes = table(2_500, 3, 4, seed)
        inside = (codes[0] == 1) & (codes[1] == 2)
        marks = np.random.default_rng(seed).random(2_500) < np.where(inside, 0.27, 0.15)
        made = Rows(codes, [4] * 3, marks)
        search = find_slices(made, least_rows=25, seed=seed)
        for part in search.slices:
            if (part.features, part.values) == ((0, 1), (1, 2)):
                held = effect(part, search, made, 0.95)
                shown.append(held.rates[1] - held.rates[0])
                stated.append(held.estimate)
    assert len(stated) >= 20
    assert np.mean(shown) > 0.135, "what is found looks worse than it is"
    assert np.mean(stated) == pytest.approx(0.12, abs=0.022)


def test_the_correction_halves_the_chance() -> None:
    from scipy.stats import norm

    for z, threshold in ((4.5, 4.0), (6.0, 4.0), (9.0, 4.0)):
        back = corrected(z, threshold)
        assert norm.sf(back) == pytest.approx(norm.sf(threshold - z + back) / 2, abs=1e-9)
    assert corrected(12.0, 4.0) == pytest.approx(0, abs=1e-6)
    assert corrected(4.0001, 4.0) == pytest.approx(4.0, abs=1e-6), "of one that hardly passed nothing is left"


def test_ends_are_those_of_the_profile_likelihood() -> None:
    from scipy.optimize import minimize_scalar
    from scipy.stats import binom

    a, n, b, m, z = 30, 100, 80, 500, 2.5
    end = difference_end(a, n, b, m, -z)

    def negative(p: float) -> float:
        return -float(binom.logpmf(a, n, p + end) + binom.logpmf(b, m, p))

    best = minimize_scalar(negative, bounds=(max(0, -end), min(1, 1 - end)), method="bounded").fun
    most = binom.logpmf(a, n, a / n) + binom.logpmf(b, m, b / m)
    assert (2 * (most + best)) ** 0.5 == pytest.approx(z, abs=1e-4)
    assert end < a / n - b / m < difference_end(a, n, b, m, z)


def test_variance_is_inflated_as_clusters_and_weights_do() -> None:
    rng = np.random.default_rng(0)
    made = persons(rng, constant=2)
    totals = totals_of(made)
    found = {part.features: part.inflation[0] for part in counted(made, totals, 30, 1)}
    assert found[0,].mean() == pytest.approx(1 + 9 * totals.alike, rel=0.1), "design effect of whole persons"
    assert found[3,].mean() == pytest.approx(1, abs=0.15), "a feature that varies within persons"
    weight = rng.lognormal(0, 0.5, len(made))
    alone = Rows(made.codes, made.sizes, rng.random(len(made)) < 0.3, weight)
    (one, *_) = counted(alone, totals_of(alone), 30, 1)
    assert one.inflation.mean() == pytest.approx((weight**2).mean() / weight.mean() ** 2, rel=0.1)


def test_a_wider_gap_is_found_where_it_is() -> None:
    rng = np.random.default_rng(0)
    codes = table(4_000, 4, 3)
    group, inside = rng.random(4_000) < 0.5, codes[2] == 1
    marks = rng.random(4_000) < 0.3 + 0.25 * (group & inside)
    made = Rows(codes, [3] * 4, marks, group=group)
    search = find_slices(made, least_rows=20)
    assert (search.slices[0].features, search.slices[0].values) == ((2,), (1,))
    held = effect(search.slices[0], search, made, 0.95)
    gap = float(held.rates[1, 1] - held.rates[1, 0])
    assert held.low < held.estimate <= gap < held.high
    assert held.rates.shape == (2, 2)
    assert scan(made, wider, 20, 1)[0] == 12


def test_too_many_combinations_make_it_less_deep() -> None:
    assert depth_of(60, 3) == 2
    assert find_slices(rows(200, 60, 2, np.arange(200) < 0), least_rows=20).depth == 2


def test_small_slices_are_not_looked_at() -> None:
    codes = [np.r_[np.zeros(95), np.ones(5)].astype(np.int32)]
    assert find_slices(Rows(codes, [2], codes[0] == 1), least_rows=10).tested == 0


def test_where_all_or_none_is_marked_nothing_is_permuted() -> None:
    for marks in (np.zeros(300, dtype=bool), np.ones(300, dtype=bool)):
        search = find_slices(rows(300, 3, 3, marks), least_rows=15)
        assert isinstance(search, Search)
        assert (search.slices, search.chance) == ((), None)


def test_features_of_rare_values_are_no_slices_of_clustered_rows() -> None:
    made = persons(np.random.default_rng(0), 60)
    names = np.arange(len(made)).astype(np.int32) % 60
    more = Rows([*made.codes[:2], names], [4, 4, 60], made.marks, clusters=made.clusters)
    assert find_slices(more, least_rows=30).tested == find_slices(Rows(
        made.codes[:2], [4, 4], made.marks, clusters=made.clusters
    ), least_rows=30).tested  # fmt: skip


def test_sums_of_many_cells_are_those_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    mixed, weight, kept = rng.integers(0, 6 * 50, 4_000), rng.random(4_000), np.array([0, 7, 49])
    whole = permuting._sums(mixed, weight, 6, 50, kept)
    monkeypatch.setattr(permuting, "BATCH", 1)
    assert permuting._sums(mixed, weight, 6, 50, kept) == pytest.approx(whole)


def test_a_slice_knows_its_rows() -> None:
    codes = table(100, 2, 3)
    part = Slice((0, 1), (1, 2), 1, 1, 0.0)
    assert (part.members(codes) == ((codes[0] == 1) & (codes[1] == 2))).all()
