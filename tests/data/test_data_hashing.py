"""Fingerprints depend on the rows alone: not on their order, their columns' order, the dtype or the process."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.data import overlap, read_evaluation_set
from evenhand.data.hashing import hash_column


def data(table, **roles):
    return read_evaluation_set(table, label="y", **roles)


def frame(rows=50, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": np.arange(rows) % 2,
            "a": rng.normal(size=rows),
            "b": rng.integers(0, 5, rows),
            "c": rng.choice(["x", "y", None], rows),
        }
    )


@given(st.permutations(range(20)), st.permutations(["y", "a", "b", "c"]))
def test_order_of_rows_and_columns_does_not_matter(rows, columns):
    first, second = data(frame(20)), data(frame(20).iloc[rows][columns])
    assert np.array_equal(first.row_hashes()[rows], second.row_hashes())
    assert first.content_hash() == second.content_hash()


@given(st.integers(0, 19), st.sampled_from(["y", "a", "b", "c"]))
def test_any_change_shows(row, column):
    changed = frame(20).astype({"c": object})
    changed.loc[row, column] = {"y": 1 - changed.loc[row, "y"], "c": "z"}.get(column, 77)
    first, second = data(frame(20)), data(changed)
    assert first.content_hash() != second.content_hash()
    assert np.flatnonzero(first.row_hashes() != second.row_hashes()).tolist() == [row]


def test_values_do_not_move_between_columns():
    first = data({"y": [0, 1], "a": [1, 2], "b": [2, 1]})
    second = data({"y": [0, 1], "a": [2, 1], "b": [1, 2]})
    assert not set(first.row_hashes()) & set(second.row_hashes())
    assert first.content_hash() != data({"y": [0, 1], "a": [1, 2], "c": [2, 1]}).content_hash()


def test_dtypes_of_the_same_value():
    same = [
        pd.Series([1, 0]),
        pd.Series([1.0, -0.0]),
        pd.Series([True, False]),
        pd.Series([1, 0], dtype="Int8"),
        pd.Series([1, 0], dtype="category"),
        pd.Series([1, 0], dtype=object),
        pd.Series([1, 0], dtype=np.float32),
    ]
    assert len({tuple(hash_column(column).tolist()) for column in same}) == 1
    texts = [pd.Series(["u", None]), pd.Series(["u", np.nan], dtype=object), pd.Series(["u", None], dtype="category")]
    assert len({tuple(hash_column(column).tolist()) for column in texts}) == 1
    assert hash_column(pd.Series([np.nan, 1.0]))[0] == hash_column(texts[0])[1]
    assert hash_column(pd.Series(["nan"], dtype=object))[0] != hash_column(texts[0])[1]


def test_overlap():
    whole = data(frame(50))
    assert overlap(whole.row_hashes()[:10], whole.row_hashes()[5:]) == 5
    assert overlap(data(frame(50, seed=1)).row_hashes(), whole.row_hashes()) == 0
    assert overlap(np.array([7, 7, 8], dtype=np.uint64), np.array([7], dtype=np.uint64)) == 2


def test_row_hashes_look_at_inputs_and_content_at_everything():
    one, other = frame(10).assign(s="F"), frame(10).assign(s="M")
    first, second = data(one, sensitive_features="s"), data(other, sensitive_features="s")
    assert np.array_equal(first.row_hashes(), second.row_hashes())
    assert first.content_hash() != second.content_hash()


def test_another_process_agrees():
    code = (
        "from evenhand.data import read_evaluation_set as r\n"
        "print(r({'y': [0, 1], 'a': ['ü', None], 'b': [1.5, 2]}, label='y').content_hash())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert told == data({"y": [0, 1], "a": ["ü", None], "b": [1.5, 2]}).content_hash()


def test_hashes_spread():
    hashes = data(pd.DataFrame({"y": np.arange(20000) % 2, "a": np.arange(20000)})).row_hashes()
    assert len(np.unique(hashes)) == 20000
    for bit in (0, 31, 63):
        share = ((hashes >> np.uint64(bit)) & np.uint64(1)).mean()
        assert abs(share - 0.5) < 0.02


def test_the_hash_of_a_table_is_the_same_in_blocks_and_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.data import hashing

    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "text": rng.choice(["a", "b", "c"], 1_000),
            "number": rng.normal(0, 1, 1_000),
            "whole": rng.integers(0, 9, 1_000),
        }
    ).assign(kind=lambda rows: rows["text"].astype("category"), y=rng.integers(0, 2, 1_000))
    found = []
    for chunk in (64, 333, 1 << 20):
        monkeypatch.setattr(hashing, "CHUNK", chunk)
        found.append(read_evaluation_set(table, label="y").content_hash())
    assert len(set(found)) == 1
