"""`eh.measure`: the findings of an audit, and no work but theirs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score

import evenhand as eh
from evenhand.data import columns, evaluation_set, grouping
from evenhand.data.arrays import evaluation_set_from_arrays
from evenhand.errors import InputError
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.counts import tally

N = 600


@pytest.fixture(scope="module")
def rows() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    score = rng.beta(2, 2, N)
    return {
        "y_true": (rng.random(N) < score).astype(int),
        "y_score": score,
        "sensitive_features": {
            "sex": rng.choice(["f", "m"], N),
            "race": rng.choice(["a", "b", "c"], N, p=[0.7, 0.2, 0.1]),
        },
        "sample_weight": rng.uniform(0.5, 2, N),
        "favourable": 1,
        "control_features": {"region": rng.choice(["north", "south"], N)},
    }


@pytest.mark.parametrize("weighted", [False, True])
def test_findings_are_those_of_the_audit(rows: dict[str, Any], weighted: bool) -> None:
    given = rows if weighted else {name: part for name, part in rows.items() if name != "sample_weight"}
    metrics = list(dict.fromkeys((*stated("overall"), *stated("group"), "favourable_rate", *stated("gap"))))
    found = eh.measure(**given, metrics=metrics)
    audited = eh.audit_predictions(**given)
    both = [(finding, audited.stated(finding.key)) for finding in found.findings]
    same = [finding for finding, other in both if other is not None]
    assert len(same) > 200
    assert all(finding == other for finding, other in both if other is not None)
    answered = [
        finding for finding, other in both if other is None
    ]  # such as the ratio of a metric that has none there
    assert all(finding.interval == audited[finding.key].interval for finding in answered)
    assert {finding.audit for finding in same} == {"performance", "fairness", "strata"}


def test_metrics_of_scores_are_those_of_the_audit(rows: dict[str, Any]) -> None:
    found = eh.measure(**rows, metrics=["auc", "brier_score", "mean_score", "roc_auc_group_min"])
    audited = eh.audit_predictions(**rows)
    both = [(finding, audited.stated(finding.key)) for finding in found.findings]
    assert sum(other is not None for _, other in both) > 40
    for finding, other in both:
        if other is not None:
            assert (finding.estimate, finding.interval, finding.audit) == (other.estimate, other.interval, other.audit)


OTHERS: dict[str, dict[str, Any]] = {
    "multiclass": {
        "metrics": ["macro_recall", "recall", "accuracy"], "y_true": [0, 1, 2, 1] * 30, "y_pred": [0, 1, 1, 2, 0] * 24,
    },
    "regression": {
        "metrics": ["r2", "mean_absolute_error"], "y_true": np.arange(120.0), "y_pred": np.arange(120.0) ** 0.9,
    },
    "multilabel": {
        "metrics": ["hamming_loss", "macro_f1", "recall", "f1"],
        "y_true": np.array([[0, 1], [1, 1], [1, 0]] * 40), "y_pred": np.array([[0, 1], [1, 0], [0, 0], [1, 1]] * 30),
    },
    "ranking": {
        "metrics": ["exposure", "exposure_to_merit"], "query": np.arange(120) // 12,
        "y_true": np.arange(120.0) % 7, "y_pred": np.arange(120.0) % 5,
    },
}  # fmt: skip


@pytest.mark.parametrize("task", OTHERS)
def test_every_task_has_its_metrics(task: str) -> None:
    given = {**OTHERS[task], "task": task, "sensitive_features": {"sex": ["f", "m", "m"] * 40}}
    metrics = given.pop("metrics")
    found, audited = eh.measure(**given, metrics=metrics), eh.audit_predictions(**given)
    assert {finding.key.metric.removesuffix("_difference").removesuffix("_ratio") for finding in found.findings} == set(
        metrics
    )
    both = [(finding, audited.get(finding.key)) for finding in found.findings]
    assert sum(other is not None for _, other in both) >= len(both) / 2
    assert all(other is None or finding.interval == other.interval for finding, other in both)
    assert eh.measure(**given).findings, "the usual ones of the task"


def test_no_audit_is_loaded_and_nothing_that_tests() -> None:
    code = (
        "import evenhand as eh, sys\n"
        "eh.measure([1, 0, 1, 0], [1, 0, 0, 0], sensitive_features={'sex': ['f', 'm', 'f', 'm']})\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    audits = {"chance", "slices", "impact", "fairness", "performance", "strata", "custom", "calibration", "explanation"}
    assert not {f"evenhand.audits.{name}" for name in audits} & set(loaded)
    assert not {"sklearn", "fairlearn", "torch", "shap"} & set(loaded)
    assert "evenhand.metrics.comparisons.significance" not in loaded
    assert "evenhand.metrics.slices.search" not in loaded


def test_the_rows_are_not_hashed(rows: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    real = evaluation_set.hash_rows
    monkeypatch.setattr(evaluation_set, "hash_rows", lambda *given: hashed.append(1) or real(*given))
    record = eh.measure(**rows)
    assert not hashed
    assert "content_hash" not in record.provenance["data"]
    eh.audit_predictions(**rows, audits="performance")
    assert hashed, "an audit hashes them"


@pytest.mark.parametrize("call", [eh.measure, eh.audit_predictions])
@pytest.mark.parametrize("features", [2, 4, 6])
def test_rows_are_counted_once_a_grouping(call: Any, features: int, monkeypatch: pytest.MonkeyPatch) -> None:
    counted, crossed = [], []
    real, cross = tally.count_cells, evaluation_set.intersect
    monkeypatch.setattr(tally, "count_cells", lambda *given, **more: counted.append(1) or real(*given, **more))
    monkeypatch.setattr(evaluation_set, "intersect", lambda *given: crossed.append(1) or cross(*given))
    rng = np.random.default_rng(0)
    named = {f"f{at}": rng.choice(["a", "b", "c"], 400) for at in range(features)}
    call(rng.integers(0, 2, 400), rng.integers(0, 2, 400), sensitive_features=named)
    pairs = features * (features - 1) // 2
    assert len(counted) == 1 + features + pairs
    assert len(crossed) == pairs


@pytest.mark.parametrize("call", [eh.measure, eh.audit_predictions])
@pytest.mark.parametrize("kind", ["array", "str", "object", "list"])
def test_texts_are_compared_once_a_column(call: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    truth, decided = rng.integers(0, 2, 12_000), rng.integers(0, 2, 12_000)
    texts = rng.choice(["x", "y", "z"], 12_000)
    made = {
        "array": texts,
        "str": pd.Series(texts, dtype="str"),
        "object": pd.Series(texts.astype(object)),
        "list": texts.tolist(),
    }
    compared: list[str] = []

    def watch(place: Any, name: str) -> None:
        real = getattr(place, name)

        def watched(column: Any, *given: Any, **more: Any) -> Any:
            kind = getattr(column, "dtype", None)
            texts_of = isinstance(kind, pd.StringDtype) or getattr(kind, "kind", "none") in "OU"
            if len(column) == 12_000 and texts_of:
                compared.append(name)
            return real(column, *given, **more)

        monkeypatch.setattr(place, name, watched)

    watch(pd, "factorize")
    watch(pd.Series, "unique")
    watch(columns, "_of_few_texts")
    call(truth, decided, sensitive_features={"group": made[kind]})
    assert compared == ["_of_few_texts" if kind == "array" else "factorize"]


@pytest.mark.parametrize("rows_of_each", [5, 5_000])
def test_groups_and_hash_are_those_of_the_texts(rows_of_each: int) -> None:
    texts = ["10", "b", "9", "É"] * rows_of_each
    truth = [0, 1, 1, 1] * rows_of_each
    known = eh.read_evaluation_set({"y_true": truth, "g": texts}, label="y_true", sensitive_features="g")
    absent = [*texts[:-1], None]
    for column in (np.array(texts), pd.Series(texts, dtype="str"), texts, pd.Series(pd.Categorical(texts))):
        made = evaluation_set_from_arrays(truth, sensitive_features={"g": column})
        assert made.grouping("g").labels == known.grouping("g").labels
        assert np.array_equal(made.grouping("g").codes, known.grouping("g").codes)
        assert made.content_hash() == known.content_hash()
    with pytest.raises(InputError, match="no value in 1 of"):
        eh.measure(truth, truth, sensitive_features={"g": absent})
    counted = eh.measure(truth, truth, sensitive_features={"g": absent}, missing="group")
    assert counted["accuracy[g=(missing)]"].support == 1
    told = grouping.encode("g", pd.Series(absent, dtype="str"))
    assert eh.measure(truth, truth, sensitive_features={"g": absent}, missing="group").tallies[1].groups == told.labels


def test_a_table_of_groups_is_that_of_a_metric_frame(rows: dict[str, Any]) -> None:
    truth, decided = rows["y_true"], (rows["y_score"] >= 0.5).astype(int)
    features = pd.DataFrame(rows["sensitive_features"])
    record = eh.measure(truth, decided, sensitive_features=features, metrics=["accuracy", "recall"])
    metrics = {"accuracy": accuracy_score, "recall": recall_score}
    for named in (["race"], ["race", "sex"]):
        frame = fair.MetricFrame(metrics=metrics, y_true=truth, y_pred=decided, sensitive_features=features[named])
        found = record.by_group(*reversed(named))
        pd.testing.assert_frame_equal(found, frame.by_group, check_names=True, atol=1e-12, check_index_type=False)
        low, high = (record.by_group(*named, what=end) for end in ("low", "high"))
        assert (low < found).all(axis=None)
        assert (found < high).all(axis=None)
    assert record.by_group("sex", what="support")["accuracy"].sum() == N
    with pytest.raises(eh.EvenhandError, match="Name the features"):
        record.by_group()
    with pytest.raises(eh.EvenhandError, match="There is race, race,sex, sex"):
        record.by_group("age")


def test_what_was_not_asked_is_answered_from_counts(rows: dict[str, Any]) -> None:
    record = eh.measure(**rows, metrics="selection_rate")
    assert record.stated("accuracy_difference[sex]") is None
    assert (
        record["accuracy_difference[sex]"].interval == eh.audit_predictions(**rows)["accuracy_difference[sex]"].interval
    )
    assert eh.judge(record, {"selection_rate_difference[sex]": {"at_most": 0.9}}).exit_code == 0
    assert [section.audit for section in record.sections] == ["performance", "fairness", "strata"]
    assert all("selection_rate" in section.reason for section in record.sections)


def test_a_record_that_was_measured_is_written_and_read(rows: dict[str, Any], tmp_path: Any) -> None:
    record = eh.measure(**rows)
    eh.write_record(tmp_path / "audit.json", record)
    assert eh.read_record(tmp_path / "audit.json").findings == record.findings
    assert "Only these metrics were measured" in eh.render(record)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown metric": ({"metrics": ["recal"]}, "there is no metric 'recal'.*Did you mean 'recall'"),
    "function": ({"metrics": {"acc": accuracy_score}}, "metrics takes names"),
    "functions": ({"metrics": [accuracy_score]}, "metrics takes names"),
    "no scores": ({"metrics": "roc_auc"}, "'roc_auc' is a metric of scores; pass y_score="),
    "no groups": ({"metrics": "recall_ratio", "sensitive_features": None}, "compares groups; pass sensitive_features="),
    "other label": ({"metrics": "r2"}, "'r2' is not measured of these rows alone. The label is one of binary."),
    "nothing favourable": ({"metrics": "favourable_rate"}, "No outcome was declared favourable"),
    "unknown argument": ({"sensitive_feature": 1}, "knows no argument 'sensitive_feature'.*sensitive_features"),
    "an option of an audit": ({"explain_rows": 3}, "measure\\(\\) knows no argument 'explain_rows'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_measured_is_told(case: str) -> None:
    given, said = WRONG[case]
    usual = {"sensitive_features": {"sex": ["f", "m", "f", "m"]}}
    with pytest.raises(InputError, match=said):
        eh.measure([0, 1, 1, 0], [0, 1, 0, 0], **{**usual, **given})


def test_names_of_metrics_are_taken_in_any_spelling() -> None:
    given = {"y_true": [0, 1, 1, 0], "y_pred": [0, 1, 0, 0], "sensitive_features": {"sex": ["f", "m", "f", "m"]}}
    names = ["tpr", "true_positive_rate", "demographic_parity_ratio", "equalized_odds_difference"]
    record = eh.measure(**given, metrics=names)
    assert {finding.key.metric for finding in record.findings} == {
        "recall", "recall_difference", "recall_ratio", "selection_rate_ratio", "equalized_odds_difference",
    }  # fmt: skip
    assert "recall" in METRICS
