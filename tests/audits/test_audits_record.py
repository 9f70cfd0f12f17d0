"""An audit of real decisions: what the record holds, and that its figures are those of the oracles."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

import evenhand as eh
from evenhand.records import from_plain, to_plain


@pytest.fixture(scope="module")
def rows() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    n = 900
    group = rng.choice(["a", "b", "c"], size=n, p=[0.6, 0.3, 0.1])
    sex = rng.choice(["f", "m"], size=n)
    score = rng.beta(2, 2, size=n)
    y_true = (rng.random(n) < score).astype(int)
    return {"y_true": y_true, "y_score": score, "y_pred": (score >= 0.5).astype(int), "race": group, "sex": sex}


@pytest.fixture(scope="module")
def record(rows: dict[str, np.ndarray]) -> eh.AuditRecord:
    return eh.audit_predictions(
        rows["y_true"],
        rows["y_pred"],
        y_score=rows["y_score"],
        sensitive_features={"race": rows["race"], "sex": rows["sex"]},
        favourable=1,
    )


def test_figures_equal_the_oracles(record: eh.AuditRecord, rows: dict[str, np.ndarray]) -> None:
    y, p, s, race = rows["y_true"], rows["y_pred"], rows["y_score"], rows["race"]
    expected = {
        "accuracy": accuracy_score(y, p),
        "roc_auc": roc_auc_score(y, s),
        "brier_score": brier_score_loss(y, s),
        "roc_auc[race=b]": roc_auc_score(y[race == "b"], s[race == "b"]),
        "demographic_parity_difference": demographic_parity_difference(y, p, sensitive_features=race),
        "demographic_parity_ratio": demographic_parity_ratio(y, p, sensitive_features=race),
        "equalized_odds_difference": equalized_odds_difference(y, p, sensitive_features=race),
    }
    names = {
        "demographic_parity_difference": "selection_rate_difference[race]",
        "demographic_parity_ratio": "selection_rate_ratio[race]",
        "equalized_odds_difference": "equalized_odds_difference[race]",
    }
    for name, value in expected.items():
        assert record[names.get(name, name)].estimate == pytest.approx(value, abs=1e-12), name


def test_every_interval_holds_its_estimate(record: eh.AuditRecord) -> None:
    checked = 0
    for finding in record.findings:
        if finding.interval is None or finding.estimate is None:
            continue
        low = -np.inf if finding.interval.low is None else finding.interval.low
        high = np.inf if finding.interval.high is None else finding.interval.high
        assert low - 1e-12 <= finding.estimate <= high + 1e-12, finding.name
        checked += 1
    assert checked > 100


def test_intersections_are_stated(record: eh.AuditRecord, rows: dict[str, np.ndarray]) -> None:
    both = (rows["race"] == "c") & (rows["sex"] == "f")
    finding = record["selection_rate[race=c,sex=f]"]
    assert finding.support == both.sum()
    assert finding.estimate == pytest.approx(rows["y_pred"][both].mean())
    assert "selection_rate_ratio[race,sex]" in record


def test_favourable_outcome_turns_the_ratio() -> None:
    y_true = np.array([0, 1] * 50)
    y_pred = np.array([1] * 30 + [0] * 20 + [1] * 10 + [0] * 40)
    group = ["a"] * 50 + ["b"] * 50
    record = eh.audit_predictions(y_true, y_pred, sensitive_features={"g": group}, positive=1, favourable=0)
    assert record["selection_rate[g=a]"].estimate == pytest.approx(0.6)
    assert record["favourable_rate[g=a]"].estimate == pytest.approx(0.4)
    assert record["favourable_rate_ratio[g]"].estimate == pytest.approx(0.4 / 0.8)


def test_a_group_without_positives_is_undefined_never_zero() -> None:
    y_true = [1, 0] * 40 + [0] * 10
    y_pred = [1, 0] * 40 + [0] * 10
    record = eh.audit_predictions(y_true, y_pred, sensitive_features={"g": ["a"] * 40 + ["b"] * 40 + ["c"] * 10})
    recall = record["recall[g=c]"]
    assert recall.estimate is None
    assert recall.undefined
    gap = record["recall_difference[g]"]
    assert gap.estimate == pytest.approx(0.0)
    assert gap.undefined_groups == ("c",)
    assert gap.interval is not None
    assert gap.interval.high == pytest.approx(1.0)


def test_the_record_survives_json(record: eh.AuditRecord) -> None:
    again = from_plain(json.loads(json.dumps(to_plain(record), allow_nan=False)))
    assert again.findings == record.findings
    assert again.tallies == record.tallies


def test_tallies_sum_to_all_rows(record: eh.AuditRecord, rows: dict[str, np.ndarray]) -> None:
    for counts in record.tallies:
        assert np.asarray(counts.counts).sum() == len(rows["y_true"])


def test_the_record_goes_back_to_fairlearn(record: eh.AuditRecord, rows: dict[str, np.ndarray]) -> None:
    frame = record.to_metric_frame("race")
    expected = rows["y_pred"][rows["race"] == "b"].mean()
    assert frame.by_group.loc["b", "selection_rate"] == pytest.approx(expected)
    assert len(record.to_frame()) == len(record.findings)
    alone = eh.audit_predictions(rows["y_true"], rows["y_pred"], sensitive_features={"race": rows["race"]})
    assert alone.to_metric_frame().by_group.equals(alone.to_metric_frame("race").by_group)


def test_a_metric_of_ones_own_is_disaggregated(rows: dict[str, np.ndarray]) -> None:
    def hits(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
        return float(np.average(y_true * y_pred, weights=sample_weight))

    record = eh.audit_predictions(
        rows["y_true"], rows["y_pred"], sensitive_features={"race": rows["race"]}, metrics={"hits": hits}
    )
    chosen = rows["race"] == "c"
    assert record["hits[race=c]"].estimate == pytest.approx((rows["y_true"] * rows["y_pred"])[chosen].mean())
    assert record["hits"].interval is not None


def test_an_unknown_finding_names_the_nearest(record: eh.AuditRecord) -> None:
    with pytest.raises(eh.EvenhandError, match=r"Did you mean 'recall\[sex=f\]'"):
        record["recal[sex=f]"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"y_pred": [0.2, 0.7, 0.1, 0.9]}, "Scores belong in y_score"),
        ({"y_pred": [0, 1, 1]}, "3 rows"),
        ({"y_score": [0.1, float("nan"), 0.3, 0.2]}, "no finite number in 1 of 4"),
        ({"y_score": [0.1, 3.0, 0.3, 0.2]}, "outside \\[0, 1\\] in 1 of 4"),
        ({"y_score": [0.1, 3.0, 0.3, 0.2], "score_kind": "ranking"}, "need a threshold"),
        ({}, "neither decisions nor scores"),
    ],
)
def test_bad_predictions_get_one_sentence(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(eh.EvenhandError, match=sentence):
        eh.audit_predictions([0, 1, 0, 1], sensitive_features={"g": ["a", "a", "b", "b"]}, **arguments)


def test_ranking_scores_are_not_called_calibrated() -> None:
    record = eh.audit_predictions(
        [0, 1, 0, 1],
        y_score=[1.0, 7.0, 2.0, 9.0],
        score_kind="ranking",
        threshold=5,
        sensitive_features={"g": ["a", "a", "b", "b"]},
    )
    section = next(section for section in record.sections if section.audit == "calibration")
    assert not section.ran
    assert "rank" in section.reason
    assert record["accuracy"].estimate == 1.0
