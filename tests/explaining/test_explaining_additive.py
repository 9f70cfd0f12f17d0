"""Linear estimators behind preprocessing: exact values from a few evaluations, and refused where columns interact."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, SplineTransformer, StandardScaler

from evenhand.explaining import explain
from evenhand.subjects import as_subject


def rows(n: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.normal(50, 20, n)),
            "age": rng.normal(40, 10, n),
            "region": rng.choice(["north", "south", "east"], n),
        }
    )
    z = 0.05 * (table["income"].fillna(50) - 50) + (table["region"] == "south") - 0.3
    return table, (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)


def pipeline(numbers: object) -> Pipeline:
    scaled = make_pipeline(SimpleImputer(), StandardScaler(), numbers)
    prepared = make_column_transformer((scaled, ["income", "age"]), (OneHotEncoder(), ["region"]))
    return make_pipeline(prepared, LogisticRegression(max_iter=500))


@pytest.mark.parametrize("numbers", ["passthrough", SplineTransformer(n_knots=4)])
def test_values_equal_the_enumeration_of_all_subsets(numbers: object) -> None:
    X, y = rows()
    model = as_subject(pipeline(numbers).fit(X, y))
    found = explain(model, X.iloc[:25], X.iloc[100:160])
    brute = explain(model, X.iloc[:25], X.iloc[100:160], method="exact")
    assert (found.method, found.exact) == ("additive", True)
    np.testing.assert_allclose(found.values, brute.values, atol=1e-8)
    assert found.standard_errors is not None
    assert brute.standard_errors is not None
    np.testing.assert_allclose(found.standard_errors, brute.standard_errors, atol=1e-8)
    assert found.residual < 1e-8


def test_one_category_is_one_player_and_groups_of_columns_add_up() -> None:
    X, y = rows()
    model = as_subject(pipeline("passthrough").fit(X, y))
    single = explain(model, X.iloc[:20], X.iloc[100:140])
    both = explain(model, X.iloc[:20], X.iloc[100:140], players={"who": ["age", "region"]})
    assert both.method == "additive"
    at = {name: index for index, name in enumerate(both.feature_names)}
    one = {name: index for index, name in enumerate(single.feature_names)}
    np.testing.assert_allclose(
        both.values[:, at["who"]], single.values[:, one["age"]] + single.values[:, one["region"]], atol=1e-9
    )


def test_products_of_columns_are_seen_and_explained_otherwise() -> None:
    X, y = rows()
    numbers = X[["income", "age"]].fillna(50.0)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=500)).fit(numbers, y)
    found = explain(as_subject(model), numbers.iloc[:15], numbers.iloc[100:140], method="additive")
    assert found.method == "pairs"
    assert "Columns interact" in found.reason


def test_it_asks_the_model_far_less_often() -> None:
    X, y = rows()
    model = as_subject(pipeline("passthrough").fit(X, y))
    few = explain(model, X.iloc[:100], X.iloc[200:300])
    many = explain(model, X.iloc[:100], X.iloc[200:300], method="pairs")
    assert few.model_rows * 5 < many.model_rows
