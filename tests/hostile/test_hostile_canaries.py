"""Canaries: rows that only the table may hold are in no output, no message and no log of any command."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import AUDITS
from evenhand.cli.main import exit_code
from evenhand.data.disclosure.files import in_file
from evenhand.report.formats.catalogue import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

CANARIES: Final = ("quux", "canary", "7654321", "13800138")
"""Parts of names, mail addresses, a rare amount and telephone numbers that are in rows alone."""
ROLES: Final = (
    "--label",
    "approve",
    "--sensitive",
    "sex",
    "--exclude",
    "person",
    "--exclude",
    "mail",
    "--exclude",
    "mobile",
)
POLICY: Final = """schema = 1
[limits]
"accuracy" = { at_least = 0.3 }
"selection_rate_difference[sex]" = { at_most = 0.2 }
"personal_data_columns" = { at_most = 0 }
"""


def rows(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "age": rng.integers(20, 60, n), "income": rng.integers(100, 999, n) * 100, "sex": rng.choice(["f", "m"], n),
        "town": rng.choice(["x", "y"], n), "person": [f"Zebulon Quux {at:03d}" for at in range(n)],
        "mail": [f"canary{at:03d}@example.org" for at in range(n)], "mobile": [13800138000 + at for at in range(n)],
    })  # fmt: skip
    table["approve"] = ((table["income"] > 50_000) ^ (rng.random(n) < 0.1)).astype(int)
    table.loc[7, "income"] = 7_654_321
    return table


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the table, rows that a model was fitted on, and tables with one bad cell."""
    folder = tmp_path_factory.mktemp("canaries")
    table = rows()
    for name, part in {"t": table, "members": table.iloc[:200]}.items():
        part.to_csv(folder / f"{name}.csv", index=False)
    for column in ("approve", "income", "sex"):
        bad = table.astype({column: object})
        bad.loc[5, column] = "canary005@example.org"
        bad.to_csv(folder / f"bad-{column}.csv", index=False)
    (folder / "policy.toml").write_text(POLICY)
    return folder


@pytest.fixture
def clean(
    place: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> object:
    """Return a function that runs a command and looks for canaries in all that it says, logs and writes."""
    monkeypatch.chdir(place)
    caplog.set_level(logging.DEBUG)

    def run(*command: str) -> int:
        before = {file: file.stat().st_mtime_ns for file in place.iterdir() if file.is_file()}
        code = exit_code([*command])
        said = capfd.readouterr()
        texts = {"stdout": said.out, "stderr": said.err, "log": caplog.text}
        for file in place.iterdir():
            if file.is_file() and before.get(file) != file.stat().st_mtime_ns:
                texts[file.name] = file.read_bytes().decode("latin-1").replace("canary_share", "")  # a setting of fits
        found = [(canary, where) for where, text in texts.items() for canary in CANARIES if canary in text.lower()]
        assert not found, (command, found)
        return code

    return run


def test_no_output_of_an_audit_holds_a_row(place: Path, clean) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("torch")
    fit = ("train", "t.csv", *ROLES, "--epochs", "2", "-o", "m.safetensors")
    assert clean(*fit) == 0
    asked = (
        "--privacy",
        "members.csv",
        "--quasi-identifiers",
        "age",
        "--quasi-identifiers",
        "sex",
        "--explain-rows",
        "40",
    )
    assert clean("audit", "t.csv", "--model", "m.safetensors", *ROLES, *asked, "-o", "audit.json") == 0
    record = eh.read_record(place / "audit.json")
    assert {f.name for f in record.of_audit("disclosure")} >= {
        "personal_values[mail;kind=email]", "personal_values[mobile;kind=phone]",
        "k_anonymity", "k_anonymity[;of=members]", "personal_data_in_files",
    }  # fmt: skip
    assert record["personal_data_columns"].estimate == 2
    assert clean("gate", "audit.json", "-p", "policy.toml") == 1
    texts = [name for name, form in FORMATS.items() if not form.of and name != "ll144"]
    for profile in ("internal", "public"):
        files = [part for name in texts for part in ("-f", f"{name}={profile}-{name}.out")]
        assert clean("report", "audit.json", "-p", "policy.toml", "--profile", profile, *files) == 0
        assert clean("report", "audit.json", "--profile", profile, "-f", f"json={profile}.json") == 0
    assert (
        clean(
            "compress",
            "m.safetensors",
            "--train",
            "t.csv",
            "-r",
            "neuron_pruning=0.5",
            *ROLES,
            "-o",
            "small.safetensors",
        )
        == 0
    )
    assert clean("init", "t.csv", "--force") == 0


@pytest.mark.parametrize("column", ["approve", "income", "sex"])
def test_no_complaint_quotes_a_mail_address(column: str, clean) -> None:  # type: ignore[no-untyped-def]
    """A bad cell is told by its column and kind, and its text stays out where it tells who it is about."""
    bad = f"bad-{column}.csv"
    if column != "sex":  # a group is called by its name, whatever that is
        clean("audit", bad, "--score", "income", "--score-kind", "ranking", *ROLES, "-o", "b.json")
    clean("audit", "t.csv", "--score", "age", "--label", "mail", "--sensitive", "sex", "-o", "b.json")
    clean(
        "audit",
        "t.csv",
        "--score",
        "age",
        "--label",
        "approve",
        "--sensitive",
        "sex",
        "--weight",
        "mail",
        "-o",
        "b.json",
    )


def test_text_that_a_model_file_holds_is_found(tmp_path: Path) -> None:
    """A network that was given mail addresses as a category keeps those that are common enough."""
    joblib = pytest.importorskip("joblib")
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(token_pattern=r"\S+").fit(["write to canary001@example.org", "or canary002@example.org"])
    joblib.dump(words, tmp_path / "words.joblib")
    assert in_file(tmp_path / "words.joblib")["email"] >= 2


def test_an_audit_that_nobody_asked_for_searches_nothing() -> None:
    """Only with rows of the fit, quasi-identifiers or a wish for everything are personal data looked for."""
    table = rows(200)
    record = eh.audit_predictions(table["approve"], table["age"] > 40, sensitive_features=table[["sex"]])
    assert "disclosure" in AUDITS and not record.of_audit("disclosure")
