"""Limits as test items of somebody's own suite."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.pytest_plugin import assert_policy

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """schema = 1
[limits]
"accuracy" = { at_least = 0.6 }
"selection_rate_ratio[sex]" = { at_least = 0.8 }
"recall[sex=*]" = { at_least = 0.999, advisory = true }
"""


@pytest.fixture
def record() -> eh.AuditRecord:
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], 2000)
    y = rng.integers(0, 2, 2000)
    predicted = np.where(rng.random(2000) < np.where(sex == "f", 0.5, 0.05), 0, y)
    return eh.audit_predictions(y, predicted, sensitive_features={"sex": sex})


@pytest.fixture
def project(tmp_path: Path, record: eh.AuditRecord) -> Path:
    eh.write_record(tmp_path / "audit.json", record)
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "pytest.ini").write_text("[pytest]\nevenhand_record = audit.json\nevenhand_policy = policy.toml\n")
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    return tmp_path


def pytest_in(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as a person would, in a separate process."""
    # No entry point is relied on: whether it is installed is the wheel's affair.
    command = [sys.executable, "-m", "pytest", "-p", "evenhand.pytest_plugin", "-p", "no:cacheprovider", *flags]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env)


def test_each_limit_is_an_item(project: Path) -> None:
    done = pytest_in(project, "-rA")
    assert "1 failed, 2 passed, 2 skipped" in done.stdout
    assert "failed: selection_rate_ratio[sex] is 0." in done.stdout
    assert "SKIPPED" in done.stdout
    assert done.returncode == 1


def test_one_limit_can_be_chosen(project: Path) -> None:
    done = pytest_in(project, "-k", "accuracy")
    assert "1 passed, 4 deselected" in done.stdout
    assert done.returncode == 0


def test_what_cannot_be_judged_is_a_usage_error(project: Path) -> None:
    (project / "policy.toml").write_text('[limits]\n"acuracy" = { at_least = 0.5 }\n')
    done = pytest_in(project)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Did you mean 'accuracy'" in done.stderr + done.stdout


def test_nothing_happens_without_a_record(project: Path) -> None:
    (project / "pytest.ini").unlink()
    assert "1 passed" in pytest_in(project).stdout


def test_the_assertion_for_peoples_own_tests(record: eh.AuditRecord, tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(POLICY)
    with pytest.raises(AssertionError, match=r"(?s)Failed: .*failed +selection_rate_ratio\[sex\]"):
        assert_policy(record, place)
    place.write_text('[limits]\n"accuracy" = { at_least = 0.6 }\n')
    assert assert_policy(record, place).status == "passed"
