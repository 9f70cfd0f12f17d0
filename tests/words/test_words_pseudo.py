"""What is found, and what is judged, is said from messages: in a language that is one file, no English is left."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.metrics import describe, names
from evenhand.words import language, languages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

KEY = re.compile(
    r"\w+\[[^\]]*\]|\b(?:accuracy|precision|error_rate|roc_auc|recall_difference|human_oversight|Holm)\b|shap-\w+"
)
"""Keys, and the names of methods and declarations."""


@pytest.fixture(scope="module")
def judged() -> tuple[AuditRecord, Verdict]:
    """An audit whose data have no small letters in their names."""
    rng = np.random.default_rng(4)
    n = 900
    race = rng.choice(["A", "B", "C"], n, p=[0.6, 0.385, 0.015])
    table = pd.DataFrame(
        {
            "X1": rng.normal(size=n) + (race == "A"),
            "X2": rng.normal(size=n),
            "X3": rng.choice(["N", "S"], n),
            "T": rng.choice(["U", "V"], n),
            "RACE": race,
            "SEX": rng.choice(["F", "M"], n),
        }
    )
    noise = np.where(table["X3"] == "S", 3.0, 0.7)
    table["Y"] = (table["X1"] - table["X2"] + noise * rng.normal(size=n) > 0).astype(int)
    data = eh.read_evaluation_set(
        table, label="Y", favourable=1, sensitive_features=["RACE", "SEX"], control_features=["T"], name="D"
    )

    def score(X: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(X["X2"] - X["X1"] - 0.3 * (X["X3"] == "S"))))

    def coarse(X: pd.DataFrame) -> np.ndarray:
        return np.round(score(X), 1)

    record = eh.audit(
        coarse, data, original=score, explain_rows=20, background_rows=20, actionable={"X2": "decrease"},
        slice_by=["error_rate", "recall_difference[SEX]"], pooling=True, footprint=False,
    )  # fmt: skip
    record = eh.with_declarations(record, {"intended_use": "X.", "owner": "O"})
    limits = {
        "accuracy": {"at_least": 0.6},
        "selection_rate_ratio[RACE]": {"at_least": 0.95},
        "equalized_odds_difference[RACE]": {"at_most": 0.05},
        "recall[RACE=*]": {"at_least": 0.5},
        "precision": {"at_least": 0.99},
        "roc_auc": {"at_least": 0.5, "max_drop": 0.01},
        "declared[human_oversight]": {"required": True},
        "declared[owner]": {"required": True},
        "latency[;batch=7]": {"at_most": 1.0},
    }
    waiver = {"limit": "precision", "reason": "R", "owner": "O", "expires": date(2026, 12, 1)}
    late = {**waiver, "limit": "accuracy", "expires": date(2026, 1, 1)}
    policy = eh.load_policy(
        {"extends": ["builtin:four-fifths@1"], "limits": limits, "waivers": [waiver, late],
         "defaults": {"minimum_group_size": 30}}
    )  # fmt: skip
    return record, eh.judge(record, policy, baseline=record, today=date(2026, 11, 1))


def said_of(record: AuditRecord, verdict: Verdict) -> Iterator[str]:
    for finding in record.findings:
        yield from (finding.undefined, finding.note, finding.absence)
    yield from (section.reason for section in record.sections)
    yield from (verdict.sentence, *verdict.remarks)
    for judgement in verdict.judgements:
        yield from (judgement.sentence, judgement.aside)


def test_no_english_is_left_of_what_is_found_and_judged(judged: tuple[AuditRecord, Verdict], pseudo: str) -> None:
    say = language(pseudo).say
    told = [text for text in said_of(*judged) if text]
    assert len(set(told)) > 60
    left = {text: say(text) for text in told if re.search("[a-z]{2}", KEY.sub("", say(text)))}
    assert left == {}


def test_a_record_that_was_read_says_the_same(
    judged: tuple[AuditRecord, Verdict], pseudo: str, tmp_path: object
) -> None:
    from evenhand.records import from_plain, to_plain

    record, verdict = judged
    for tag in (pseudo, "zh-CN"):
        say = language(tag).say
        again = from_plain(to_plain(record))
        assert [say(text) for text in said_of(again, verdict)] == [say(text) for text in said_of(record, verdict)]


def test_no_english_is_left_of_metrics(pseudo: str) -> None:
    say = language(pseudo).say
    for name in names():
        entry = describe(name)
        for text in (entry.label, entry.meaning, entry.misleads):
            assert not re.search("[a-z]{2}", say(text)), text


def test_a_language_is_found_by_its_entry_point_alone(pseudo: str) -> None:
    assert pseudo in languages()
    with pytest.raises(InputError, match=f"written in en or {pseudo} or zh-CN"):
        language("nowhere")


def test_a_copy_for_publication_says_so_in_any_language(judged: tuple[AuditRecord, Verdict], pseudo: str) -> None:
    from evenhand.report.suppression import suppressed

    copy = suppressed(judged[0], 20)
    held = [finding for finding in copy.findings if finding.withheld]
    assert held
    assert {finding.absence for finding in held} == {"withheld"}
    assert all(not re.search("[a-z]{2}", language(pseudo).say(finding.undefined)) for finding in held)
    told = replace(held[0], undefined="withheld: says a person", withheld=False)
    assert told.absence == "undefined", "what a text says is no fact"
