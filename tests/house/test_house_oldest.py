"""The oldest dependencies that are tested are those that pyproject.toml declares, and CI tests them."""

from __future__ import annotations

import re
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
