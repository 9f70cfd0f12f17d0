"""Net benefit: known values, what it may not depend on, and how often its intervals hold the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import beta, norm
from sklearn.metrics import confusion_matrix

from evenhand.metrics import Tally, compare, measure
from evenhand.metrics.values.net_benefit import BENEFITS, cost_of

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats

NAMES = tuple(BENEFITS)
TABLE = np.array([[[30, 20], [10, 40]]])


def values(name: str, tally: Tally) -> list[float]:
    return measure(name, tally).estimate.tolist()


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 5, n)
    return (rng.random(n) < risk).astype(int), risk


@pytest.mark.parametrize(
    ("name", "wanted"), [("net_benefit", 0.35), ("net_benefit_of_all", 0.375), ("net_benefit_gain", -0.025)]
)
def test_the_table_of_a_hundred_rows(name: str, wanted: float) -> None:
    assert values(name, Tally(TABLE, threshold=0.2)) == pytest.approx([wanted])


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.5, 0.8])
def test_it_is_the_formula_of_vickers_and_elkin(threshold: float) -> None:
    true, risk = rows(500)
    decided = (risk >= threshold).astype(int)
    (_, fp), (_, tp) = confusion_matrix(true, decided)
    odds = threshold / (1 - threshold)
    model, everybody = tp / 500 - fp / 500 * odds, true.mean() - (1 - true.mean()) * odds
    tally = Tally.count(true, decided, threshold=threshold)
    assert values("net_benefit", tally) == pytest.approx([model])
    assert values("net_benefit_of_all", tally) == pytest.approx([everybody])
    assert values("net_benefit_gain", tally) == pytest.approx([model - max(0.0, everybody)])


def test_who_treats_all_gains_nothing_and_who_treats_nobody_loses_what_that_brings() -> None:
    true, _ = rows(400)
    everybody, nobody = (Tally.count(true, np.full(400, said), threshold=0.1) for said in (1, 0))
    (of_all,) = values("net_benefit_of_all", everybody)
    assert of_all > 0
    assert values("net_benefit", everybody) == [of_all]
    assert values("net_benefit", nobody) == [0.0]
    assert values("net_benefit_gain", everybody) == [0.0]
    assert values("net_benefit_gain", nobody) == pytest.approx([-of_all])


def test_deciding_for_all_is_known_as_well_as_the_base_rate() -> None:
    tally = Tally(np.array([[[500, 400], [20, 80]]]), threshold=0.1)
    found, cost = measure("net_benefit_of_all", tally), cost_of(0.1)
    ends = beta.ppf(0.025, 100, 901), beta.ppf(0.975, 101, 900)  # Clopper and Pearson
    assert (found.low[0], found.high[0]) == pytest.approx([end * (1 + cost) - cost for end in ends], abs=5e-4)


def test_without_a_threshold_or_without_rows_it_is_undefined() -> None:
    found = measure("net_benefit", Tally(TABLE))
    assert not found.defined[0]
    assert "threshold probability" in found.reason[0]
    empty = measure("net_benefit_gain", Tally(np.concatenate([TABLE, 0 * TABLE]), threshold=0.2))
    assert empty.defined.tolist() == [True, False]
    assert empty.reason[1].startswith("No row at all")


def test_the_threshold_is_kept_by_what_keeps_decisions_and_lost_by_what_changes_them() -> None:
    tally = Tally(np.concatenate([TABLE, TABLE]), threshold=0.2)
    assert tally.overall().threshold == (tally + tally).threshold == 0.2
    assert tally.turned().threshold is None
    assert (tally + Tally(tally.counts, threshold=0.3)).threshold is None


@pytest.mark.parametrize("name", NAMES)
def test_it_does_not_depend_on_the_order_or_on_how_often_all_is_counted(name: str) -> None:
    true, risk = rows(300)
    order = np.random.default_rng(1).permutation(300)
    decided = (risk >= 0.15).astype(int)
    one = measure(name, Tally.count(true, decided, threshold=0.15))
    other = measure(name, Tally.count(true[order], decided[order], threshold=0.15))
    twice = measure(name, Tally.count(np.tile(true, 2), np.tile(decided, 2), threshold=0.15))
    assert (one.low, one.high) == (other.low, other.high)
    assert twice.estimate == pytest.approx(one.estimate)
    assert (twice.high - twice.low)[0] < (one.high - one.low)[0]


@pytest.mark.parametrize("name", NAMES)
def test_equal_weights_and_clusters_of_one_row_change_nothing(name: str) -> None:
    true, risk = rows(300)
    decided = (risk >= 0.15).astype(int)
    plain, weighted, alone = (
        measure(name, Tally.count(true, decided, threshold=0.15, **more))  # type: ignore[arg-type]
        for more in ({}, {"sample_weight": np.full(300, 2.0)}, {"clusters": np.arange(300)})
    )
    for other in (weighted, alone):
        assert other.estimate == pytest.approx(plain.estimate)
        assert other.high - other.low == pytest.approx(plain.high - plain.low, rel=0.03)  # shares apart, and together


@pytest.mark.parametrize("name", NAMES)
def test_rows_told_twice_are_no_more_than_rows_told_once(name: str) -> None:
    true, risk = rows(300)
    decided = (risk >= 0.15).astype(int)
    once = measure(name, Tally.count(true, decided, threshold=0.15))
    again = measure(name, Tally.count(*(np.repeat(part, 3) for part in (true, decided)), threshold=0.15,
        clusters=np.repeat(np.arange(300), 3)))  # type: ignore[arg-type]  # fmt: skip
    assert again.estimate == pytest.approx(once.estimate)
    assert again.high - again.low == pytest.approx(once.high - once.low, rel=0.02)


def test_unequal_weights_widen_it() -> None:
    true, risk = rows(400)
    decided, rng = (risk >= 0.15).astype(int), np.random.default_rng(2)
    plain = measure("net_benefit", Tally.count(true, decided, threshold=0.15))
    found = measure(
        "net_benefit", Tally.count(true, decided, sample_weight=rng.exponential(1, 400) ** 2, threshold=0.15)
    )
    assert (found.high - found.low)[0] > 1.3 * (plain.high - plain.low)[0]


CASES = [
    (n, base, recall, false, t)
    for n in (30, 100, 1000)
    for base in (0.05, 0.1, 0.3)
    for recall, false in ((0.6, 0.2), (0.9, 0.5), (0.2, 0.02))
    for t in (0.05, 0.1, 0.5)
]


def cells(base: float, recall: float, false: float) -> Floats:
    return np.array([(1 - base) * (1 - false), (1 - base) * false, base * (1 - recall), base * recall])


def truth(name: str, shares: Floats, threshold: float) -> float:
    return min(float(shares @ np.array(worth)) for worth in BENEFITS[name](cost_of(threshold)))


def missed(name: str, drawn: Floats, shares: Floats, threshold: float) -> tuple[float, float]:
    """Return how often the low and the high end miss: each drawn table is a group."""
    found = measure(name, Tally(drawn.reshape(-1, 2, 2).astype(np.int64), threshold=threshold))
    value = truth(name, shares, threshold)
    return float((found.low > value + 1e-12).mean()), float((found.high < value - 1e-12).mean())


def test_intervals_hold_the_truth_where_positives_are_few() -> None:
    """Of 1,000 tables; a share of .95 is known to .007, so that less than .93 would be seen."""
    rng = np.random.default_rng(3)
    for n, base, recall, false, t in CASES[::6]:
        shares = cells(base, recall, false)
        for name in NAMES:
            low, high = missed(name, rng.multinomial(n, shares, 1000), shares, t)
            assert low + high < 0.07, (name, n, base, recall, t)
            assert max(low, high) < 0.045, (name, n, base, recall, t)


@pytest.mark.slow
def test_intervals_hold_the_truth_everywhere() -> None:
    rng = np.random.default_rng(4)
    for n, base, recall, false, t in CASES:
        shares = cells(base, recall, false)
        for name in NAMES:
            low, high = missed(name, rng.multinomial(n, shares, 6000), shares, t)
            assert low + high < 0.06, (name, n, base, recall, t)
            assert max(low, high) < 0.033, (name, n, base, recall, t)


@pytest.mark.slow
def test_a_gap_between_groups_holds_the_truth() -> None:
    """Of two and of five groups of few rows, in which the same is true, or not."""
    rng = np.random.default_rng(5)
    for groups, n in ((2, 80), (2, 600), (5, 200)):
        shares = [cells(0.08 + 0.04 * (at % 2), 0.6, 0.2) for at in range(groups)]
        true = [truth("net_benefit", part, 0.1) for part in shares]
        gap, hits = max(true) - min(true), 0
        for _ in range(400):
            drawn = np.stack([rng.multinomial(n, part) for part in shares]).reshape(-1, 2, 2)
            found = compare(measure("net_benefit", Tally(drawn, threshold=0.1)), "difference")
            assert found.low is not None
            assert found.high is not None
            hits += found.low <= gap <= found.high
        assert hits / 400 > 0.92, (groups, n)


def visits(
    rng: np.random.Generator, people: int, base: float, alike: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, score and person of visits: as many of a person as a coin falls heads, eight at most."""
    size = rng.geometric(0.5, people).clip(1, 8)
    own = np.repeat(rng.normal(size=people), size)
    latent = np.sqrt(alike) * own + np.sqrt(1 - alike) * rng.normal(size=size.sum())
    score = 0.6 * own + 0.5 * latent + rng.normal(size=size.sum())
    return (latent > norm.ppf(1 - base)).astype(int), score, np.repeat(np.arange(people), size)


def test_positives_of_one_or_two_people_are_no_ground_for_a_limit() -> None:
    person, true = np.repeat(np.arange(40), 10), np.zeros(400, dtype=int)
    true[:20] = 1  # two people have all positive rows
    few = measure("net_benefit", Tally.count(true, true, clusters=person, threshold=0.1))
    assert "very few clusters" in few.uncovered[0]
    spread = measure("net_benefit", Tally.count(true, true, clusters=np.arange(400) % 40, threshold=0.1))
    assert not any(spread.uncovered)


@pytest.mark.slow
@pytest.mark.parametrize("people", [20, 50, 200])
@pytest.mark.parametrize("base", [0.05, 0.1, 0.3])
def test_intervals_hold_the_truth_where_visits_are_of_few_people(people: int, base: float) -> None:
    cut, cost = (0.8 if base < 0.3 else 0.2), cost_of(0.1)
    true, score, _ = visits(np.random.default_rng(6), 400_000, base, 0.6)
    decided = score >= cut
    model = (true * decided).mean() - cost * ((1 - true) * decided).mean()
    everybody = true.mean() - cost * (1 - true.mean())
    wanted = dict(zip(NAMES, (model, everybody, model - max(0.0, everybody)), strict=True))
    rng, held = np.random.default_rng(people), dict.fromkeys(NAMES, 0)
    for _ in range(1000):
        true, score, person = visits(rng, people, base, 0.6)
        tally = Tally.count(true, (score >= cut).astype(int), clusters=person, threshold=0.1)
        for name, value in wanted.items():
            found = measure(name, tally)
            held[name] += bool(found.low[0] <= value <= found.high[0])
    assert min(held.values()) > 930, held
