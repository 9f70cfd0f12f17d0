"""Every format names the groups that decided and the people harmed, in English and Chinese."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from tests.golden.evidence_cases import CASES, judged

import evenhand as eh
from evenhand.policy import lines
from evenhand.policy.telling import harm_sentence
from evenhand.report.formats.markdown_text import as_markdown
from evenhand.words import language

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Case = tuple[str, AuditRecord, Verdict]


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Each golden case by its name."""
    return request.param, *judged(request.param)


def _junit(record: AuditRecord, verdict: Verdict) -> str:
    (failure,) = ET.fromstring(eh.render(record, verdict, "junit")).iter("failure")
    return str(failure.get("message"))


def _sarif(record: AuditRecord, verdict: Verdict) -> str:
    (result,) = json.loads(eh.render(record, verdict, "sarif"))["runs"][0]["results"]
    return str(result["message"]["text"])


def _gitlab(record: AuditRecord, verdict: Verdict) -> str:
    (entry,) = json.loads(eh.render(record, verdict, "gitlab"))
    return str(entry["description"])


def _github(record: AuditRecord, verdict: Verdict) -> str:
    first = eh.render(record, verdict, "github").splitlines()[0]
    return first.replace("%25", "%")


def _json(record: AuditRecord, verdict: Verdict) -> str:
    (judgement,) = json.loads(eh.render(record, verdict, "json"))["judgements"]
    burden = " ".join(f"{part['group']} {part['low']}" for part in judgement["burden"] if part["low"] > 0)
    return f"{judgement['sentence']} {burden}"


def _section(page: str, name: str) -> str:
    """Return a section of a page as text."""
    part = page[page.index(f'<section id="{name}"') :]
    return html.unescape(re.sub(r"<[^>]+>", " ", part[: part.index("</section>")])).replace("\u00a0", " ")


def _page(record: AuditRecord, verdict: Verdict) -> str:
    """Return what the first layer and the table of limits tell."""
    page = eh.render(record, verdict, "html")
    return _section(page, "reasons") + _section(page, "limits")


def _row(record: AuditRecord, verdict: Verdict) -> str:
    """Return the row of the limit in Markdown."""
    text = eh.render(record, verdict, "markdown")
    (row,) = [line for line in text.splitlines() if line.startswith("| ▲")]
    return row


TOLD: dict[str, Callable[[AuditRecord, Verdict], str]] = {
    "text": lambda _, verdict: "\n".join(lines(verdict)),
    "page": _page, "markdown": _row, "junit": _junit, "sarif": _sarif, "gitlab": _gitlab, "github": _github,
    "json": _json,
}  # fmt: skip
"""What each format tells of the one limit."""


@pytest.mark.parametrize("name", TOLD)
def test_a_format_names_who_decided_and_who_is_harmed(case: Case, name: str) -> None:
    told, record, verdict = CASES[case[0]], case[1], case[2]
    said = TOLD[name](record, verdict)
    escaped = as_markdown if name == "markdown" else str
    assert not [group for group in (*told["named"], told["harmed"]) if escaped(group) not in said]
    said = re.sub(r"The estimate (is that of|compares) [^.]*\.", "", said)  # these groups give the estimate
    assert not [group for group in told["innocent"] if f"={escaped(group)}" in said]


def test_the_verdict_says_it_too(case: Case) -> None:
    name, record, verdict = case
    reasons = _section(eh.render(record, verdict, "html"), "reasons")
    for group in CASES[name]["named"]:
        assert group in verdict.sentence
        assert group in reasons


@pytest.mark.parametrize("format", ["html", "markdown"])
def test_it_is_said_in_chinese(case: Case, format: str) -> None:
    """The same groups and counts, no English around them."""
    name, record, verdict = case
    (judgement,) = verdict.judgements
    words = language("zh-CN")
    assert judgement.evidence is not None
    evidence, harm = words.say(judgement.evidence.sentence), words.say(harm_sentence(judgement))
    assert all(group in evidence for group in CASES[name]["named"])
    assert CASES[name]["harmed"] in harm
    assert not re.search(r"\b(decided|of|with|harmed|people|more)\b", f"{evidence} {harm}")
    text = eh.render(record, verdict, format, lang="zh-CN")
    shown = html.unescape(text) if format == "html" else text
    for said in (evidence, harm):
        assert (said if format == "html" else as_markdown(said)) in shown


def test_people_are_told_with_their_interval() -> None:
    record, verdict = judged("compas")
    said = "About 540 people of race=African-American (380 to 669) are worse off than at the rate of race=Other."
    assert said in _page(record, verdict)
    assert said in _junit(record, verdict)
    (judgement,) = json.loads(eh.render(record, verdict, "json"))["judgements"]
    first = judgement["burden"][0]
    assert (round(first["low"]), round(first["excess"]), round(first["high"])) == (380, 540, 669)
    assert judgement["evidence"]["groups"][0]["counted"] == 805
    assert judgement["severity"] > 1


def test_the_figure_of_scores_shows_the_groups_that_are_apart() -> None:
    """Three rows with the extreme rate are not drawn in place of two groups that are shown to differ."""
    truth, group = [0, 1] * 600 + [1, 0, 1], ["a"] * 600 + ["b"] * 600 + ["tiny"] * 3
    score = [0.2, 0.9] * 300 + [0.1, 0.3] * 300 + [0.9, 0.9, 0.9]
    record = eh.audit_predictions(truth, y_score=score, sensitive_features={"site": group})
    page = eh.render(record, None, "html")
    start = page.index("Scores of the two groups that are compared first above, by site")
    assert "site=a" in page[start : start + 3000]
    assert "site=b" in page[start : start + 3000]
    assert "site=tiny" not in page[start : start + 3000]
