"""The files by which pipelines use evenhand: the action's own script is run, and the hook's own command."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import evenhand as eh
from evenhand.records import write_record

if TYPE_CHECKING:
    from collections.abc import Callable

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


@pytest.fixture
def act(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the action's judging step with inputs, as a runner would."""
    write_record(tmp_path / "audit.json", eh.audit_predictions([1, 0] * 100, [1, 0] * 99 + [0, 0]))
    (tmp_path / "policy.toml").write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.9 }\n')
    action = read("action.yml")
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "gate")

    def run(**inputs: str) -> subprocess.CompletedProcess[str]:
        values = {name: str(told["default"]) for name, told in action["inputs"].items()} | {
            name.replace("_", "-"): value for name, value in inputs.items()
        }
        told = {
            name: re.sub(r"\${{ inputs\.([a-z-]+) }}", lambda found: values[found.group(1)], value)
            for name, value in step["env"].items()
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, **told, "PATH": path, "GITHUB_OUTPUT": str(tmp_path / "out")}
        env["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=tmp_path, env=env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    return run


def test_the_action_judges_and_keeps_its_files(
    act: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = act(junit="gate.xml")
    assert done.returncode == 0, done.stderr
    assert {"report.html", "evenhand.sarif", "gate.xml"} <= {file.name for file in tmp_path.iterdir()}
    assert (tmp_path / "out").read_text() == "exit-code=0\n"
    assert (tmp_path / "summary.md").read_text("utf-8").startswith("# Audit of")


def test_the_action_stops_a_release(act: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.999 }\n')
    done = act(report="", sarif="")
    assert done.returncode == 3
    assert "::error" in done.stdout or "::warning" in done.stdout
    assert not (tmp_path / "report.html").exists()
    assert act(baseline="audit.json", new_only="true").returncode == 0, "what is as it was does not stop"


def test_inputs_are_never_pasted_into_the_script(
    act: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    for step in read("action.yml")["runs"]["steps"]:
        assert "${{" not in step["run"]
    assert act(policy='"; touch stolen; "$(touch stolen)').returncode == 2
    assert not (tmp_path / "stolen").exists()


def test_the_job_of_the_page_skips_nothing() -> None:
    job = read(".github/workflows/ci.yml")["jobs"]["page"]
    script = "\n".join(step.get("run", "") for step in job["steps"])
    for needed in (
        "chromium",
        "axe-core",
        "poppler-utils",
        "-m browser",
        "EVENHAND_AXE",
        "EVENHAND_SARIF_SCHEMA",
        "SKIPPED",
    ):
        assert needed in script, needed


def test_the_hook_checks_policies(tmp_path: Path) -> None:
    (hook,) = read(".pre-commit-hooks.yaml")
    good, bad = tmp_path / "policy.toml", tmp_path / "bad.toml"
    good.write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.9 }\n')
    bad.write_text('schema = 1\n[limits]\n"acuracy" = { at_least = 0.9 }\n')
    assert re.search(hook["files"], "models/policy.toml") and not re.search(hook["files"], "policy.toml.bak")
    command = [str(Path(sys.executable).parent / "evenhand")]
    words = shlex.split(hook["entry"])[1:]
    assert subprocess.run([*command, *words, str(good)], capture_output=True, check=False).returncode == 0
    assert subprocess.run([*command, *words, str(bad)], capture_output=True, check=False).returncode == 2


def test_every_flag_that_the_gitlab_template_names_is_there() -> None:
    jobs = read("examples/ci_gate/model-gate.gitlab-ci.yml")
    lines = [line for job in jobs.values() if isinstance(job, dict) for line in job.get("script", ())]
    named = [shlex.split(line) for line in lines if line.startswith("evenhand ")]
    assert [words[1] for words in named] == ["audit", "gate"]
    for words in named:
        command = [str(Path(sys.executable).parent / "evenhand"), words[1], "--help"]
        helped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for flag in words:
            assert not flag.startswith("-") or re.search(rf"(?<!\S){flag}\b", helped), f"{words[1]} has no {flag}"
