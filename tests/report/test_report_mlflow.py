"""Audits in MLflow, against a local file store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import evenhand as eh
from evenhand.keys import Key
from evenhand.report.mlflow import log_to_mlflow, metric_name, mlflow_evaluation, mlflow_thresholds

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

mlflow: Any = pytest.importorskip("mlflow")


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 asks for the consent
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())


def judged(least: float) -> tuple[AuditRecord, Verdict]:
    groups = {"race": ["black", "white"] * 200, "a, [b]; c=d *": ["</x>", "ü"] * 200}
    record = eh.audit_predictions([1, 0, 1, 1] * 100, [1, 0, 0, 1] * 100, sensitive_features=groups)
    limits = {"accuracy": {"at_least": least}, "recall[race=*]": {"at_least": 0.1}, "error_rate": {"at_most": 0.5}}
    return record, eh.judge(record, eh.load_policy({"limits": limits}))


def test_figures_tags_and_files_are_logged(tmp_path: Path) -> None:
    record, verdict = judged(0.5)
    run_id = log_to_mlflow(record, verdict)
    assert mlflow.active_run() is None
    run = mlflow.MlflowClient().get_run(run_id)
    finding = record["accuracy"]
    assert finding.interval is not None
    assert run.data.metrics["evenhand.accuracy"] == pytest.approx(finding.estimate)
    assert run.data.metrics["evenhand.accuracy.low"] == pytest.approx(finding.interval.low)
    assert "evenhand.recall.race-black" not in run.data.metrics, "a row of the table of limits"
    assert run.data.tags["evenhand.verdict"] == "passed"
    files = {file.path for file in mlflow.MlflowClient().list_artifacts(run_id, "evenhand")}
    assert files == {"evenhand/report.html", "evenhand/audit.json", "evenhand/limits.json"}
    place = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="evenhand/audit.json", dst_path=tmp_path)
    assert eh.read_record(place).findings == record.findings


def test_the_active_run_is_used() -> None:
    record, _ = judged(0.5)
    with mlflow.start_run() as run:
        assert log_to_mlflow(record) == run.info.run_id
        assert mlflow.active_run() is not None


def test_mlflow_decides_as_evenhand_does() -> None:
    """The limit is asked of the end of the interval: 0.74 measured does not pass 0.74."""
    for least, passes in ((0.5, True), (0.74, False), (0.9, False)):
        record, verdict = judged(least)
        assert (verdict.status == "passed") is passes
        candidate = mlflow_evaluation(record, verdict)
        if passes:
            mlflow.validate_evaluation_results(mlflow_thresholds(verdict), candidate)
        else:
            with pytest.raises(mlflow.exceptions.MlflowException, match=r"accuracy\.low"):
                mlflow.validate_evaluation_results(mlflow_thresholds(verdict), candidate)


def test_names_are_allowed_and_apart() -> None:
    keys = [
        Key.of("recall", {"race": group}) for group in ("a/b", "a_b", "a b", "a.b", "ü", "x" * 500, "x" * 501, "", "..")
    ]
    names = [metric_name(key) for key in keys]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 240 for name in names)
    with mlflow.start_run():
        mlflow.log_metrics(dict.fromkeys(names, 1.0))
