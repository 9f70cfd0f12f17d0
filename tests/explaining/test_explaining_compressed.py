"""Models as they are deployed: ONNX, int8, dynamically quantized torch; each explained against its own predict."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.explaining import explain

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def fitted() -> tuple[object, eh.EvaluationSet]:
    from evenhand.training import TrainingConfig, fit

    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.normal(size=600),
            "pay": rng.exponential(size=600),
            "area": rng.choice(["n", "s", "w", "e"], 600),
            "flag": rng.random(600) < 0.3,
        }
    )
    table["y"] = (table["age"] + table["pay"] * (table["area"] == "s") + 0.3 * rng.normal(size=600) > 0.7).astype(int)
    data = eh.read_evaluation_set(table, label="y")
    return fit(data, config=TrainingConfig(epochs=6, seed=0)), data


def test_a_fitted_network_is_split_behind_its_own_preprocessing(fitted: tuple[object, eh.EvaluationSet]) -> None:
    model, data = fitted
    X, background = data.X.iloc[:20], data.X.iloc[100:160]
    found = explain(model, X, background)  # type: ignore[arg-type]
    whole = explain(model.predict_logits, X, background, link="identity")  # type: ignore[attr-defined]
    assert "taken apart" in found.reason and "taken apart" not in whole.reason
    np.testing.assert_allclose(found.values, whole.values, atol=1e-5)
    assert found.residual < 1e-5 and found.feature_names == ("age", "pay", "area", "flag")


@pytest.mark.parametrize("recipe", ["OnnxExport", "Int8"])
def test_onnx_and_int8_models_are_explained(fitted: tuple[object, eh.EvaluationSet], recipe: str) -> None:
    pytest.importorskip("onnxruntime")
    from evenhand import compression

    model, data = fitted
    compressed = compression.compress(model, [getattr(compression, recipe)()], train=data)  # type: ignore[arg-type]
    X, background = data.X.iloc[:15], data.X.iloc[100:140]
    found = explain(compressed, X, background)
    exact = explain(compressed, X, background, method="exact")
    assert found.residual < 1e-6 * max(1.0, float(np.abs(found.predictions).max()))
    np.testing.assert_allclose(found.values, exact.values, atol=1e-6)
    original = explain(model, X, background)  # type: ignore[arg-type]
    assert np.linalg.norm(found.values - original.values) < 0.2 * np.linalg.norm(original.values)


def test_a_dynamically_quantized_model_depends_on_its_batch_and_is_asked_in_one_size() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            quantized = torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear}, dtype=torch.qint8)
            quantized(torch.zeros(2, 8))
        except Exception as problem:
            pytest.skip(f"torch cannot quantize here: {problem}")
    sizes: set[int] = set()

    def predict(X: np.ndarray) -> np.ndarray:
        sizes.add(len(X))
        with torch.inference_mode():
            return quantized(torch.from_numpy(np.array(X)) * 3).numpy()[:, 0]

    rng = np.random.default_rng(0)
    X, background = rng.normal(size=(90, 8)).astype(np.float32), rng.normal(size=(20, 8)).astype(np.float32)
    X[-1] *= 50  # one row far out moves the scale of every batch it is in
    found = explain(predict, X, background, link="identity")
    assert any("depend on the rows they are predicted together with" in note for note in found.notes)
    sizes.clear()
    explain(predict, X, background, link="identity")
    assert {size for size in sizes if size > 90} == {2048}
    assert found.residual > 0


def test_noise_is_found_out_and_averaged_away_on_request() -> None:
    rng = np.random.default_rng(0)

    def noisy(X: pd.DataFrame) -> np.ndarray:
        return X["a"].to_numpy() - X["b"].to_numpy() + 0.3 * rng.normal(size=len(X))

    table = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 2)), columns=["a", "b"])
    once = explain(noisy, table.iloc[:10], table.iloc[10:], link="identity")
    often = explain(noisy, table.iloc[:10], table.iloc[10:], link="identity", averaged=50)
    wanted = np.stack([table["a"][:10] - table["a"][10:].mean(), table["b"][10:].mean() - table["b"][:10]], axis=1)
    assert "not deterministic" in once.notes[0] and "averaged=" in once.notes[0]
    assert np.abs(often.values - wanted).mean() < 0.5 * np.abs(once.values - wanted).mean()


def test_two_thousand_columns_are_bounded_by_a_stated_budget() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(3, 2000)).astype(np.float32))
    w = rng.normal(size=2000)
    found = explain(lambda t: t.to_numpy() @ w, X, X * 0 + 1, link="identity", budget_evaluations=13_000)
    assert found.evaluations <= 13_000 and found.background_rows == 1
    assert "The budget of 13,000 evaluations pays for 1 of 3 background rows" in found.reason
    np.testing.assert_allclose(found.values, (X.to_numpy(np.float64) - 1) * w, atol=1e-3)


def test_categories_that_no_background_row_has_are_said() -> None:
    X = pd.DataFrame({"area": ["n", "s", "moon"], "pay": [1.0, 2.0, 3.0]})
    found = explain(lambda t: (t["area"] == "s").astype(float), X, X.iloc[:2], link="identity")
    assert any("'area' has values in 1 explained rows that no background row has ('moon')" in n for n in found.notes)
