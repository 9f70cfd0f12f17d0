"""Laws that hold for any counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evenhand.errors import InputError
from evenhand.metrics import METRICS, Tally, disparity, measure, names
from evenhand.metrics.catalogue.names import hows_of
from evenhand.metrics.comparisons.pairs import extreme_pairs
from evenhand.metrics.counts.tally import count_cells
from evenhand.metrics.inference.intervals import difference_interval, ratio_interval, share_difference_interval, z_of

COUNTED = sorted(
    name
    for name, m in METRICS.items()
    if m.kind in ("rate", "composite") and m.task == "binary" and name not in ("flip_rate", "scoring_rate")
)
COUNTS = arrays(np.int64, st.tuples(st.integers(1, 6), st.just(2), st.just(2)), elements=st.integers(0, 60))
SEVERAL = arrays(np.int64, st.tuples(st.integers(2, 6), st.just(2), st.just(2)), elements=st.integers(0, 60))


@given(counts=COUNTS, metric=st.sampled_from(COUNTED))
def test_an_estimate_lies_in_its_interval_and_a_value_always_has_one(counts: np.ndarray, metric: str) -> None:
    found = measure(metric, Tally(counts))
    inside = found.defined
    assert (found.low[inside] <= found.estimate[inside] + 1e-12).all()
    assert (found.estimate[inside] <= found.high[inside] + 1e-12).all()
    entry = METRICS[metric]
    assert (found.low[inside] >= (-np.inf if entry.lowest is None else entry.lowest) - 1e-12).all()
    assert (found.high[inside] <= (np.inf if entry.highest is None else entry.highest) + 1e-12).all()
    assert np.isnan(found.estimate[~inside]).all()
    assert all(bool(reason) != bool(ok) for reason, ok in zip(found.reason, inside, strict=True))
    assert len(found.estimate) == len(counts), "no group is ever dropped"


@given(counts=COUNTS, metric=st.sampled_from(COUNTED))
def test_more_confidence_is_wider(counts: np.ndarray, metric: str) -> None:
    narrow, wide = (measure(metric, Tally(counts), level) for level in (0.8, 0.99))
    ok = narrow.defined
    assert (wide.low[ok] <= narrow.low[ok] + 1e-9).all()
    assert (wide.high[ok] >= narrow.high[ok] - 1e-9).all()


@given(counts=SEVERAL, metric=st.sampled_from(COUNTED), data=st.data())
def test_the_order_of_groups_does_not_matter(counts: np.ndarray, metric: str, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(counts)))))
    for how in hows_of(METRICS[metric]):
        one, other = (disparity(f"{metric}_{how}", Tally(part)) for part in (counts, counts[order]))
        for field in ("estimate", "low", "high"):
            a, b = getattr(one, field), getattr(other, field)
            assert (a is None) == (b is None)
            assert a is None or a == pytest.approx(b, abs=1e-12)


@given(counts=SEVERAL, metric=st.sampled_from(COUNTED))
def test_ends_of_disparities_are_ordered_and_simultaneous_is_stricter(counts: np.ndarray, metric: str) -> None:
    for how in hows_of(METRICS[metric]):
        found = disparity(f"{metric}_{how}", Tally(counts))
        if found.estimate is None:
            assert found.reason
            continue
        low = -np.inf if found.low is None else found.low
        high = np.inf if found.high is None else found.high
        assert low <= found.estimate + 1e-9
        assert found.estimate <= high + 1e-9
        if how == "difference":
            assert low <= (found.unadjusted_low or 0.0) + 1e-12
        if how == "ratio":
            assert high >= (1.0 if found.unadjusted_high is None else found.unadjusted_high) - 1e-12


ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=200)


@given(rows=ROWS, data=st.data())
def test_shards_add_up_to_the_whole_in_any_order(rows: list[tuple[int, int, int]], data: st.DataObject) -> None:
    table = np.array(rows)
    cut = data.draw(st.integers(0, len(rows)))
    shuffled = table[np.random.default_rng(0).permutation(len(rows))]
    parts = [Tally.count(*part.T, n_groups=4) for part in (shuffled[:cut], shuffled[cut:])]
    whole = Tally.count(*table.T, n_groups=4)
    assert np.array_equal((parts[0] + parts[1]).counts, whole.counts)
    assert whole.counts.sum() == len(rows)
    assert np.array_equal(whole.overall().counts[0], whole.counts.sum(axis=0))


@given(rows=ROWS)
def test_equal_weights_change_no_estimate(rows: list[tuple[int, int, int]]) -> None:
    """Nor an interval, but where no row of a kind has been seen: what it would weigh is not known."""
    table = np.array(rows)
    plain = Tally.count(*table.T, n_groups=4)
    weighted = Tally.count(*table.T, n_groups=4, sample_weight=np.full(len(rows), 2.5))
    for metric in COUNTED:
        a, b = measure(metric, plain), measure(metric, weighted)
        np.testing.assert_allclose(a.estimate, b.estimate, atol=1e-12)
        seen = plain.counts.min(axis=(1, 2)) > 0
        np.testing.assert_allclose(a.low[seen], b.low[seen], atol=1e-6)
        np.testing.assert_allclose(a.high[seen], b.high[seen], atol=1e-6)
        known = a.defined
        assert (b.low[known] <= a.low[known] + 1e-6).all()
        assert (b.high[known] >= a.high[known] - 1e-6).all()


@settings(max_examples=20)
@given(st.sampled_from(["uint8", "int8", "bool", "float32", "int64"]))
def test_narrow_types_do_not_overflow(kind: str) -> None:
    truth = np.ones(1000, dtype=kind)
    tally = Tally.count(truth, truth, np.zeros(1000, dtype="uint8"), 1)
    assert tally.counts[0, 1, 1] == 1000


def test_strided_and_read_only_arrays() -> None:
    truth = np.arange(40) % 2
    truth.setflags(write=False)
    assert np.array_equal(Tally.count(truth[::2], truth[1::2]).counts, [[[0, 20], [0, 0]]])


def test_more_rows_than_32_bits_can_count() -> None:
    many = np.array([[[2**33, 2**31], [2**32, 2**34]]], dtype=np.int64)
    found = measure("recall", Tally(many) + Tally(many))
    assert found.estimate[0] == pytest.approx(0.8)
    assert found.support[0] == 2**33 + 2**35
    assert found.high[0] - found.low[0] < 1e-4


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"y_true": [0, 2], "y_pred": [0, 1]}, "counts 0 and 1 only"),
        ({"y_true": [0, 1], "y_pred": [0]}, "must be equal"),
        ({"y_true": [0, 1], "y_pred": [0, 1], "codes": [0, 1]}, "codes run from 0 to 1"),
        ({"y_true": [0, 1], "y_pred": [0, 1], "sample_weight": [1, -1]}, "at least 0"),
        ({"y_true": [0, 1], "y_pred": [0, 1], "sample_weight": [1, float("nan")]}, "finite"),
    ],
)
def test_what_cannot_be_counted_gets_a_sentence(given_: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Tally.count(**given_)  # type: ignore[arg-type]


def test_a_thousand_small_equal_groups_show_no_disparity() -> None:
    rng = np.random.default_rng(0)
    hits = rng.binomial(8, 0.5, 1000)
    counts = np.zeros((1000, 2, 2), dtype=np.int64)
    counts[:, 1, 1], counts[:, 1, 0] = hits, 8 - hits
    found = disparity("recall_difference", Tally(counts))
    assert found.estimate == 1.0, "the widest gap between a thousand groups of eight is always large"
    assert found.low == 0.0


def test_every_name_is_described() -> None:
    from evenhand.metrics import canonical, describe

    for name in names():
        entry = describe(name)
        assert canonical(name) == name
        assert entry.meaning
        assert entry.label


def test_every_metric_that_is_computed_names_its_source() -> None:
    computed = [m for m in METRICS.values() if m.kind in ("rate", "composite", "score")]
    assert [m.name for m in computed if not m.source or not m.formula or not m.meaning or not m.misleads] == []


def test_the_table_of_other_names_holds_names_that_exist() -> None:
    import re
    from pathlib import Path

    from evenhand.keys import Key
    from evenhand.metrics import canonical

    page = (Path(__file__).parents[2] / "docs" / "names.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    keys = [key for cell in cells for key in re.findall(r"`([^`]+)`", cell) if key != "slices"]
    assert len(keys) > 60
    assert [key for key in keys if canonical(Key.parse(key).metric) is None] == []


@given(counts=arrays(np.int64, st.tuples(st.integers(151, 400), st.just(2), st.just(2)), elements=st.integers(0, 9)))
@settings(max_examples=25, deadline=None)
def test_pairs_that_cannot_be_extreme_are_left_out_and_nothing_is_lost(counts: np.ndarray) -> None:
    found = measure("recall", Tally(counts))
    chosen = np.flatnonzero(found.defined)
    assume(len(chosen) > 1)
    kinds = (
        (difference_interval, np.nanargmax),
        (share_difference_interval, np.nanargmax),
        (ratio_interval, np.nanargmin),
    )
    for interval, extreme in kinds:
        left, right = (index.ravel() for index in np.meshgrid(chosen, chosen, indexing="ij"))
        apart = left != right
        sides = [[part[index[apart]] for part in (found.estimate, found.low, found.high)] for index in (left, right)]
        lows, highs = interval(tuple(sides[0]), tuple(sides[1]))  # type: ignore[arg-type]
        mine = extreme_pairs(found, chosen, z_of(0.95), interval, extreme)
        for bound, ends, end in zip(mine, (lows, highs), (0, 1), strict=True):
            assert bound.end == pytest.approx(ends[extreme(ends)], abs=1e-12)
            pair = [[part[[group]] for part in (found.estimate, found.low, found.high)] for group in bound.pair]
            assert bound.end == pytest.approx(float(interval(tuple(pair[0]), tuple(pair[1]))[end][0]), abs=1e-12)  # type: ignore[arg-type]


def test_ten_thousand_groups_are_compared_and_none_is_dropped() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 40, (10_000, 2, 2))
    for name in ("recall_difference", "selection_rate_ratio", "accuracy_group_min", "equalized_odds_difference"):
        found = disparity(name, Tally(counts))
        assert found.estimate is not None
        assert len(found.values.estimate) == 10_000


def test_clustered_rows_are_worth_fewer() -> None:
    """The same person twenty times: naive limits cover 63 %, those between clusters what they say."""
    rng = np.random.default_rng(1)
    missed, naive = 0, 0
    for _ in range(300):
        person = np.repeat(np.arange(50), 20)
        chance = np.repeat(rng.beta(1.2, 2.8, 50), 20)  # the same person is alike: a correlation of 0.2
        decided = (rng.random(1000) < chance).astype(int)
        truth = np.ones(1000, dtype=int)
        found = measure("selection_rate", Tally.count(truth, decided, clusters=person))
        missed += not found.low[0] <= 0.3 <= found.high[0]
        plain = measure("selection_rate", Tally.count(truth, decided))
        naive += not plain.low[0] <= 0.3 <= plain.high[0]
    assert missed <= 21  # 7 %
    assert naive >= 75


def test_clusters_add_up_and_single_rows_are_their_own() -> None:
    rng = np.random.default_rng(2)
    truth, decided, codes = rng.integers(0, 2, (3, 300))
    alone = Tally.count(truth, decided, codes, 2, clusters=np.arange(300))
    plain = Tally.count(truth, decided, codes, 2)
    for name in ("recall", "precision", "f1"):
        one, other = measure(name, alone), measure(name, plain)
        np.testing.assert_allclose(one.estimate, other.estimate)
        np.testing.assert_allclose(one.low, other.low, atol=0.01)
    halves = [
        Tally.count(truth[h], decided[h], codes[h], 2, clusters=np.arange(300)[h] // 3)
        for h in (slice(150), slice(150, 300))
    ]
    whole = Tally.count(truth, decided, codes, 2, clusters=np.arange(300) // 3)
    np.testing.assert_allclose((halves[0] + halves[1]).moments, whole.moments)
    assert np.array_equal((halves[0] + halves[1]).clusters, whole.clusters)


def test_counting_in_chunks_is_counting() -> None:
    rng = np.random.default_rng(3)
    n = 3 * 65_536 + 17
    truth, decided, codes = rng.integers(0, 2, n), rng.integers(0, 2, n), rng.integers(0, 20_000, n)
    few = Tally.count(truth, decided, codes % 7, 7).counts
    many = Tally.count(truth, decided, codes, 20_000).counts
    assert np.array_equal(few.ravel(), np.bincount(((codes % 7) * 2 + truth) * 2 + decided, minlength=28))
    assert np.array_equal(many.ravel(), np.bincount((codes * 2 + truth) * 2 + decided, minlength=80_000))


@pytest.mark.parametrize("kinds", [("int32", "int8", "int8"), ("uint8", "bool", "int64"), ("uint16", "uint8", "int32")])
def test_the_compiled_loop_counts_what_numpy_counts(kinds: tuple[str, str, str]) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, size, 10_003).astype(kind) for size, kind in zip((100, 2, 2), kinds, strict=True)]
    parts[0].flags.writeable = False
    parts[1] = np.repeat(parts[1], 2)[::2]  # not contiguous
    for chosen in (parts, [part[:3] for part in parts], [part[:0] for part in parts]):
        np.testing.assert_array_equal(
            count_cells(chosen, (100, 2, 2), compiled_from=0), count_cells(chosen, (100, 2, 2), compiled_from=10**12)
        )
