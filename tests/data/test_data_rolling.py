"""Splits by time: nothing that is fitted on is as late as what it is tested on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

import evenhand as eh
from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet


def made(times: Any, name: str = "data", **more: Any) -> EvaluationSet:
    """Rows of these times, in this order, with labels of both classes at each."""
    table = pd.DataFrame({"t": times}).assign(row=range(len(times)), y=np.arange(len(times)) % 2, **more)
    return eh.read_evaluation_set(table, label="y", name=name)


def pairs(data: EvaluationSet, **how: Any) -> list[tuple[list[Any], list[Any]]]:
    """The rows of each pair."""
    return [
        (train.table["row"].tolist(), test.table["row"].tolist()) for train, test in eh.rolling_splits(data, "t", **how)
    ]


@pytest.mark.parametrize("how", [{}, {"window": 7}, {"gap": 2}, {"test_size": 3, "gap": 1, "window": 4}])
def test_of_rows_with_a_time_each_it_is_the_split_of_scikit_learn(how: dict[str, int]) -> None:
    data = made(range(40))
    theirs = TimeSeriesSplit(5, max_train_size=how.get("window"), test_size=how.get("test_size"), gap=how.get("gap", 0))
    assert pairs(data, **how) == [(a.tolist(), b.tolist()) for a, b in theirs.split(data.table)]


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 12), min_size=60, max_size=120), st.integers(1, 4), st.integers(0, 3),
    st.one_of(st.none(), st.integers(1, 5)), st.integers(0, 10**6),
)  # fmt: skip
def test_laws(values: list[int], splits: int, gap: int, window: int | None, seed: int) -> None:
    values = [*values, *range(13), *range(13)]  # each time twice or more
    times = np.random.default_rng(seed).permutation(values)
    data = made(times)
    try:
        found = pairs(data, splits=splits, gap=gap, window=window)
    except InputError as told:
        assert "to fit on" in str(told)
        return
    assert len(found) == splits
    tested = [row for _, test in found for row in test]
    assert len(tested) == len(set(tested)), "no row is tested twice"
    for train, test in found:
        assert train == sorted(train) and test == sorted(test), "rows stay in their order"
        assert times[train].max() + gap < times[test].min()
        assert not set(times[train]) & set(times[test]), "rows of one time stay together"
        for part in (train, test):
            assert set(part) == set(np.flatnonzero(np.isin(times, times[part])))
        if window is not None:
            assert len(set(times[train])) <= window
    assert times[found[-1][1]].max() == 12, "the last test ends with the last time"


def test_the_order_of_rows_and_the_kind_of_time_change_nothing() -> None:
    years = np.repeat(range(2000, 2008), 6)
    dates = [f"{year}-01-01" for year in years]
    for other in (made(dates), made(pd.to_datetime(dates)), made(pd.to_datetime(dates, utc=True)), made(years + 0.5)):
        assert pairs(other, splits=3, gap=1) == pairs(made(years), splits=3, gap=1)
    turned = np.random.default_rng(0).permutation(len(years))
    for (train, test), (a, b) in zip(pairs(made(years), splits=3), pairs(made(years[turned]), splits=3), strict=True):
        assert sorted(turned[a]) == train and sorted(turned[b]) == test


@pytest.mark.parametrize("kind", [str, pd.Timedelta, lambda told: timedelta(days=int(told[:-1]))])
def test_a_duration_counts_days_and_not_rows(kind: Any) -> None:
    days = [0, 1, 2, 3, 40, 41, 50, 60]
    data = made(pd.to_datetime("2024-01-01") + pd.to_timedelta([day for day in days for _ in "ab"], unit="D"))

    def fitted(**how: Any) -> list[int]:
        train, test = next(iter(eh.rolling_splits(data, "t", splits=1, test_size=2, **how)))
        assert sorted({(day - pd.Timestamp("2024-01-01")).days for day in test.table["t"]}) == [50, 60]
        return sorted({(day - pd.Timestamp("2024-01-01")).days for day in train.table["t"]})

    assert fitted() == [0, 1, 2, 3, 40, 41]
    assert fitted(gap=kind("9D")) == [0, 1, 2, 3, 40, 41], "nine days before the test is far enough"
    assert fitted(gap=kind("10D")) == [0, 1, 2, 3, 40]
    assert fitted(window=kind("2D")) == [40, 41], "of the two days that end with the last fitted one"
    assert fitted(gap=kind("30D"), window=kind("3D")) == [1, 2, 3]


def test_parts_say_what_they_are_and_keep_what_is_known() -> None:
    data = made(np.repeat([1980, 1981, 1982, 1983], 4), name="wages.csv")
    train, test = list(eh.rolling_splits(data, "t", splits=2))[1]
    assert (train.name, test.name) == ("wages.csv (train 2)", "wages.csv (test 2)")
    assert train.provenance["split"] == {
        "part": "train 2", "time": "t", "from": "1980", "to": "1982", "of_rows": 16
    }  # fmt: skip
    assert train.roles == data.roles and np.array_equal(test.y_true, data.y_true[12:])


def test_pairs_are_made_when_asked_for_and_mistakes_are_told_before() -> None:
    data = made(range(10))
    assert next(eh.rolling_splits(data, "t", splits=3)) is not None
    with pytest.raises(InputError, match=r"no column 'tt' to split by\. Did you mean 't'"):
        eh.rolling_splits(data, "tt")


WRONG: dict[str, tuple[Any, dict[str, Any], str]] = {
    "missing": ([1.0, 2.0, None, 4.0], {}, "has no time in 1 of 4 rows"),
    "infinite": ([1.0, 2.0, np.inf, -np.inf], {}, "has no time in 2 of 4 rows"),
    "words": (["monday", "tuesday"] * 5, {}, "holds 'monday', which is neither a number nor a date"),
    "logical": ([True, False] * 5, {}, "neither a number nor a date"),
    "few": ([1, 1, 2, 2, 3, 3], {}, "has 3 different times, and 5 tests of 1 need 6"),
    "splits": (range(10), {"splits": 0}, "splits=0: a whole number, 1 or above"),
    "size": (range(10), {"test_size": 1.5}, "test_size=1.5: a whole number, 1 or above"),
    "gap": (range(10), {"gap": -1}, "gap=-1 is to be a whole number of times, or a duration"),
    "window": (range(10), {"window": "long"}, 'window="long" is to be a whole number of times'),
    "duration": (range(10), {"gap": "3D"}, 'gap="3D" is a duration, and the times are numbers'),
    "nothing": (range(10), {"gap": 6}, "before the test 1, which starts at 5, there is no row to fit on"),
    "one label": (range(10), {"window": 1}, "the rows to fit on (1) have one label only"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_split_is_told(name: str) -> None:
    times, how, said = WRONG[name]
    with pytest.raises(InputError) as told:
        eh.rolling_splits(made(times), "t", **how)
    assert said in str(told.value)


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(InputError) as told:
        eh.rolling_splits(made(range(10)), "t", splits=0, gap=-1, window=0)
    assert len(told.value.problems) == 3


def test_numbers_are_split_as_classes_are() -> None:
    rows = pd.DataFrame({"t": [1, 1, 2, 2, 3, 3], "pay": [1.0, 2.0, 3.0, 4.0, 5.5, 6.0]})
    data = eh.read_evaluation_set(rows, label="pay", task="regression")
    assert [len(train) for train, _ in eh.rolling_splits(data, "t", splits=2)] == [2, 4]
    alike = eh.read_evaluation_set(rows.assign(pay=[2.0, 2.0, 3.0, 4.0, 5.5, 6.0]), label="pay", task="regression")
    with pytest.raises(InputError, match="have one label only"):
        eh.rolling_splits(alike, "t", splits=2)
