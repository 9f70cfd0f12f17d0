"""A group whose rows are all of one cluster: nothing shows how clusters differ, so nearly any value is possible."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import evenhand as eh
from evenhand.metrics import Tally, measure
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.values.means import means, measured_mean
from evenhand.metrics.values.regression import measure_numbers
from evenhand.metrics.values.scores import SCORES
from evenhand.metrics.values.undefined import ONE_CLUSTER, of_one_cluster

ROWS = 600
GROUP = np.repeat([0, 1], ROWS // 2)
CLUSTER = np.where(GROUP == 0, 0, 1 + np.arange(ROWS) % 60)
"""The first group is one cluster, the second sixty."""


def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, scores and decisions that have nothing to do with the clusters."""
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 2, ROWS)
    score = np.clip(0.5 + (truth - 0.5) * 0.4 + chance.normal(size=ROWS) * 0.2, 0.01, 0.99)
    return truth, score, (score >= 0.5).astype(int)


@pytest.mark.parametrize("metric", ["accuracy", "recall", "precision", "f1", "balanced_accuracy", "macro_f1"])
def test_a_rate_of_one_cluster_may_be_nearly_anything_and_says_why(metric: str) -> None:
    truth, _, decided = rows()
    found = measure(metric, Tally.count(truth, decided, GROUP, 2, clusters=CLUSTER))
    assert found.high[0] - found.low[0] > 0.8, "one cluster"
    assert found.high[1] - found.low[1] < 0.3, "sixty clusters"
    assert found.note == (ONE_CLUSTER, "")
    assert found.at(np.array([1])).note == ("",)


@pytest.mark.parametrize("metric", ["calibration_error", "brier_score", "average_precision"])
def test_a_score_metric_of_one_cluster_may_be_nearly_anything(metric: str) -> None:
    truth, score, _ = rows()
    found = SCORES[metric](truth, score, GROUP, 2, clusters=CLUSTER)
    assert found.high[0] - found.low[0] > 0.7, "a calibration error is at most the mean of max(score, 1 - score)"
    assert found.high[1] - found.low[1] < 0.3
    low, high = found.ends(1.0)
    assert high[0] - low[0] > 0.5, "other levels, too"
    assert found.estimate.tolist() == pytest.approx(SCORES[metric](truth, score, GROUP, 2).estimate.tolist())


@pytest.mark.parametrize("metric", ["quantile_coverage", "median_absolute_error", "mean_absolute_error"])
def test_numbers_of_one_cluster_have_no_end_that_rows_would_give(metric: str) -> None:
    truth, score, _ = rows()
    by = partial(measure_numbers, metric, truth.astype(float), score, GROUP, 2)
    clustered, plain = by(clusters=CLUSTER), by()
    assert clustered.note == (ONE_CLUSTER, "")
    assert plain.note == ()
    assert not clustered.high[0] - clustered.low[0] < 0.9
    assert clustered.high[1] - clustered.low[1] < 0.3
    assert clustered.estimate.tolist() == plain.estimate.tolist()


@pytest.mark.parametrize("metric", ["accuracy", "precision", "negative_predictive_value"])
def test_a_change_of_one_cluster_may_be_nearly_anything(metric: str) -> None:
    truth, score, decided = rows()
    joint = JointTally.count(truth, decided, (score >= 0.52).astype(int), GROUP, 2, clusters=CLUSTER)
    found = measure_change(metric, joint)
    assert found.low[0] < -0.8 < 0.8 < found.high[0]
    assert -0.3 < found.low[1] < found.high[1] < 0.3


def test_means_that_are_all_alike_are_worth_their_clusters_not_their_rows() -> None:
    """Twenty rows of 0 in two clusters are two zeros: Clopper and Pearson's high end is 1 - 0.025^(1/2) = 0.842."""
    found = measured_mean(
        "hamming_loss", means(np.zeros(20), np.zeros(20, dtype=int), 1, clusters=np.arange(20) % 2), 0.95
    )
    assert found.high[0] == pytest.approx(1 - 0.025**0.5)
    assert measured_mean("hamming_loss", means(np.zeros(20), np.zeros(20, dtype=int)), 0.95).high[0] == pytest.approx(
        1 - 0.025**0.05
    )


def test_one_row_is_not_a_cluster_to_be_told_of() -> None:
    assert of_one_cluster([1, 1], [1, 2]) == ("", ONE_CLUSTER)
    assert of_one_cluster([2, 3], [9, 9]) == ()


def test_an_audit_says_it_of_the_group_and_a_limit_on_it_is_undecided() -> None:
    """300 rows, 95 % right, of one speaker: as rows they would pass a limit of 0.9."""
    truth = np.arange(ROWS) % 3
    decided = np.where(np.arange(ROWS) % 20 == 0, (truth + 1) % 3, truth)
    group = np.where(GROUP == 0, "alone", "many")
    by = partial(
        eh.audit_predictions, truth, decided, sensitive_features={"accent": group}, task="multiclass",
        audits="performance",
    )  # fmt: skip
    record, as_rows = by(cluster=CLUSTER), by()
    assert record["accuracy[accent=alone]"].note == ONE_CLUSTER
    assert record["accuracy[accent=many]"].note == as_rows["accuracy[accent=alone]"].note == ""
    limit = {"limits": {"accuracy[accent=alone]": {"at_least": 0.9}}}
    assert eh.judge(as_rows, limit).judgements[0].status == "passed"
    (open_one,) = eh.judge(record, limit).judgements
    assert open_one.status == "undecided"
    assert open_one.advice is not None
    assert "rows of other clusters are needed" in open_one.advice.sentence
    assert open_one.advice.to_plain()["rows"] == {}
    assert eh.judge(record, {"limits": {"accuracy[accent=many]": {"at_least": 0.8}}}).judgements[0].status == "passed"


@pytest.mark.parametrize("clusters", [2, 6])
def test_medians_and_shares_of_few_clusters_cover(clusters: int) -> None:
    """Values differ between clusters; limits by the variance of two clusters hold in 0.84 and 0.76 of studies."""
    chance, each, studies = np.random.default_rng(1), 20, 400
    level = chance.normal(size=(studies, clusters, 1)) * 0.5
    value = np.exp(level + 0.5 * chance.normal(size=(studies, clusters, each))).ravel()  # its median is 1
    study = np.repeat(np.arange(studies), clusters * each)
    cluster = np.repeat(np.arange(studies * clusters), each)
    median = measure_numbers("median_absolute_error", np.zeros(len(value)), value, study, studies, clusters=cluster)
    assert ((median.low <= 1) & (median.high >= 1)).mean() >= 0.95
    below = measure_numbers("quantile_coverage", value, np.ones(len(value)), study, studies, clusters=cluster)
    assert ((below.low <= 0.5) & (below.high >= 0.5)).mean() >= 0.95


def test_calibration_errors_of_few_clusters_cover() -> None:
    """People who are all surer than they ought to be err in all bins alike; bins in quadrature held in 0.80."""
    chance, each, people, studies = np.random.default_rng(2), 100, 6, 150

    def drawn(number: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        score = chance.beta(2, 2, size=(number, rows))
        odds = score / (1 - score) * np.exp(0.5 + 0.6 * chance.normal(size=(number, 1)))
        return score.ravel(), (chance.random((number, rows)) < odds / (1 + odds)).ravel().astype(int)

    score, truth = drawn(20_000, 20)
    error = SCORES["calibration_error"](truth, score, np.zeros(len(score), dtype=int)).estimate[0]
    score, truth = drawn(studies * people, each)
    study, person = np.repeat(np.arange(studies), people * each), np.repeat(np.arange(studies * people), each)
    found = SCORES["calibration_error"](truth, score, study, studies, clusters=person)
    assert ((found.low <= error) & (error <= found.high)).mean() >= 0.95


@pytest.mark.parametrize("task", ["scores", "multiclass", "regression"])
def test_whatever_has_an_interval_says_that_it_is_of_one_cluster(task: str) -> None:
    truth, score, decided = rows()
    moved = np.random.default_rng(3).integers(0, 2, ROWS)
    given = {
        "scores": (truth, {"y_score": score, "original_score": np.where(moved, score, 1 - score)}),
        "multiclass": (truth + moved, {"y_pred": decided + moved, "original_pred": decided, "task": "multiclass"}),
        "regression": (score, {"y_pred": score + moved, "original_pred": score - moved / 2, "task": "regression"}),
    }
    label, more = given[task]
    group = np.where(GROUP == 0, "alone", "many")
    record = eh.audit_predictions(label, sensitive_features={"accent": group}, cluster=CLUSTER, **more)  # type: ignore[arg-type]
    of_it = [f for f in record.findings if f.key.group == (("accent", "alone"),) and f.interval and f.component]
    silent = {f.name for f in of_it if not f.uncovered and not f.note.endswith(ONE_CLUSTER) and len(f.groups) == 1}
    assert len(of_it) > 5
    assert silent - {"share_of_selected[accent=alone]"} == set(), "that is a share of the rows of all clusters"
