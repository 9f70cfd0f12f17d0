"""Audits of clusterings: from a table to findings, page, policy and command line; nothing of a truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, ModelError
from evenhand.metrics import METRICS
from evenhand.records import read_record, write_record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    sex = rng.choice(["f", "m"], 600, p=[0.3, 0.7])
    points = rng.normal(size=(600, 2)) + np.where(sex == "f", 1.2, 0.0)[:, None]
    model = KMeans(3, n_init=3, random_state=0).fit(points)
    return pd.DataFrame(
        {"segment": np.array(["x", "y", "z"])[model.labels_], "far": model.transform(points).min(axis=1), "sex": sex}
    )


@pytest.fixture(scope="module")
def record(rows: pd.DataFrame) -> eh.AuditRecord:
    return eh.audit_predictions(
        None, rows["segment"], y_score=rows["far"], task="clustering", sensitive_features=rows[["sex"]]
    )


def test_shares_gaps_and_distances_are_those_of_the_table(rows: pd.DataFrame, record: eh.AuditRecord) -> None:
    counts = pd.crosstab(rows["sex"], rows["segment"])
    shares, within = counts.div(counts.sum(axis=1), axis=0), counts / counts.sum()
    for name in "xyz":
        assert record[f"selection_rate[sex=f;class={name}]"].estimate == pytest.approx(shares.loc["f", name])
        assert record[f"cluster_share[sex=f;class={name}]"].estimate == pytest.approx(within.loc["f", name])
        gap = record[f"selection_rate_difference[sex;class={name}]"].estimate
        assert gap == pytest.approx(abs(shares.loc["f", name] - shares.loc["m", name]))
    assert record["selection_rate_difference[sex]"].estimate == pytest.approx(np.ptp(shares, axis=0).max())
    assert record["selection_distance[sex]"].estimate == pytest.approx(np.abs(shares.diff().iloc[1]).sum() / 2)
    balance = counts.min() / counts.max()
    found = record["cluster_balance[sex]"]
    assert found.estimate == pytest.approx(balance.min())
    assert found.note == f"Least in cluster {balance.idxmin()}."
    sizes = rows["sex"].value_counts()
    assert record["balance_of_rows[sex]"].estimate == pytest.approx(sizes.min() / sizes.max())
    means = rows.groupby("sex")["far"].mean()
    assert record["mean_distance_group_max[sex]"].estimate == pytest.approx(means.max())


def test_nothing_of_a_truth_is_stated_and_no_limit_on_it_is_decided(record: eh.AuditRecord) -> None:
    with_truth = {name for name, metric in METRICS.items() if metric.counted} - {"selection_rate"}
    assert not {finding.key.metric for finding in record.findings} & with_truth
    limits = {
        "accuracy": {"at_least": 0.01}, "recall[sex=f;class=x]": {"at_least": 0.01}, "base_rate": {"at_most": 0.99},
        "equalized_odds_difference[sex]": {"at_most": 0.99}, "selection_rate": {"at_most": 0.99},
    }  # fmt: skip
    for each in eh.judge(record, eh.load_policy({"limits": limits})).judgements:
        assert each.status == "undecided", each.key


@pytest.mark.parametrize("clusters", [2, 3])
def test_the_gate_derives_shares_from_the_counts_of_a_record(rows: pd.DataFrame, clusters: int, tmp_path: Path) -> None:
    few = rows if clusters == 3 else rows.replace({"segment": {"z": "y"}})
    made = eh.audit_predictions(None, few["segment"], task="clustering", sensitive_features=few[["sex"]])
    write_record(tmp_path / "audit.json", made)
    kept = read_record(tmp_path / "audit.json")
    limits = {
        "selection_rate_difference[sex]": {"at_most": 0.9}, "selection_rate_ratio[sex]": {"at_least": 0.99},
        "selection_rate[sex=f;class=x]": {"at_most": 0.99},
    }  # fmt: skip
    verdict = eh.judge(kept, eh.load_policy({"limits": limits}))
    assert {str(each.key): each.status for each in verdict.judgements} == {
        "selection_rate_difference[sex]": "passed", "selection_rate_ratio[sex]": "failed",
        "selection_rate[sex=f;class=x]": "passed",
    }  # fmt: skip
    ratios = [made[f"selection_rate_ratio[sex;class={name}]"].estimate for name in "xyz"[:clusters]]
    assert made["selection_rate_ratio[sex]"].estimate == pytest.approx(min(ratios)), "the worst of all clusters"


def test_the_page_says_that_there_is_no_truth(record: eh.AuditRecord, tmp_path: Path) -> None:
    eh.write_report(tmp_path / "page.html", record)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for shown in (
        "A clustering has no truth", "; that of all rows is ", "Which part of each group is in a cluster: sex",
        "clustering: x, y, z", "Which part of a cluster is of each group: sex",
    ):  # fmt: skip
        assert shown in page


def test_what_a_clustering_is_not_is_told(rows: pd.DataFrame) -> None:
    roles = {"task": "clustering", "sensitive_features": "sex"}
    with pytest.raises(InputError, match="a clustering has no truth; leave out"):
        eh.read_evaluation_set(rows, **roles, prediction="segment", label="far")
    with pytest.raises(InputError, match="name the column with the cluster of each row"):
        eh.read_evaluation_set(rows, **roles)
    with pytest.raises(InputError, match="is for rows that belong together"):
        eh.read_evaluation_set(rows, **roles, prediction="segment", cluster="segment")
    with pytest.raises(InputError, match="no names in common"):
        eh.read_evaluation_set(rows, **roles, prediction="segment", original_prediction="far")
    with pytest.raises(InputError, match="1 different values"):
        eh.read_evaluation_set(rows.assign(segment="x"), **roles, prediction="segment")
    with pytest.raises(InputError, match="distance of a row to the centre"):
        eh.audit_predictions(None, rows["segment"], y_score=-rows["far"], task="clustering")
    with pytest.raises(InputError, match="no truth"):
        eh.audit_predictions(rows["segment"], rows["segment"], task="clustering")
    data = eh.read_evaluation_set(rows, **roles, prediction="segment", score="far")
    with pytest.raises(ModelError, match=r"put model.predict\(rows\) into a column"):
        eh.audit(KMeans(3), data)


def test_the_command_line_says_the_same(rows: pd.DataFrame, record: eh.AuditRecord, tmp_path: Path) -> None:
    rows.to_csv(tmp_path / "t.csv", index=False)
    words = (
        f"audit {tmp_path / 't.csv'} --task clustering --prediction segment --score far --sensitive sex "
        f"-o {tmp_path / 'audit.json'}"
    )
    assert exit_code(words.split()) == 0
    again = read_record(tmp_path / "audit.json")
    for key in ("cluster_balance[sex]", "selection_rate[sex=m;class=z]", "mean_distance_ratio[sex]"):
        assert again[key].estimate == record[key].estimate
        assert again[key].interval == record[key].interval


def test_two_clusterings_are_not_compared_whether_columns_or_arrays() -> None:
    segment = ["a", "b"] * 20
    with pytest.raises(InputError, match=r"no names in common.*leave out original_pred"):
        eh.audit_predictions(None, segment, task="clustering", original_pred=segment)
