"""The page in Simplified Chinese: complete, of the same numbers, in the right words."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.metrics import METRICS
from evenhand.metrics.catalogue.names import COMBINED
from evenhand.records import write_record
from evenhand.report.rendering import render
from evenhand.report.speaking import LANGUAGES, Words, metrics_with_words

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict


@pytest.fixture(scope="module")
def judged() -> tuple[AuditRecord, Verdict]:
    rng = np.random.default_rng(0)
    race, sex = rng.choice(["none", "score", "group"], 500, p=[0.7, 0.25, 0.05]), rng.choice(["f", "m"], 500)
    truth = rng.integers(0, 2, 500)
    score = np.clip(0.4 * truth + 0.5 * rng.random(500) + 0.1 * (race == "none"), 0, 1)
    record = eh.audit_predictions(
        truth,
        y_score=score,
        sensitive_features={"race": race, "sex": sex},
        control_features={"town": rng.choice(["x", "y"], 500)},
        favourable=1,
    )
    limits = {
        "accuracy": {"at_least": 0.6},
        "selection_rate_ratio[race]": {"at_least": 0.8},
        "equalized_odds_difference[race]": {"at_most": 0.05},
        "recall[race=*]": {"at_least": 0.5},
        "precision": {"at_least": 0.99},
    }
    return record, eh.judge(record, eh.load_policy({"limits": limits}))


def shown(page: str) -> list[str]:
    """Return the texts of the page, without style, keys, formulas and sources."""
    page = re.sub(
        r"<style>.*?</style>|<code>.*?</code>|<span class=\"formula\".*?</span>|<i lang.*?</i>", "", page, flags=re.S
    )
    return [html.unescape(text).strip() for text in re.findall(r">([^<]+)<", page)]


def test_no_english_sentence_is_left(judged: tuple[AuditRecord, Verdict]) -> None:
    for verdict in (judged[1], None):
        page = render(judged[0], verdict, "html", lang="zh-CN")
        assert '<html lang="zh-CN">' in page
        left = [text for text in shown(page) if re.search(r"(?:[A-Za-z']+[ ,]+){2,}[A-Za-z]+", text)]
        assert left == [], left[:5]


def test_no_english_sentence_is_left_in_an_audit_with_nearly_everything(rich: tuple[AuditRecord, Verdict]) -> None:
    page = render(*rich, "html", lang="zh-CN")
    left = [text for text in shown(page) if re.search(r"(?:[A-Za-z']+[ ,]+){2,}[A-Za-z]+", text)]
    assert left == [], left[:5]


def test_every_question_of_the_declarations_has_words() -> None:
    from evenhand.declarations import QUESTIONS

    words = Words("zh-CN")
    for question in QUESTIONS.values():
        assert not re.search("[A-Za-z]{2}", words.say(question)), question


def test_both_languages_show_the_same_numbers(judged: tuple[AuditRecord, Verdict]) -> None:
    def numbers(page: str) -> list[str]:
        tables = re.findall(r"<td.*?</td>|<th scope=\"row\">.*?</th>|<text class=\"value\".*?</text>", page, flags=re.S)
        return sorted(re.findall(r"\d[\d.,]*\d|\d", " ".join(tables)))

    english, chinese = (render(*judged, "html", lang=lang) for lang in LANGUAGES)
    assert numbers(english) == numbers(chinese)


def test_names_of_the_data_are_left_alone(judged: tuple[AuditRecord, Verdict]) -> None:
    page = render(*judged, "html", lang="zh-CN")
    for name in ("none", "score", "group"):
        assert f">{name}<" in page, f"the group is called {name}, whatever that means elsewhere"


def test_precision_is_never_called_accuracy() -> None:
    words = Words("zh-CN")
    for name, entry in METRICS.items():
        said = words.say(entry.label)
        if "precision" in name:
            assert "精确率" in said
            assert "准确率" not in said
        if "accuracy" in name and name != "subset_accuracy":
            assert "准确率" in said
            assert "精确率" not in said
    assert words.say("Recall difference") == "召回率差值"
    assert words.say("Accuracy of the lowest group") == "最低群体的准确率"


def test_every_metric_has_words_and_every_pattern_keeps_its_places() -> None:
    assert metrics_with_words("zh-CN") == {*METRICS, *COMBINED}
    import tomllib
    from importlib.resources import files

    content = tomllib.loads(files("evenhand.report.languages").joinpath("zh-CN.toml").read_text("utf-8"))
    for english, chinese in content["patterns"].items():
        assert set(re.findall(r"{(\w+)}", chinese)) == set(re.findall(r"{(\w+)}", english)), english
    assert not set(content["patterns"]) & set(content["texts"])


def test_the_command_line_speaks_it_and_formats_for_machines_do_not(
    judged: tuple[AuditRecord, Verdict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_record("audit.json", judged[0])
    asked = ["report", "audit.json", "--lang", "zh-CN", "-f", "html=a.html", "-f", "markdown=a.md"]
    assert exit_code(asked) == 0
    assert "选择率" in (tmp_path / "a.html").read_text("utf-8")
    assert "召回率" in (tmp_path / "a.md").read_text("utf-8")
    with pytest.raises(InputError, match="for machines"):
        render(*judged, "junit", lang="zh-CN")
    with pytest.raises(InputError, match="no words of 'xx'"):
        render(*judged, "html", lang="xx")
