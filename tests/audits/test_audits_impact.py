"""Impact and scoring ratios, shares, inequality between groups, tests beside the four-fifths rule, a reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import rel_entr
from scipy.stats import fisher_exact, wasserstein_distance

import evenhand as eh


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 1_500
    table = pd.DataFrame({"race": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]), "y": rng.integers(0, 2, n)})
    table["p"] = np.clip(0.3 * table["y"] + 0.7 * rng.random(n) - 0.08 * (table["race"] == "b"), 0, 1)
    return table


@pytest.fixture(scope="module")
def record(rows: pd.DataFrame) -> eh.AuditRecord:
    return eh.audit_predictions(
        rows["y"], y_score=rows["p"], sensitive_features=rows[["race"]], favourable=1, adjust="bh", pooling=True
    )


def test_impact_ratios_are_beside_the_highest_rate(rows: pd.DataFrame, record: eh.AuditRecord) -> None:
    rates = (rows["p"] >= 0.5).groupby(rows["race"]).mean()
    best = rates.idxmax()
    for group in set(rates.index) - {best}:
        found = record[f"favourable_rate_ratio[race={group};vs=highest]"]
        assert found.estimate == pytest.approx(rates[group] / rates.max(), abs=1e-12)
        assert found.interval is not None
        assert found.interval.low < found.estimate < found.interval.high
    assert record.get(f"favourable_rate_ratio[race={best};vs=highest]") is None


def test_scoring_rates_are_above_the_median_of_all(rows: pd.DataFrame, record: eh.AuditRecord) -> None:
    rates = (rows["p"] > rows["p"].median()).groupby(rows["race"]).mean()
    for group, rate in rates.items():
        assert record[f"scoring_rate[race={group}]"].estimate == pytest.approx(rate, abs=2 / 150)
    assert record["scoring_rate_ratio[race]"].interval is not None
    policy = eh.load_policy({"limits": {"scoring_rate_ratio[race]": {"at_least": 0.99}, "accuracy": {"at_least": 0.1}}})
    assert {j.status for j in eh.judge(record, policy).judgements if j.key.metric == "scoring_rate_ratio"} == {"failed"}


def test_shares_sum_to_one_and_to_nothing(record: eh.AuditRecord) -> None:
    shares = [record[f"share_of_selected[race={group}]"].estimate for group in "abc"]
    assert sum(shares) == pytest.approx(1)
    assert sum(record[f"demographic_disparity[race={group}]"].estimate for group in "abc") == pytest.approx(
        0, abs=1e-12
    )


def test_tests_beside_the_four_fifths_rule(rows: pd.DataFrame, record: eh.AuditRecord) -> None:
    picked = (rows["p"] >= 0.5).groupby(rows["race"]).agg(["sum", "count"])
    rates = picked["sum"] / picked["count"]
    best, group = rates.idxmax(), rates.idxmin()
    table = [[picked.loc[g, "sum"], picked.loc[g, "count"] - picked.loc[g, "sum"]] for g in (group, best)]
    found = record[f"p_value[race={group};rate=favourable_rate;test=fisher;vs=highest]"]
    assert found.estimate == pytest.approx(fisher_exact(table)[1])
    assert record[f"p_value[race={group};rate=favourable_rate;test=z;vs=highest]"].estimate is not None
    assert "Benjamini-Hochberg" in record[f"p_value[race={group};rate=recall]"].note


def test_floors_of_scores_and_pooled_rates_are_stated(record: eh.AuditRecord) -> None:
    for metric in ("roc_auc", "brier_score", "calibration_error"):
        floor = record[f"noise_floor[race;rate={metric}]"].estimate
        assert floor is not None
        assert floor > 0
    pooled, plain = record["pooled_rate[race=c;rate=recall]"], record["recall[race=c]"]
    assert pooled.interval is not None
    assert plain.interval is not None
    assert pooled.interval.high - pooled.interval.low < plain.interval.high - plain.interval.low
    assert record["calibration_floor[race=c]"].estimate > record["calibration_floor"].estimate


def test_scores_are_moved_as_far_as_scipy_says(rows: pd.DataFrame, record: eh.AuditRecord) -> None:
    parts = [part["p"] for _, part in rows.groupby("race")]
    far = max(wasserstein_distance(one, other) for one in parts for other in parts)
    assert record["score_transport[race]"].estimate == pytest.approx(far, abs=1e-12)
    base = rows.groupby("race")[["p", "y"]].mean()
    assert record["calibration_ratio[race=a]"].estimate == pytest.approx(base.loc["a", "p"] / base.loc["a", "y"])


def test_average_odds_and_differential_fairness(record: eh.AuditRecord) -> None:
    parts = [record[f"{name}_difference[race]"].estimate for name in ("recall", "false_positive_rate")]
    found = record["average_odds_difference[race]"]
    assert found.estimate == pytest.approx(sum(parts) / 2)
    assert found.interval.low <= found.estimate <= found.interval.high
    rates = np.array([record[f"selection_rate[race={group}]"].estimate for group in "abc"])
    epsilon = record["differential_fairness[race]"]
    assert epsilon.estimate == pytest.approx(max(np.ptp(np.log(rates)), np.ptp(np.log(1 - rates))))
    assert epsilon.interval.low <= epsilon.estimate <= epsilon.interval.high


def test_divergence_and_sizes_are_stated_and_what_is_infinite_says_why(
    rows: pd.DataFrame, record: eh.AuditRecord
) -> None:
    sizes = rows["race"].value_counts()
    imbalance = record["class_imbalance[race]"]
    assert imbalance.estimate == pytest.approx((sizes.max() - sizes.min()) / (sizes.max() + sizes.min()))
    assert imbalance.direction == "neutral"
    rates = [record[f"selection_rate[race={group}]"].estimate for group in "abc"]
    apart = max(rel_entr([p, 1 - p], [q, 1 - q]).sum() for p in rates for q in rates)
    assert record["kl_divergence[race]"].estimate == pytest.approx(apart, abs=1e-12)
    never = (rows["p"] >= 0.5) & (rows["race"] != "c")
    other = eh.audit_predictions(rows["y"], never.astype(int), sensitive_features=rows[["race"]])
    assert other["kl_divergence[race]"].estimate is None
    assert "infinite" in other["kl_divergence[race]"].undefined
    alone = eh.audit_predictions(rows["y"], never.astype(int), sensitive_features={"race": ["a"] * len(rows)})
    assert "only one group" in alone["kl_divergence[race]"].undefined
    assert alone["class_imbalance[race]"].estimate is None
    limits = {
        "average_predictive_value_difference[race]": {"at_most": 0.9},
        "kl_divergence[race]": {"at_most": 9},
    }
    verdict = eh.judge(record, eh.load_policy({"limits": limits}))
    assert {str(j.key) for j in verdict.judgements} == set(limits)


def test_any_group_may_be_the_reference_of_a_limit(record: eh.AuditRecord) -> None:
    policy = eh.load_policy(
        {
            "limits": {
                "recall_difference[race;vs=a]": {"at_most": 0.9},
                "recall_difference[race;vs=zz]": {"at_most": 0.9},
            }
        }
    )
    found = {str(j.key): j for j in eh.judge(record, policy).judgements}
    assert found["recall_difference[race;vs=a]"].status == "passed"
    assert found["recall_difference[race;vs=zz]"].status == "undecided"


def test_nobody_selected_has_no_shares() -> None:
    record = eh.audit_predictions([0, 1] * 20, [0] * 40, sensitive_features={"s": ["x", "y"] * 20})
    assert record["share_of_selected[s=x]"].undefined == "No row is selected."
    assert record["demographic_disparity[s=x]"].estimate is None
    (ratio,) = (
        f for f in record.findings if f.key.qualifier("vs") == "highest" and f.key.metric == "selection_rate_ratio"
    )
    assert "0 of 0" in ratio.undefined
