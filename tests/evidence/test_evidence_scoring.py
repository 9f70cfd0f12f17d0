"""Tables larger than memory are scored batch by batch; after a kill the same call goes on where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB

from evenhand.errors import InputError, ModelError
from evenhand.evidence.scoring import score_files
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pyarrow")


class Counting:
    """A subject that counts the rows it is asked for, and dies when told to."""

    name, threshold, score_kind = "counting", 0.5, "probability"

    def __init__(self, dies_after: int = 10**9) -> None:
        self.facts: dict[str, object] = {"features": ["x"]}
        self.asked: list[int] = []
        self.dies_after = dies_after

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        if len(self.asked) == self.dies_after:
            raise KeyboardInterrupt
        self.asked.append(len(table))
        return table["x"].to_numpy() / 1000


def test_a_regressor_is_no_score_and_a_threshold_of_its_own_is_told(rows: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"x": np.arange(1000.0)})
    truth = (table["x"] > 600).to_numpy().astype(int)
    with pytest.raises(ModelError, match="Say what they are by score_kind="):
        score_files(as_subject(LinearRegression().fit(table, truth)), rows, tmp_path / "numbers")
    own = as_subject(FixedThresholdClassifier(GaussianNB(), threshold=0.2).fit(table, truth))
    score_files(own, rows, tmp_path / "scored")
    assert own.threshold == 0.2


@pytest.fixture
def rows(tmp_path: Path) -> str:
    table = pd.DataFrame({"x": np.arange(1000.0), "y": np.arange(1000) % 2, "race": ["a", "b"] * 500})
    table[:600].to_parquet(tmp_path / "rows-0.parquet", index=False)
    table[600:].to_parquet(tmp_path / "rows-1.parquet", index=False)
    return str(tmp_path / "rows-*.parquet")


def test_it_goes_on_where_it_was_killed(rows: str, tmp_path: Path) -> None:
    place, told = tmp_path / "scored", []
    with pytest.raises(KeyboardInterrupt):
        score_files(Counting(dies_after=2), rows, place, keep=("y", "race"), batch=250)  # type: ignore[arg-type]
    assert len(list(place.glob("part-*.parquet"))) == 2
    again = Counting()
    parts = score_files(
        again, rows, place, keep=("y", "race"), batch=250, progress=lambda done, total: told.append((done, total))  # type: ignore[arg-type]
    )  # fmt: skip
    assert sum(again.asked) == 1000 - 500, "what was scored is not scored again"
    assert max(again.asked) <= 250, "no more rows at a time than asked for"
    assert told[-1] == (1000, 1000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    whole = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
    assert whole["score"].tolist() == (np.arange(1000.0) / 1000).tolist()
    assert list(whole.columns) == ["y", "race", "score"]
    assert not list(place.glob("*.unfinished"))


def test_parts_of_other_work_are_not_mixed(rows: str, tmp_path: Path) -> None:
    score_files(Counting(), rows, tmp_path / "scored", keep=("y",), batch=500)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="holds parts of other work"):
        score_files(Counting(), rows, tmp_path / "scored", keep=("y", "race"), batch=500)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no such file"):
        score_files(Counting(), str(tmp_path / "none-*.parquet"), tmp_path / "other")  # type: ignore[arg-type]


def test_scored_parts_are_audited_where_they_lie(rows: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    from evenhand.audits import audit_table

    score_files(Counting(), rows, tmp_path / "scored", keep=("y", "race"), batch=300)  # type: ignore[arg-type]
    record = audit_table(str(tmp_path / "scored" / "*.parquet"), label="y", score="score", sensitive_features=["race"])
    assert record["selection_rate"].estimate == pytest.approx(0.5)
    assert record["selection_rate"].support == 1000
