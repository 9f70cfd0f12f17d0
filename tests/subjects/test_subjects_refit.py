"""A subject fitted again: same recipe, columns and classes, other rows and draws; the subject stays as it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import evenhand as eh
from evenhand.errors import ModelError
from evenhand.evidence import Evidence
from evenhand.subjects import as_subject


def people(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=rows), "sex": rng.choice(["f", "m"], rows)})
    table["y"] = np.where(table["a"] + rng.normal(size=rows) > 0, "yes", "no")
    return table


def pipeline(**settings: int) -> object:
    columns = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    return make_pipeline(columns, RandomForestClassifier(10, random_state=0, **settings))


def test_a_pipeline_is_fitted_again_with_its_columns_classes_and_settings() -> None:
    table = people()
    data = eh.read_evaluation_set(table, label="y", sensitive_features="sex")
    model = pipeline(max_depth=3).fit(table[["a", "sex"]], table["y"])  # type: ignore[attr-defined]
    subject = Evidence(as_subject(model), data).subject
    before = subject.predict(table)
    again = subject.refit(data.take(np.arange(200)), 7)  # type: ignore[attr-defined]
    assert again.estimator is not model and again.estimator.steps[1][1].max_depth == 3
    assert again.estimator.steps[1][1].random_state == 7
    assert again.estimator.classes_.tolist() == ["no", "yes"] and again.features == ("a", "sex")
    assert ((again.predict(table) > 0.5) == (table["y"] == "yes")).mean() > 0.6
    assert np.array_equal(subject.predict(table), before)


@pytest.mark.parametrize("codes", [(0, 1), (False, True), ("no", "yes"), ("n", "y")])
def test_two_classes_stay_the_classes_that_the_model_knows(codes: tuple[object, object]) -> None:
    table = people()
    data = eh.read_evaluation_set(table, label="y")
    positive = {"positive": "y"} if codes == ("n", "y") else {}
    truth = [codes[value == "yes"] for value in table["y"]]
    subject = Evidence(as_subject(LogisticRegression().fit(table[["a"]], truth), **positive), data).subject  # type: ignore[arg-type]
    again = subject.refit(data, 0)  # type: ignore[attr-defined]
    assert again.estimator.classes_.tolist() == list(codes)
    assert np.allclose(again.predict(table), subject.predict(table))


def test_what_cannot_be_fitted_says_why() -> None:
    table = people()
    data = eh.read_evaluation_set(table, label="y")
    subject = Evidence(as_subject(LogisticRegression().fit(table[["a"]], table["y"])), data).subject
    alone = data.take(np.flatnonzero(data.y_true == 1))
    with pytest.raises(ModelError, match="could not be fitted again"):
        subject.refit(alone, 0)  # type: ignore[attr-defined]
    assert not hasattr(as_subject(lambda X: X["a"]), "refit")


def test_a_trained_network_and_trained_trees_are_fitted_again() -> None:
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit, fit_boosting

    parts = eh.split(eh.load_loanapp(), {"one": 0.5, "other": 0.5})
    for make, config in (
        (fit, TrainingConfig(epochs=2, hidden=(4,), dropout=0.1)), (fit_boosting, TrainingConfig(trees=5)),
    ):  # fmt: skip
        model = make(parts["one"], config=config)
        again = model.refit(parts["other"], 3)
        told, said = (dict(made.facts["training"]) for made in (again, model))  # type: ignore[arg-type]
        assert again.facts["features"] == model.facts["features"]
        assert told["train_hash"] != said["train_hash"] and "baseline" not in told
        assert type(again) is type(model) and told["config"]["seed"] == 3  # type: ignore[call-overload,index]
        assert {**told["config"], "seed": 0, "baseline": True} == {**said["config"], "baseline": True}  # type: ignore[dict-item]
        repeated = model.refit(parts["other"], 3)
        assert np.array_equal(again.predict(parts["one"].X), repeated.predict(parts["one"].X))


def test_a_network_that_does_not_say_how_it_was_fitted_is_not_fitted_again() -> None:
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit

    data = eh.load_loanapp()
    model = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    model.history = {}
    with pytest.raises(ModelError, match="does not say how"):
        model.refit(data, 0)
