"""XGBoost, LightGBM and CatBoost: their trees are read as each library predicts."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.explaining.brute import brute
from tests.explaining.test_explaining_forests import Shown, mixed_kinds, numbers, singles

from evenhand.explaining import explain
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

REASON = "the library of these trees is not installed"
FEW = {"n_estimators": 8, "max_depth": 4}


def check(
    model: object,
    raw: Callable[[pd.DataFrame], np.ndarray],
    rows: pd.DataFrame,
    background: pd.DataFrame,
    link: str = "logit",
) -> None:
    """Compare with all coalitions of the user's own raw score; libraries add up in single precision."""
    found = explain(model, rows, background)
    assert (found.method, found.link, found.exact) == ("tree", link, True), found.reason
    wanted = brute(raw, rows, background, singles(rows))
    np.testing.assert_allclose(found.values, wanted, atol=2e-5 * max(np.abs(wanted).max(), 1.0))
    assert found.evaluations == 0 and np.abs(wanted).max() > 0.1


def categories(n: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    X, y = mixed_kinds(n)
    X.loc[X.index[::9], "town"] = np.nan
    return X.astype({"town": "category", "job": "category"})[["town", "age", "job", "pay"]], y


@pytest.mark.parametrize("depth", [3, 12])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"booster": "dart", "rate_drop": 0.5},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"base_score": 0.2, "gamma": 1.0, "tree_method": "exact"},
        {"missing": 0.0},
    ],
    ids=str,
)
def test_xgboost_classifiers(depth: int, more: dict[str, object]) -> None:
    xgboost = pytest.importorskip("xgboost", reason=REASON)
    X, y = numbers(missing=True)
    X["x3"] = X["x3"].round()
    model = xgboost.XGBClassifier(**{**FEW, "max_depth": depth, "random_state": 0, **more}).fit(X, y)
    rows, background = X.iloc[:8], X.iloc[100:125]
    raw = lambda table: model.predict(table, output_margin=True)  # noqa: E731
    check(as_subject(model), raw, rows, background)
    check(as_subject(model, positive=0), lambda table: -raw(table), rows, background)


def test_xgboost_stops_at_the_best_iteration_as_its_predict_does() -> None:
    xgboost = pytest.importorskip("xgboost", reason=REASON)
    X, y = numbers()
    model = xgboost.XGBClassifier(n_estimators=60, learning_rate=0.8, early_stopping_rounds=3, random_state=0)
    model.fit(X[:120], y[:120], eval_set=[(X[120:], y[120:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    check(as_subject(model), lambda t: model.predict(t, output_margin=True), X.iloc[:8], X.iloc[100:125])


def test_xgboost_categories_missing_values_and_regression() -> None:
    xgboost = pytest.importorskip("xgboost", reason=REASON)
    X, y = categories()
    model = xgboost.XGBClassifier(**FEW, enable_categorical=True, max_cat_to_onehot=2, min_child_weight=0.1).fit(X, y)
    check(as_subject(model), lambda t: model.predict(t, output_margin=True), X.iloc[:10], X.iloc[100:125])
    numbers_of = xgboost.XGBRegressor(**FEW, enable_categorical=True, objective="reg:absoluteerror")
    numbers_of.fit(X, y * 3.0 + X["age"])
    check(as_subject(numbers_of), numbers_of.predict, X.iloc[:10], X.iloc[100:125], link="identity")


def test_an_xgboost_booster_behind_a_function() -> None:
    xgboost = pytest.importorskip("xgboost", reason=REASON)
    X, y = numbers(missing=True)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, xgboost.DMatrix(X, y), 7)
    shown = Shown(booster, lambda table: booster.predict(xgboost.DMatrix(table)))
    check(shown, lambda table: booster.predict(xgboost.DMatrix(table), output_margin=True), X.iloc[:8], X.iloc[100:125])


@pytest.mark.parametrize(
    ("more", "why"),
    [({"booster": "gblinear"}, "no trees"), ({"objective": "count:poisson"}, "no sum of leaves")],
    ids=str,
)
def test_xgboost_models_that_are_no_sum_of_trees_are_refused(more: dict[str, object], why: str) -> None:
    xgboost = pytest.importorskip("xgboost", reason=REASON)
    X, y = numbers()
    model = xgboost.XGBRegressor(n_estimators=3, **more).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = explain(as_subject(model), X.iloc[:5], X.iloc[100:110], method="tree")
    assert found.method == "pairs" and why in found.reason


@pytest.mark.parametrize("depth", [3, 12])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"boosting_type": "dart"},
        {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"sigmoid": 2.0, "boost_from_average": False},
    ],
    ids=str,
)
def test_lightgbm_classifiers(depth: int, more: dict[str, object]) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason=REASON)
    X, y = numbers(missing=True)
    X["x3"] = X["x3"].round()
    settings = {**FEW, "max_depth": depth, "num_leaves": 60, "min_child_samples": 3, "verbose": -1, **more}
    model = lightgbm.LGBMClassifier(**settings).fit(X, y)
    rows, background = X.iloc[:8], X.iloc[100:125]

    def raw(table: pd.DataFrame) -> np.ndarray:
        p = model.predict_proba(table)[:, 1]
        return np.log(p) - np.log1p(-p)

    check(as_subject(model), raw, rows, background)
    check(as_subject(model, positive=0), lambda table: -raw(table), rows, background)


def test_lightgbm_categories_regression_and_boosters() -> None:
    lightgbm = pytest.importorskip("lightgbm", reason=REASON)
    X, y = categories()
    few = {
        **FEW,
        "min_child_samples": 3,
        "min_data_per_group": 3,
        "cat_smooth": 1,
        "verbose": -1,
        "max_cat_to_onehot": 2,
    }
    model = lightgbm.LGBMClassifier(**few).fit(X, y)
    rows, background = X.iloc[:10], X.iloc[100:125]
    check(as_subject(model), lambda table: model.predict(table, raw_score=True), rows, background)
    other = lightgbm.LGBMRegressor(**few, objective="huber").fit(X, y * 3.0 + X["age"])
    check(as_subject(other), other.predict, rows, background, link="identity")
    booster = model.booster_
    shown = Shown(booster, booster.predict)
    check(shown, lambda table: booster.predict(table, raw_score=True), rows, background)


def test_lightgbm_stops_at_the_best_iteration() -> None:
    lightgbm = pytest.importorskip("lightgbm", reason=REASON)
    X, y = numbers()
    model = lightgbm.LGBMClassifier(n_estimators=60, learning_rate=0.8, verbose=-1, early_stopping_round=3)
    model.fit(X[:120], y[:120], eval_set=[(X[120:], y[120:])])
    assert model.best_iteration_ < 60
    check(as_subject(model), lambda table: model.predict(table, raw_score=True), X.iloc[:8], X.iloc[100:125])


@pytest.mark.parametrize(
    ("more", "why"),
    [({"linear_tree": True}, "linear functions"), ({"objective": "poisson"}, "no sum of leaves")],
    ids=str,
)
def test_lightgbm_models_that_are_no_sum_of_numbers_are_refused(more: dict[str, object], why: str) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason=REASON)
    X, y = numbers()
    model = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, **more).fit(X, y)
    found = explain(as_subject(model), X.iloc[:5], X.iloc[100:110], method="tree")
    assert found.method == "pairs" and why in found.reason


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_boosters_behind_one_hot_columns(library: str) -> None:
    found = pytest.importorskip(library, reason=REASON)
    X, y = mixed_kinds()
    last = found.XGBClassifier(**FEW) if library == "xgboost" else found.LGBMClassifier(**FEW, verbose=-1)
    before = make_column_transformer((OneHotEncoder(), ["town", "job"]), remainder="passthrough", sparse_threshold=0)
    model = make_pipeline(before.set_output(transform="default"), last).fit(X, y)

    def raw(table: pd.DataFrame) -> np.ndarray:
        p = model.predict_proba(table)[:, 1].astype(np.float64)
        return np.log(p) - np.log1p(-p)

    check(as_subject(model), raw, X.iloc[:8], X.iloc[100:125])


QUIET = {"verbose": 0, "allow_writing_files": False, "thread_count": 1, "random_seed": 0}


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise", "Lossguide"])
@pytest.mark.parametrize("treatment", ["Min", "Max"])
def test_catboost_numbers(policy: str, treatment: str) -> None:
    catboost = pytest.importorskip("catboost", reason=REASON)
    X, y = numbers(missing=True)
    model = catboost.CatBoostClassifier(iterations=8, depth=4, nan_mode=treatment, grow_policy=policy, **QUIET).fit(
        X, y
    )

    def raw(table: pd.DataFrame) -> np.ndarray:
        return model.predict(table, prediction_type="RawFormulaVal")

    check(as_subject(model), raw, X.iloc[:8], X.iloc[100:125])
    check(as_subject(model, positive=0), lambda table: -raw(table), X.iloc[:8], X.iloc[100:125])
    other = catboost.CatBoostRegressor(iterations=8, depth=4, nan_mode=treatment, grow_policy=policy, **QUIET)
    other.fit(X, X["x0"].fillna(2) * 30)
    check(as_subject(other), other.predict, X.iloc[:8], X.iloc[100:125], link="identity")


@pytest.mark.parametrize("policy", ["SymmetricTree", "Lossguide"])
def test_catboost_one_hot_categories_and_target_statistics(policy: str) -> None:
    catboost = pytest.importorskip("catboost", reason=REASON)
    X, y = mixed_kinds()
    named = {"cat_features": ["town", "job"]}
    model = catboost.CatBoostClassifier(iterations=8, depth=4, one_hot_max_size=10, grow_policy=policy, **QUIET)
    known = (X["town"] != "Dol").to_numpy()
    model.fit(X[known], y[known], **named)
    rows, background = X.iloc[:8], X.iloc[100:125]
    check(as_subject(model), lambda t: model.predict(t, prediction_type="RawFormulaVal"), rows, background)
    statistics = catboost.CatBoostClassifier(iterations=5, depth=3, one_hot_max_size=2, **QUIET).fit(X, y, **named)
    found = explain(as_subject(statistics), rows, background)
    assert found.method == "pairs" and "statistics of the target" in found.reason
