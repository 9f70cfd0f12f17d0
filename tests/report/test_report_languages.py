"""The page in other languages: complete, of the same numbers, in the right words; names of the data as they are."""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.declarations import FRAMEWORKS
from evenhand.errors import InputError
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.metrics import names as all_metrics
from evenhand.records import write_record
from evenhand.report.formats.html import environment
from evenhand.report.numbers import cut
from evenhand.report.page import build_page
from evenhand.report.rendering import render
from evenhand.report.sections.controls import frameworks
from evenhand.report.view import said
from evenhand.words import Language, language, languages

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.view import Block

SAID_ELSEWHERE = ("Recall", "score", "none", "Compression")
"""Groups that are called as messages are."""
ROOT = Path(__file__).parents[2]
KEY = r"\w+\[[^\]]*\]|[a-z]+=\w+|[0-9a-f]{32,}"
"""A finding's key, a group, a hash."""
NAMES = {
    *SAID_ELSEWHERE, *all_metrics(), "race", "sex", "town", "arrays", "predictions", "y_true", "data", "evenhand",
    "audit", "json", "policy", "Holm", "Benjamini", "Hochberg", "income", "debt", "area", "north", "south", "west",
    "group", "loans", "paid", "score", "coarse", "pandas", "Small", "kB", "ms", "RISK", "risk", "example", "org",
    *re.findall("[a-z]+", " ".join(FRAMEWORKS)), "owner", "human_oversight", "to",  # as in the group "25 to <40"
}  # fmt: skip
"""Names of the data, of metrics, of methods and of units."""
HAN = "\u3400-\u9fff"
CHINESE = "\u3400-\u9fff\u3000-\u303f\uff00-\uffef"
LIMITS = {
    "accuracy": {"at_least": 0.6},
    "selection_rate_ratio[race]": {"at_least": 0.8},
    "equalized_odds_difference[race]": {"at_most": 0.05},
    "recall[race=*]": {"at_least": 0.5},
    "precision": {"at_least": 0.99},
}


def audited(groups: tuple[str, ...]) -> tuple[AuditRecord, Verdict]:
    rng = np.random.default_rng(0)
    race, sex = rng.choice(groups, 500, p=[0.6, 0.25, 0.1, 0.05]), rng.choice(["F", "M"], 500)
    truth = rng.integers(0, 2, 500)
    score = np.clip(0.4 * truth + 0.5 * rng.random(500) + 0.1 * (race == groups[0]), 0, 1)
    record = eh.audit_predictions(
        truth,
        y_score=score,
        sensitive_features={"race": race, "sex": sex},
        control_features={"town": rng.choice(["X", "Y"], 500)},
        favourable=1,
    )
    return record, eh.judge(record, eh.load_policy({"limits": LIMITS}))


@pytest.fixture(scope="module")
def judged() -> tuple[AuditRecord, Verdict]:
    return audited(SAID_ELSEWHERE)


def shown(page: str) -> list[str]:
    """Return the texts of the page, without style, keys, formulas and sources."""
    page = re.sub(
        r"<style>.*?</style>|<code>.*?</code>|<span class=\"formula\".*?</span>|<i lang.*?</i>|<wbr>",
        "",
        page,
        flags=re.S,
    )
    return [html.unescape(text).strip() for text in re.findall(r">([^<]+)<", page)]


def spoken(page: str) -> list[str]:
    """Return these texts without what is a name in every language: facts of provenance, clauses of rules, examples."""
    page = re.sub(r"<section id=\"provenance\".*?</section>", "", page, flags=re.S)
    names = [entry.worked for entry in map(describe, all_metrics()) if entry.worked]
    names += [clause.id for framework in frameworks() for clause in framework.clauses]
    named = re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))
    return [named.sub("", text) for text in shown(page)]


def drawn(block: Block) -> str:
    module = environment(None).get_template("partials/charts.svg.j2").make_module({"_": message})
    return str(module.draw(block))  # type: ignore[attr-defined]


def english(texts: list[str]) -> list[str]:
    return [text for text in texts if re.search(r"(?:[A-Za-z']+[ ,]+){2,}[A-Za-z]+", text)]


def test_no_english_sentence_is_left(judged: tuple[AuditRecord, Verdict]) -> None:
    for verdict in (judged[1], None):
        page = render(judged[0], verdict, "html", lang="zh-CN")
        assert '<html lang="zh-CN">' in page
        assert english(shown(page)) == []


def test_no_english_sentence_is_left_in_an_audit_with_nearly_everything(rich: tuple[AuditRecord, Verdict]) -> None:
    assert english(shown(render(*rich, "html", lang="zh-CN"))) == []


def test_chinese_punctuation_is_full_width(rich: tuple[AuditRecord, Verdict]) -> None:
    page = spoken(render(*rich, "html", lang="zh-CN"))
    half = rf"[{CHINESE}]\s?[,;:?!(]|[,;:?!]\s?[{CHINESE}]|[{CHINESE}][.)]"
    assert [text for text in page if re.search(half, text.replace("exp(此值)", ""))] == []


@pytest.mark.parametrize("name", ["adult", "compas", "demo", "states", "study"])
def test_chinese_has_no_space_after_a_stop_and_one_between_its_words_and_latin_ones(name: str) -> None:
    """On pages of real audits, also where two sentences or a link follow each other."""
    folder = ROOT / "tests" / "golden" / "audits" / name
    record = eh.read_record(folder / "audit.json")
    verdict = None if name == "study" else eh.judge(record, eh.load_policy(folder / "policy.toml"))
    page = render(record, verdict, "html", lang="zh-CN")
    page = re.sub(r"<svg.*?</svg>|<pre>.*?</pre>|<span class=\"(?:badge|formula)[^>]*>.*?</span>", "", page, flags=re.S)
    texts = shown(re.sub(r"</?(?:a|b|bdi|em|span|strong)\b[^>]*>", "", page))
    assert len(texts) > 300
    assert [text for text in texts if re.search(r"[。？！；] +\S", text)] == []
    assert [text for text in texts if re.search(rf"[{HAN}][A-Za-z]|[A-Za-z][{HAN}]", text)] == []


def test_brackets_of_the_catalogue_are_closed_by_their_like() -> None:
    """A full-width bracket by a full-width one, whatever is between them."""
    closing = {"(": ")", "（": "）", "[": "]", "「": "」"}
    words = language("zh-CN")
    assert len(words.sentences) > 1_000
    for id, forms in words.sentences.items():
        for text in forms:
            waiting = []
            for sign in text:
                if sign in closing:
                    waiting.append(closing[sign])
                elif sign in closing.values():
                    assert waiting and waiting.pop() == sign, (id, text)
            assert not waiting, (id, text)


def test_a_space_is_between_latin_letters_of_a_message_and_chinese_and_never_within_names() -> None:
    words = Language("zh-CN", {"{metric} difference": ("{metric}差值",), "{group}: {metric}": ("{group}的{metric}值",)})
    assert words.say(message("{metric} difference", metric=message("ROC AUC"))) == "ROC AUC 差值"
    assert words.say(message("{group}: {metric}", group="A", metric=message("F1"))) == "A的 F1 值"


def test_both_languages_show_the_same_numbers(judged: tuple[AuditRecord, Verdict]) -> None:
    def numbers(page: str) -> tuple[list[str], list[str]]:
        cells = re.findall(r"<td.*?</td>|<text class=\"value\".*?</text>", page, flags=re.S)
        heads = re.findall(r"<th scope=\"row\">.*?</th>", page, flags=re.S)
        first, second = (re.findall(r"\d[\d.,]*\d|\d", html.unescape(" ".join(found))) for found in (cells, heads))
        return sorted(first), sorted(set(second))  # heads of rows are again where a table goes on below

    first, second = (render(*judged, "html", lang=lang) for lang in ("en", "zh-CN"))
    assert numbers(first) == numbers(second)


def test_names_of_the_data_are_left_alone(judged: tuple[AuditRecord, Verdict]) -> None:
    page = render(*judged, "html", lang="zh-CN")
    for name in SAID_ELSEWHERE:
        assert f">{name}<" in page, f"the group is called {name}, whatever that means elsewhere"
    assert "召回率" in page


def test_a_further_language_is_one_file(
    judged: tuple[AuditRecord, Verdict], rich: tuple[AuditRecord, Verdict], pseudo: str
) -> None:
    """In a language of brackets nothing but names, keys and numbers stands outside of what a message says."""
    assert pseudo in languages()
    for record, verdict in (judged, rich):
        page = render(record, verdict, "html", lang=pseudo)
        assert f'<html lang="{pseudo}">' in page
        assert unsaid(page) == set()
        assert page.count("⟦") > 300


def unsaid(page: str) -> set[str]:
    """Return the texts and labels of a page with words that are neither in a message nor names."""
    texts = [*spoken(page), *map(html.unescape, re.findall(r'(?:aria|data)-label="([^"]*)"', page))]
    return {text for text in texts if set(re.findall("[A-Za-z_]{2,}", re.sub(KEY, "", text))) - NAMES}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("below", [None, 20])
def test_other_labels_and_copies_for_publication_are_said_as_well(task: str, below: int | None, pseudo: str) -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=600) if task == "regression" else rng.integers(0, 2 + (task == "multiclass"), 600)
    given = truth + rng.normal(size=600) if task == "regression" else np.where(rng.random(600) < 0.8, truth, 0)
    race = rng.choice(["A", "B", "C"], 600, p=[0.6, 0.39, 0.01])
    record = eh.audit_predictions(truth, given, sensitive_features={"race": race}, task=task)  # type: ignore[arg-type]
    assert unsaid(render(record, None, "html", lang=pseudo, suppress_below=below)) == set()
    assert english(shown(render(record, None, "html", lang="zh-CN", suppress_below=below))) == []


def test_labels_of_a_figure_wrap_in_every_language(judged: tuple[AuditRecord, Verdict]) -> None:
    long = "every row of all the rows there are"
    words = Language("xx", {"all rows": (long,)})
    page = build_page(*judged)
    (one,) = [block for part in page.parts for block in part.blocks if block.name == "groups-0-selection_rate"]
    assert f'<th scope="row">{long}</th>' in drawn(said(one, words))


def test_a_label_is_cut_in_each_language_on_its_own() -> None:
    long = cut(message("a label that is long"), 10)
    assert long == "a label t…"
    assert said(long, Language("xx", {"a label that is long": ("short",)})) == "short"
    assert said(long, Language("xx", {"a label that is long": ("longer than it was",)})) == "longer th…"


def test_older_notes_are_shown_as_they_are(judged: tuple[AuditRecord, Verdict]) -> None:
    from dataclasses import replace

    record = judged[0]
    plain = replace(record, findings=tuple(replace(f, note=str.__str__(f.note)) for f in record.findings))
    note = "Fisher test against all other rows, adjusted for the number of groups (Holm)."
    assert f"<td>{note}</td>" in html.unescape(render(plain, None, "html", lang="zh-CN"))


def test_the_command_line_speaks_it_and_formats_for_machines_do_not(
    judged: tuple[AuditRecord, Verdict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_record("audit.json", judged[0])
    asked = ["report", "audit.json", "--lang", "zh-CN", "-f", "html=a.html", "-f", "markdown=a.md"]
    assert exit_code(asked) == 0
    assert "选择率" in (tmp_path / "a.html").read_text("utf-8")
    assert "召回率" in (tmp_path / "a.md").read_text("utf-8")
    assert english((tmp_path / "a.md").read_text("utf-8").splitlines()) == []
    with pytest.raises(InputError, match="for machines"):
        render(*judged, "junit", lang="zh-CN")
    with pytest.raises(InputError, match="no words of 'xx'"):
        render(*judged, "html", lang="xx")


PARSING = {
    "split",
    "rsplit",
    "partition",
    "rpartition",
    "startswith",
    "endswith",
    "removeprefix",
    "removesuffix",
    "find",
}
FOR_OTHERS = {"breaks.py", "hub.py", "model_card.py", "plain_text.py", "tracked.py", "wandb.py"}
"""Files that write names and codes by the rules of other tools, or look for the joints of names: at no sentence."""
PROSE = {"note", "reason", "undefined", "sentence", "title", "label", "meaning", "misleads", "absence", "axes"}


def test_no_module_of_the_report_parses_a_sentence() -> None:
    """Facts are read from keys and from the places of messages."""
    folder = ROOT / "src" / "evenhand" / "report"
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            assert file.name in FOR_OTHERS or not (isinstance(node, ast.Import) and node.names[0].name == "re"), file
            if isinstance(node, ast.Attribute) and node.attr in PARSING:
                assert {part.attr for part in ast.walk(node.value) if isinstance(part, ast.Attribute)}.isdisjoint(
                    PROSE
                ), file
            if isinstance(node, ast.Compare) and any(isinstance(how, ast.In | ast.NotIn) for how in node.ops):
                (first, *_) = node.comparators
                assert not (isinstance(first, ast.Attribute) and first.attr in PROSE), (file, node.lineno)
