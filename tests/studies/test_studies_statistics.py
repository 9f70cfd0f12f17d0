"""Fronts, noise floors, exemplars and Welch's test: against brute force, known values and planted effects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from evenhand.data import evaluation_set_from_arrays
from evenhand.errors import InputError
from evenhand.studies.candidates import expand
from evenhand.studies.exemplars import exemplars, modal, represented, taxicab
from evenhand.studies.populations import Population, noise, over_seeds, student
from evenhand.studies.searching import front
from evenhand.studies.welch import normalized, welch


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 12), k=st.integers(1, 4))
def test_the_front_is_what_nothing_beats(seed: int, n: int, k: int) -> None:
    costs = np.random.default_rng(seed).integers(0, 4, (n, k)).astype(float)
    found = front(costs)
    for at in range(n):
        beaten = any((costs[i] <= costs[at]).all() and (costs[i] < costs[at]).any() for i in range(n))
        assert found[at] != beaten
    assert found.any()


def test_what_is_not_known_beats_nothing() -> None:
    assert front([[1.0, np.nan], [1.0, 2.0]]).tolist() == [False, True]


def test_candidates_are_written_as_a_person_writes_them() -> None:
    made = expand(["a=0.25,0.5+b", "c", "c"], lambda text: text, ("race",))  # type: ignore[arg-type,return-value]
    assert [each.name for each in made] == [
        "a=0.25+b", "a=0.25+b, balanced", "a=0.5+b", "a=0.5+b, balanced", "c", "c, balanced",
    ]  # fmt: skip
    assert made[0].recipes == ("a=0.25", "b")
    assert (made[0].balance, made[1].balance) == (None, ("race",))
    with pytest.raises(InputError, match="one candidate at least"):
        expand([], lambda text: text)  # type: ignore[arg-type,return-value]


@pytest.fixture(scope="module")
def harmed() -> tuple[Population, object]:
    """Twelve originals that differ in noise alone; compressed models that lose the positives of a small group."""
    rng = np.random.default_rng(0)
    n = 1500
    group = rng.choice(["most", "few"], n, p=[0.9, 0.1])
    truth = rng.integers(0, 2, n)
    sure = np.where(rng.random(n) < 0.9, truth, 1 - truth)
    originals = np.stack([np.where(rng.random(n) < 0.98, sure, 1 - sure) for _ in range(12)])
    lost = (group == "few") & (truth == 1) & (rng.random(n) < 0.5)
    compressed = np.stack([np.where(lost, 0, each) for each in originals])
    data = evaluation_set_from_arrays(truth, sensitive_features={"group": group})
    return Population("small", originals, compressed), data


def test_noise_between_seeds_is_measured_and_covers(harmed: tuple[Population, object]) -> None:
    population, data = harmed
    found = {str(f.key): f for f in noise(population.originals, data, (data.grouping("group"),), 0.95)}  # type: ignore[attr-defined,arg-type]
    floor = found["flip_rate[;between=seeds]"]
    pairs = [(a != b).mean() for i, a in enumerate(population.originals) for b in population.originals[:i]]
    assert floor.estimate == pytest.approx(np.mean(pairs))
    assert floor.interval is not None
    assert (floor.interval.low or 0) < 2 * 0.02 * 0.98 < (floor.interval.high or 0), "the true rate of this noise"
    assert found["accuracy_spread[group=few;between=seeds]"].support == int((data.grouping("group").codes == 0).sum())  # type: ignore[attr-defined]


def test_one_seed_has_no_noise_and_two_have_no_interval(harmed: tuple[Population, object]) -> None:
    population, data = harmed
    assert list(noise(population.originals[:1], data, (), 0.95)) == []  # type: ignore[arg-type]
    assert next(noise(population.originals[:2], data, (), 0.95)).interval is None  # type: ignore[arg-type]
    assert student(np.array([0.1, 0.1, 0.1]), 0.95) is None, "seeds that all say the same have no spread to go by"


def test_changes_over_seeds_are_means_of_paired_changes(harmed: tuple[Population, object]) -> None:
    population, data = harmed
    grouping = data.grouping("group")  # type: ignore[attr-defined]
    found = {str(f.key): f for f in over_seeds(population, data, (grouping,), 0.95)}  # type: ignore[arg-type]
    few = grouping.codes == grouping.names.index("few")
    positive = few & (data.y_true == 1)  # type: ignore[attr-defined]
    each = (population.compressed[:, positive] == 1).mean(axis=1) - (population.originals[:, positive] == 1).mean(
        axis=1
    )
    change = found["recall_change[group=few;of=original;over=seeds;recipe=small]"]
    assert change.estimate == pytest.approx(each.mean())
    assert (change.interval.high or 0) < -0.3  # type: ignore[union-attr]


def test_exemplars_are_modal_disagreements_and_ties_are_none() -> None:
    old = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 1, 0]])
    assert modal(old, 2).tolist() == [0, -1, 1, -1]
    new = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0]])
    population = Population("x", old, new)
    assert exemplars(population).tolist() == [True, False, True, False]
    assert taxicab(population).tolist() == [1.0, 1.0, 1.5, 1.0]


def test_a_harmed_group_is_over_represented(harmed: tuple[Population, object]) -> None:
    population, data = harmed
    found = {str(f.key): f for f in represented(population, data, (data.grouping("group"),), 0.95)}  # type: ignore[attr-defined,arg-type]
    ratio = found["exemplar_ratio[group=few;recipe=small]"]
    assert ratio.estimate is None, "no other row is an exemplar, and a number over 0 is none"
    rate = found["exemplar_rate[group=few;recipe=small]"]
    chosen = exemplars(population)
    assert rate.estimate == pytest.approx(chosen[data.grouping("group").codes == 0].mean())  # type: ignore[attr-defined]
    assert (rate.interval.low or 0) > 0.1  # type: ignore[union-attr]
    assert found["exemplar_rate[group=most;recipe=small]"].estimate == 0
    hard = found["accuracy[;of=compressed;recipe=small;rows=exemplars]"].estimate
    assert hard is not None
    assert hard < (found["accuracy[;of=original;recipe=small;rows=exemplars]"].estimate or 0)


def test_welch_is_scipys() -> None:
    rng = np.random.default_rng(2)
    old, new = rng.normal(0.8, 0.01, 12), rng.normal(0.78, 0.03, 9)
    change, interval, p = welch(old, new, 0.95)
    oracle = ttest_ind(new, old, equal_var=False)
    assert p == pytest.approx(oracle.pvalue)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(tuple(oracle.confidence_interval(0.95)))
    assert change == pytest.approx(new.mean() - old.mean())
    assert welch(np.ones(3), np.ones(3), 0.95) == (0.0, None, 1.0)


def test_who_lost_more_than_the_whole_is_tested_within_its_family(harmed: tuple[Population, object]) -> None:
    population, data = harmed
    found = {
        str(f.key): f
        for f in normalized(population, data, (data.grouping("group"),), ("0", "1"), 0.95)  # type: ignore[attr-defined,arg-type]
    }
    lost = found["excess_accuracy_change[group=few;of=original;over=seeds;recipe=small]"]
    assert (lost.interval.high or 0) < -0.1  # type: ignore[union-attr]
    plain = found["p_value[;class=1;of=original;over=seeds;rate=normalized_recall_change;recipe=small]"].estimate
    adjusted = found[
        "p_value[;adjusted=holm;class=1;of=original;over=seeds;rate=normalized_recall_change;recipe=small]"
    ].estimate
    assert plain is not None
    assert adjusted is not None
    assert plain <= adjusted < 0.05
