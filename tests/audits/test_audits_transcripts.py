"""Audits of transcripts: from a table to findings, page, policy and command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, ModelError
from evenhand.records import read_record

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [
    "please",
    "call",
    "stella",
    "ask",
    "her",
    "to",
    "bring",
    "these",
    "things",
    "with",
    "her",
    "from",
    "the",
    "store",
]


@pytest.fixture(scope="module")
def heard() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for speaker in range(24):
        accent, wrong = "ab"[speaker % 2], rng.beta(2, 30) * (1 + 3 * (speaker % 2))
        for _ in range(8):
            said = list(rng.choice(WORDS, size=rng.integers(3, 9)))
            before = [word if rng.random() > wrong else "um" for word in said]
            after = [word for word in before if rng.random() > wrong / 2]
            rows.append((speaker, accent, " ".join(said).capitalize() + ".", " ".join(before), " ".join(after)))
    return pd.DataFrame(rows, columns=["speaker", "accent", "said", "before", "heard"])


@pytest.fixture(scope="module")
def record(heard: pd.DataFrame) -> eh.AuditRecord:
    return eh.audit_predictions(
        heard["said"], heard["heard"], original_pred=heard["before"], task="transcription",
        sensitive_features=heard[["accent"]], cluster=heard["speaker"],
    )  # fmt: skip


def test_rates_and_changes_are_those_counted_by_hand(heard: pd.DataFrame, record: eh.AuditRecord) -> None:
    said = heard["said"].str.lower().str.rstrip(".").str.split()
    for group in "ab":
        mine = heard["accent"] == group
        words = said[mine].map(len).sum()
        deleted = words - heard.loc[mine, "heard"].str.split().map(len).sum()
        assert record[f"deletion_rate[accent={group}]"].estimate == pytest.approx(deleted / words)
        change = record[f"word_error_rate_change[accent={group};of=original]"].estimate
        pairs = zip(said[mine], heard.loc[mine, "before"].str.split(), strict=True)
        wrong = sum(one != other for pair in pairs for one, other in zip(*pair, strict=True))
        after = record[f"word_error_rate[accent={group}]"].estimate
        assert change == pytest.approx(after - wrong / words)
    gap = record["word_error_rate_difference[accent]"]
    assert gap.estimate == pytest.approx(
        record["word_error_rate[accent=b]"].estimate - record["word_error_rate[accent=a]"].estimate
    )
    assert record["word_error_rate_change_difference[accent;of=original]"].estimate is not None


def test_the_page_says_how_texts_were_compared_and_what_was_counted(
    heard: pd.DataFrame, record: eh.AuditRecord, tmp_path: Path
) -> None:
    eh.write_report(tmp_path / "page.html", record)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Texts are compared in lower case and without punctuation." in page
    words = heard["said"].str.split().map(len).sum()
    assert f"of {words:,} words in 192 utterances" in page
    for shown in ("Word error rate, by accent", "transcription", "Word error rate change, compressed against original"):
        assert shown in page


def test_a_policy_limits_error_rates(record: eh.AuditRecord) -> None:
    limits = {"wer": {"at_most": 0.5}, "word_error_rate_difference[accent]": {"at_most": 0.01}}
    verdict = eh.judge(record, eh.load_policy({"limits": limits}))
    assert {str(each.key): each.status for each in verdict.judgements} == {
        "word_error_rate": "passed", "word_error_rate_difference[accent]": "failed",
    }  # fmt: skip


def test_no_limit_rests_on_three_speakers(heard: pd.DataFrame) -> None:
    few = heard[heard["speaker"] < 6]
    record = eh.audit_predictions(
        few["said"], few["heard"], task="transcription", sensitive_features=few[["accent"]], cluster=few["speaker"]
    )
    policy = eh.load_policy({"limits": {"word_error_rate_difference[accent]": {"at_most": 5.0}}})
    (judged,) = eh.judge(record, policy).judgements
    assert judged.status == "undecided"
    assert "do not show how much speakers differ" in judged.sentence


def test_spelling_is_told_and_changes_the_rate(heard: pd.DataFrame) -> None:
    found = {
        spelling: eh.measure(heard["said"], heard["said"].str.lower(), task="transcription", spelling=spelling)
        for spelling in ("plain", "given")
    }
    assert found["plain"]["word_error_rate"].estimate < found["given"]["word_error_rate"].estimate
    assert found["given"].provenance["data"]["spelling"] == "given"


def test_silence_is_counted_and_told() -> None:
    record = eh.audit_predictions(["", "a b", "c d"], ["thank you", "a b", "c"], task="transcription")
    assert record["word_error_rate"].estimate == pytest.approx(3 / 4)
    (reason,) = (part.reason for part in record.sections if part.audit == "transcripts")
    assert "Utterances in which nothing was said: 1; words heard there, counted among the insertions: 2." in reason


def test_a_model_and_scores_are_refused(heard: pd.DataFrame) -> None:
    data = eh.read_evaluation_set(heard, task="transcription", label="said", sensitive_features="accent")
    with pytest.raises(ModelError, match="transcripts are audited as they are"):
        eh.audit(lambda rows: rows["before"], data)
    with pytest.raises(InputError, match="what was heard is a text"):
        eh.audit_predictions(["a", "b"], y_score=[0.1, 0.2], task="transcription")
    with pytest.raises(InputError, match="y_pred has 1 rows and y_true has 2"):
        eh.audit_predictions(["a", "b"], ["a"], task="transcription")


def test_the_command_line_says_the_same(
    heard: pd.DataFrame, record: eh.AuditRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard.to_csv(tmp_path / "t.csv", index=False)
    words = (
        f"audit {tmp_path / 't.csv'} --task transcription --label said --prediction heard --original-prediction before "
        f"--sensitive accent --cluster speaker -o {tmp_path / 'audit.json'}"
    )
    assert exit_code(words.split()) == 0
    assert "word_error_rate" in capsys.readouterr().err
    again = read_record(tmp_path / "audit.json")
    for key in ("word_error_rate", "word_error_rate_ratio[accent]", "character_error_rate_change[;of=original]"):
        assert again[key].estimate == record[key].estimate
        assert again[key].interval == record[key].interval
