"""Models that behave badly, models with a shorter way, and shap's own explainers."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from evenhand.errors import InputError, ModelError
from evenhand.explaining import explain
from evenhand.explaining.choosing import WAYS
from evenhand.subjects import as_subject


def data(n: int = 300, m: int = 5, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, m)), columns=[f"x{j}" for j in range(m)])
    return X, ((X["x0"] + X["x1"] * X["x2"] + rng.normal(size=n)) > 0).to_numpy().astype(int)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def test_logistic_regression_is_explained_in_closed_form() -> None:
    X, y = data()
    model = LogisticRegression().fit(X, y)
    found = explain(as_subject(model), X.iloc[:20], X.iloc[100:200])
    assert found.method == "linear" and found.exact and found.residual < 1e-9
    wanted = model.coef_[0] * (X.iloc[:20] - X.iloc[100:200].mean())
    np.testing.assert_allclose(found.values, wanted, atol=1e-12)
    engine = explain(as_subject(model), X.iloc[:20], X.iloc[100:200], method="pairs")
    np.testing.assert_allclose(found.values, engine.values, atol=1e-8)
    assert found.standard_errors is not None and engine.standard_errors is not None
    np.testing.assert_allclose(found.standard_errors, engine.standard_errors, atol=1e-8)


def test_a_linear_model_asked_for_its_first_class_or_in_groups_keeps_its_sign_and_its_sums() -> None:
    X, y = data()
    rows, background = X.iloc[:20], X.iloc[100:200]
    for model in (LogisticRegression().fit(X, y), RidgeClassifier().fit(X, y)):
        subject = as_subject(model, positive=0)
        found = explain(subject, rows, background, players={"both": ["x0", "x3"]})
        engine = explain(subject, rows, background, players={"both": ["x0", "x3"]}, method="pairs")
        assert (found.method, found.feature_names[0]) == ("linear", "both")
        np.testing.assert_allclose(found.values, engine.values, atol=1e-8)
    assert found.link == "identity"
    assert any("ranking" in note for note in found.notes)


@pytest.mark.parametrize("kind", [GradientBoostingClassifier, HistGradientBoostingClassifier])
def test_trees_agree_with_the_pairs(kind: type) -> None:
    X, y = data()
    steps = {"n_estimators": 20} if kind is GradientBoostingClassifier else {"max_iter": 20}
    model = as_subject(kind(max_depth=3, **steps).fit(X, y))
    rows, background = X.iloc[:10], X.iloc[100:130]
    found = explain(model, rows, background)
    engine = explain(model.predict, rows, background, method="exact")  # a bare function: composed rows, no trees
    assert found.method == "tree" and found.residual < 1e-9
    np.testing.assert_allclose(found.values, engine.values, atol=1e-9)
    assert found.standard_errors is not None and engine.standard_errors is not None
    np.testing.assert_allclose(found.standard_errors, engine.standard_errors, atol=1e-9)
    first = explain(as_subject(model.estimator, positive=0), rows, background)
    np.testing.assert_allclose(first.values, -found.values, atol=1e-9)


def test_trees_agree_with_shap_where_shap_reads_them_right() -> None:
    shap = pytest.importorskip("shap")
    X, y = data()
    model = GradientBoostingClassifier(n_estimators=20, max_depth=4).fit(X.astype(np.float32), y)
    rows, background = X.iloc[:10].astype(np.float32), X.iloc[100:150].astype(np.float32)
    explainer = shap.TreeExplainer(model, shap.maskers.Independent(background, max_samples=50))
    np.testing.assert_allclose(explain(model, rows, background).values, explainer.shap_values(rows), atol=1e-5)


def test_a_forest_is_explained_on_the_scale_on_which_its_trees_add_up_unless_told_otherwise() -> None:
    X, y = data()
    model = as_subject(RandomForestClassifier(n_estimators=15, max_depth=4, random_state=0).fit(X, y))
    rows, background = X.iloc[:10], X.iloc[100:130]
    shares = explain(model, rows, background)
    assert (shares.method, shares.link) == ("tree", "identity")
    engine = explain(model.predict, rows, background, link="identity", method="exact")
    np.testing.assert_allclose(shares.values, engine.values, atol=1e-9)
    odds = explain(model, rows, background, method="tree", link="logit")
    assert odds.method == "pairs" and "Not tree" in odds.reason and "another scale" in odds.reason


def test_tree_values_that_do_not_add_up_to_the_users_predict_are_refused() -> None:
    X, y = data()

    class Changed:
        """A subject whose scores are not its estimator's: a calibrated or capped model, say."""

        name, threshold, score_kind, facts = "changed", 0.5, "probability", {}
        estimator = GradientBoostingClassifier(n_estimators=10).fit(X, y)

        def predict(self, table: pd.DataFrame) -> np.ndarray:
            return np.clip(self.estimator.predict_proba(table)[:, 1], 0.3, 0.7)

    found = explain(Changed(), X.iloc[:10], X.iloc[50:80])
    assert found.method == "pairs" and found.residual < 1e-9
    assert "miss the model's own scores" in found.reason


@pytest.mark.parametrize("method", ["shap-permutation", "shap-exact", "shap-kernel"])
def test_shaps_own_explainers_are_one_option_away_and_agree(method: str) -> None:
    pytest.importorskip("shap")
    X, _ = data(m=4)
    X["x3"] = np.where(X["x3"] > 0, "up", "down")

    def f(table: pd.DataFrame) -> np.ndarray:
        return sigmoid(table["x0"] * table["x1"] + table["x2"] * (table["x3"] == "up"))

    rows, background = X.iloc[:5], X.iloc[100:240]
    found = explain(f, rows, background, method=method)
    exact = explain(f, rows, background, method="exact")
    np.testing.assert_allclose(found.values, exact.values, atol=2e-2 if method == "shap-permutation" else 1e-6)
    assert found.residual < 1e-6 and found.standard_errors is None and found.background_rows == 140
    assert any("no error" in note for note in found.notes)
    with pytest.raises(InputError):
        found.interval()


def test_an_explanation_for_shap_holds_the_same() -> None:
    shap = pytest.importorskip("shap")
    X, _ = data(m=4)
    found = explain(lambda t: sigmoid(t["x0"] * t["x1"]), X.iloc[:5], X.iloc[100:140])
    explanation = found.to_shap()
    assert isinstance(explanation, shap.Explanation)
    np.testing.assert_array_equal(explanation.values, found.values)
    np.testing.assert_allclose(explanation.base_values + explanation.values.sum(1), found.predictions, atol=1e-9)
    np.testing.assert_array_equal(explanation[:2].error_std, found.standard_errors[:2])
    assert list(explanation.feature_names) == list(found.feature_names)


def test_a_model_that_depends_on_its_batch_is_found_out_and_still_asked_in_one_size() -> None:
    X, _ = data(m=4)
    sizes = []

    def scaled(table: pd.DataFrame) -> np.ndarray:
        sizes.append(len(table))
        v = table.to_numpy()
        step = np.abs(v).max() / 7
        return sigmoid(np.round(v / step).sum(axis=1) * step)

    found = explain(scaled, X.iloc[:80], X.iloc[100:140])
    assert any("predicted together with" in note for note in found.notes)
    assert set(sizes) <= {1, 40, 64, 80, 2048}
    assert found.residual > 0


def test_a_model_that_draws_at_random_is_found_out() -> None:
    X, _ = data(m=4)
    rng = np.random.default_rng(0)
    found = explain(lambda t: sigmoid(t["x0"] + rng.normal(size=len(t))), X.iloc[:10], X.iloc[100:140])
    assert any("not deterministic" in note for note in found.notes)


def test_a_well_behaved_model_has_no_notes() -> None:
    X, _ = data(m=4)
    assert explain(lambda t: sigmoid(t["x0"] * t["x1"]), X.iloc[:10], X.iloc[100:140]).notes == ()


def test_a_constant_model_has_no_values_and_it_is_said() -> None:
    X, _ = data(m=4)
    found = explain(lambda t: np.full(len(t), 0.3), X.iloc[:10], X.iloc[100:140])
    assert not found.values.any()
    assert any("same score" in note for note in found.notes)


def test_scores_that_are_not_finite_are_an_error() -> None:
    X, _ = data(m=4)
    with pytest.raises(ModelError, match="not finite"):
        explain(lambda t: np.where(t["x0"] > 1, np.nan, 0.5), X, X.iloc[:40])

    def late(table: pd.DataFrame) -> np.ndarray:
        """Undefined only for rows that no one gave: mixed ones."""
        return np.where((table["x0"] == 1) & (table["x1"] == 0), np.nan, 0.5)

    rows = pd.DataFrame({"x0": [1.0], "x1": [1.0]})
    with pytest.raises(ModelError, match="not finite"):
        explain(late, rows, rows * 0)


def test_answers_of_a_wrong_shape_or_scale_are_errors() -> None:
    X, _ = data(m=4)
    with pytest.raises(ModelError, match=r"shape \(3,\) for 300 rows"):
        explain(lambda t: np.zeros(3), X, X)
    with pytest.raises(ModelError, match="no probability"):
        explain(lambda t: t["x0"], X, X)
    with pytest.raises(ModelError, match="could not predict"):
        explain(lambda t: t["nothing"], X, X)
    with pytest.raises(ModelError, match="no numbers"):
        explain(lambda t: ["yes"] * len(t), X, X)


def test_probabilities_at_the_ends_are_clipped_and_counted() -> None:
    X, _ = data(m=4)
    found = explain(lambda t: (t["x0"] > 0) * 1.0, X.iloc[:10], X.iloc[100:140])
    assert found.clipped > 0 and any("clipped" in note for note in found.notes)
    assert np.isfinite(found.values).all() and found.residual < 1e-9


def test_a_subjects_own_logits_are_used_and_compared_with_its_probabilities() -> None:
    X, _ = data(m=4)

    class Torchlike:
        name, threshold, score_kind, facts = "net", 0.5, "probability", {}

        def __init__(self, slip: float = 0.0) -> None:
            self.slip = slip

        def predict(self, table: pd.DataFrame) -> np.ndarray:
            return sigmoid(40 * table["x0"].to_numpy() + self.slip)

        def predict_logits(self, table: pd.DataFrame) -> np.ndarray:
            return 40 * table["x0"].to_numpy()

    found = explain(Torchlike(), X.iloc[:20], X.iloc[100:140])
    np.testing.assert_allclose(found.values[:, 0], 40 * (X["x0"].iloc[:20] - X["x0"].iloc[100:140].mean()), atol=1e-9)
    assert found.clipped == 0
    slipped = explain(Torchlike(3.0), X.iloc[:20], X.iloc[100:140])
    assert any("disagree" in note for note in slipped.notes) and slipped.clipped > 0


def test_tables_that_cannot_be_explained_are_refused_with_a_sentence() -> None:
    X, _ = data(n=10, m=4)
    half = [
        (X.iloc[:0], X, "X is empty"),
        (X, X.iloc[:0], "background is empty"),
        (X, X.drop(columns="x1"), "lacks 1 col"),
    ]
    wide = pd.DataFrame(np.zeros((2, 2001)), columns=[str(j) for j in range(2001)])
    twice = pd.concat([X, X[["x0"]]], axis=1)
    lists = pd.DataFrame({"a": [[1], [2]]})
    for rows, background, text in [
        *half,
        (wide, wide, "2,001 columns"),
        (twice, twice, "more than one"),
        (lists, lists, "'a' holds"),
    ]:
        with pytest.raises(InputError, match=text):
            explain(lambda t: np.full(len(t), 0.5), rows, background)
    with pytest.raises(InputError, match="Did you mean 'exact'"):
        explain(lambda t: np.full(len(t), 0.5), X, X, method="exakt")  # type: ignore[arg-type]
    with pytest.raises(InputError) as told:
        explain(lambda t: t, X, X, permutations=0, budget_evaluations=0, budget_seconds=-1)
    assert len(told.value.problems) == 3
    with pytest.raises(InputError) as told:
        explain(lambda t: t, X, X, seed=-1, link="log")  # type: ignore[arg-type]
    assert len(told.value.problems) == 2
    many = pd.DataFrame(np.random.default_rng(0).normal(size=(2, 30)))
    with pytest.raises(InputError, match="at most"):
        explain(lambda t: sigmoid(t[0]), many, many, method="exact")


def test_one_background_row_is_allowed_and_said() -> None:
    X, _ = data(m=4)
    found = explain(lambda t: sigmoid(t["x0"] * t["x1"]), X.iloc[:10], X.iloc[100:101])
    assert found.standard_errors is None and found.residual < 1e-9
    assert any("one background row" in note for note in found.notes)


def test_the_fast_path_loads_neither_shap_nor_torch_nor_sklearn() -> None:
    script = (
        "import sys, numpy as np, pandas as pd\nfrom evenhand.explaining import explain\n"
        "X = pd.DataFrame(np.random.default_rng(0).normal(size=(9, 12)))\n"
        "explain(lambda t: 1 / (1 + np.exp(-t[0] * t[1])), X, X)\n"
        "print([name for name in ('shap', 'torch', 'sklearn', 'numba') if name in sys.modules])"
    )
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_way_says_what_it_does() -> None:
    assert all(way.meaning.endswith(".") and way.holds.endswith(".") for way in WAYS.values())
