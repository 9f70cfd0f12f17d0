"""Reasons taken away, and ways out written as rows: known answers, and what no seed or order changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evenhand.explaining import explain
from evenhand.explaining.erasure import _others, erase
from evenhand.explaining.reason_changes import reason_changes
from evenhand.explaining.reasons import reasons_against
from evenhand.explaining.recourse import recourse
from evenhand.metrics.values.bounded import bounded_mean

ROWS = pd.DataFrame({"a": [0.0, 0.1], "b": [0.0, 0.1], "c": [0.0, 0.1]})
USUAL = pd.DataFrame({"a": [1.0, 0.8], "b": [1.0, 0.8], "c": [1.0, 0.8]})


def weighed(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(0.5 * table["a"] + 0.25 * table["b"] + 0.25 * table["c"])


def test_what_a_score_loses_without_its_reasons_is_known_of_a_sum() -> None:
    found = erase(weighed, ROWS, USUAL, np.array([[0, -1], [0, -1]]), threshold=0.5)
    assert found.comprehensiveness == pytest.approx([0.5 * 0.9, 0.5 * 0.8]), "half of what usual people have more"
    assert found.sufficiency == pytest.approx([0.5 * 0.9, 0.5 * 0.8]), "the others are the other half"
    assert found.comprehensiveness_at_random == pytest.approx([0.25 * 0.9, 0.25 * 0.8]), "b or c, whichever is drawn"
    assert found.turned.tolist() == [0.5, 0.5], "0.5 and 0.55 of the first usual person, 0.4 and 0.45 of the second"
    assert found.turned_at_random.tolist() == [0.0, 0.0]


def test_on_the_explained_scale_the_only_feature_that_counts_is_never_unfaithful() -> None:
    """A row just below the mean of log-odds may be above that of probabilities: then the scales contradict."""
    rows = pd.DataFrame({"a": [-0.05, -2.0], "b": [0.0, 0.0]})
    usual = pd.DataFrame({"a": [6.0, -1.0, -1.0, -3.8], "b": [1.0, -1.0, 0.0, 0.0]})

    def score(table: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-table["a"])))

    reasons = np.array([[0], [0]])
    found = erase(score, rows, usual, reasons, threshold=0.5, link="logit")
    assert found.beyond == pytest.approx(usual["a"].mean() - rows["a"]), "the attributions, turned round"
    assert found.comprehensiveness[0] < 0 < found.beyond[0]
    plain = erase(score, rows, usual, reasons, threshold=0.5)
    assert plain.beyond == pytest.approx(plain.comprehensiveness), "of the score itself nothing else is compared"


def test_the_other_direction_is_the_same_of_the_score_turned_round() -> None:
    reasons = np.array([[0, 2], [1, -1]])
    usual = erase(weighed, ROWS, USUAL, reasons, threshold=0.55)
    turned = erase(lambda X: 1 - weighed(X), ROWS, USUAL, reasons, threshold=0.45 + 1e-9, low_is_bad=False)
    for name in ("comprehensiveness", "sufficiency", "turned"):
        assert getattr(turned, name) == pytest.approx(getattr(usual, name)), name


def test_where_hardly_a_feature_is_left_there_is_nothing_to_compare_with() -> None:
    found = erase(weighed, ROWS, USUAL, np.array([[0, 1], [0, -1]]), threshold=0.5)
    assert found.comparable.tolist() == [False, True]
    assert np.isnan(found.comprehensiveness_at_random).tolist() == [True, False]


def test_other_features_are_as_many_none_of_them_stated_and_each_as_often() -> None:
    stated = np.zeros((4, 6), dtype=bool)
    stated[0, :1] = stated[1, :2] = stated[2, 3:] = True
    drawn = _others(stated, 3_000, 0)
    assert (drawn.sum(axis=2) == stated.sum(axis=1)[:, None]).all()
    assert not (drawn & stated[:, None, :]).any()
    assert drawn[0].mean(axis=0)[1:] == pytest.approx(np.full(5, 0.2), abs=0.03)


def test_the_order_of_columns_and_the_number_of_rows_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = np.array([[0, 2], [1, -1]])
    whole = erase(weighed, ROWS, USUAL, reasons, threshold=0.5)
    turned = erase(
        weighed, ROWS[["c", "b", "a"]], USUAL[["b", "a", "c"]], 2 - np.where(reasons < 0, 3, reasons), threshold=0.5
    )
    assert turned.comprehensiveness == pytest.approx(whole.comprehensiveness)
    monkeypatch.setattr("evenhand.explaining.erasure.CHUNK", 3)
    assert erase(weighed, ROWS, USUAL, reasons, threshold=0.5).turned.tolist() == whole.turned.tolist()


def test_first_reasons_of_two_sums_differ_where_their_parts_do() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(-1, 1, (200, 3)), columns=["a", "b", "c"])
    usual = pd.DataFrame(rng.normal(0, 1, (100, 3)), columns=["a", "b", "c"])
    weights = {"after": np.array([1.0, 0.6, 0.1]), "before": np.array([0.6, 1.0, 0.1])}
    made = {
        name: explain(lambda X, w=w: 1 / (1 + np.exp(-(X.to_numpy() @ w))), rows, usual) for name, w in weights.items()
    }
    against = {name: -(rows.to_numpy() - usual.to_numpy().mean(axis=0)) * w for name, w in weights.items()}
    first = {name: np.where(parts.max(axis=1) > 0, parts.argmax(axis=1), -1) for name, parts in against.items()}
    everybody = np.arange(200)
    found = reason_changes(made["after"], made["before"], everybody)
    assert (found.first == (first["after"] != first["before"])).all()
    assert 0 < found.first.mean() < 1
    assert found.clear is not None and found.by_chance is not None
    assert not (found.clear & found.by_chance).any(), "what chance changes is not claimed"
    assert (found.stated | ~found.stated).all()
    same = reason_changes(made["after"], made["after"], everybody)
    assert not same.first.any() and not same.stated.any()
    assert same.clear is not None and not same.clear.any()


def test_ways_are_rows_in_the_types_of_the_model_and_turn_as_they_were_found() -> None:
    rng = np.random.default_rng(0)
    usual = pd.DataFrame({"income": rng.normal(0, 1, 300), "children": rng.integers(0, 6, 300), "town": "ab"})
    usual["town"] = pd.Categorical(rng.choice(["a", "b"], 300), categories=["a", "b"])

    def accepts(table: pd.DataFrame) -> np.ndarray:
        return np.asarray(table["income"] - 0.5 * table["children"] + (table["town"] == "b") > 0.5)

    rows = usual[~accepts(usual)].head(80)
    found = recourse(accepts, rows, usual, {"income": "increase", "children": "decrease", "town": "any"})
    assert (found.rows.dtypes == rows.dtypes).all()
    assert list(found.rows.index) == list(rows.index)
    assert 0 < len(found.found) <= 80
    assert accepts(found.rows.iloc[found.found]).all()
    stuck = np.flatnonzero(np.isinf(found.cost))
    pd.testing.assert_frame_equal(found.rows.iloc[stuck], rows.iloc[stuck])
    for at in found.found:
        moved = {name for name in rows if found.rows.iloc[at][name] != rows.iloc[at][name]}
        assert moved == set(found.changed[at])


def test_no_value_is_proposed_that_the_column_cannot_hold_or_the_model_never_learned() -> None:
    rows = pd.DataFrame({"rooms": [1, 1], "town": pd.Categorical(["a", "a"], categories=["a", "b"])})
    usual = pd.DataFrame({"rooms": [0.5, 1.5, 2.5, 3.0], "town": ["a", "b", "c", "c"]})
    seen: list[pd.DataFrame] = []

    def accepts(table: pd.DataFrame) -> np.ndarray:
        seen.append(table)
        return np.zeros(len(table), dtype=bool)

    recourse(accepts, rows, usual, {"rooms": "increase", "town": "any"})
    tried = pd.concat(seen)
    assert set(tried["rooms"]) == {1, 3}, "a half is no number of rooms"
    assert set(tried["town"]) == {"a", "b"}, "c is no category of the column"
    seen.clear()
    recourse(accepts, rows.astype({"town": object}), usual, {"town": "any"}, {"town": {"a", "c"}})
    assert set(pd.concat(seen)["town"]) == {"c"}


@pytest.mark.slow
def test_intervals_of_samples_cover_what_all_refusals_and_all_usual_people_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    made = pd.DataFrame(rng.normal(0, 1, (4_000, 8)), columns=list("abcdefgh"))
    weights = rng.normal(0, 1, (2, 8, 6))

    def score(table: pd.DataFrame) -> np.ndarray:
        hidden = np.maximum(table.to_numpy() @ weights[0], 0) - 0.5 * np.maximum(-table.to_numpy() @ weights[1], 0)
        return np.asarray(1 / (1 + np.exp(-hidden.sum(axis=1) / 2)))

    refused, usual = made[score(made) < 0.5].head(1_000), made.tail(200)
    reasons = reasons_against(explain(score, refused, usual.head(20)).values)
    told = (reasons >= 0).any(axis=1)
    refused, reasons = refused[told], reasons[told]
    some = erase(score, refused, usual, reasons, threshold=0.5)
    monkeypatch.setattr("evenhand.explaining.erasure.DRAWS", 200)
    whole = erase(score, refused, usual, reasons, threshold=0.5)
    for rows in (8, 30, 100, 300):
        picked = rng.integers(0, len(refused), (1_000, rows))
        for name, bounds in (("turned", (0.0, 1.0)), ("comprehensiveness", (-0.5, 1.0))):
            drawn, truth = getattr(some, name)[picked].ravel(), getattr(whole, name).mean()
            spans = bounded_mean("reason_flip_rate", drawn, np.repeat(np.arange(1_000), rows), 1_000, bounds, 0.95)
            covered = ((spans.low <= truth) & (truth <= spans.high)).mean()
            assert covered >= 0.93, (rows, name, covered)
