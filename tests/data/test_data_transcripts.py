"""Transcripts: their spelling, and how columns of them are read."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.data import read_evaluation_set
from evenhand.data.transcripts import LONGEST, spelled
from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ROLES = {"task": "transcription", "label": "said", "prediction": "heard"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It\u2019s 5 o'clock -- 'really'?", "it's 5 o'clock really"),
        ("rock-'n'-roll", "rock n roll"),
        ("50% off @ Smith & Sons", "50% off @ smith & sons"),
        ("\u00bfQu\u00e9 tal?", "qu\u00e9 tal"),
        ("Cafe\u0301", "caf\u00e9"),
        ("...", ""),
    ],
)
def test_the_plain_spelling_drops_capitals_and_punctuation_alone(text: str, plain: str) -> None:
    assert spelled(text) == plain
    assert spelled(text, "given") == " ".join(unicodedata.normalize("NFC", text).split())


@given(st.text(max_size=40))
def test_a_spelling_is_its_own_spelling(text: str) -> None:
    for spelling in ("plain", "given"):
        once = spelled(text, spelling)  # type: ignore[arg-type]
        assert spelled(once, spelling) == once  # type: ignore[arg-type]


@given(st.text(st.characters(categories=["L", "N"]), max_size=20))
def test_no_letter_and_no_digit_is_dropped(text: str) -> None:
    assert spelled(text) == spelled(unicodedata.normalize("NFC", text.lower()), "given")


def test_words_that_elsewhere_mean_missing_are_texts_and_an_empty_field_is_silence(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("said,heard,sex\nNone,null,f\n007,7,m\nNA,,f\n", encoding="utf-8")
    data = read_evaluation_set(tmp_path / "t.csv", **ROLES)
    assert data.table["said"].tolist() == ["None", "007", "NA"]
    assert data.table["heard"].tolist() == ["null", "7", ""]
    assert (data.task, data.y_true.tolist(), data.provenance["spelling"]) == ("transcription", [1, 1, 1], "plain")


def test_what_is_no_transcript_is_told_at_once() -> None:
    rows = pd.DataFrame({"said": ["a", None, "b"], "heard": [1.5, 2.0, 3.0], "before": ["a", "x" * (LONGEST + 1), "b"]})
    with pytest.raises(InputError) as told:
        read_evaluation_set(rows, **ROLES, original_prediction="before")
    text = str(told.value)
    assert 'no value in 1 of 3 rows. Where nothing was said or heard, write an empty text ("")' in text
    assert "holds 1.5, which is no text" in text
    assert "cut recordings into some" in text


def test_parts_of_a_set_keep_its_spelling() -> None:
    rows = {"said": ["A b.", "c"], "heard": ["a b", "c"], "sex": ["f", "m"]}
    data = read_evaluation_set(rows, **ROLES, sensitive_features="sex", spelling="given")
    assert read_evaluation_set(rows, like=data).spelling == "given"
    assert data.take(data.table.index.to_numpy()[:1]).spelling == "given"
