"""Every adapter: the right class's score, and a sentence for what cannot be scored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from evenhand.errors import InputError, ModelError
from evenhand.subjects import Subject, as_subject
from evenhand.subjects.onnx import OnnxSubject
from evenhand.subjects.outputs import sigmoid, to_score
from evenhand.subjects.predictions import PredictionsSubject
from evenhand.subjects.torch import TorchSubject

RNG = np.random.default_rng(3)
X = pd.DataFrame(RNG.normal(size=(120, 3)), columns=["income", "debt", "age"])
Y = (X["income"] - X["debt"] + RNG.normal(size=120) * 0.3 > 0).astype(int)


def test_probability_of_the_positive_class_is_taken_by_its_name_not_its_place() -> None:
    words = Y.map({1: "approve", 0: "deny"})
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, words)
    subject = as_subject(model, positive="deny")
    assert isinstance(subject, Subject)
    assert (subject.score_kind, subject.threshold) == ("probability", 0.5)
    assert np.array_equal(subject.predict(X), model.predict_proba(X)[:, 1])
    assert np.allclose(as_subject(model, positive="approve").predict(X), 1 - subject.predict(X))


def test_decision_function_is_a_ranking_with_threshold_zero_and_speaks_for_the_asked_class() -> None:
    model = LinearSVC().fit(X, Y)
    subject = as_subject(model)
    assert (subject.score_kind, subject.threshold) == ("ranking", 0.0)
    assert np.array_equal(subject.predict(X) >= subject.threshold, model.predict(X) == 1)
    assert np.array_equal(as_subject(model, positive=0).predict(X), -model.decision_function(X))
    assert as_subject(RidgeClassifier().fit(X, Y)).score_kind == "ranking"


def test_labels_become_zero_and_one() -> None:
    class Rule:
        def predict(self, table: pd.DataFrame) -> np.ndarray:
            return np.where(table["income"] > 0, "yes", "no")

    subject = as_subject(Rule(), positive="yes")
    assert subject.score_kind == "label"
    assert np.array_equal(subject.predict(X), (X["income"] > 0).astype(float))


def test_columns_are_chosen_in_the_models_order_and_absent_ones_are_all_named() -> None:
    model = LogisticRegression().fit(X, Y)
    shuffled = X[["age", "income", "debt"]].assign(race="a")
    assert np.allclose(as_subject(model).predict(shuffled), model.predict_proba(X)[:, 1], rtol=1e-12)
    with pytest.raises(ModelError, match="Did you mean 'incom'") as caught:
        as_subject(model).predict(X.rename(columns={"income": "incom"}).drop(columns="age"))
    assert len(caught.value.problems) == 2


def test_a_model_fitted_on_an_array_is_given_an_array(recwarn: pytest.WarningsRecorder) -> None:
    subject = as_subject(LogisticRegression().fit(X.to_numpy(), Y))
    subject.predict(X)
    assert not [warning for warning in recwarn if "feature names" in str(warning.message)]


def test_an_unknown_class_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"knows no class 'approve'; its classes are 0, 1"):
        as_subject(LogisticRegression().fit(X, Y), positive="approve")


def test_a_failing_estimator_is_told_in_one_sentence() -> None:
    with pytest.raises(ModelError, match="could not predict these rows: ValueError"):
        as_subject(LogisticRegression().fit(X, Y)).predict(X.assign(age=np.nan))
    with pytest.raises(ModelError, match="could not predict"):
        as_subject(NearestCentroid()).predict(X)


@pytest.mark.parametrize("value", [3, "model", LogisticRegression, None])
def test_what_is_no_model_is_refused(value: object) -> None:
    with pytest.raises(ModelError, match="no model that can be audited"):
        as_subject(value)


def test_functions_of_every_shape() -> None:
    score = sigmoid(X["income"].to_numpy())
    assert np.array_equal(as_subject(lambda table: score).predict(X), score)
    assert np.array_equal(as_subject(lambda table: np.c_[1 - score, score]).predict(X), score)
    assert np.array_equal(as_subject(lambda table: score[:, None]).predict(X), score)
    assert np.array_equal(as_subject(lambda table: pd.Series(score)).predict(X), score)
    words = as_subject(lambda table: np.where(score > 0.5, "yes", "no"), positive="yes")
    assert np.array_equal(words.predict(X), (score > 0.5).astype(float))
    assert words.score_kind == "label"
    whole = as_subject(lambda table: score > 0.5)
    assert np.array_equal(whole.predict(X), (score > 0.5).astype(float))
    assert whole.score_kind == "label"


def test_a_scale_is_not_taken_for_labels_or_probabilities() -> None:
    deciles = np.arange(120) % 10 + 1
    with pytest.raises(ModelError, match="10 values"):
        as_subject(lambda table: deciles).predict(X)
    with pytest.raises(ModelError, match=r"outside \[0, 1\]"):
        as_subject(lambda table: deciles * 1.0).predict(X)
    ranking = as_subject(lambda table: deciles, score_kind="ranking", threshold=5)
    assert np.array_equal(ranking.predict(X), deciles)
    assert ranking.threshold == 5


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (np.full(7, 0.5), "was given 120 rows and returned 7"),
        (np.full((120, 2, 2), 0.5), "shape 120x2x2"),
        (0.5, "a single number"),
        (np.r_[np.full(3, np.nan), np.inf, np.full(116, 0.5)], "3 NaN and 1 infinite of 120 scores"),
        (np.full(120, -0.1), r"120 of 120 scores outside \[0, 1\]"),
    ],
)
def test_unusable_outputs_are_counted_and_refused(returned: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        as_subject(lambda table: returned).predict(X)


def test_a_failing_function_keeps_its_own_error_as_the_cause() -> None:
    with pytest.raises(ModelError, match="ZeroDivisionError") as caught:
        as_subject(lambda table: 1 / 0).predict(X)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_predictions_answer_for_their_own_rows_only() -> None:
    subject = PredictionsSubject([0.1, 0.9, 0.4])
    table = pd.DataFrame(index=range(3))
    first = subject.predict(table)
    first[:] = 7
    assert subject.predict(table).tolist() == [0.1, 0.9, 0.4]
    with pytest.raises(ModelError, match=r"holds 3 predictions and was asked for 2 rows"):
        subject.predict(table.iloc[:2])


@pytest.mark.parametrize(
    ("scores", "kind", "message"),
    [([0.1, np.nan], "probability", "1 NaN"), ([0.1, 2], "probability", "outside"), ([0, 2], "label", "other than 0")],
)
def test_predictions_that_cannot_be_audited(scores: list[float], kind: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PredictionsSubject(scores, score_kind=kind)  # type: ignore[arg-type]


def test_a_subject_is_itself_unless_it_is_renamed_or_decided_otherwise() -> None:
    subject = as_subject(LogisticRegression().fit(X, Y))
    assert as_subject(subject) is subject
    strict = as_subject(subject, name="strict", threshold=0.8)
    assert (strict.name, strict.threshold, strict.facts["own_threshold"]) == ("strict", 0.8, 0.5)
    assert np.array_equal(strict.predict(X), subject.predict(X))


def test_a_torch_module_over_numeric_columns() -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 1)
    module.train()
    subject = as_subject(module, output="logit")
    assert isinstance(subject, TorchSubject)
    logits = module(torch.tensor(X.to_numpy(), dtype=torch.float32)).detach().numpy()[:, 0]
    assert np.allclose(subject.predict(X), 1 / (1 + np.exp(-logits.astype(float))))
    assert module.training, "the module is left as it was"
    assert (subject.facts["parameters"], subject.facts["nonzero_parameters"]) == (4, 4)
    with pytest.raises(ModelError, match="Declare what they are: a logit"):
        as_subject(module).predict(X * 100)
    with pytest.raises(ModelError, match="column 'race' holds"):
        subject.predict(X.assign(race="a"))
    with pytest.raises(ModelError, match="could not take a matrix of 2 columns"):
        subject.predict(X[["age", "debt"]])


def test_two_logits_are_a_softmax() -> None:
    values = RNG.normal(size=(50, 2)) * 30
    expected = np.exp(values - values.max(axis=1, keepdims=True))
    expected = expected[:, 1] / expected.sum(axis=1)
    assert np.allclose(to_score(values, "logit", 50, "m"), expected)


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6)))
@settings(max_examples=50, deadline=None)
def test_a_logit_always_gives_a_probability_in_its_own_order(logits: np.ndarray) -> None:
    scores = to_score(logits, "logit", len(logits), "m")
    assert ((scores >= 0) & (scores <= 1)).all()
    order = np.argsort(logits, kind="stable")
    assert (np.diff(scores[order]) >= 0).all()
    assert np.allclose(scores + sigmoid(-logits), 1)


def _graph(per_column: bool, outputs: int = 1) -> bytes:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    names = list(X.columns) if per_column else ["X"]
    width = 1 if per_column else 3
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name in names]
    nodes = [helper.make_node("Concat", names, ["all"], axis=1)]
    nodes.append(helper.make_node("MatMul", ["all", "w"], ["score"]))
    nodes += [helper.make_node("Neg", ["score"], [f"other{i}"]) for i in range(1, outputs)]
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 1], [1.0, -2.0, 0.0])
    results = ["score", *(f"other{i}" for i in range(1, outputs))]
    outs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in results]
    graph = helper.make_graph(nodes, "g", inputs, outs, [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("per_column", [False, True])
def test_an_onnx_graph_of_one_matrix_or_of_one_input_a_column(per_column: bool) -> None:
    subject = OnnxSubject(_graph(per_column), output="logit")
    assert isinstance(subject, Subject)
    expected = sigmoid((X["income"] - 2 * X["debt"]).to_numpy())
    table = X[["age", "debt", "income"]] if per_column else X
    assert np.allclose(subject.predict(table), expected, atol=1e-6)
    assert (subject.facts["parameters"], subject.facts["nonzero_parameters"]) == (3, 2)
    assert subject.facts["file_bytes"] == len(_graph(per_column))


def test_an_onnx_output_is_never_guessed() -> None:
    with pytest.raises(ModelError, match="outside"):
        OnnxSubject(_graph(False)).predict(X)
    with pytest.raises(ModelError, match="pass output_name="):
        OnnxSubject(_graph(False, outputs=2))
    with pytest.raises(ModelError, match="no output 'z'"):
        OnnxSubject(_graph(False), output_name="z")
    ranking = OnnxSubject(_graph(False, outputs=2), output="ranking", output_name="other1")
    assert (ranking.score_kind, ranking.threshold) == ("ranking", 0.0)


def test_an_onnx_subject_survives_a_copy() -> None:
    import copy

    subject = OnnxSubject(_graph(False), output="logit")
    assert np.array_equal(copy.deepcopy(subject).predict(X), subject.predict(X))
