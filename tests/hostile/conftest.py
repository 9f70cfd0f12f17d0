"""What hostile tests share: a folder of small honest files, and a verb that is run on a broken one."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.evidence.counting import count_frame
from evenhand.evidence.shards import counts_text
from evenhand.records import write_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

POLICY = (
    '[limits]\n"accuracy" = { at_least = 0.2, max_drop = 0.2 }\n"selection_rate_difference[g]" = { at_most = 0.9 }\n'
)
SETTINGS = '[data]\nlabel = "y"\nscore = "p"\nsensitive_features = ["g"]\n'


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verb did."""

    code: int
    out: str
    err: str
    warned: tuple[str, ...]
    """Warnings that came from evenhand's code, and those of arithmetic."""


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows, counts, a record, a policy, settings and a model, all of them whole."""
    folder = tmp_path_factory.mktemp("honest")
    rng = np.random.default_rng(0)
    n = 240
    rows = pd.DataFrame({"x": rng.normal(size=n).round(3), "g": rng.choice(["a", "b"], n), "p": rng.random(n).round(3)})
    rows["y"] = (rows.x + rng.normal(size=n) > 0).astype(int)
    rows["d"] = (rows.p > 0.4).astype(int)
    rows["three"] = rng.choice(["u", "v", "w"], n)
    rows["person"] = np.arange(n) // 5
    rows.to_csv(folder / "rows.csv", index=False)
    if find_spec("pyarrow"):
        rows.to_parquet(folder / "rows.parquet", index=False)
    rows.assign(g=rng.choice(["a", "c"], n)).to_csv(folder / "others.csv", index=False)
    record = eh.audit_predictions(rows.y, y_score=rows.p, sensitive_features={"g": rows.g})
    write_record(folder / "audit.json", record)
    (folder / "policy.toml").write_text(POLICY)
    (folder / "settings.toml").write_text(SETTINGS)
    for name, part in (("c1", rows[:120]), ("c2", rows[120:])):
        part.to_csv(folder / f"{name}_rows.csv", index=False)
        counts = count_frame(part, label="y", score="p", groups=("g",))
        (folder / f"{name}.csv").write_text(counts_text(counts))
    _save_model(rows, folder / "model.joblib")
    return folder


def _save_model(rows: pd.DataFrame, place: Path) -> None:
    import joblib
    from sklearn.linear_model import LogisticRegression

    joblib.dump(LogisticRegression().fit(rows[["x"]], rows.y), place)


@pytest.fixture
def folder(honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the honest folder, which is the working directory."""
    place = tmp_path / "work"
    shutil.copytree(honest, place)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[[Sequence[str]], Outcome]:
    """Run a verb in this process and return what it did; a traceback, a bug or a warning of arithmetic fails."""

    def run(arguments: Sequence[str]) -> Outcome:
        capsys.readouterr()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            code = exit_code(list(arguments))
        said = capsys.readouterr()
        own = tuple(
            f"{each.filename}: {each.message}"
            for each in caught
            if "/evenhand/" in each.filename or issubclass(each.category, RuntimeWarning)
        )
        outcome = Outcome(code, said.out, said.err, own)
        both = outcome.out + outcome.err
        assert "Traceback" not in both, both
        assert "bug in evenhand" not in both, both
        assert not own, own
        return outcome

    return run


@pytest.fixture
def verb(folder: Path, ask: Callable[[Sequence[str]], Outcome]) -> Callable[[str], Outcome]:
    """Run a verb as `ask` does, in the honest folder."""
    return lambda arguments: ask(arguments.split())


@pytest.fixture
def refused(folder: Path, verb: Callable[[str], Outcome]) -> Callable[[str], str]:
    """Run a verb that is to be refused, and return its sentence: exit 2, in few lines, and nothing was written."""

    def run(arguments: str) -> str:
        before = _contents(folder)
        outcome = verb(arguments)
        assert outcome.code == 2, (outcome.code, outcome.out, outcome.err)
        told = [line for line in outcome.err.splitlines() if line.startswith(("evenhand: ", "Error: "))]
        assert 1 <= len(told) <= 4, outcome.err
        assert all(len(line) < 700 for line in told), outcome.err
        assert _contents(folder) == before, "something was written"
        return outcome.err

    return run


def _contents(folder: Path) -> dict[str, bytes]:
    return {place.name: place.read_bytes() for place in folder.iterdir() if place.is_file()}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Return the file of a policy that any model meets."""
    place = tmp_path / "policy.toml"
    place.write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.1 }\n', encoding="utf-8")
    return place
