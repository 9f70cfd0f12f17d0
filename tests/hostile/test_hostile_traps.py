"""Every trap that other tools fall into, through the public calls: no figure is made up, no row or group is lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.metrics import Tally, disparity, measure

Y = np.tile([1, 0, 1, 0, 1, 0], 10)
D = np.tile([1, 0, 0, 0, 1, 1], 10)


def audit(groups: object, y: object = Y, d: object = D, **more: object) -> eh.AuditRecord:
    return eh.audit_predictions(y, d, sensitive_features={"g": groups}, **more)  # type: ignore[arg-type]


def names(record: eh.AuditRecord) -> list[str]:
    (counts,) = [part for part in record.tallies if part.columns == ("g",) and part.model == "subject"]
    return [label[0] for label in counts.groups]


@pytest.mark.parametrize(
    ("of_b", "metric", "opposite"),
    [
        (([0] * 6, [0, 1] * 3), "recall", "false_negative_rate"),
        (([1] * 6, [0, 1] * 3), "false_positive_rate", "specificity"),
        (([0, 1] * 3, [0] * 6), "precision", "false_discovery_rate"),
    ],
    ids=["no positives", "no negatives", "no predictions"],
)
def test_a_group_of_which_a_rate_is_0_of_0(of_b: tuple[list[int], list[int]], metric: str, opposite: str) -> None:
    y, d = np.append(Y, of_b[0]), np.append(D, of_b[1])
    record = audit(["a"] * len(Y) + ["b"] * 6, y, d)
    for name in (metric, opposite):
        found = record[f"{name}[g=b]"] if record.get(f"{name}[g=b]") else None
        if found is not None:
            assert found.estimate is None, "0 of 0 is not 0"
            assert "0 of 0" in found.undefined
    gap = record[f"{metric}_difference[g]"]
    assert gap.estimate is None, "one group alone makes no gap, and none of 1.0"
    policy = eh.load_policy({"limits": {f"{metric}_difference[g]": {"at_most": 0.5}}})
    assert [j.status for j in eh.judge(record, policy).judgements] == ["undecided"]


def test_one_group_has_no_gap() -> None:
    record = audit(["a"] * len(Y))
    assert record["recall[g=a]"].estimate == pytest.approx(20 / 30)
    assert record["recall_difference[g]"].estimate is None
    assert record["recall_group_min[g]"].estimate == pytest.approx(20 / 30)


@pytest.mark.slow
def test_ten_thousand_groups_are_all_there() -> None:
    rng = np.random.default_rng(0)
    n = 60_000
    codes = np.append(np.arange(10_000), rng.integers(0, 10_000, n - 10_000))
    y = rng.integers(0, 2, n)
    record = audit([f"g{code:05}" for code in codes], y, np.where(rng.random(n) < 0.8, y, 1 - y))
    assert len(names(record)) == 10_000
    assert record["accuracy_difference[g]"].interval.low < 0.5, "chance makes a gap of 1, and is no evidence of one"


def test_a_constant_label_is_refused_with_a_sentence() -> None:
    with pytest.raises(InputError, match="one class only"):
        audit(["a", "b"] * 30, np.ones(60, dtype=int))


def test_an_empty_intersection_is_listed_and_is_no_group() -> None:
    sex, race = ["f", "f", "m", "m"] * 15, ["x", "y", "x", "x"] * 15
    record = eh.audit_predictions(Y, D, sensitive_features={"sex": sex, "race": race})
    crossed = [part for part in record.tallies if part.columns == ("race", "sex") and part.model == "subject"]
    assert ("y", "m") not in crossed[0].groups
    assert len(crossed[0].groups) == 3
    assert record["selection_rate_difference[race,sex]"].undefined_groups == ()


def test_nan_none_empty_text_and_the_text_nan_are_four_things() -> None:
    values = np.array(["", "nan", None, float("nan"), "a", "None"] * 10, dtype=object)
    record = audit(values, missing="group")
    assert sorted(names(record)) == sorted(["", "nan", "None", "a", "(missing)"])
    assert record["accuracy[g=(missing)]"].support == 20, "None and NaN are both no value"
    with pytest.raises(InputError, match="no value in 20 of 60 rows"):
        audit(values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], ["1", "2"]),
        ([0.5, 1.5], ["0.5", "1.5"]),
        ([True, False], ["False", "True"]),
        (pd.Categorical(["lo", "hi"] * 30, categories=["lo", "hi", "never"], ordered=True), ["lo", "hi"]),
        (pd.to_datetime(["2020-01-01", "2021-01-01"] * 30), None),
        ([1, "1"], ["1"]),
        ([1, "one"], ["1", "one"]),
        (np.array([1, 2], dtype=np.int8), ["1", "2"]),
    ],
    ids=["int", "float", "bool", "category", "datetime", "1 and its text", "mixed", "int8"],
)
def test_group_columns_of_every_type(values: object, expected: list[str] | None) -> None:
    column = values
    if len(values) != 60:  # type: ignore[arg-type]
        column = np.resize(np.array(values, dtype=object) if isinstance(values, list) else values, 60)  # type: ignore[arg-type]
    record = audit(column)
    if expected is None:
        assert len(names(record)) == 2
        assert names(record)[0].startswith("2020-01-01")
    else:
        assert names(record) == expected
    assert sum(record[eh.Key.of("accuracy", {"g": name})].support for name in names(record)) == 60


@pytest.mark.parametrize("name", ["a[b]", "x=y", "p, q", "*", '"quoted"', " blank ", "semi;colon", "back\\slash"])
def test_names_that_hold_the_grammar_of_keys(name: str) -> None:
    record = audit([name, "other"] * 30)
    key = eh.Key.of("accuracy", {"g": name})
    assert record[str(key)].support == 30
    policy = eh.load_policy({"limits": {str(key): {"at_least": 0.01}}})
    assert [j.status for j in eh.judge(record, policy).judgements] == ["passed"]


@pytest.mark.parametrize(
    ("weight", "said"),
    [(-1.0, "is negative in 1"), (np.nan, "has no value in 1"), (np.inf, "is infinite in 1")],
)
def test_weights_that_are_none(weight: float, said: str) -> None:
    weights = np.ones(60)
    weights[3] = weight
    with pytest.raises(InputError, match=said):
        audit(["a", "b"] * 30, sample_weight=weights)


def test_a_group_of_weight_zero_is_undefined_and_stays() -> None:
    weights = np.where(np.arange(60) % 2, 0.0, 1.0)
    record = audit(["a", "b"] * 30, sample_weight=weights)
    assert record["accuracy[g=b]"].estimate is None
    assert record["accuracy[g=b]"].undefined
    with pytest.raises(InputError, match="is 0 in all 60 rows"):
        audit(["a", "b"] * 30, sample_weight=np.zeros(60))


@pytest.mark.parametrize(
    ("pair", "more"),
    [
        ((-1, 1), {}),
        (("no", "yes"), {}),
        (("low", "high"), {"positive": "high"}),
        ((1, 2), {"positive": 2}),
        ((False, True), {}),
        (("a", "b"), {"positive": "a"}),
    ],
)
def test_labels_of_every_kind(pair: tuple[object, object], more: dict[str, object]) -> None:
    other, one = (pair[1], pair[0]) if more.get("positive") == pair[0] else pair
    y, d = ([one if value else other for value in part] for part in (Y, D))
    record = audit(["a", "b"] * 30, y, d, **more)
    assert record["recall"].estimate == pytest.approx(20 / 30)
    if more:
        with pytest.raises(InputError, match="nothing says which is the positive class"):
            audit(["a", "b"] * 30, y, d)


def test_half_precision_scores_are_scores() -> None:
    score = np.linspace(0, 1, 60).astype(np.float16)
    half = eh.audit_predictions(Y, y_score=score, sensitive_features={"g": ["a", "b"] * 30})
    full = eh.audit_predictions(Y, y_score=score.astype(float), sensitive_features={"g": ["a", "b"] * 30})
    assert half["roc_auc[g=a]"].estimate == full["roc_auc[g=a]"].estimate
    assert half["selection_rate"].estimate == full["selection_rate"].estimate


def test_rows_in_another_order_are_not_aligned_in_silence() -> None:
    y = pd.Series(Y, index=range(60))
    with pytest.raises(InputError, match="different indexes"):
        eh.audit_predictions(y, D, sensitive_features=pd.Series(["a", "b"] * 30, index=range(59, -1, -1), name="g"))
    with pytest.raises(InputError, match="different indexes"):
        eh.audit_predictions(y, pd.Series(D, index=range(59, -1, -1)), sensitive_features={"g": ["a", "b"] * 30})


def test_scores_as_decisions_and_broken_decisions_are_refused() -> None:
    with pytest.raises(InputError, match="Scores belong in y_score"):
        audit(["a", "b"] * 30, d=np.linspace(0, 1, 60))
    with pytest.raises(InputError, match="y_pred has no value in 1"):
        audit(["a", "b"] * 30, d=np.where(np.arange(60) == 5, np.nan, D))


def test_a_million_distinct_texts_make_no_groups() -> None:
    n = 1_000_000
    values = pd.Series(np.char.mod("person %d", np.arange(n)), dtype="str")
    with pytest.raises(InputError, match=r"'g' has 1,000,000 different values .*groups can be read up to 10,000"):
        audit(values, np.resize(Y, n), np.resize(D, n))


def test_strided_and_read_only_arrays_are_taken_as_they_are() -> None:
    y, d, g = (np.repeat(part, 2)[::2] for part in (Y, D, np.resize([0, 1], 60)))
    for part in (y, d, g):
        part.flags.writeable = False
    record, plain = audit(g, y, d), audit(g.copy(), y.copy(), d.copy())
    assert record["recall_difference[g]"].estimate == plain["recall_difference[g]"].estimate
    assert not y.flags.writeable


def test_small_types_do_not_overflow() -> None:
    y = np.ones(300, dtype=np.int8)
    tally = Tally.count(y, y, np.zeros(300, dtype=np.int8), 1)
    assert tally.counts[0, 1, 1] == 300
    many = Tally.count(np.ones(500, np.int8), np.ones(500, np.int8), np.arange(500, dtype=np.int16) % 250, 250)
    assert (many.rows == 2).all()


def test_more_rows_than_32_bits_count() -> None:
    counts = np.array([[[2**31, 5], [7, 2**31 + 3]], [[2**32, 5], [7, 2**32]]])
    tally = Tally(counts) + Tally(counts)
    assert int(tally.rows.sum()) == 2 * int(counts.sum())
    assert measure("accuracy", tally).estimate.tolist() == pytest.approx([1, 1], abs=1e-8)
    assert disparity("accuracy_difference", tally).high < 1e-6
