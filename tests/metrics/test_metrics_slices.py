"""The lattice counts what a group-by counts, finds what was planted, and finds nothing where there is nothing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from evenhand.metrics.slices.search import Slice, confirm, find_slices


def table(n: int, features: int, values: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, values, n).astype(np.int32) for _ in range(features)]


def test_counts_equal_a_group_by() -> None:
    codes = table(2000, 4, 3)
    marks = np.random.default_rng(1).random(2000) < np.where((codes[0] == 1) & (codes[2] == 2), 0.6, 0.2)
    search = find_slices(codes, [3] * 4, marks, least_rows=10)
    frame = pd.DataFrame(dict(enumerate(codes))).assign(marked=marks)
    assert search.slices
    assert search.tested == sum(3**size * len(list(combinations(range(4), size))) for size in (1, 2, 3))
    for found in search.slices:
        rows = frame[np.logical_and.reduce([frame[f] == v for f, v in zip(found.features, found.values, strict=True)])]
        assert (found.rows, found.marked) == (len(rows), rows["marked"].sum())


def test_a_planted_slice_is_found_first_and_not_again_in_other_words() -> None:
    codes = table(6000, 6, 4)
    marks = np.random.default_rng(1).random(6000) < np.where((codes[1] == 3) & (codes[4] == 0), 0.5, 0.1)
    search = find_slices(codes, [4] * 6, marks, least_rows=30)
    first = search.slices[0]
    assert (first.features, first.values) == ((1, 4), (3, 0))
    planted = {(1, 3), (4, 0)}
    parts = [found for found in search.slices[1:] if planted <= set(zip(found.features, found.values, strict=True))]
    assert parts == [], "a part of it at the same rate says nothing new"


def test_two_columns_that_say_the_same_make_one_slice() -> None:
    codes = table(4000, 3, 3)
    codes.append(codes[0].copy())
    marks = np.random.default_rng(2).random(4000) < np.where(codes[0] == 0, 0.4, 0.1)
    search = find_slices(codes, [3] * 4, marks, least_rows=30)
    assert [found.features for found in search.slices if found.z > 8] == [(0,)]


def test_where_there_is_nothing_hardly_anything_is_confirmed() -> None:
    false = 0
    for seed in range(60):
        codes = table(1200, 6, 4, seed)
        marks = np.random.default_rng(1000 + seed).random(1200) < 0.25
        half = np.arange(1200) < 600
        search = find_slices([part[half] for part in codes], [4] * 6, marks[half], least_rows=15)
        held = confirm(search.slices, [part[~half] for part in codes], marks[~half])
        false += any(part.p < 0.05 for part in held)
    assert false <= 8, "5 % of 60 searches are 3"


def test_p_values_are_fishers_adjusted_by_holm() -> None:
    from scipy.stats import fisher_exact

    codes = table(300, 2, 3)
    marks = np.random.default_rng(3).random(300) < 0.3
    slices = [Slice((0,), (value,), 1, 1, 0.0) for value in range(3)]
    held = confirm(slices, codes, marks)
    raw = [
        fisher_exact([[c[1, 1], c[1, 0]], [c[0, 1], c[0, 0]]], alternative="greater")[1]
        for c in (h.counts for h in held)
    ]
    order = np.argsort(raw)
    expected, least = np.empty(3), 0.0
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (3 - rank) * raw[at]))
        expected[at] = least
    assert [part.p for part in held] == pytest.approx(expected.tolist())
    for value, part in enumerate(held):
        assert part.counts.sum() == 300
        assert part.counts[1].sum() == (codes[0] == value).sum()


def test_too_many_combinations_make_it_less_deep() -> None:
    codes = table(200, 60, 2)
    marks = np.random.default_rng(0).random(200) < 0.3
    assert find_slices(codes, [2] * 60, marks, least_rows=20).depth == 2


def test_small_slices_are_not_looked_at() -> None:
    codes = [np.r_[np.zeros(95), np.ones(5)].astype(np.int32)]
    marks = codes[0] == 1
    assert find_slices(codes, [2], marks, least_rows=10).tested == 0
