"""Rows that were followed in time: at a horizon they are a weighted set of two classes, and nobody is lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data.arrays import evaluation_set_from_arrays
from evenhand.errors import InputError
from evenhand.product_limit import POOLED, Censoring, censoring_curve, event_curve, strata_of


def followed(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Rows of two groups, of which one is lost far more often."""
    rng = np.random.default_rng(seed)
    x, sex = rng.normal(size=n), rng.choice(["f", "m"], n)
    time, lost = rng.exponential(np.exp(-x)), rng.exponential(np.where(sex == "f", 0.8, 3.0))
    seen = np.minimum(time, lost)
    return pd.DataFrame({"x": x, "sex": sex, "months": seen, "died": (time <= lost) * 1, "w": rng.integers(1, 4, n)})


def at_one(table: pd.DataFrame, **settings: object) -> eh.EvaluationSet:
    return eh.read_evaluation_set(
        table, **{"time": "months", "event": "died", "horizon": 1.0, "sensitive_features": "sex", **settings}
    )


def test_the_curves_are_those_computed_by_hand() -> None:
    time, event = [1, 2, 2, 3, 4, 4], [1, 1, 0, 0, 1, 0]
    survives = event_curve(time, event)
    assert np.allclose(survives.after([0, 1, 2, 3, 4]), [1, 5 / 6, 5 / 6 * 4 / 5, 2 / 3, 2 / 3 / 2])
    free = censoring_curve(time, event)
    # at 2 the event comes first: four of the five rows at risk are left to be censored; at 4 one of two is
    assert np.allclose(free.before([2, 3, 4]), [1, 3 / 4, 3 / 4 * 2 / 3])
    assert free.after(4) == 0, "the last row is censored"


def test_a_weight_of_two_is_two_rows_and_one_of_zero_is_none() -> None:
    time, event, weight = np.array([1.0, 2, 3, 4, 9]), np.array([1, 0, 1, 0, 1]), np.array([2, 1, 3, 1, 0])
    again = np.repeat(np.arange(5), weight)
    for curve in (event_curve, censoring_curve):
        assert np.allclose(curve(time, event, weight).after(time), curve(time[again], event[again]).after(time))


def test_rows_are_positive_negative_or_unresolved() -> None:
    table = pd.DataFrame({"t": [1.0, 2.0, 3.0, 3.0, 5.0, 5.0], "e": [1, 0, 1, 0, 1, 0], "x": 0.0})
    data = eh.read_evaluation_set(table, time="t", event="e", horizon=3.0)
    assert data.follow_up is not None
    assert data.follow_up.known.tolist() == [True, False, True, True, True, True], "censored at the horizon is known"
    assert data.y_true.tolist() == [1, 1, 0, 0, 0]
    assert data.features == ("x",), "a model reads neither time nor event nor weight"
    assert data.sample_weight is not None
    assert np.allclose(data.sample_weight, [1, 1.25, 1.25, 1.25, 1.25])
    assert data.roles.label == "e by 3"
    assert data.provenance["follow_up"] == {
        "horizon": 3.0, "censoring": "by group", "rows": 6, "events": 2, "censored_before": 1, "weight": None,
    }  # fmt: skip


@pytest.mark.parametrize("weight", [None, "w"])
def test_weights_add_up_to_the_rows_and_the_weighted_share_is_the_product_limit_risk(weight: str | None) -> None:
    table = followed()
    data = at_one(table, sample_weight=weight)
    one = np.ones(len(table)) if weight is None else table["w"].to_numpy()
    for group in ("f", "m"):
        own, all_of = (data.table["sex"] == group).to_numpy(), (table["sex"] == group).to_numpy()
        assert np.isclose(data.sample_weight[own].sum(), one[all_of].sum())
        share = np.average(data.y_true[own], weights=data.sample_weight[own])
        curve = event_curve(table["months"][all_of], table["died"][all_of], one[all_of])
        assert np.isclose(share, 1 - curve.after(1.0))
    assert weight is None or weight not in data.features


def test_censoring_that_depends_on_the_group_bends_weights_over_all_rows_and_not_those_by_group() -> None:
    table = followed(60_000, seed=1)
    table["x"] = 0.0
    rng = np.random.default_rng(2)
    truth = rng.exponential(1.0, len(table))
    lost = np.where(table["sex"] == "f", 0.5, 5.0) * rng.exponential(size=len(table))
    table["months"], table["died"] = np.minimum(truth, lost), (truth <= lost) * 1
    gap = {}
    for censoring in ("by group", "overall"):
        data = at_one(table, censoring=censoring)
        sex = (data.table["sex"] == "f").to_numpy()
        risks = [np.average(data.y_true[own], weights=data.sample_weight[own]) for own in (sex, ~sex)]
        gap[censoring] = risks[0] - risks[1]
    assert abs(gap["by group"]) < 0.02, "both groups have the same risk"
    assert gap["overall"] > 0.1, "the events of a group that is lost early seem too many among its known rows"


def test_small_groups_share_the_curve_of_all_rows() -> None:
    codes, time = np.array([0] * 10 + [1] * 9), np.full(19, 5.0)
    assert set(strata_of(codes, time, 5.0)[:10]) == {0}
    assert set(strata_of(codes, time, 5.0)[10:]) == {POOLED}
    pooled = Censoring.of(time, np.zeros(19), strata_of(codes, time, 5.0))
    assert np.array_equal(pooled.curves[0].at_risk, [19.0]), "of all rows, not of the nine"


def test_arrays_and_tables_give_the_same_set() -> None:
    table = followed()
    beside = evaluation_set_from_arrays(
        table["died"], time=table["months"], horizon=1.0, sensitive_features=table[["sex"]]
    )
    data = at_one(table)
    assert np.array_equal(beside.y_true, data.y_true)
    assert np.allclose(beside.sample_weight, data.sample_weight)


def test_other_rows_have_weights_of_their_own_and_the_same_horizon() -> None:
    table = followed()
    data = at_one(table, sample_weight="w", favourable=0)
    again = eh.read_evaluation_set(table, like=data)
    assert np.allclose(again.sample_weight, data.sample_weight)
    assert again.roles == data.roles
    later = eh.read_evaluation_set(table, like=data, horizon=0.5)
    assert later.roles.label == "died by 0.5"
    assert later.roles.favourable == 0


def test_parts_of_a_split_hold_all_rows_censored_ones_too() -> None:
    data = at_one(followed(800))
    parts = eh.split(data, {"a": 0.5, "b": 0.5})
    told = [part.provenance["follow_up"] for part in parts.values()]
    assert sum(each["rows"] for each in told) == 800
    assert sum(each["censored_before"] for each in told) == data.provenance["follow_up"]["censored_before"]
    for part in parts.values():
        assert part.follow_up is not None
        assert np.isclose(part.sample_weight.sum(), 400)


def test_some_of_the_rows_keep_the_horizon_and_no_follow_up() -> None:
    data = at_one(followed())
    some = data.take(np.arange(50))
    assert some.follow_up is None, "who was censored beside them is not known"
    assert some.horizon == data.horizon


def test_the_fingerprint_is_of_all_rows() -> None:
    table = followed()
    lost = table.index[(table["months"] < 1) & (table["died"] == 0)][0]
    changed = table.copy()
    changed.loc[lost, "x"] += 1.0
    assert at_one(table).content_hash() != at_one(changed).content_hash()
    assert at_one(table).content_hash() == at_one(table.sample(frac=1, random_state=0)).content_hash()


def problems(table: pd.DataFrame, **settings: object) -> str:
    with pytest.raises(InputError) as caught:
        eh.read_evaluation_set(table, name="rows", **settings)
    return "\n".join(caught.value.problems)


def test_what_cannot_be_a_set_at_a_horizon_is_refused_with_the_way_out() -> None:
    table = followed()
    assert "time= and event= are of no use without horizon=: by when" in problems(table, time="months", event="died")
    assert "are of no use without event=: did the event" in problems(table, time="months", horizon=1.0)
    competing = table.assign(died=[0, 1, 2, *table["died"][3:]])
    told = problems(competing, time="months", event="died", horizon=1.0)
    assert "event 'died' has 3 different values; make it 1 where" in told
    assert "task" not in told
    assert "leave out label=" in problems(table, label="died", time="months", horizon=1.0)
    amounts = problems(table, time="months", event="died", horizon=1.0, task="regression")
    assert "there are two classes" in amounts
    assert "times end at" in problems(table, time="months", event="died", horizon=99.0)
    assert "Give a later one" in problems(table, time="months", event="died", horizon=1e-9)
    assert "below 0" in problems(table.assign(months=-table["months"]), time="months", event="died", horizon=1.0)
    assert "is no number" in problems(table.assign(months="a"), time="months", event="died", horizon=1.0)
    counted = problems(table, time="months", event="died", horizon=1.0, frequency="w")
    assert "followed one by one" in counted


def test_a_group_of_which_nobody_was_followed_so_far_is_refused_by_name() -> None:
    table = followed()
    early = (table["sex"] == "f") & (table["months"] >= 0.9)
    table = table.assign(months=table["months"].where(~early, 0.9), died=table["died"].where(~early, 0))
    said = problems(table, time="months", event="died", horizon=1.0, sensitive_features="sex")
    assert "nobody of sex=f was followed" in said
    assert "end at 0.9" in said


def test_a_whole_horizon_is_the_number_that_a_record_reads_again() -> None:
    said = [at_one(followed(), horizon=horizon).horizon for horizon in (1, 1.0)]
    assert repr(said[0]) == repr(said[1]), "else a rerun differs in a sentence"
