"""Cells are prepared without a table bit for bit as a table is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evenhand as eh
from evenhand.training.cells import Cells
from evenhand.training.levels import show_level, spellings
from evenhand.training.preprocessing import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Sequence


def cells(table: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = [
        [None if gone else value for gone, value in zip(table[name].isna(), table[name].tolist(), strict=True)]
        for name in table
    ]
    return list(zip(*columns, strict=True))


def mixed() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = 400
    table = pd.DataFrame(
        {
            "amount": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(50, 20, rows)),
            "whole": rng.integers(0, 5000, rows),
            "flag": rng.random(rows) < 0.5,
            "code": rng.choice([10, 20, 40], rows),
            "job": rng.choice(["clerk", "smith", "cook"], rows),
            "town": [f"t{at % 90}" for at in range(rows)],
            "written": [f"{at:,}" for at in rng.integers(1000, 10**6, rows)],
            "constant": 1.0,
        }
    )
    table.loc[::7, "job"] = None
    table.loc[::9, "written"] = None
    return table


@pytest.mark.parametrize("pieces", [0, 8])
@pytest.mark.parametrize("scaling", ["standard", "unit", "signed"])
def test_cells_are_what_a_table_gives(pieces: int, scaling: str) -> None:
    table = mixed()
    fitted = Preprocessing.fit(table.iloc[:300], scaling, pieces, codes=True)  # type: ignore[arg-type]
    assert {type(column).__name__ for column in fitted.columns} == {"NumberColumn", "CategoryColumn", "CodeColumn"}
    found = Cells(fitted).write(cells(table))  # type: ignore[arg-type]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, fitted.transform(table))


def test_a_row_is_the_same_alone_and_beside_others() -> None:
    table = mixed()
    writer = Cells(Preprocessing.fit(table, pieces=4, codes=True))
    rows = cells(table)
    together = writer.write(rows)  # type: ignore[arg-type]
    alone = np.concatenate([writer.write([row]) for row in rows[:50]])  # type: ignore[list-item]
    np.testing.assert_array_equal(together[:50], alone)


def test_true_is_another_level_than_one_whatever_stands_beside_it() -> None:
    fitted = Preprocessing.fit(pd.DataFrame({"kind": pd.Series(["1", "2", "1"], dtype=object)}))
    writer = Cells(fitted)
    rows: Sequence[tuple[object]] = [(1,), (True,), ("1",), (1.0,), ("01",)]
    assert writer.write(rows)[:, 0].tolist() == [1.0, 0.0, 1.0, 1.0, 0.0]  # type: ignore[arg-type]


def test_the_mortgage_data_are_prepared_alike() -> None:
    table = eh.load_loanapp().X
    fitted = Preprocessing.fit(table, pieces=8, codes=True)
    np.testing.assert_array_equal(Cells(fitted).write(cells(table)), fitted.transform(table))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=8), st.integers(-(10**6), 10**6).map(str), st.floats(-1e6, 1e6).map(show_level)))
def test_every_spelling_of_a_level_is_shown_as_the_level(level: str) -> None:
    assert {show_level(spelt) for spelt in spellings(level)} == {level}
