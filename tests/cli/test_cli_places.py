"""Where settings, limits and declarations are found: here, or in a folder above, as far as the project reaches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evenhand.cli.main import exit_code
from evenhand.cli.places import has_policy, usual_file, usual_policy
from evenhand.cli.settings import read_settings
from evenhand.records import read_record

SETTINGS = '[data]\nlabel = "y"\nsensitive_features = ["sex"]\nscore = "p"\n'
LIMITS = 'schema = 1\n[limits]\n"accuracy" = { at_least = 0.5 }\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with a folder two levels down, which is the working folder."""
    root = tmp_path / "project"
    deep = root / "models" / "credit"
    deep.mkdir(parents=True)
    (root / ".git").mkdir()
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 200), "y": rng.integers(0, 2, 200)})
    frame.assign(p=0.2 + 0.6 * frame.y).to_csv(deep / "rows.csv", index=False)
    monkeypatch.chdir(deep)
    return root


def test_files_of_a_folder_above_are_used_and_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "evenhand.toml").write_text(SETTINGS)
    (project / "policy.toml").write_text(LIMITS)
    (project / "models" / "responsibility.toml").write_text('owner = "Ada"\n')
    assert exit_code(["audit", "rows.csv"]) == 0
    said = capsys.readouterr().err
    assert "Using ../../evenhand.toml" in said
    assert "Using ../responsibility.toml" in said
    record = read_record("audit.json")
    assert record.provenance["data"]["label"] == "y"
    assert record.provenance["declared"] == {"owner": "Ada"}
    assert exit_code(["gate", "audit.json"]) == 0
    assert "Using ../../policy.toml" in capsys.readouterr().err
    for verb in ("sweep audit.json", "policy check", "policy explain", "compare audit.json audit.json"):
        assert exit_code(verb.split()) == 0
        assert "Using ../../policy.toml" in capsys.readouterr().err
    assert exit_code(["report", "audit.json", "-q"]) == 0
    assert "Using" not in capsys.readouterr().err


def test_the_nearest_file_wins(project: Path) -> None:
    (project / "policy.toml").write_text(LIMITS)
    assert usual_policy() == Path("../../policy.toml")
    (project / "models" / "policy.toml").write_text(LIMITS)
    assert usual_policy() == Path("../policy.toml")
    Path("policy.toml").write_text(LIMITS)
    assert usual_policy() == Path("policy.toml")


def test_the_search_ends_at_the_repository_and_at_home(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.parent / "policy.toml").write_text(LIMITS)
    assert not has_policy()
    (project / ".git").rmdir()
    assert usual_policy() == Path("../../../policy.toml")
    monkeypatch.setenv("HOME", str(project))
    assert not has_policy()
    assert usual_policy() == Path("policy.toml")


def test_a_pyproject_with_our_table_is_a_policy_and_others_are_not(project: Path) -> None:
    (project / "models" / "pyproject.toml").write_text('[project]\nname = "a"\n')
    (project / "models" / "credit" / "pyproject.toml").write_text("this is [ no TOML")
    ours = LIMITS.replace("schema", "[tool.evenhand]\nschema").replace("[limits]", "[tool.evenhand.limits]")
    (project / "pyproject.toml").write_text(ours)
    assert usual_policy() == Path("../../pyproject.toml")
    assert exit_code(["audit", "rows.csv", "--label", "y", "--score", "p", "--gate"]) == 0


def test_without_any_file_the_usual_name_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert usual_file("evenhand.toml") is None
    assert exit_code(["audit", "rows.csv", "--label", "y", "--score", "p", "-q"]) == 0
    assert exit_code(["gate", "audit.json"]) == 2
    assert "policy.toml: there is no such file. Make one with: evenhand init" in capsys.readouterr().err


def test_paths_in_a_settings_file_are_relative_to_it(project: Path) -> None:
    (project / "evenhand.toml").write_text(SETTINGS + 'inputs = "arrays/x.npy"\n')
    assert Path(str(read_settings(None).data["inputs"])) == Path("../../arrays/x.npy")
    named = read_settings(project / "evenhand.toml").data["inputs"]
    assert Path(str(named)) == project / "arrays" / "x.npy"
