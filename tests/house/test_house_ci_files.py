"""The files by which pipelines use evenhand, and those of its own pipeline."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


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
