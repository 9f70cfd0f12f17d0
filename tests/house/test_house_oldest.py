"""The oldest dependencies that pyproject.toml declares are tested, and a test is skipped only where it has to be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def version(text: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at its end."""
    return tuple(int(part) for part in re.sub(r"(\.0)+$", "", text).split("."))


def test_constraints_are_the_lower_bounds() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    lowest = dict(bound.split(">=") for bound in declared)
    lines = (ROOT / "constraints" / "oldest.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert {name: version(text) for name, text in pinned.items()} == {
        name: version(text) for name, text in lowest.items()
    }


def test_the_target_and_the_job_are_there() -> None:
    yaml = pytest.importorskip("yaml")
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]
    assert any("make test-oldest" in str(step.get("run")) for step in jobs["oldest"]["steps"])
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("test-oldest:  ##")[2].partition("\n\n")[0]
    assert "-c $(OLDEST)" in recipe
    assert "torch]" not in recipe


WANTING = """
import pytest

def test_of_an_absent_package():
    pytest.importorskip("a_package_that_is_nowhere")
"""


def test_nothing_is_skipped_for_want_of_a_package_where_all_are_installed(tmp_path: Path) -> None:
    (tmp_path / "test_wanting.py").write_text(WANTING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", "test_wanting.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    codes = [
        subprocess.run(command, cwd=tmp_path, env={**env, "EVENHAND_COMPLETE": said}, check=False).returncode
        for said in ("", "1")
    ]
    assert codes == [0, 1]
    recipes = (ROOT / "Makefile").read_text("utf-8").splitlines()
    runs = [line for line in recipes if re.search(r"\$\(BIN\)/python -m pytest.* -m ", line)]
    assert len(runs) == 2 and all("EVENHAND_COMPLETE=1" in line for line in runs), "make test and make test-slow"
