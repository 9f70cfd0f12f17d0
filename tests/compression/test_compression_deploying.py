"""Exported files answer as their models do, row by row, or are refused."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.compression import Int8, compress, export_model
from evenhand.compression.deploying.comparing import compare, refuse_difference
from evenhand.errors import InputError, ModelError, OutputError
from evenhand.training import TrainingConfig, fit, fit_boosting

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 600
SMALL = TrainingConfig(epochs=2, hidden=(8,), baseline=False)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    found = pd.DataFrame(
        {
            "age": rng.normal(40, 12, ROWS).round(1),
            "job": rng.choice(["a", "b", "c d", "é"], ROWS),
            "code": rng.choice([101, 202, 303], ROWS),
            "income": np.where(rng.random(ROWS) < 0.1, np.nan, rng.lognormal(3, 1, ROWS)),
            "flag": rng.random(ROWS) < 0.3,
            "sex": rng.choice(["f", "m"], ROWS),
        }
    )
    found.loc[rng.random(ROWS) < 0.05, "job"] = None
    score = found["age"] / 40 + found["income"].fillna(20) / 20 + (found["job"] == "a") + rng.normal(0, 0.5, ROWS)
    return found.assign(paid=(score > 2.3).astype(int))


@pytest.fixture(scope="module")
def rows(table: pd.DataFrame) -> Any:
    return eh.read_evaluation_set(table, label="paid", sensitive_features=["sex"])


@pytest.fixture(scope="module")
def network(rows: Any) -> Any:
    return fit(rows, config=SMALL, name="net")


def strange(rows: Any) -> pd.DataFrame:
    """Rows with what training never saw: another level, infinities, missing cells in whole columns, another code."""
    found: pd.DataFrame = rows.X.copy()
    found.loc[0, "job"], found.loc[1, "age"], found.loc[2, "code"] = "never", np.inf, 999
    found.loc[3, "age"], found.loc[4, "age"], found.loc[5, "income"] = -np.inf, np.nan, 1e300
    return found


@pytest.mark.parametrize("format", ["onnx", "ort", "torch-export"])
def test_an_exported_network_decides_every_row_alike(format: Any, rows: Any, network: Any) -> None:
    exported = export_model(network, format, rows=rows)
    assert exported.compared is not None
    assert (exported.compared.rows, exported.compared.decisions_changed) == (ROWS, 0)
    assert exported.compared.largest < 1e-6


def test_columns_are_read_in_the_graph_as_in_python(rows: Any, network: Any, tmp_path: Path) -> None:
    export_model(network, rows=rows).save(tmp_path / "out")
    made = eh.open_model(tmp_path / "out" / "model.onnx", isolate=False)
    X = strange(rows)
    np.testing.assert_allclose(made.predict(X), network.predict(X), atol=1e-6, rtol=0)
    assert made.threshold == network.threshold
    assert made.facts["exported_from"] == network.facts["sha256"]


@pytest.mark.parametrize("several", [False, True])
def test_boosted_trees_give_their_scores_in_double_precision(
    several: bool, table: pd.DataFrame, rows: Any, tmp_path: Path
) -> None:
    if several:
        label = np.where(table["age"] > 45, "old", np.where(table["job"] == "a", "A", "z"))
        rows = eh.read_evaluation_set(table.assign(paid=label), label="paid", sensitive_features=["sex"])
    model = fit_boosting(rows)
    assert len(model.trees.sets)  # some node asks for a set of levels
    export_model(model, rows=rows).save(tmp_path / "out")
    made = eh.open_model(tmp_path / "out" / "model.onnx", isolate=False)
    X = strange(rows)
    np.testing.assert_allclose(made.predict(X), model.predict(X), atol=1e-12, rtol=0)


def test_numbers_are_exported_in_the_units_of_the_label(table: pd.DataFrame) -> None:
    label = np.exp(table["age"] / 30)
    rows = eh.read_evaluation_set(table.assign(paid=label), label="paid", task="regression", sensitive_features=["sex"])
    for log_target in (False, True):
        model = fit(rows, config=TrainingConfig(epochs=2, hidden=(4,), baseline=False, log_target=log_target))
        exported = export_model(model, rows=rows)
        assert exported.compared is not None
        assert exported.compared.largest < 1e-6


def test_a_compressed_network_is_exported_with_its_columns(rows: Any, network: Any) -> None:
    exported = export_model(compress(network, Int8(), train=rows), rows=rows)
    assert exported.compared is not None
    assert exported.compared.decisions_changed == 0


def test_the_folder_names_the_hash_of_each_file(rows: Any, network: Any, tmp_path: Path) -> None:
    place = tmp_path / "out"
    export_model(network, "ort", rows=rows, train=rows).save(place, {"audit.json": b"{}"})
    told = json.loads((place / "export.json").read_text())
    assert told["sha256"] == {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in place.iterdir()
        if each.name != "export.json"
    }
    assert set(told["sha256"]) == {"audit.json", "model.ort", "required_operators.config", "schema.json"}
    assert "ai.onnx;20;" in (place / "required_operators.config").read_text()


def test_the_schema_states_types_levels_and_ranges(rows: Any, network: Any, table: pd.DataFrame) -> None:
    told = json.loads(export_model(network, rows=rows, train=rows).files["schema.json"])
    inputs = {each["name"]: each for each in told["inputs"]}
    assert inputs["job"]["levels"] == ["a", "b", "c d", "é"]
    assert inputs["job"]["type"] == "string"
    assert inputs["age"]["range_seen_in_training"] == [table["age"].min(), table["age"].max()]
    assert inputs["income"]["missing_seen_in_training"] is True
    assert [each["name"] for each in told["outputs"]] == ["score", "decision"]


def test_a_column_called_as_an_output_keeps_its_name(table: pd.DataFrame, tmp_path: Path) -> None:
    named = table.rename(columns={"age": "score", "income": "decision"})
    rows = eh.read_evaluation_set(named, label="paid", sensitive_features=["sex"])
    export_model(fit(rows, config=SMALL), rows=rows).save(tmp_path / "out")
    made: Any = eh.open_model(tmp_path / "out" / "model.onnx", isolate=False)
    assert (made.outputs.score, made.outputs.decision) == ("score_", "decision_")
    assert len(made.predict(rows.X)) == ROWS


def test_memory_is_measured_and_held_below_a_cap(rows: Any, network: Any) -> None:
    memory = export_model(network, rows=rows, measure=True).memory
    assert memory is not None
    assert 0 < memory.model_bytes < memory.peak_bytes
    with pytest.raises(ModelError, match="1,000 are allowed"):
        export_model(network, rows=rows, memory_cap=1000)


def test_a_decision_that_differs_refuses_the_export(rows: Any, network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = network.predict
    monkeypatch.setattr(network, "predict", lambda X: answer(X)[::-1])
    with pytest.raises(ModelError, match="are decided otherwise by the exported file"):
        export_model(network, rows=rows)


def test_a_score_on_the_other_side_of_the_threshold_is_a_changed_decision() -> None:
    before, after = np.array([0.5, 0.2]), np.array([0.5 - 1e-12, 0.2])
    found = compare(before, after, None, "binary", 0.5, 1e-6)
    assert found.decisions_changed == 1
    with pytest.raises(ModelError, match="of 2 rows 1"):
        refuse_difference(found, "m")
    assert compare(before, before, np.array([0, 0]), "binary", 0.5, 1e-6).decisions_changed == 1


@pytest.mark.parametrize("format", ["onnx", "torch-export"])
def test_a_rule_over_scores_is_not_exported_and_what_takes_its_file_is_named(
    rows: Any, network: Any, format: Any
) -> None:
    from evenhand.subjects.post_processing import PostProcessed
    from evenhand.subjects.rules import Rule, Steps

    with pytest.raises(ModelError, match="evenhand serve and evenhand score take its file as it is") as told:
        export_model(PostProcessed(network, Rule(Steps.at(0.4)), ["age"], name="fair"), format, rows=rows)
    assert str(told.value).startswith("'fair' is a rule over a model's scores, which is not exported")
    assert "PostProcessed" not in str(told.value)


def test_a_record_of_another_model_or_of_other_rows_refuses_the_export(rows: Any, network: Any) -> None:
    record = eh.audit(network, rows, audits=["performance"])
    assert export_model(network, rows=rows, record=record).exported_from == network.facts["sha256"]
    with pytest.raises(InputError, match="not of this model"):
        export_model(fit(rows, config=TrainingConfig(epochs=1, hidden=(4,), baseline=False)), record=record)
    fewer = rows.take(np.arange(100))
    with pytest.raises(InputError, match="of other rows"):
        export_model(network, rows=fewer, record=record)
    other = eh.audit(network, rows, audits=["performance"], threshold=0.123)
    with pytest.raises(InputError, match=r"decisions at 0\.123"):
        export_model(network, rows=rows, record=other)


def test_an_empty_text_among_the_levels_is_refused(table: pd.DataFrame) -> None:
    rows = eh.read_evaluation_set(table.assign(job=table["job"].fillna("")), label="paid", sensitive_features=["sex"])
    with pytest.raises(ModelError, match="'job' has the empty text among its levels"):
        export_model(fit(rows, config=SMALL))


def test_what_is_not_exported_is_said(rows: Any, network: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no network of torch"):
        export_model(fit_boosting(rows), "torch-export")
    with pytest.raises(InputError, match=r"Did you mean 'onnx'\?"):
        export_model(network, "onx")  # type: ignore[arg-type]
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="there already"):
        export_model(network).save(tmp_path / "out")


@pytest.mark.skipif(find_spec("skl2onnx") is None, reason="skl2onnx is no extra of evenhand")
def test_a_pipeline_of_scikit_learn_is_exported_where_skl2onnx_is_installed(rows: Any, table: pd.DataFrame) -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from evenhand.subjects import as_subject

    read = table[["age", "code", "income"]]
    rows = eh.read_evaluation_set(
        read.assign(sex=table["sex"], paid=table["paid"]), label="paid", sensitive_features="sex"
    )
    made = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=500)).fit(read, table["paid"])
    exported = export_model(as_subject(made), rows=rows)
    assert exported.compared is not None
    assert exported.compared.decisions_changed == 0


@pytest.mark.slow
@pytest.mark.skipif(find_spec("executorch") is None, reason="executorch is no extra of evenhand")
def test_a_program_of_executorch_decides_alike_where_it_is_installed(rows: Any, network: Any) -> None:
    exported = export_model(network, "executorch", rows=rows)
    assert exported.compared is not None
    assert exported.compared.decisions_changed == 0
