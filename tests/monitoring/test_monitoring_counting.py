"""Batches are counted as the audit was, and bad ones are refused in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from tests.monitoring.live import audited, baseline, batch, live_rows

from evenhand.errors import InputError
from evenhand.monitoring.baseline_files import read_baseline, write_baseline
from evenhand.monitoring.columns import binned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_audited_rows_as_a_batch_count_what_the_audit_counted() -> None:
    table, record = audited()
    counted = batch(table)
    for at, part in enumerate(baseline().parts):
        assert counted.counts[f"labelled.{at}"].tolist() == part.counts
        assert (counted.counts[f"decided.{at}"] == counted.counts[f"labelled.{at}"].sum(axis=1)).all()
    for at, column in enumerate(baseline().columns):
        assert tuple(counted.counts[f"input.{at}"]) == column.counts
    assert tuple(map(tuple, counted.counts["calibration"])) == baseline().calibration
    assert record.provenance["data"]["rows"] == counted.rows


def test_shuffling_rows_changes_no_count() -> None:
    table = live_rows(300, 3)
    one, other = batch(table), batch(table.sample(frac=1, random_state=1))
    assert one.id != other.id
    assert all((one.counts[name] == other.counts[name]).all() for name in one.counts)


def test_two_halves_add_up() -> None:
    table = live_rows(300, 4)
    whole, parts = batch(table), [batch(table[:100]), batch(table[100:])]
    for name, cells in whole.counts.items():
        assert (cells == parts[0].counts[name] + parts[1].counts[name]).all()


def test_missing_and_unseen_values_have_bins_of_their_own() -> None:
    column = binned(pd.Series([*"aabbb"] * 20 + [None] * 3 + ["rare"], name="c"))
    assert column.names == ("b", "a", "(pooled)", "(unseen)", "(missing)")
    assert column.counts == (60, 40, 1, 0, 3)
    assert column.count(pd.Series(["a", "rare", "new", None], name="c")).tolist() == [0, 1, 1, 1, 1]


def test_numbers_are_cut_at_few_quantiles() -> None:
    column = binned(pd.Series([*np.arange(1000.0), np.nan], name="n"))
    assert len(column.names) == 21
    assert max(column.counts) - min(column.counts[:-1]) <= 2
    flat = binned(pd.Series([7.0] * 50, name="n"))
    assert flat.counts == (50, 0)


def test_a_new_group_is_counted_among_all_rows_only() -> None:
    table = live_rows(50, 5)
    table.loc[:4, "sex"] = "x"
    counted = batch(table)
    assert counted.unseen == {"sex": 5}
    assert counted.counts["decided.0"].sum() == 50
    assert counted.counts["decided.1"].sum() == 45


BAD: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    (lambda rows: rows.drop(columns=["age"]), "no column 'age', which the audit had"),
    (lambda rows: rows.assign(age="old"), "at the audit it held numbers"),
    (lambda rows: rows.assign(age=np.inf), "infinite in 30 rows"),
    (lambda rows: rows.assign(score=np.nan), "missing or infinite in 30 rows"),
    (lambda rows: rows.assign(paid="maybe"), "at the audit it was one of"),
    (lambda rows: rows[:0], "has no rows"),
    (lambda rows: rows.drop(columns=["score"]), "no column 'score'"),
]


@pytest.mark.parametrize(("change", "said"), BAD, ids=[said for _, said in BAD])
def test_a_bad_batch_is_refused(change: Callable[[pd.DataFrame], pd.DataFrame], said: str) -> None:
    with pytest.raises(InputError, match=said):
        batch(change(live_rows(30, 6)))


def test_all_problems_are_told_together() -> None:
    with pytest.raises(InputError) as told:
        batch(live_rows(30, 6).drop(columns=["age", "sex"]))
    assert "'age'" in str(told.value)
    assert "'sex'" in str(told.value)


def test_labels_without_predictions_are_refused() -> None:
    with pytest.raises(InputError, match="labels without predictions"):
        batch(live_rows(30, 6)[["sex", "paid"]], late=True)


def test_a_baseline_comes_back_and_holds_no_rows(tmp_path: Path) -> None:
    write_baseline(tmp_path / "baseline.json", baseline())
    assert read_baseline(tmp_path / "baseline.json") == baseline()
    text = (tmp_path / "baseline.json").read_text("utf-8")
    assert len(text) < 20_000
    (tmp_path / "baseline.json").write_text(text.replace('"threshold": 0.5', '"threshold": 0.4'), "utf-8")
    with pytest.raises(InputError, match="its digest differs"):
        read_baseline(tmp_path / "baseline.json")
