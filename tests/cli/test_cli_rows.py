"""Rows that are held out can be audited as the last line says: with their roles, and with their inputs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]

pytest.importorskip("torch")


def following(capsys: Capture) -> list[str]:
    """Return the words of the command that the last line names."""
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("Next: evenhand ")
    return shlex.split(last)[2:]


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    held = load_digits()
    ink = np.where(held.images.mean(axis=(1, 2)) > 4.9, "much", "little")
    pd.DataFrame({"low": (held.target < 5).astype(int), "ink": ink})[:400].to_csv("digits.csv", index=False)
    np.save("digits.npy", held.images[:400].astype(np.float32))
    return ["digits.csv", "--label=low", "--sensitive", "ink"]


def test_arrays_of_rows_held_out_are_written_beside_them(digits: list[str], capsys: Capture) -> None:
    words = ["train", *digits, "--inputs", "digits.npy", "--epochs", "1", "--test-output", "test.csv"]
    assert exit_code([*words, "--train-output", "train.csv"]) == 0
    test, arrays = pd.read_csv("test.csv"), np.load("test.npy")
    assert len(test) == len(arrays) == 120
    whole = np.load("digits.npy")
    ink = np.where(arrays.mean(axis=(1, 2)) > 4.9, "much", "little")
    assert test["ink"].tolist() == ink.tolist(), "rows and arrays are in one order"
    assert len({row.tobytes() for row in arrays} & {row.tobytes() for row in np.load("train.npy")}) == 0
    assert {row.tobytes() for row in arrays} <= {row.tobytes() for row in whole}
    command = following(capsys)
    assert command[-2:] == ["--inputs", "test.npy"]
    assert exit_code([*command, "--no-explain"]) == 0
    capsys.readouterr()
    words = ["compress", "model.safetensors", "--train", "train.csv", "--inputs", "train.npy", *digits[1:]]
    assert exit_code([*words, "-r", "half_precision", "-o", "half.safetensors"]) == 0
    command = [{"TEST": "test.csv", "TEST.npy": "test.npy"}.get(word, word) for word in following(capsys)]
    assert exit_code([*command, "--no-explain"]) == 0


def test_texts_of_a_file_are_written_as_lines(digits: list[str], capsys: Capture, tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    low = pd.read_csv("digits.csv")["low"]
    (tmp_path / "said.txt").write_text("".join(f"it is {'low' if each else 'high'} é\n" for each in low))
    words = ["train", *digits, "--inputs", "said.txt", "--epochs", "1", "--hidden", "8"]
    assert exit_code([*words, "--test-output", "test.csv"]) == 0
    lines = (tmp_path / "test.txt").read_text().splitlines()
    assert [int("low" in line) for line in lines] == pd.read_csv("test.csv")["low"].tolist()
    assert exit_code([*following(capsys), "--no-explain"]) == 0


def test_the_inputs_are_not_written_over(digits: list[str], capsys: Capture) -> None:
    words = ["train", *digits, "--inputs", "digits.npy", "--test-output", "digits.parquet"]
    assert exit_code(words) == 2
    assert "digits.npy: this file is read, and would be lost" in capsys.readouterr().err
