"""Texts that are kept as categories: the same values, groups and hashes, for whatever characters there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.data import hashing
from evenhand.data.columns import MANY, MOST_CATEGORIES, categorized, one_column
from evenhand.data.values import CHUNK, coded, distinct

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@settings(max_examples=40)
@given(texts=st.lists(st.text(CHARACTERS, max_size=12), min_size=1, max_size=40, unique=True), seed=st.integers(0, 99))
def test_an_array_of_few_texts_holds_the_same_texts(texts: list[str], seed: int) -> None:
    array = np.array(texts)[np.random.default_rng(seed).integers(0, len(texts), MANY)]
    column = one_column(array, "g")
    assert isinstance(column.dtype, pd.CategoricalDtype)
    assert column.tolist() == array.tolist()
    assert list(column.cat.categories) == sorted(set(array.tolist()))
    assert categorized(pd.Series(array.tolist())).equals(column)


def test_many_texts_stay_texts() -> None:
    texts = np.array([f"person {at}" for at in range(MOST_CATEGORIES + 1)] * 2)
    assert one_column(texts, "g").tolist() == texts.tolist()
    assert not isinstance(one_column(texts, "g").dtype, pd.CategoricalDtype)
    assert categorized(pd.Series(texts)).equals(pd.Series(texts))


@pytest.mark.parametrize("kind", ["mixed", "numbers", "ordered"])
def test_what_is_no_text_stays_as_it_is(kind: str) -> None:
    column = {
        "mixed": pd.Series(["a", 1, None], dtype=object),
        "numbers": pd.Series([1.0, np.nan]),
        "ordered": pd.Series(pd.Categorical(["low", "high"], ["low", "high"], ordered=True)),
    }[kind]
    assert categorized(column) is column


@pytest.mark.parametrize("values", [[0, 1, 1], [1, 1], [True, False], [-1, 0], [7, 3, 9], [-5, 2**62, 0], [3, 2, 2]])
@pytest.mark.parametrize("kind", ["int64", "int8", "object", "Int64"])
def test_distinct_values_are_those_of_pandas(values: list[int], kind: str) -> None:
    column = pd.Series(values, dtype=None if isinstance(values[0], bool) or max(values) > 100 else kind)
    codes, found = coded(column)
    known = pd.factorize(column)
    assert codes.tolist() == known[0].tolist()
    assert found == list(known[1]) == distinct(column)


@pytest.mark.parametrize("low", [-3, 0, 500])
@pytest.mark.parametrize("kind", ["int8", "int64", "bool", "uint16"])
def test_the_hash_of_near_numbers_is_that_of_each(low: int, kind: str) -> None:
    if (kind == "uint16" and low < 0) or (kind == "int8" and low > 100):
        return
    numbers = (np.random.default_rng(0).integers(0, 5, 5_000) + low).astype(kind)
    column = pd.Series(numbers)
    assert len(numbers) > hashing.FEW
    assert np.array_equal(hashing.hash_column(column), hashing.hash_column(pd.Series(numbers.astype(np.float64))))
    assert np.array_equal(hashing.hash_column(column)[:9], hashing.hash_column(column[:9]))


@pytest.mark.parametrize("different", [3, 50_000, 10**9])
def test_hashes_are_put_in_order(different: int) -> None:
    hashes = np.random.default_rng(0).integers(0, different, 60_000).astype(np.uint64)
    assert np.array_equal(hashing._in_order(hashes), np.sort(hashes))


def test_the_hash_of_a_table_is_that_of_its_rows_one_by_one() -> None:
    rng = np.random.default_rng(0)
    texts = rng.choice(["a", "b", "ü"], CHUNK + 9)
    table = pd.DataFrame({"g": one_column(texts, "g"), "n": rng.integers(0, 3, len(texts))})
    plain = pd.DataFrame({"g": pd.Series(texts.tolist(), dtype=object), "n": table["n"].astype(float)})
    truth = rng.integers(0, 2, len(texts)).astype(np.int8)
    whole = hashing.hash_rows(table, ["g", "n"], truth)
    for rows in (slice(0, 50), slice(CHUNK - 5, CHUNK + 9)):
        few = plain.iloc[rows].reset_index(drop=True)
        assert np.array_equal(whole[rows], hashing.hash_rows(few, ["g", "n"], truth[rows]))
