"""Evidence: computed once and only when asked for, counted rightly, and with a provenance that JSON can say."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from evenhand.data import EvaluationSet, read_evaluation_set
from evenhand.errors import InputError, ModelError
from evenhand.evidence import Evidence, EvidenceOptions
from evenhand.evidence.given import given as given_predictions
from evenhand.evidence.origin import plain, provenance
from evenhand.evidence.predictions import predict

RACES = ("a", "b", "<c>")


class Model:
    """A subject that counts how often it is asked."""

    threshold = 0.5
    score_kind = "probability"

    def __init__(self, name: str = "model", shift: float = 0.0, features: list[str] | None = None) -> None:
        self.name = name
        self.shift = shift
        self.asked = 0
        self.facts = {"kind": "test", "features": features}

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        self.asked += 1
        return np.clip(X["x"].to_numpy(dtype=float) + self.shift, 0, 1)


def table(n: int = 240, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.random(n),
            "race": rng.choice(RACES, n),
            "sex": rng.choice(["f", "m"], n),
            "weight": rng.uniform(0.5, 2, n),
            "y": rng.integers(0, 2, n),
        }
    )


def rows(frame: pd.DataFrame | None = None, **roles: object) -> EvaluationSet:
    frame = table() if frame is None else frame
    roles = {"sensitive_features": ["race", "sex"], "exclude": ["weight"], "positive": 1, **roles}
    return read_evaluation_set(frame, label="y", **roles)  # type: ignore[arg-type]


def test_each_model_is_asked_once() -> None:
    model, original = Model(), Model("original", 0.1)
    evidence = Evidence(model, rows(), original=original)
    assert (model.asked, original.asked) == (0, 0), "nothing is computed before it is asked for"
    for grouping in (None, *evidence.groupings):
        evidence.tally(grouping)
        evidence.tally(grouping, "original")
        evidence.joint_tally(grouping)
    assert evidence.tally(None) is evidence.tally(None)
    assert (model.asked, original.asked) == (1, 1)


def test_groupings_are_the_features_and_their_crossings() -> None:
    columns = [grouping.columns for grouping in Evidence(Model(), rows()).groupings]
    assert columns == [("race",), ("sex",), ("race", "sex")]
    alone = Evidence(Model(), rows(), options=EvidenceOptions(intersections=1))
    assert [grouping.columns for grouping in alone.groupings] == [("race",), ("sex",)]


def test_groups_sum_to_the_whole_and_equal_scikit_learns_matrix() -> None:
    data = rows()
    evidence = Evidence(Model(), data)
    whole = evidence.tally().counts[0]
    decided = evidence.predictions.y_pred
    assert np.array_equal(whole, confusion_matrix(data.y_true, decided))
    for grouping in evidence.groupings:
        counts = evidence.tally(grouping).counts
        assert np.array_equal(counts.sum(axis=0), whole)
        for group in range(len(grouping.labels)):
            mask = grouping.codes == group
            assert np.array_equal(counts[group], confusion_matrix(data.y_true[mask], decided[mask], labels=[0, 1]))


def test_weights_are_summed_beside_the_rows() -> None:
    data = rows(exclude=[], sample_weight="weight")
    tally = Evidence(Model(), data).tally(data.grouping("race"))
    assert tally.weights is not None
    assert tally.squared_weights is not None
    assert tally.weights.sum() == pytest.approx(table()["weight"].sum())
    assert tally.squared_weights.sum() == pytest.approx((table()["weight"] ** 2).sum())
    assert tally.counts.sum() == len(data)


def test_the_favourable_outcome_turns_the_table() -> None:
    assert Evidence(Model(), rows()).favourable_tally() is None
    same = Evidence(Model(), rows(favourable=1))
    assert same.favourable_tally() is same.tally()
    turned = Evidence(Model(), rows(favourable=0)).favourable_tally()
    assert turned is not None
    assert np.array_equal(turned.counts[0], same.tally().counts[0][::-1, ::-1])


def test_joint_tally_hold_both_models() -> None:
    data = rows()
    evidence = Evidence(Model(shift=-0.1), data, original=Model("original"))
    for grouping in (None, *evidence.groupings):
        joint = evidence.joint_tally(grouping).counts
        assert np.array_equal(joint.sum(axis=2), evidence.tally(grouping).counts)
        assert np.array_equal(joint.sum(axis=3), evidence.tally(grouping, "original").counts)


def test_without_an_original_there_is_nothing_to_compare() -> None:
    evidence = Evidence(Model(), rows())
    assert evidence.original_predictions is None
    with pytest.raises(LookupError, match="no original"):
        evidence.joint_tally()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    frame = table()
    shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    first, second = (Evidence(Model(), rows(part)) for part in (frame, shuffled))
    for one, other in zip(first.groupings, second.groupings, strict=True):
        assert one.labels == other.labels
        assert np.array_equal(first.tally(one).counts, second.tally(other).counts)
    assert first.data.content_hash() == second.data.content_hash()


def test_explained_rows_are_a_seeded_sample() -> None:
    def chosen(seed: int) -> list[int]:
        return list(Evidence(Model(), rows(), options=EvidenceOptions(explain_rows=20, seed=seed)).explained_rows)

    assert chosen(1) == chosen(1) != chosen(2)
    assert all(left < right for left, right in pairwise(chosen(1)))
    assert list(Evidence(Model(), rows(), options=EvidenceOptions(explain_rows=999)).explained_rows) == list(range(240))


class Bad(Model):
    """A subject whose answer is not one."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (np.zeros(239), r"shape \(239,\) for 240 rows"),
        (np.zeros((240, 2)), r"shape \(240, 2\)"),
        (np.full(240, np.nan), "240 NaN and 0 infinite of 240 scores"),
        (np.r_[np.inf, np.zeros(239)], "0 NaN and 1 infinite of 240 scores"),
        (np.r_[1.5, -0.25, np.zeros(238)], r"2 of 240 scores outside \[0, 1\] \(from -0.25 to 1.5\)"),
    ],
)
def test_answers_that_are_none_get_a_sentence(answer: object, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        predict(Bad(answer), rows())


def test_scores_that_only_rank_may_lie_anywhere() -> None:
    model = Bad(np.linspace(-9, 9, 240))
    model.score_kind, model.threshold = "ranking", 3.0
    found = predict(model, rows())
    assert found.kind == "ranking"
    assert found.y_pred.sum() == (np.linspace(-9, 9, 240) >= 3).sum()


def test_a_model_reads_its_own_columns_only() -> None:
    seen: list[list[str]] = []

    class Nosy(Model):
        def predict(self, X: pd.DataFrame) -> np.ndarray:
            seen.append(list(X.columns))
            return super().predict(X)

    predict(Nosy(features=["x"]), rows(table().assign(z=1.0)))
    predict(Nosy(), rows(table().assign(z=1.0)))
    assert seen == [["x"], ["x", "z"]]
    with pytest.raises(InputError, match=r"column 'incom' is missing; model 'model' reads it. Did you mean 'income'\?"):
        predict(Nosy(features=["incom"]), rows(table().assign(income=1)))


class TestGivenPredictions:
    """Someone else's model: decisions or scores alone."""

    def test_all_problems_of_both_columns_are_told(self) -> None:
        decided = np.array([0.5, np.nan] * 120)
        with pytest.raises(InputError) as told:
            given_predictions(rows(), decided, np.array([np.inf, 2.0] * 120))
        for part in ("no value in 120 of 240", "Scores belong in y_score", "no finite number in 120", "outside [0, 1]"):
            assert part in str(told.value)

    @pytest.mark.parametrize(
        ("decided", "score", "said"),
        [
            (None, None, "neither decisions nor scores"),
            ([1, 0], None, "y_pred has 2 rows and y_true has 240"),
            (None, [0.5], "y_score has 1 rows"),
            (["yes"] * 240, None, "'yes', which is no value of the label"),
        ],
    )
    def test_what_is_no_prediction(self, decided: object, score: object, said: str) -> None:
        with pytest.raises(InputError, match=said):
            given_predictions(rows(), decided, score)  # type: ignore[arg-type]

    def test_ranking_scores_need_a_threshold(self) -> None:
        with pytest.raises(InputError, match="need a threshold"):
            given_predictions(rows(), None, np.arange(240), kind="ranking")
        found = given_predictions(rows(), None, np.arange(240), kind="ranking", threshold=200)
        assert found.y_pred.sum() == 40

    def test_decisions_are_read_in_the_labels_of_the_truth(self) -> None:
        words = table().assign(y=np.where(table()["y"] == 1, "yes", "no"))
        data = rows(words, positive="yes")
        found = given_predictions(data, words["y"], None)
        assert np.array_equal(found.y_pred, data.y_true)
        assert found.kind == "label"
        assert found.y_score is None


def test_the_provenance_is_plain_and_the_same_for_the_same_run() -> None:
    first, second = (json.dumps(provenance(Evidence(Model(), rows())), allow_nan=False) for _ in range(2))
    assert first == second
    said = json.loads(first)
    assert said["data"]["content_hash"] == rows().content_hash()
    assert said["data"]["sensitive_features"] == ["race", "sex"]
    assert said["original"] is None
    assert said["rows_seen_in_training"] is None


def test_sensitive_features_that_the_model_reads_are_on_record() -> None:
    blind, reading = Model(features=["x"]), Model(features=["x", "sex"])
    assert provenance(Evidence(blind, rows()))["sensitive_inputs"] == []
    assert provenance(Evidence(reading, rows()))["sensitive_inputs"] == ["sex"]


def test_rows_seen_in_training_are_counted() -> None:
    from evenhand.data.hashing import hash_rows

    data = rows()
    model = Model(features=["x"])
    model.fit_row_hashes = hash_rows(data.table, ["x"], data.y_true)[:100]  # type: ignore[attr-defined]
    assert provenance(Evidence(model, data))["rows_seen_in_training"] == 100
    assert provenance(Evidence(model, rows(table(seed=9))))["rows_seen_in_training"] == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (float("nan"), "nan"),
        (np.float32("inf"), "inf"),
        ({1: (np.int8(2), None)}, {"1": [2, None]}),
        (np.array([1.5, 2.5]), [1.5, 2.5]),
        (pd.Timestamp("2026-01-01"), "2026-01-01 00:00:00"),
    ],
)
def test_anything_can_be_said_in_json(value: object, said: object) -> None:
    assert plain(value) == said
    json.dumps(plain(value), allow_nan=False)
