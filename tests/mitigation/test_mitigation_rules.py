"""Rules over frozen scores: lots are a function of the row, and what is saved and opened decides alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evenhand as eh
from evenhand.errors import ModelError
from evenhand.evidence.predictions import predict, proven
from evenhand.lots import fingerprints, texts, uniform
from evenhand.subjects import as_subject
from evenhand.subjects.mitigated import save_mitigated
from evenhand.subjects.mixture import Mixture
from evenhand.subjects.post_processing import PostProcessed
from evenhand.subjects.rules import Rule, Steps

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

RANDOMIZED = Rule(Steps.at(0.5), ("sex",), {"f": Steps((0.3, 0.6), (0.0, 0.5, 1.0)), "m": Steps.at(0.6)})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 1_500
    rows = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "sex": rng.choice(["f", "m"], n)})
    rows["paid"] = np.where(rows.a + rng.normal(size=n) > 0, "yes", "no")
    return rows


@pytest.fixture(scope="module")
def data(table: pd.DataFrame) -> EvaluationSet:
    return eh.read_evaluation_set(table, label="paid", pos_label="yes", sensitive_features="sex")


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> Any:
    from sklearn.linear_model import LogisticRegression

    return as_subject(LogisticRegression().fit(table[["a", "b"]], table.paid), positive="yes")


def test_equal_rows_are_decided_alike_in_any_batch_and_order(table: pd.DataFrame, model: Any) -> None:
    ruled = PostProcessed(model, RANDOMIZED, ["a", "b"], seed=5)
    whole = ruled.predict(table)
    order = np.random.default_rng(0).permutation(len(table))
    assert (ruled.predict(table.iloc[order]) == whole[order]).all()
    one_by_one = np.concatenate([ruled.predict(table.iloc[[at]]) for at in range(40)])
    assert (one_by_one == whole[:40]).all()
    twice = pd.concat([table, table], ignore_index=True)[["sex", "b", "a"]]
    assert (ruled.predict(twice) == np.tile(whole, 2)).all()


def test_another_seed_draws_other_lots_at_the_same_rate(table: pd.DataFrame, model: Any) -> None:
    drawn = [PostProcessed(model, RANDOMIZED, ["a", "b"], seed=seed).predict(table) >= 0.5 for seed in (1, 2)]
    scores, f = model.predict(table), (table.sex == "f").to_numpy()
    middle = f & (scores >= 0.3) & (scores < 0.6)
    assert (drawn[0] == drawn[1])[~middle].all()
    assert 0.35 < (drawn[0] != drawn[1])[middle].mean() < 0.65
    assert abs(drawn[0][middle].mean() - 0.5) < 4 * 0.5 / np.sqrt(middle.sum())


def test_decisions_are_those_of_the_score_and_its_order_is_the_models(table: pd.DataFrame, model: Any) -> None:
    certain = Rule(Steps.at(0.5), ("sex",), {"f": Steps.at(0.3), "m": Steps.at(0.7)})
    found, scores = PostProcessed(model, certain, ["a", "b"]).predict(table), model.predict(table)
    wanted = np.where(table.sex == "f", scores >= 0.3, scores >= 0.7)
    assert ((found >= 0.5) == wanted).all()
    for group in ("f", "m"):
        here = (table.sex == group).to_numpy()
        assert (np.argsort(found[here]) == np.argsort(scores[here])).all()


def test_one_threshold_leaves_scores_as_they_are(data: EvaluationSet, model: Any) -> None:
    ruled = PostProcessed(model, Rule(Steps.at(0.7)), ["a", "b"])
    said = predict(proven(ruled, data), data)
    assert said.kind == "probability"
    assert (said.y_score == predict(proven(model, data), data).y_score).all()
    assert (said.y_pred == (said.y_score >= 0.7)).all()


def test_a_group_that_was_not_met_is_decided_by_the_models_own_threshold(table: pd.DataFrame, model: Any) -> None:
    strangers = table.assign(sex="x")
    found = PostProcessed(model, RANDOMIZED, ["a", "b"]).predict(strangers)
    assert ((found >= 0.5) == (model.predict(strangers) >= 0.5)).all()


@pytest.mark.parametrize("rule", [RANDOMIZED, Rule(Steps.at(0.4)), None])
def test_saved_and_opened_it_decides_alike(tmp_path: Path, data: EvaluationSet, model: Any, rule: Rule | None) -> None:
    pytest.importorskip("skops")
    made = PostProcessed(model, rule, ["a", "b"], seed=9, name="ruled")
    save_mitigated(made, tmp_path / "ruled.mitigated")
    again = eh.open_model(tmp_path / "ruled.mitigated")
    before, after = (predict(proven(one, data), data) for one in (made, again))
    assert (before.y_pred == after.y_pred).all()
    assert np.allclose(before.y_score, after.y_score, atol=1e-12)
    assert again.name == "ruled"
    assert again.facts["decides_by"] == list(made.by)


def test_the_same_model_is_saved_as_the_same_bytes(tmp_path: Path, model: Any) -> None:
    base = tmp_path / "base.bin"
    base.write_bytes(b"a model")
    for name in ("one", "other"):
        save_mitigated(PostProcessed(model, RANDOMIZED, ["a", "b"]), tmp_path / name, base)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_pickle_inside_is_refused_unless_it_is_trusted(tmp_path: Path, table: pd.DataFrame, model: Any) -> None:
    import joblib

    joblib.dump(model.estimator, tmp_path / "base.joblib")
    place = tmp_path / "ruled.mitigated"
    save_mitigated(PostProcessed(model, RANDOMIZED, ["a", "b"], seed=2), place, tmp_path / "base.joblib")
    with pytest.raises(ModelError, match="can run any code"):
        eh.open_model(place)
    opened = eh.open_model(place, trust_pickle=True)
    assert (opened.predict(table) == PostProcessed(model, RANDOMIZED, ["a", "b"], seed=2).predict(table)).all()


def test_what_cannot_be_written_says_what_to_give(tmp_path: Path) -> None:
    ruled = PostProcessed(as_subject(lambda X: X["a"]), Rule(Steps.at(0.4)), ["a"])
    with pytest.raises(ModelError, match="name its file"):
        save_mitigated(ruled, tmp_path / "no.mitigated")


def test_a_batch_without_the_group_is_refused_by_name(table: pd.DataFrame, model: Any) -> None:
    with pytest.raises(ModelError, match="lack: sex"):
        PostProcessed(model, RANDOMIZED, ["a", "b"]).predict(table[["a", "b"]])


def test_a_mixture_is_the_weight_of_those_that_decide_for_a_row() -> None:
    rows = pd.DataFrame({"a": [0.1, 0.5, 0.9]})
    members = [as_subject(lambda X, at=at: (X["a"] >= at) * 1.0) for at in (0.4, 0.8)]
    assert Mixture(members, [3, 1], "mixed").predict(rows).tolist() == [0.0, 0.75, 1.0]


def test_an_audit_says_that_the_model_reads_the_group(data: EvaluationSet, model: Any) -> None:
    record = eh.audit(PostProcessed(model, RANDOMIZED, ["a", "b"]), data, audits="performance")
    assert record.provenance["sensitive_inputs"] == ["sex"]


@given(st.lists(st.sampled_from([1, 2, 3.5, "x", None, True]), min_size=1, max_size=30))
def test_fingerprints_are_equal_exactly_for_equal_values(values: list[object]) -> None:
    column = pd.Series(values, dtype=object)
    prints, said = fingerprints(column.to_frame("v")), texts(column)
    for one in range(len(values)):
        assert ((prints == prints[one]) == (said == said[one])).all()


def test_types_of_columns_do_not_change_a_lot() -> None:
    numbers = pd.DataFrame({"a": [1, 0, 1], "s": ["x", "y", "x"]})
    other = pd.DataFrame({"s": pd.Categorical(["x", "y", "x"]), "a": [1.0, 0.0, 1.0]})
    assert (fingerprints(numbers) == fingerprints(other)).all()
    assert (uniform(fingerprints(numbers), 1, 1) == uniform(fingerprints(other), 1, 1)).all()


def test_lots_are_uniform() -> None:
    from scipy.stats import kstest

    rows = fingerprints(pd.DataFrame({"id": np.arange(20_000)}))
    assert kstest(uniform(rows, 4, 1), "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(uniform(rows, 4, 1), uniform(rows, 5, 1))[0, 1]) < 0.03
