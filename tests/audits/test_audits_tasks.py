"""Audits of other tasks, and those that look at groups in other ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, mean_absolute_error

import evenhand as eh
from evenhand.data import read_evaluation_set
from evenhand.errors import InputError, ModelError
from evenhand.policy.thresholds import sweep
from evenhand.records import read_record, write_record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def wine() -> pd.DataFrame:
    features, label = load_wine(return_X_y=True, as_frame=True)
    rng = np.random.default_rng(0)
    return features.iloc[:, :5].assign(kind=np.array(["a", "b", "c"])[label], sex=rng.choice(["f", "m"], len(label)))


def test_several_classes_from_model_to_page(wine: pd.DataFrame, tmp_path: Path) -> None:
    model = LogisticRegression(max_iter=5_000).fit(wine.iloc[:, :5], wine["kind"])
    record = eh.audit(model, read_evaluation_set(wine, label="kind", sensitive_features="sex"))
    decided = model.predict(wine.iloc[:, :5])
    assert record["macro_f1"].estimate == pytest.approx(f1_score(wine["kind"], decided, average="macro"))
    mine = (wine["sex"] == "f") & (wine["kind"] == "b")
    assert record["recall[sex=f;class=b]"].estimate == pytest.approx((decided[mine] == "b").mean())
    worst = record["equalized_odds_difference[sex]"]
    each = [record[f"equalized_odds_difference[sex;class={name}]"] for name in "abc"]
    assert worst.estimate == max(f.estimate for f in each if f.estimate is not None)
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.5}, "recall[;class=c]": {"at_least": 0.999}}})
    assert {str(j.key): j.status for j in eh.judge(record, policy).judgements} == {
        "accuracy": "passed",
        "recall[;class=c]": "failed",
    }
    write_record(tmp_path / "audit.json", record)
    again = read_record(tmp_path / "audit.json")
    eh.write_report(tmp_path / "page.html", again)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Each class against the rest" in page
    assert "multiclass: a, b, c" in page


def test_a_model_of_other_classes_and_numbers_without_a_task_are_refused(wine: pd.DataFrame) -> None:
    model = LogisticRegression(max_iter=5_000).fit(wine.iloc[:, :5], wine["kind"].replace("c", "z"))
    with pytest.raises(ModelError, match="'z', which is no class"):
        eh.audit(model, read_evaluation_set(wine, label="kind", sensitive_features="sex"))
    with pytest.raises(InputError, match="classes or amounts"):
        read_evaluation_set(wine.assign(many=np.arange(len(wine))), label="many")


def test_numbers_from_model_to_gap() -> None:
    table = load_diabetes(as_frame=True).frame
    table["group"] = np.where(table["sex"] > 0, "one", "other")
    data = read_evaluation_set(table, label="target", task="regression", sensitive_features="group", exclude=["sex"])
    model = LinearRegression().fit(data.X, table["target"])
    record = eh.audit(model, data, explain=False)
    error = {
        group: mean_absolute_error(rows["target"], model.predict(rows[list(data.features)]))
        for group, rows in table.groupby("group")
    }
    assert record["mae[group=one]"].estimate == pytest.approx(error["one"])
    assert record["mean_absolute_error_difference[group]"].estimate == pytest.approx(abs(error["one"] - error["other"]))
    assert record["mean_squared_error_group_max[group]"].interval is not None
    assert record["r2"].interval is not None


def test_gaps_of_numbers_have_their_floor_and_their_shrunken_gap_beside_them() -> None:
    rng = np.random.default_rng(6)
    group = np.repeat(list("abcdef"), 60)
    truth = rng.normal(50, 10, len(group))
    alike = truth + rng.normal(0, 4, len(group))
    apart = np.where(group == "f", alike + 12, alike)
    for predicted, real in ((alike, False), (apart, True)):
        record = eh.audit_predictions(truth, predicted, task="regression", sensitive_features={"group": group})
        for metric in ("mean_absolute_error", "mean_residual", "root_mean_squared_error", "r2", "quantile_coverage"):
            gap, floor, shrunken = (
                record[f"{name}[group{rest}]"]
                for name, rest in (
                    (f"{metric}_difference", ""),
                    ("noise_floor", f";rate={metric}"),
                    ("shrunken_difference", f";rate={metric}"),
                )
            )
            assert floor.unit == gap.unit
            assert floor.estimate > 0
            assert 0 <= shrunken.estimate <= gap.estimate
            assert (gap.estimate > 2.5 * floor.estimate) == real, metric
        page = eh.render(record, None, "markdown")
        told = f"| group | Mean residual | {record['mean_residual_difference[group]'].estimate:#.3g} |"
        assert told in page.partition("Gaps and those of equal groups")[2]
        assert "Each group against all other rows" not in page, "no table without a row"
    heavy = eh.audit_predictions(
        truth, alike, task="regression", sensitive_features={"group": group}, sample_weight=rng.gamma(1, 1, len(group))
    )
    plain = eh.audit_predictions(truth, alike, task="regression", sensitive_features={"group": group})
    key = "noise_floor[group;rate=mean_absolute_error]"
    assert heavy[key].estimate > 1.1 * plain[key].estimate, "weights cost rows, and the floor says so"
    one = eh.audit_predictions(truth, alike, task="regression", sensitive_features={"group": ["a"] * len(group)})
    assert one[key].estimate is None
    assert one[key].undefined


def test_several_labels_and_lists() -> None:
    rng = np.random.default_rng(0)
    truth = pd.DataFrame((rng.random((300, 3)) < 0.4).astype(int), columns=["x", "y", "z"])
    decided = np.where(rng.random((300, 3)) < 0.8, truth, 1 - truth)
    sex = rng.choice(["f", "m"], 300)
    record = eh.audit_predictions(truth, decided, task="multilabel", sensitive_features={"sex": sex})
    assert record["recall[;class=y]"].estimate == pytest.approx(decided[truth["y"] == 1, 1].mean())
    assert "hamming_loss_difference[sex]" in record
    ranked = eh.audit_predictions(
        rng.integers(0, 3, 300).astype(float),
        rng.random(300),
        task="ranking",
        query=np.repeat(np.arange(30), 10),
        sensitive_features={"sex": sex},
    )
    assert 0 < (ranked["ndcg[;at=10]"].estimate or 0) < 1
    assert "exposure_ratio[sex]" in ranked


def decisions(rows: int = 4_000) -> dict[str, np.ndarray]:
    """Everyone is decided alike at their school; one group goes to the harder school: Simpson's paradox."""
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], rows)
    school = np.where(rng.random(rows) < np.where(sex == "f", 0.8, 0.2), "hard", "easy")
    chosen = (rng.random(rows) < np.where(school == "hard", 0.2, 0.7)).astype(int)
    return {"y_true": rng.integers(0, 2, rows), "y_pred": chosen, "sex": sex, "school": school}


def test_a_gap_that_lies_between_schools_is_none_within_them() -> None:
    rows = decisions()
    record = eh.audit_predictions(
        rows["y_true"],
        rows["y_pred"],
        sensitive_features={"sex": rows["sex"]},
        control_features={"school": rows["school"]},
    )
    plain = record["selection_rate_difference[sex]"]
    within = record['selection_rate_difference[sex;given="school=hard"]']
    worst = record["selection_rate_difference[sex;given=school]"]
    assert plain.interval is not None
    assert within.interval is not None
    assert worst.interval is not None
    assert plain.interval.low is not None
    assert plain.interval.low > 0.2
    assert (within.interval.low, worst.interval.low) == (0.0, 0.0)
    assert worst.interval.high is not None
    assert worst.interval.high < 0.15


def test_a_feature_known_by_probabilities_is_audited_with_its_bounds() -> None:
    rng = np.random.default_rng(1)
    chance = rng.choice([0.05, 0.9], 2_000)
    decided = (rng.random(2_000) < 0.3 + 0.4 * chance).astype(int)
    table = pd.DataFrame({"black": chance, "white": 1 - chance})
    record = eh.audit_predictions(rng.integers(0, 2, 2_000), decided, group_probabilities={"race": table})
    finding = record["selection_rate[race=black]"]
    assert finding.interval is not None
    assert finding.interval.low is not None
    assert finding.interval.low < (finding.estimate or 0) < (finding.interval.high or 0)
    assert record["selection_rate_difference[race]"].estimate == pytest.approx(0.29, abs=0.08)


def test_what_was_not_stated_is_judged_from_counts() -> None:
    rows = decisions()
    record = eh.audit_predictions(rows["y_true"], rows["y_pred"], sensitive_features={"sex": rows["sex"]})
    limits = {
        "false_omission_rate_difference[sex]": {"at_most": 0.2},
        "treatment_equality_group_max[sex]": {"at_most": 50},
        "negative_predictive_value[sex=*]": {"at_least": 0.1},
        "theil_index": {"at_most": 5},
    }
    assert record.stated("false_omission_rate_difference[sex]") is None
    verdict = eh.judge(record, eh.load_policy({"limits": limits}))
    assert {str(j.key) for j in verdict.judgements} == {
        "false_omission_rate_difference[sex]",
        "treatment_equality_group_max[sex]",
        "negative_predictive_value[sex=f]",
        "negative_predictive_value[sex=m]",
        "theil_index",
    }
    assert {j.status for j in verdict.judgements} == {"passed"}


def test_chance_is_told_beside_the_gap() -> None:
    rows = decisions()
    record = eh.audit_predictions(rows["y_true"], rows["y_pred"], sensitive_features={"sex": rows["sex"]})
    assert (record["p_value[sex;rate=selection_rate]"].estimate or 1) < 0.001
    assert (record["p_value[sex=f;rate=accuracy]"].estimate or 0) > 0.001
    floor, gap = record["noise_floor[sex;rate=selection_rate]"], record["selection_rate_difference[sex]"]
    assert (floor.estimate or 1) < 0.03 < (gap.estimate or 0)


def test_a_sweep_agrees_with_auditing_at_each_threshold() -> None:
    rng = np.random.default_rng(3)
    truth, sex = rng.integers(0, 2, 1_500), rng.choice(["f", "m"], 1_500)
    score = np.round(np.clip(0.25 * truth + 0.7 * rng.random(1_500) + 0.05 * (sex == "m"), 0, 1), 2)
    record = eh.audit_predictions(truth, y_score=score, sensitive_features={"sex": sex})
    limits = {"selection_rate_difference[sex]": {"at_most": 0.2}, "recall[sex=*]": {"at_least": 0.3}}
    policy = eh.load_policy({"limits": {**limits, "roc_auc": {"at_least": 0.5}}})
    found = sweep(record, policy)
    assert found.left_out == ("roc_auc",)
    assert sum(step.in_use for step in found.steps) == 1
    for step in found.steps[::17]:
        direct = eh.judge(
            eh.audit_predictions(truth, y_score=score, threshold=step.threshold, sensitive_features={"sex": sex}),
            eh.load_policy({"limits": limits}),
        )
        told = {str(j.key): (j.status, j.finding and j.finding.estimate) for j in direct.judgements}
        assert {str(j.key): (j.status, j.finding and j.finding.estimate) for j in step.judgements} == told
    best = found.operating_point
    assert best is not None
    assert best.accuracy == max(step.accuracy or 0 for step in found.steps if step.status == "passed")


def test_rows_of_one_person_make_intervals_wider_at_any_confidence() -> None:
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(100), 10)
    chance = np.repeat(rng.beta(1, 2, 100), 10)
    decided, truth = (rng.random(1_000) < chance).astype(int), rng.integers(0, 2, 1_000)
    naive = eh.audit_predictions(truth, decided)["selection_rate"].interval
    found = eh.audit_predictions(truth, decided, cluster=person)
    honest = found["selection_rate"].interval
    assert naive is not None
    assert honest is not None
    assert (honest.high or 0) - (honest.low or 0) > 1.4 * ((naive.high or 0) - (naive.low or 0))
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.1}}, "defaults": {"confidence": 0.9}})
    judged = eh.judge(found, policy).judgements[0].finding
    again = eh.audit_predictions(truth, decided, cluster=person, level=0.9)["accuracy"]
    assert judged is not None
    assert judged.interval == again.interval


def test_a_feature_that_was_recorded_with_known_errors_is_corrected() -> None:
    rng = np.random.default_rng(2)
    n = 20_000
    true = rng.choice(["x", "y"], n, p=[0.7, 0.3])
    wrong = rng.random(n) < np.where(true == "x", 0.1, 0.25)
    recorded = np.where(wrong, np.where(true == "x", "y", "x"), true)
    decided = (rng.random(n) < np.where(true == "x", 0.6, 0.4)).astype(int)
    errors = {"x": {"x": 0.9, "y": 0.1}, "y": {"x": 0.25, "y": 0.75}}
    record = eh.audit_predictions(
        rng.integers(0, 2, n), decided, sensitive_features={"g": recorded}, group_errors={"g": errors}
    )
    plain, mended = record["selection_rate_difference[g]"], record["selection_rate_difference[g;membership=corrected]"]
    assert (plain.estimate or 0) < 0.16, "errors hide a gap"
    assert mended.estimate == pytest.approx(0.2, abs=0.03)
    assert mended.interval.low <= 0.2 <= mended.interval.high
    policy = eh.load_policy({"limits": {"selection_rate_difference[g;membership=corrected]": {"at_most": 0.1}}})
    assert [j.status for j in eh.judge(record, policy).judgements] == ["failed"]
    for broken, said in (
        ({"x": {"x": 1.0}, "y": {"y": 0.5}}, "sum to 0.5"),
        ({"x": {"x": 1.0}, "y": {"z": 1.0}}, "'z' was never recorded"),
        ({"x": {"x": 1.0}}, "1 true groups, and 2 were recorded"),
    ):
        with pytest.raises(InputError, match=said):
            eh.audit_predictions([0, 1], [0, 1], sensitive_features={"g": ["x", "y"]}, group_errors={"g": broken})


def test_shares_alone_leave_wide_bounds_that_hold() -> None:
    rng = np.random.default_rng(3)
    group = rng.random(4_000) < 0.2
    decided = (rng.random(4_000) < np.where(group, 0.2, 0.8)).astype(int)
    record = eh.audit_predictions(
        rng.integers(0, 2, 4_000), decided, group_shares={"race": {"black": 0.2, "white": 0.8}}
    )
    found = record["selection_rate[race=black]"].interval
    assert found.low <= decided[group].mean() <= found.high
    gap = record["selection_rate_difference[race]"].interval
    assert gap.low == 0
    assert gap.high > 0.6, "the true gap cannot be ruled out"
    with pytest.raises(InputError, match="sum to 1"):
        eh.audit_predictions([0, 1], [0, 1], group_shares={"race": {"black": 0.2, "white": 0.7}})


def test_scores_are_cut_once_for_all_groupings(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.metrics.comparisons.distributions import ScoreGrid, score_distance, score_transport

    rng = np.random.default_rng(0)
    scores, truth = rng.random(6_000), rng.integers(0, 2, 6_000)
    groups = pd.DataFrame({name: rng.integers(0, 3, 6_000) for name in ("a", "b", "c")})
    cut: list[int] = []
    whole = ScoreGrid.of
    monkeypatch.setattr(ScoreGrid, "of", lambda score: cut.append(len(score)) or whole(score))
    record = eh.audit_predictions(truth, y_score=scores, sensitive_features=groups, audits=["fairness"])
    assert cut == [6_000]
    for name, how in (("score_distance", score_distance), ("score_transport", score_transport)):
        alone = how(scores, groups["b"].to_numpy(), 3)
        assert record[f"{name}[b]"].estimate == alone.estimate
        assert record[f"{name}[b]"].interval is not None
