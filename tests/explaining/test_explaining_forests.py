"""Forests and boosted trees: exact values of groups of columns, whatever stands before the trees."""

from __future__ import annotations

import sys
from subprocess import run
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from tests.explaining.brute import brute

from evenhand.explaining import explain
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Callable


def numbers(n: int = 240, m: int = 4, seed: int = 0, missing: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(np.round(rng.normal(size=(n, m)), 3), columns=[f"x{j}" for j in range(m)])
    y = ((X["x0"] + X["x1"] * X["x2"] + rng.normal(size=n)) > 0).to_numpy().astype(int)
    return X.mask(pd.DataFrame(rng.random(X.shape) < 0.15, columns=X.columns)) if missing else X, y


def mixed_kinds(n: int = 300, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": np.round(rng.normal(40, 12, n)),
            "town": rng.choice(["Aby", "Bex", "Cam", "Dol", "Eck"], n),
            "job": rng.choice(["cook", "smith", "clerk"], n),
            "pay": np.where(rng.random(n) < 0.2, np.nan, rng.lognormal(3, 0.5, n)),
        }
    )
    odds = X["age"] / 20 + (X["town"] == "Cam") * 2 - (X["job"] == "cook") * X["pay"].fillna(0) / 10
    return X, (odds + rng.normal(size=n) > 2).to_numpy().astype(int)


def odds(model: object) -> Callable[[pd.DataFrame], np.ndarray]:
    def raw(table: pd.DataFrame) -> np.ndarray:
        p = model.predict_proba(table)[:, 1]
        return np.log(p) - np.log1p(-p)

    return raw


def singles(X: pd.DataFrame) -> dict[str, list[str]]:
    return {column: [column] for column in X.columns}


PROBABILITIES = {
    "tree": DecisionTreeClassifier(max_depth=6, random_state=0),
    "extra tree": ExtraTreeClassifier(max_depth=6, random_state=0),
    "forest": RandomForestClassifier(n_estimators=7, random_state=0),
    "weighted forest": RandomForestClassifier(n_estimators=5, max_depth=3, class_weight="balanced", random_state=0),
    "extra trees": ExtraTreesClassifier(n_estimators=7, max_depth=5, random_state=0),
    "bagging": BaggingClassifier(DecisionTreeClassifier(max_depth=4), n_estimators=5, max_features=0.6, random_state=0),
    "bagged forests": BaggingClassifier(RandomForestClassifier(3, max_depth=3), n_estimators=3, random_state=0),
}
LOG_ODDS = {
    "gradient boosting": GradientBoostingClassifier(n_estimators=12, random_state=0),
    "exponential loss": GradientBoostingClassifier(n_estimators=8, loss="exponential", random_state=0),
    "without start": GradientBoostingClassifier(n_estimators=8, init="zero", random_state=0),
    "hist": HistGradientBoostingClassifier(max_iter=12, min_samples_leaf=5),
    "adaboost": AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=9, random_state=0),
}
NUMBERS = {
    "tree": DecisionTreeRegressor(max_depth=6, random_state=0),
    "extra tree": ExtraTreeRegressor(max_depth=6, random_state=0),
    "forest": RandomForestRegressor(n_estimators=7, random_state=0),
    "extra trees": ExtraTreesRegressor(n_estimators=7, max_depth=5, random_state=0),
    "bagging": BaggingRegressor(n_estimators=5, max_features=0.6, random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=12, loss="huber", random_state=0),
    "hist": HistGradientBoostingRegressor(max_iter=12, min_samples_leaf=5),
    "hist median": HistGradientBoostingRegressor(max_iter=12, loss="quantile", quantile=0.5, min_samples_leaf=5),
}
TAKE_MISSING = {"tree", "extra tree", "forest", "weighted forest", "extra trees", "hist"}


@pytest.mark.parametrize("name", PROBABILITIES)
@pytest.mark.parametrize("positive", [1, 0])
def test_a_forest_is_explained_exactly_on_the_scale_of_its_probabilities(name: str, positive: int) -> None:
    X, y = numbers(missing=name in TAKE_MISSING)
    model = PROBABILITIES[name].fit(X, y)
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model, positive=positive), rows, background)
    assert (found.method, found.link, found.exact, found.clipped) == ("tree", "identity", True, 0)
    assert any("probability itself" in note for note in found.notes)
    wanted = brute(lambda table: model.predict_proba(table)[:, positive], rows, background, singles(X))
    np.testing.assert_allclose(found.values, wanted, atol=1e-12)
    assert found.residual < 1e-12


@pytest.mark.parametrize("name", LOG_ODDS)
@pytest.mark.parametrize("positive", [1, 0])
def test_boosted_trees_are_explained_exactly_in_log_odds(name: str, positive: int) -> None:
    X, y = numbers(missing=name in TAKE_MISSING)
    model = LOG_ODDS[name].fit(X, y)
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model, positive=positive), rows, background)
    assert (found.method, found.link, found.exact, found.notes) == ("tree", "logit", True, ())
    sign = 1 if positive else -1
    np.testing.assert_allclose(found.values, sign * brute(odds(model), rows, background, singles(X)), atol=1e-9)


@pytest.mark.parametrize("name", NUMBERS)
def test_regressors_are_explained_exactly(name: str) -> None:
    X, _ = numbers(missing=name in TAKE_MISSING)
    y = X["x0"].fillna(3) * X["x1"].fillna(-1) + X["x3"].fillna(0)
    model = NUMBERS[name].fit(X, y)
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model), rows, background)
    assert (found.method, found.link, found.exact) == ("tree", "identity", True)
    np.testing.assert_allclose(found.values, brute(model.predict, rows, background, singles(X)), atol=1e-12)


def test_columns_of_a_declared_group_are_one_player() -> None:
    X, y = numbers(m=6)
    model = HistGradientBoostingClassifier(max_iter=15, min_samples_leaf=5).fit(X, y)
    players = {"both": ["x0", "x2"], "x1": ["x1"], "three": ["x3", "x4", "x5"]}
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model), rows, background, players=players)
    assert (found.method, found.feature_names) == ("tree", tuple(players))
    np.testing.assert_allclose(found.values, brute(odds(model), rows, background, players), atol=1e-9)


def test_arrays_are_explained_like_tables() -> None:
    X, y = numbers()
    model = GradientBoostingClassifier(n_estimators=9, random_state=0).fit(X.to_numpy(), y)
    named = {f"x{at}": [column] for at, column in enumerate(X.columns)}
    found = explain(model, X.to_numpy()[:8], X.to_numpy()[100:125])
    assert (found.method, found.link) == ("tree", "logit")
    raw = lambda table: model.decision_function(table.to_numpy())  # noqa: E731
    np.testing.assert_allclose(found.values, brute(raw, X.iloc[:8], X.iloc[100:125], named), atol=1e-9)


def prepared(kind: str) -> object:
    """Preprocessing whose columns each come from one column of `mixed_kinds`."""
    words, amounts = ["town", "job"], ["age", "pay"]
    encoders = {
        "one-hot, sparse": ColumnTransformer(
            [("w", OneHotEncoder(handle_unknown="ignore"), words), ("a", "passthrough", amounts)], sparse_threshold=1.0
        ),
        "one-hot, indicators": make_column_transformer(
            (OneHotEncoder(drop="first", sparse_output=False), words),
            (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), amounts),
        ),
        "ordinal, pandas": make_column_transformer(
            (OrdinalEncoder(), words), (SimpleImputer(strategy="median"), amounts), verbose_feature_names_out=False
        ).set_output(transform="pandas"),
        "bins": make_column_transformer(
            (OneHotEncoder(sparse_output=False), words),
            (
                make_pipeline(
                    SimpleImputer(), KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf")
                ),
                amounts,
            ),
        ),
        "functions, nested": make_pipeline(
            make_column_transformer(
                (OneHotEncoder(sparse_output=False), words),
                (make_pipeline(SimpleImputer(), FunctionTransformer(np.log1p)), amounts),
            ),
            StandardScaler(),
        ),
    }
    return encoders[kind]


@pytest.mark.parametrize(
    "kind", ["one-hot, sparse", "one-hot, indicators", "ordinal, pandas", "bins", "functions, nested"]
)
@pytest.mark.parametrize("last", [HistGradientBoostingClassifier(max_iter=10), RandomForestClassifier(8, max_depth=6)])
def test_preprocessing_whose_columns_each_come_from_one_feature_is_seen_through(kind: str, last: object) -> None:
    X, y = mixed_kinds()
    if kind == "one-hot, sparse":
        X["pay"] = X["pay"].fillna(-1.0)
        last = RandomForestClassifier(8, max_depth=6, random_state=0)  # histogram boosting takes no sparse rows
    model = make_pipeline(prepared(kind), last).fit(X, y)
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model), rows, background)
    assert (found.method, found.exact) == ("tree", True)
    raw = odds(model) if found.link == "logit" else lambda table: model.predict_proba(table)[:, 1]
    np.testing.assert_allclose(found.values, brute(raw, rows, background, singles(X)), atol=1e-9)
    # Rows and background once, and a few to see how the model behaves: nothing is asked of mixed rows.
    assert found.evaluations == 0 and found.model_rows <= len(rows) + len(background) + 3 * 64


def test_histogram_boosting_encodes_categories_itself() -> None:
    X, y = mixed_kinds()
    X = X.astype({"town": "category", "job": "category"})[["age", "town", "pay", "job"]]
    X.loc[X.index[::7], "town"] = np.nan
    fitted = X.iloc[:200]
    fitted = fitted[fitted["town"] != "Dol"]  # a category that the model does not know
    model = HistGradientBoostingClassifier(max_iter=15, categorical_features="from_dtype", min_samples_leaf=5)
    model.fit(fitted, y[fitted.index])
    rows, background = X.iloc[200:212], X.iloc[215:240]
    assert (rows["town"] == "Dol").any() and rows["town"].isna().any()
    found = explain(as_subject(model), rows, background)
    assert (found.method, found.exact) == ("tree", True)
    np.testing.assert_allclose(found.values, brute(odds(model), rows, background, singles(X)), atol=1e-9)


def test_categories_given_as_codes_are_read_and_shap_is_not() -> None:
    X, y = numbers()
    X["x1"] = pd.Series(np.random.default_rng(3).integers(0, 6, len(X))).astype(float)
    y = ((X["x1"] % 2 == 0) ^ (y == 1)).astype(int)
    model = HistGradientBoostingClassifier(max_iter=15, categorical_features=[1], min_samples_leaf=5).fit(X, y)
    assert any(predictor.nodes["is_categorical"].any() for (predictor,) in model._predictors)
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model), rows, background)
    np.testing.assert_allclose(found.values, brute(odds(model), rows, background, singles(X)), atol=1e-9)


def test_wrapped_ensembles_are_read_where_they_pass_probabilities_on() -> None:
    X, y = numbers()
    searched = GridSearchCV(
        make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=5)),
        {"gradientboostingclassifier__max_depth": [2, 3]},
        cv=2,
    )
    model = FixedThresholdClassifier(searched, threshold=0.3).fit(X, y)
    rows, background = X.iloc[:6], X.iloc[100:120]
    found = explain(as_subject(model), rows, background)
    assert found.method == "tree"
    np.testing.assert_allclose(found.values, brute(odds(model), rows, background, singles(X)), atol=1e-9)


def test_mixed_columns_are_refused_and_the_pairs_answer() -> None:
    X, y = numbers()
    model = make_pipeline(PCA(2), GradientBoostingClassifier(n_estimators=5)).fit(X, y)
    rows, background = X.iloc[:6], X.iloc[100:120]
    found = explain(as_subject(model), rows, background)
    assert found.method == "pairs" and "comes from more than one feature" in found.reason
    np.testing.assert_allclose(found.values, brute(odds(model), rows, background, singles(X)), atol=1e-9)


def test_columns_that_one_player_mixes_are_its_own() -> None:
    X, y = numbers(m=5)
    before = make_column_transformer((PCA(2), ["x0", "x1", "x2"]), remainder="passthrough")
    model = make_pipeline(before, GradientBoostingClassifier(n_estimators=9)).fit(X, y)
    players = {"body": ["x0", "x1", "x2"], "x3": ["x3"], "x4": ["x4"]}
    rows, background = X.iloc[:6], X.iloc[100:120]
    found = explain(as_subject(model), rows, background, players=players)
    assert found.method == "tree"
    np.testing.assert_allclose(found.values, brute(odds(model), rows, background, players), atol=1e-9)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (LogisticRegression(), "no tree ensemble that can be read"),
        (RandomForestClassifier(3), "does not have two classes"),
        (BaggingClassifier(HistGradientBoostingClassifier(max_iter=3), 2), "inside it is no sum of trees"),
        (BaggingClassifier(GradientBoostingClassifier(n_estimators=3), 2), "add up log-odds"),
        (AdaBoostClassifier(LogisticRegression(), n_estimators=2), "inside it is no sum of trees"),
        (GradientBoostingClassifier(n_estimators=3, init=DecisionTreeClassifier(max_depth=1)), "starts from another"),
        (HistGradientBoostingRegressor(max_iter=3, loss="poisson"), "no sum of leaves"),
    ],
)
def test_what_is_no_sum_of_trees_is_refused_with_the_reason(model: object, why: str) -> None:
    X, y = numbers()
    several = "two classes" in why
    model.fit(X, np.where(X["x3"] > 1, 2, y) if several else y)
    given = (lambda table: model.predict_proba(table)[:, 1]) if several else None
    subject = as_subject(model) if given is None else Shown(model, given)
    found = explain(subject, X.iloc[:5], X.iloc[50:60], method="tree")
    assert found.method == "pairs" and why in found.reason


class Shown:
    """A subject that shows its estimator, and predicts by a function."""

    name, threshold, score_kind, facts = "shown", 0.5, "probability", {}

    def __init__(self, estimator: object, predict: Callable[[pd.DataFrame], np.ndarray]) -> None:
        self.estimator, self.predict = estimator, predict


@pytest.mark.parametrize("model", [RandomForestClassifier(9, max_depth=4), GradientBoostingClassifier(n_estimators=9)])
def test_the_other_scale_is_answered_by_the_trees_and_not_by_the_model(model: object) -> None:
    X, y = numbers()
    model.fit(X, y)
    link = "logit" if isinstance(model, RandomForestClassifier) else "identity"
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model), rows, background, link=link)
    assert (found.method, found.link) == ("pairs", link) and found.standard_errors is not None
    assert "answered by the model's trees" in found.reason
    raw = odds(model) if link == "logit" else lambda table: model.predict_proba(table)[:, 1]
    np.testing.assert_allclose(found.values, brute(raw, rows, background, singles(X)), atol=1e-9)
    assert found.model_rows <= 2 * (len(rows) + len(background)) + 3 * 64 < found.evaluations


def test_decisions_are_explained_from_the_trees() -> None:
    X, y = mixed_kinds()
    model = make_pipeline(prepared("one-hot, indicators"), HistGradientBoostingClassifier(max_iter=10)).fit(X, y)
    rows, background = X.iloc[:8], X.iloc[100:125]
    found = explain(as_subject(model), rows, background, decide_at=0.4)
    assert found.method == "tree" and found.decisions is not None and found.decisions.residual < 1e-12
    wanted = brute(lambda t: (model.predict_proba(t)[:, 1] >= 0.4).astype(float), rows, background, singles(X))
    np.testing.assert_allclose(found.decisions.values, wanted, atol=1e-9)
    assert found.model_rows <= 2 * (len(rows) + len(background)) + 3 * 64


def test_neither_shap_nor_any_library_of_trees_is_loaded() -> None:
    code = """
import sys, numpy as np, pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from evenhand.explaining import explain
X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
found = explain(GradientBoostingClassifier(n_estimators=3).fit(X, X["a"] > 0), X[:5], X[20:40])
assert found.method == "tree", found.reason
print(sorted({"shap", "xgboost", "lightgbm", "catboost"} & set(sys.modules)))
"""
    told = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
