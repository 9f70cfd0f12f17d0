"""What a model says is proven from its type and all its predictions, batch by batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evenhand.errors import ModelError
from evenhand.explaining import explain
from evenhand.subjects import as_subject
from evenhand.subjects.binding import bound
from evenhand.subjects.kinds import classes_of, says, type_of
from evenhand.subjects.proof import Proof
from evenhand.subjects.target import Declared, Target, listed, place

X = pd.DataFrame({"a": np.linspace(-2, 2, 60), "b": np.tile([0.0, 1, 2], 20)})
Y = (X["a"] > 0).to_numpy().astype(int)
WORDS = Target("binary", ("no", "yes"))


def proof(target: Target | None = None, **said: object) -> Proof:
    return Proof("m", Declared(**said), target)  # type: ignore[arg-type]


def test_kinds_are_told_without_importing_the_package() -> None:
    regression = LinearRegression().fit(X, Y)
    assert type_of(regression) == type_of(regression.predict) == "regressor"
    assert type_of(make_pipeline(StandardScaler(), LogisticRegression())) == "classifier"
    assert type_of(type("Old", (), {"_estimator_type": "regressor"})()) == "regressor"
    assert type_of(len) is None
    assert says(regression) is None
    assert classes_of(LogisticRegression().fit(X, Y)) == (0, 1)
    assert classes_of(type("Several", (), {"classes_": [np.array([0, 1]), np.array([0, 1])]})()) == ()


def test_an_objective_of_xgboost_is_read_from_its_settings() -> None:
    saved = '{"learner": {"objective": {"name": "binary:logitraw"}}}'
    booster = type("Booster", (), {"__module__": "xgboost.core", "save_config": lambda self: saved})()
    assert says(booster) == "logit"


@given(st.lists(st.integers(0, 1), min_size=1, max_size=30), st.sampled_from([int, float, bool, str]))
def test_codes_and_classes_give_the_same_decisions(codes: list[int], kind: type) -> None:
    words = np.array(["no", "yes"])[codes]
    assert proof(WORDS).decisions(words, len(codes)).tolist() == codes
    assert (
        proof(WORDS).decisions(np.array(codes).astype(kind) if kind is not str else words, len(codes)).tolist() == codes
    )


def test_what_one_batch_told_holds_for_the_next() -> None:
    told = proof(Target("binary", (1, 2)))
    assert told.decisions(np.array([0, 1]), 2).tolist() == [0, 1]
    assert told.said == "codes"
    assert told.decisions(np.array([1, 1]), 2).tolist() == [1, 1]
    other = proof(Target("binary", (1, 2)))
    assert other.decisions(np.array([1, 1]), 2).tolist() == [0, 0]
    with pytest.raises(ModelError, match="in the label's classes for some rows and in codes for others"):
        other.decisions(np.array([0, 1]), 2)


def test_a_bound_subject_leaves_the_one_it_was_made_of_as_it_is() -> None:
    subject = as_subject(LogisticRegression().fit(X, Y))
    there = bound(subject, WORDS)
    there.settle(0.3)  # type: ignore[attr-defined]
    assert (subject.threshold, there.threshold, there.facts["decided_by"]) == (0.5, 0.3, "model")
    assert bound(subject, Target()).threshold == 0.5


def test_declarations_are_checked_together() -> None:
    with pytest.raises(ModelError) as caught:
        as_subject(len, threshold="high", score_kind="odds", decide=3)  # type: ignore[arg-type]
    assert len(caught.value.problems) >= 3
    assert Declared(score_kind="log-odds").score_kind == "logit"  # type: ignore[arg-type]
    assert Declared(0.3).over(Declared(0.5, positive="a")) == Declared(0.3, "a")


def test_what_is_declared_is_never_left_aside_in_silence() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ModelError, match="decide= does not apply to a Linear"):
        as_subject(torch.nn.Linear(2, 1), decide=lambda y: y)
    own = type("Own", (), {
        "name": "own", "threshold": 0.5, "score_kind": "probability", "facts": {}, "predict": lambda self, X: X["a"],
    })()  # fmt: skip
    with pytest.raises(ModelError, match="says itself what its output is"):
        as_subject(own, score_kind="ranking")
    assert as_subject(own, threshold=0.2).threshold == 0.2


def test_a_regressor_alone_is_explained_by_its_numbers() -> None:
    model = LinearRegression().fit(X, X["a"] * 3 + X["b"])
    found = explain(model, X.iloc[:5], X)
    expected = (X["a"].iloc[:5] - X["a"].mean()) * 3
    assert found.values[:, 0] == pytest.approx(expected.to_numpy(), abs=1e-6)


def test_values_are_placed_by_equality_then_by_spelling() -> None:
    assert [place(value, (0, 1)) for value in (np.int64(1), 1.0, True, "1", 0.5, None, "yes")] == [
        1,
        1,
        1,
        1,
        *[None] * 3,
    ]
    assert place("1", (1, "1")) == 1
    assert listed((0, "a", 2.5)) == "0, 'a' and 2.5"
    assert listed(tuple(range(9))) == "0, 1, 2, 3, 4, 5 and 3 more"
