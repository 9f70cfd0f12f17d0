"""What is known of a model's columns: by the model, a file, or a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from tests.serving.served import client, data, model, row, table

from evenhand.errors import InputError, ModelError
from evenhand.serving.predicting.columns import InputColumn, columns_of, columns_of_table, read_columns
from evenhand.serving.predicting.deployed import Deployed
from evenhand.subjects import as_subject
from evenhand.training import TrainingConfig, fit, fit_boosting

if TYPE_CHECKING:
    from pathlib import Path


def test_a_network_and_trees_know_their_columns() -> None:
    of_network = {column.name: column for column in columns_of(model())}
    assert of_network["job"].levels == ("clerk", "cook", "smith") and not of_network["job"].fills
    assert of_network["region"].fills and set(of_network) == {"income", "job", "region"}
    trees = fit_boosting(data(), config=TrainingConfig(trees=10))
    of_trees = {column.name: column for column in columns_of(trees)}
    assert of_trees["job"].levels == ("clerk", "cook", "smith") and of_trees["income"].kind == "number"
    found = client(trees).post("/predict", json={"inputs": row()}).json()
    assert found["score"] == trees.predict(pd.DataFrame([row()]))[0]


def test_the_range_of_training_is_inside_and_what_is_beyond_is_not() -> None:

    pieces = fit(data(), config=TrainingConfig(epochs=1, hidden=(4,), baseline=False, pieces=8))
    income = next(column for column in columns_of(pieces) if column.name == "income")
    low, high = table()["income"].min(), table()["income"].max()
    assert income.low is not None and income.high is not None
    assert income.low <= low and high <= income.high and income.high - high < 1e-6


def test_a_table_says_what_its_columns_are(tmp_path: Path) -> None:
    found = {column.name: column for column in columns_of_table(table())}
    assert (found["income"].low, found["income"].high) == (table()["income"].min(), table()["income"].max())
    assert found["job"].kind == "category" and found["region"].fills
    with pytest.raises(InputError, match="Column 'when' holds dates"):
        columns_of_table(pd.DataFrame({"when": pd.to_datetime(["2026-01-01"])}))


def test_a_file_says_what_its_columns_are_and_every_problem_is_told(tmp_path: Path) -> None:
    place = tmp_path / "schema.json"
    columns = [
        {"name": "income", "kind": "number", "low": 0, "high": 99},
        {"name": "job", "kind": "category", "levels": ["a", 1]},
    ]
    for told in ({"columns": columns}, {"inputs": {"columns": columns}}, columns):
        place.write_text(json.dumps(told))
        assert read_columns(place) == (
            InputColumn("income", "number", (), 0.0, 99.0), InputColumn("job", "category", ("a", "1")),
        )  # fmt: skip
    place.write_text(
        json.dumps({"columns": [{"kind": "number"}, {"name": "a", "kind": "int", "low": "x", "levels": 3}]})
    )
    with pytest.raises(InputError) as wrong:
        read_columns(place)
    told = str(wrong.value)
    assert (
        "column 1 has no name" in told
        and "kind is 'int'" in told
        and "low is 'x'" in told
        and "levels is a list" in told
    )
    place.write_text("{}")
    with pytest.raises(InputError, match="this is no schema"):
        read_columns(place)


def test_a_model_that_says_nothing_is_refused_and_a_text_model_too() -> None:
    silent = as_subject(lambda X: np.zeros(len(X)))
    with pytest.raises(ModelError, match="does not say which columns it reads") as told:
        Deployed(silent)
    alone = "pass schema= with a file that does, or adverse= and reasons_background= together, with training rows."
    assert str(told.value).endswith(alone)
    with pytest.raises(ModelError, match="reads texts"):
        Deployed(as_subject(lambda X: np.zeros(len(X)), reads="texts"), columns_of(model()))


def test_the_schema_of_an_export_is_read(tmp_path: Path) -> None:
    told = [
        {"name": "income", "type": "float64", "range_seen_in_training": [0, 99], "missing_seen_in_training": False},
        {"name": "job", "type": "string", "missing": "", "missing_seen_in_training": True, "levels": ["a"]},
        {"name": "region", "type": "float64", "levels": ["10", "20"], "missing_seen_in_training": None},
    ]
    (tmp_path / "schema.json").write_text(json.dumps({"inputs": told, "outputs": []}))
    assert read_columns(tmp_path / "schema.json") == (
        InputColumn("income", "number", (), 0.0, 99.0, fills=False),
        InputColumn("job", "category", ("a",)),
        InputColumn("region", "code", ("10", "20")),
    )
