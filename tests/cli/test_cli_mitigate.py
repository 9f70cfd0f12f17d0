"""``evenhand mitigate``: a file in, a record and a model out, and sentences for what cannot be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ["--label", "paid", "--pos-label", "yes", "--sensitive", "sex", "--favourable", "yes"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import joblib
    from sklearn.linear_model import LogisticRegression

    place = tmp_path_factory.mktemp("mitigate")
    rng = np.random.default_rng(0)
    n = 12_000
    sex = rng.choice(["f", "m"], n)
    a, b = rng.normal(size=n) + 0.7 * (sex == "m"), rng.normal(size=n)
    paid = np.where(a + b + rng.normal(size=n) * 0.7 > 0.5, "yes", "no")
    table = pd.DataFrame({"a": a, "b": b, "sex": sex, "paid": paid})
    joblib.dump(LogisticRegression().fit(table[["a", "b"]], table.paid), place / "credit.joblib")
    table.to_csv(place / "test.csv", index=False)
    (place / "policy.toml").write_text(
        '[limits]\n"demographic_parity_difference[sex]" = {at_most = 0.15}\n"accuracy" = {at_least = 0.7}\n'
    )
    return place


def test_it_writes_a_record_and_a_model_that_the_other_verbs_take(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    asked = ["mitigate", "test.csv", "--model", "credit.joblib", "--trust-pickle", *ROLES]
    more = ["--candidates", "threshold,group_thresholds", "--audits", "performance", "--save", "fairer.mitigated"]
    assert exit_code([*asked, *more]) == 0
    said = capsys.readouterr().err
    assert "recommended" in said
    assert "gain a favourable decision" in said
    assert "Price: " in said
    assert eh.read_record("mitigated.json").provenance["mitigation"]["recommended"]
    assert exit_code(["gate", "mitigated.json", "--policy", "policy.toml"]) == 0
    again = ["audit", "test.csv", "--model", "fairer.mitigated", "--trust-pickle", *ROLES, "--audits", "performance"]
    assert exit_code(again) == 0
    assert exit_code([part for part in again if part != "--trust-pickle"]) == 2


def test_the_record_is_of_the_saved_file_which_can_be_promoted_and_the_deployed_one_cannot(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    asked = ["mitigate", "test.csv", "--model", "credit.joblib", "--trust-pickle", *ROLES, "--audits", "performance"]
    assert exit_code([*asked, "--candidates", "group_thresholds", "--save", "own.mitigated", "-o", "own.json"]) == 0
    subject = eh.read_record("own.json").provenance["subject"]
    assert subject["sha256"] == hashlib.sha256((folder / "own.mitigated").read_bytes()).hexdigest()
    promote = ["--audit", "own.json", "--policy", "policy.toml", "--as", "live/current", "--by", "eva"]
    (folder / "live").mkdir()
    assert exit_code(["promote", "credit.joblib", *promote]) == 2
    assert exit_code(["promote", "own.mitigated", *promote]) == 0
    capsys.readouterr()
    assert exit_code(["gate", "own.json", "--policy", "policy.toml", "-f", "model-card=card.md"]) == 0
    card = (folder / "card.md").read_text("utf-8")
    assert "decides by group, which can be unlawful" in card
    assert "told: sex" in card


def test_what_is_not_recommended_is_not_saved(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    (folder / "kept.toml").write_text('[limits]\n"accuracy" = {at_least = 0.7}\n')
    asked = ["mitigate", "test.csv", "--model", "credit.joblib", "--trust-pickle", *ROLES, "--audits", "performance"]
    more = ["--policy", "kept.toml", "--candidates", "threshold", "--save", "no.mitigated", "-o", "no.json"]
    assert exit_code([*asked, *more]) == 0
    assert not (folder / "no.mitigated").exists()
    assert "no.mitigated is not written" in capsys.readouterr().err


def test_the_price_is_told_in_any_measure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    asked = ["mitigate", "test.csv", "--model", "credit.joblib", "--trust-pickle", *ROLES, "--audits", "performance"]
    assert exit_code([*asked, "--candidates", "threshold", "--performance", "balanced_accuracy", "-o", "b.json"]) in (
        0,
        3,
    )
    assert "Price: balanced_accuracy goes from 0." in capsys.readouterr().err


def test_what_cannot_be_run_exits_2_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    asked = ["mitigate", "test.csv", "--model", "credit.joblib", "--trust-pickle", *ROLES]
    assert exit_code([*asked, "--shares", "0.5,0.5"]) == 2
    assert "--shares: three shares above 0" in capsys.readouterr().err
    assert exit_code([*asked, "--performance", "selection_rate"]) == 2
    assert "neither more nor less is better" in capsys.readouterr().err
    assert exit_code([*asked, "--candidates", "balanced_calibration"]) == 2
    assert "balanced_calibration: none has a candidate" in capsys.readouterr().err
    (folder / "other.toml").write_text('[limits]\n"selection_rate_ratio[gender]" = {at_least = 0.8}\n')
    assert exit_code([*asked, "--policy", "other.toml"]) == 2
    assert "selection_rate_ratio[gender] cannot be measured on these rows" in capsys.readouterr().err
    assert exit_code([*asked, "--candidates", "treshold"]) == 2
    assert "Did you mean 'threshold'?" in capsys.readouterr().err


def test_the_flag_and_the_argument_keep_as_much() -> None:
    from evenhand.cli.mitigate_verb import command
    from evenhand.mitigation.alike import KEEP

    assert next(each.default for each in command.params if each.name == "keep") == KEEP


def test_every_kind_is_described_in_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["list", "mitigations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 12
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)
