"""Releases: a link that changes at once, a record of every decision, and the way back from the log."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError, ModelError, OutputError
from evenhand.monitoring.log.reading import log_table
from evenhand.monitoring.releasing import promote, read_decisions, read_release, retrain, rollback
from evenhand.monitoring.releasing.decisions import Decision, carried_out
from evenhand.monitoring.releasing.labelled import labelled_rows
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUDITS = ("performance",)
SMALL = TrainingConfig(epochs=1, hidden=(4,), baseline=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models with their audits, and two policies."""
    folder = tmp_path_factory.mktemp("models")
    data = eh.load_loanapp()
    learnt, tested = data.take(np.arange(600)), data.take(np.arange(600, 900))
    for seed in range(3):
        place = folder / f"{seed}.safetensors"
        fit(learnt, config=TrainingConfig(epochs=1, hidden=(4,), baseline=False, seed=seed)).save(place)
        eh.write_record(folder / f"{seed}.json", eh.audit(eh.open_model(place), tested, audits=AUDITS))
    (folder / "policy.toml").write_text("[limits.accuracy]\nat_least = 0.3\n")
    (folder / "strict.toml").write_text("[limits.accuracy]\nat_least = 0.999\n")
    return folder


@pytest.fixture
def link(tmp_path: Path) -> Path:
    (tmp_path / "deployed").mkdir()
    return tmp_path / "deployed" / "current"


def released(made: Path, link: Path, seed: int, **more: Any) -> str:
    done = promote(made / f"{seed}.safetensors", made / f"{seed}.json", made / "policy.toml", link, by="eva", **more)
    return done.release.sha256


def test_a_promotion_points_the_link_and_puts_the_decision_on_record(made: Path, link: Path) -> None:
    sha = released(made, link, 0)
    assert str(link.readlink()) == f"releases/{sha[:12]}"
    held = {each.name for each in link.resolve().iterdir()}
    assert {"audit.json", "decision.json", "model.safetensors", "policy.toml"} <= held
    (decision,) = read_decisions(link.parent)
    assert (decision.act, decision.by, decision.model, decision.before, decision.verdict) == (
        "promote", "eva", sha, None, "passed",
    )  # fmt: skip
    assert eh.open_model(read_release(link).model).facts["sha256"] == sha


def test_rollbacks_go_back_step_by_step(made: Path, link: Path) -> None:
    one, two, three = (released(made, link, seed) for seed in range(3))
    assert rollback(link, by="eva").release.sha256 == two
    assert rollback(link, by="eva").release.sha256 == one
    with pytest.raises(InputError, match="no release before the current one"):
        rollback(link, by="eva")
    assert released(made, link, 2) == three  # its folder is there, whole
    assert rollback(link, by="eva").release.sha256 == one


def test_a_record_of_another_model_is_refused(made: Path, link: Path) -> None:
    with pytest.raises(InputError, match="this record is of sha256"):
        promote(made / "0.safetensors", made / "1.json", made / "policy.toml", link, by="eva")
    assert not link.is_symlink()


def test_a_verdict_that_did_not_pass_needs_a_reason_and_is_on_record(made: Path, link: Path) -> None:
    given = (made / "0.safetensors", made / "0.json", made / "strict.toml", link)
    with pytest.raises(InputError, match="The verdict is failed") as refused:
        promote(*given, by="eva")
    assert "despite=" in str(refused.value)
    assert not link.is_symlink()
    promote(*given, by="eva", despite="a fix of the outage of Monday")
    acts = [(each.act, each.verdict, each.reason) for each in read_decisions(link.parent)]
    assert acts[0][:2] == ("refuse", "failed")
    assert "accuracy" in acts[0][2]
    assert acts[1] == ("promote", "failed", "a fix of the outage of Monday")


def test_a_link_that_is_none_and_folders_that_are_no_release_are_refused(made: Path, link: Path) -> None:
    link.mkdir()
    with pytest.raises(OutputError, match="this is no link"):
        released(made, link, 0)
    with pytest.raises(InputError, match="is no release"):
        read_release(link)
    link.rmdir()
    link.symlink_to("releases/gone")
    with pytest.raises(InputError, match="the link names 'releases/gone', which is not there"):
        read_release(link)


def test_a_changed_model_is_no_release(made: Path, link: Path) -> None:
    released(made, link, 0)
    with (link / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match="its model was released as"):
        read_release(link)


def test_a_full_disk_changes_nothing(made: Path, link: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = released(made, link, 0)
    before = (link.parent / "decisions.jsonl").read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            released(made, link, 1)
    assert read_release(link).sha256 == sha
    assert (link.parent / "decisions.jsonl").read_bytes() == before
    assert len([*(link.parent / "releases").iterdir()]) == 1


@pytest.mark.parametrize("step", ["_write_release", "write_decision", "_point", "after"])
def test_a_killed_promotion_leaves_a_whole_release_behind_the_link(made: Path, link: Path, step: str) -> None:
    old = released(made, link, 0)
    killed = subprocess.run([sys.executable, "-c", KILLED, step, str(made), str(link)], check=False)
    assert killed.returncode == -signal.SIGKILL
    here = read_release(link).sha256
    if step == "after":
        assert here != old
    else:
        assert here == old
    new = released(made, link, 2)
    acts = [each.act for each in read_decisions(link.parent)]
    assert acts.count("interrupted") == (step == "_point")  # decided, and never carried out
    assert carried_out(read_decisions(link.parent))[-1] == new
    assert rollback(link, by="eva").release.sha256 == here


KILLED = """
import os, signal, sys
from pathlib import Path
import evenhand.monitoring.releasing.promoting as promoting
step, made, link = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if step == "after":
    whole = promoting._point
    def kill_after(*given):
        whole(*given)
        kill()
    promoting._point = kill_after
else:
    setattr(promoting, step, kill)
promoting.promote(made / "1.safetensors", made / "1.json", made / "policy.toml", link, by="bo")
"""


def test_a_link_changed_by_hand_is_told(made: Path, link: Path) -> None:
    released(made, link, 0)
    released(made, link, 1)
    link.unlink()
    link.symlink_to("releases/other")
    with pytest.raises(InputError, match="Somebody changed it by hand"):
        released(made, link, 2)


def test_a_damaged_line_of_decisions_is_named(link: Path) -> None:
    (link.parent / "decisions.jsonl").write_text('{"act": 1}\n')
    with pytest.raises(InputError, match="line 1: this is no decision"):
        read_decisions(link.parent)


def test_what_was_not_carried_out_does_not_count() -> None:
    steps = [("promote", "a"), ("promote", "b"), ("rollback", "a"), ("interrupted", "b")]
    assert carried_out([Decision(act, "", "", model) for act, model in steps]) == ["a", "b"]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The rows after those of the fit and the audit, as a log; every second refusal has no label."""
    table = eh.load_loanapp().table.iloc[900:1600].reset_index(drop=True)
    frame = table.drop(columns="approve").assign(
        prediction_id=[f"p{place}" for place in range(len(table))],
        time=pd.date_range("2026-01-01", periods=len(table), freq="h", tz="UTC"),
        model="0" * 64,
        score=0.5,
        decision=np.where(np.arange(len(table)) % 5, "1", "0"),
        label=table["approve"].astype(float),
    )
    frame.loc[(frame["decision"] == "0") & (np.arange(len(table)) % 10 == 0), "label"] = np.nan
    frame.loc[(frame["decision"] == "0") & (np.arange(len(table)) % 15 == 0), "label"] = np.nan
    for column in ("label_time", "appeal", "complaint", "rating", "person"):
        frame[column] = None
    place = tmp_path_factory.mktemp("log") / "log.parquet"
    frame.sample(frac=1, random_state=0).to_parquet(place)
    return log_table(place)


def test_the_way_back_learns_audits_judges_and_promotes(
    made: Path, link: Path, log: pd.DataFrame, tmp_path: Path
) -> None:
    old = released(made, link, 0)
    done = retrain(log, link, made / "policy.toml", tmp_path / "candidate", by="eva", release=True, audits=AUDITS)
    assert done.verdict.status == "passed"
    assert done.promotion is not None
    assert read_release(link).sha256 == done.decision.model != old
    assert done.record.provenance["original"]["sha256"] == old
    assert [each.act for each in read_decisions(link.parent)] == ["promote", "retrain", "promote"]
    assert done.decision.facts["labelled"] == done.trained_on + done.audited_on == int(log["label"].notna().sum())
    told: Any = done.record.provenance["data"]
    assert told["retrained_from_log"]["trained_on"] == done.trained_on
    assert rollback(link, by="eva").release.sha256 == old


def test_a_candidate_that_fails_is_on_record_and_not_promoted(
    made: Path, link: Path, log: pd.DataFrame, tmp_path: Path
) -> None:
    old = released(made, link, 0)
    done = retrain(log, link, made / "strict.toml", tmp_path / "out", by="eva", release=True, audits=AUDITS)
    assert (done.verdict.exit_code, done.promotion, read_release(link).sha256) == (1, None, old)
    assert read_decisions(link.parent)[-1].verdict == "failed"


def test_later_rows_are_audited_and_never_learnt_from(
    made: Path, link: Path, log: pd.DataFrame, tmp_path: Path
) -> None:
    released(made, link, 0)
    marked = log.assign(loanamt=np.arange(len(log), dtype=float))
    done = retrain(marked, link, made / "policy.toml", tmp_path / "out", by="eva", audits=AUDITS)
    model: Any = eh.open_model(done.model)
    (column,) = [each for each in model.preprocessing.columns if each.name == "loanamt"]
    assert column.mean + column.scale * column.edges[-1] < len(log) - done.audited_on
    assert done.record.provenance.get("rows_seen_in_training", 0) == 0


def test_selective_labels_are_counted_and_told(made: Path, log: pd.DataFrame) -> None:
    found = labelled_rows(log, eh.read_record(made / "0.json"))
    assert found.by_decision == {
        each: (int((log["decision"] == each).sum()), int(log.loc[log["decision"] == each, "label"].notna().sum()))
        for each in ("0", "1")
    }
    assert "Labels are selective: 100% of those decided '1'" in found.selective
    whole = log.assign(label=1.0)
    assert labelled_rows(whole, eh.read_record(made / "0.json")).selective == ""


def problems() -> Iterator[tuple[Any, str]]:
    yield lambda log: log.assign(label=np.nan), "so nothing can be learnt"
    yield lambda log: log.drop(columns="time"), "The log has no column 'time'"
    yield lambda log: log.drop(columns="loanamt"), "does not hold 'loanamt'"
    yield lambda log: log.head(30), "are too few"
    yield lambda log: log.assign(label="perhaps"), "is no number"


@pytest.mark.parametrize(("change", "words"), [*problems()])
def test_a_log_that_cannot_be_learnt_from_is_told(
    change: Any, words: str, made: Path, link: Path, log: pd.DataFrame, tmp_path: Path
) -> None:
    released(made, link, 0)
    with pytest.raises(InputError, match=words):
        retrain(change(log), link, made / "policy.toml", tmp_path / "out", by="eva", audits=AUDITS)
    assert not (tmp_path / "out").exists()
    assert len(read_decisions(link.parent)) == 1


@pytest.mark.parametrize("wrong", [{"audits": ("nonsense",)}, {"nonsense": 1}, {"level": 7}])
def test_audits_and_options_that_there_are_none_of_are_told_before_the_fit(
    wrong: dict[str, Any], made: Path, link: Path, log: pd.DataFrame, tmp_path: Path
) -> None:
    released(made, link, 0)
    with pytest.raises(InputError, match=r"nonsense|level"):
        retrain(log, link, made / "policy.toml", tmp_path / "out", by="eva", **wrong)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("column", ["loanamt", "approve"])
def test_rows_beside_the_log_that_lack_a_column_are_refused(
    column: str, made: Path, link: Path, log: pd.DataFrame, tmp_path: Path
) -> None:
    released(made, link, 0)
    beside = eh.load_loanapp().table.head(600).drop(columns=column)
    with pytest.raises(InputError, match=f"it has no column '{column}'"):
        retrain(log, link, made / "policy.toml", tmp_path / "out", by="eva", train_table=beside, audits=AUDITS)
    assert not (tmp_path / "out").exists()


def test_a_model_without_a_recipe_names_the_way_out(made: Path, link: Path, log: pd.DataFrame, tmp_path: Path) -> None:
    from evenhand.compression import Int8, compress

    data = eh.load_loanapp()
    full = fit(data.take(np.arange(600)), config=SMALL)
    small = compress(full, Int8(), train=data.take(np.arange(600)))
    small.save(tmp_path / "small.onnx")
    full.save(tmp_path / "full.safetensors")
    eh.write_record(tmp_path / "small.json", eh.audit(small, data.take(np.arange(600, 900)), audits=AUDITS))
    promote(tmp_path / "small.onnx", tmp_path / "small.json", made / "policy.toml", link, by="eva")
    given = (log, link, made / "policy.toml", tmp_path / "out")
    with pytest.raises(ModelError, match="keeps no recipe") as refused:
        retrain(*given, by="eva", audits=AUDITS)
    assert "like=" in str(refused.value)
    done = retrain(*given, by="eva", like=tmp_path / "full.safetensors", audits=AUDITS)
    assert done.verdict.status == "passed"


def test_the_verbs_promote_and_roll_back(made: Path, link: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.cli.main import exit_code

    monkeypatch.setenv("EVENHAND_BY", "the pipeline")
    for seed in range(2):
        words = ["promote", str(made / f"{seed}.safetensors"), "--audit", str(made / f"{seed}.json"), "--as", str(link)]
        assert exit_code([*words, "--policy", str(made / "policy.toml")]) == 0
    assert exit_code(["rollback", "--as", str(link), "--reason", "appeals"]) == 0
    assert exit_code(["rollback", "--as", str(link)]) == 2
    assert [(each.act, each.by) for each in read_decisions(link.parent)] == [
        ("promote", "the pipeline"), ("promote", "the pipeline"), ("rollback", "the pipeline"),
    ]  # fmt: skip
