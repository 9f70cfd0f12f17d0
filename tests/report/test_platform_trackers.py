"""MLflow and Weights & Biases, each by its own library, without a network: one account of an audit for both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import evenhand as eh
from evenhand.metrics.catalogue.lists import stated
from evenhand.report.reported import main_figures
from evenhand.report.tracked import COLUMNS, tracked

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Made = tuple[AuditRecord, Verdict]


@pytest.fixture(scope="module")
def wide() -> tuple[AuditRecord, Verdict]:
    """An audit of two features and 22 groups, with limits of one figure, of a gap, and of each group."""
    rows = 1200
    truth = [at % 2 for at in range(rows)]
    decided = [(at % 2) if at % 7 else 1 - at % 2 for at in range(rows)]
    groups = {f"f{size}": [f"g{at // 2 % size}" for at in range(rows)] for size in (2, 20)}
    record = eh.audit_predictions(truth, decided, sensitive_features=groups, favourable=1)
    limits = {
        "accuracy": {"at_least": 0.7},
        "recall_difference[f2]": {"at_most": 0.3},
        "recall[f20=*]": {"at_least": 0.1},
    }
    return record, eh.judge(record, eh.load_policy({"limits": limits}))


class TestAccount:
    def test_about_twenty_figures_with_their_intervals(self, wide: Made, rich: Made) -> None:
        for record, verdict in (wide, rich, (wide[0], None)):
            told = tracked(record, verdict).metrics
            assert 15 <= len(told) <= 24
            estimates = [name for name in told if not name.endswith((".low", ".high"))]
            assert len(estimates) <= 8
            assert "evenhand.accuracy" in estimates
        assert len(tracked(*wide, everything=True).metrics) > 100

    def test_figures_with_limits_come_first_and_groups_are_none(self, wide: Made) -> None:
        names = [str(found.key) for found in main_figures(*wide)]
        assert names[:2] == ["accuracy", "recall_difference[f2]"]
        assert not [name for name in names if "=" in name]
        assert any(name.startswith(stated("card gap")[0]) for name in names)

    def test_columns_do_not_depend_on_values(self, wide: Made) -> None:
        record, _ = wide
        other = eh.audit_predictions([1, 0] * 600, [1, 1] * 600, sensitive_features={"f2": ["g0", "g1", "g1"] * 400})
        first = [found.name for found in main_figures(record) if "[" not in found.name]
        assert first[:1] == [found.name for found in main_figures(other) if "[" not in found.name][:1] == ["accuracy"]

    def test_every_limit_is_a_row(self, wide: Made) -> None:
        record, verdict = wide
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in tracked(record, verdict).limits]
        assert len(rows) == len(verdict.judgements) == 22
        (accuracy,) = [row for row in rows if row["limit"] == "accuracy"]
        assert (accuracy["bound"], accuracy["status"], accuracy["stops"]) == (">= 0.70", "passed", False)
        assert accuracy["measured"] == pytest.approx(record["accuracy"].estimate)

    def test_tags(self, wide: Made) -> None:
        tags = tracked(*wide).tags
        assert tags["verdict"] == wide[1].status
        assert tags["policy_sha256"] == wide[1].policy_sha256
        assert tags["version"] == wide[0].provenance["versions"]["evenhand"]

    def test_a_copy_for_publication_gives_nothing_else_away(self, make_case: Callable[[str], Made]) -> None:
        record, verdict = make_case("undecided")
        told = tracked(record, verdict, suppress_below=50, lang="zh-CN", everything=True)
        assert 'lang="zh-CN"' in told.files["report.html"]
        assert json.loads(told.files["audit.json"])["provenance"]["suppressed_below"] == 50
        assert "evenhand.recall.race-hispanic" in tracked(record, verdict, everything=True).metrics
        assert "evenhand.recall.race-hispanic" not in told.metrics
        withheld = [row for row in told.limits if row[0] == "recall[race=hispanic]"]
        assert [row[5:8] for row in withheld] == [(None, None, None)]

    def test_style_may_be_a_file_of_its_own(self, wide: Made) -> None:
        told = tracked(*wide, assets="external")
        assert sorted(told.files) == ["audit.json", "report.css", "report.html"]
        assert 'href="report.css"' in told.files["report.html"] and "<style" not in told.files["report.html"]


class TestMlflow:
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mlflow: Any = pytest.importorskip("mlflow")
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 asks for the consent
        self.mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())

    def test_what_a_run_holds(self, wide: Made, tmp_path: Path) -> None:
        from evenhand.report import log_to_mlflow

        run = self.mlflow.MlflowClient().get_run(log_to_mlflow(*wide))
        assert run.data.metrics == pytest.approx(dict(tracked(*wide).metrics))
        assert run.data.tags["evenhand.verdict"] == wide[1].status
        assert run.data.tags["evenhand.policy_sha256"] == wide[1].policy_sha256
        files = {file.path for file in self.mlflow.MlflowClient().list_artifacts(run.info.run_id, "evenhand")}
        assert files == {f"evenhand/{name}" for name in ("report.html", "audit.json", "limits.json")}
        table = self.mlflow.load_table("evenhand/limits.json", run_ids=[run.info.run_id])
        assert list(table["limit"]) == [str(judgement.key) for judgement in wide[1].judgements]
        assert set(table["status"]) == {judgement.status for judgement in wide[1].judgements}

    def test_everything_on_request(self, wide: Made) -> None:
        from evenhand.report import log_to_mlflow

        run = self.mlflow.MlflowClient().get_run(log_to_mlflow(*wide, everything=True))
        assert len(run.data.metrics) > 100

    def test_the_command(
        self, wide: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from evenhand.cli.main import exit_code
        from evenhand.records import write_record

        monkeypatch.chdir(tmp_path)
        write_record(tmp_path / "audit.json", wide[0])
        assert exit_code(["report", "audit.json", "--to", "mlflow", "--lang", "zh-CN"]) == 0
        said = capsys.readouterr().out.split()
        assert said[:2] == ["mlflow:", "run"]
        assert not (tmp_path / "report.html").exists(), "it was sent, and no file was asked for"
        place = self.mlflow.artifacts.download_artifacts(
            run_id=said[2], artifact_path="evenhand/report.html", dst_path=str(tmp_path)
        )
        assert 'lang="zh-CN"' in Path(place).read_text("utf-8")
        assert exit_code(["report", "audit.json", "--to", "mlfow", "--to", "hub"]) == 2
        wrong = capsys.readouterr().err
        assert "Did you mean 'mlflow'" in wrong and "hub=OWNER/NAME" in wrong


class TestWandb:
    def test_what_an_offline_run_holds(self, wide: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        wandb: Any = pytest.importorskip("wandb")
        from evenhand.report import log_to_wandb

        record, verdict = wide
        for name in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
            monkeypatch.setenv(name, str(tmp_path))
        monkeypatch.setenv("WANDB_SILENT", "true")
        monkeypatch.setenv("WANDB_MODE", "offline")
        assert wandb.run is None
        name = log_to_wandb(record, verdict)
        assert wandb.run is None, "the run that was made is finished"
        (place,) = (tmp_path / "wandb").glob(f"offline-run-*-{name}")
        media = place / "files" / "media"
        (page,) = media.rglob("*.html")
        assert page.read_text("utf-8") == tracked(record, verdict).files["report.html"]
        (table,) = (json.loads(file.read_text("utf-8")) for file in media.rglob("*.table.json"))
        assert table["columns"] == list(COLUMNS)
        assert len(table["data"]) == len(verdict.judgements)
        log = next(place.glob("*.wandb")).read_bytes()
        for known in (b"evenhand/accuracy.low", b"evenhand/verdict", b"evenhand-audit", b"policy_sha256"):
            assert known in log
        staged = [file.read_text("utf-8") for file in (tmp_path / "artifacts" / "staging").iterdir()]
        assert tracked(record, verdict).files["audit.json"] in staged

    def test_the_active_run_is_used(self, wide: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        wandb: Any = pytest.importorskip("wandb")
        from evenhand.report import log_to_wandb

        monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("WANDB_SILENT", "true")
        with wandb.init(mode="offline", dir=tmp_path) as run:
            assert log_to_wandb(*wide) == run.id
            assert run.summary["evenhand/accuracy"] == pytest.approx(wide[0]["accuracy"].estimate)
            assert run.summary["evenhand/verdict"] == wide[1].status
            assert dict(run.config["evenhand"]) == dict(tracked(*wide).tags)
            figures = [key for key in run.summary.keys() if key.startswith("evenhand/")]  # noqa: SIM118  # no mapping
            assert len(figures) <= 24 + 3
