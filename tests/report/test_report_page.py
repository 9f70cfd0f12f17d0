"""The page: one file that loads and runs nothing, says the verdict first, and shows every name as text."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.policy import headline
from evenhand.records import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Case = tuple[str, AuditRecord, Verdict]

GOLDEN = Path(__file__).parents[1] / "golden"
VOID = {"meta", "link", "br", "wbr", "img", "input", "hr"}
ALONE = {"line", "circle", "rect", "path"}


class Reader(HTMLParser):
    """What stands in a page: tags, attributes, text, and whether every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def measured(record: AuditRecord) -> AuditRecord:
    """Return the record with the audits and metrics that golden pages show: a new one leaves them as they are.

    EVENHAND_UPDATE_GOLDEN=all adds what is new to the pages.
    """
    place = GOLDEN / "report" / "measured.json"
    known = json.loads(place.read_text(encoding="utf-8"))
    if os.environ.get("EVENHAND_UPDATE_GOLDEN") == "all":
        known["audits"] = sorted({*known["audits"], *(section.audit for section in record.sections)})
        known["metrics"] = sorted({*known["metrics"], *(str(finding.key.metric) for finding in record.findings)})
        place.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return replace(
        record,
        findings=tuple(finding for finding in record.findings if finding.key.metric in known["metrics"]),
        sections=tuple(section for section in record.sections if section.audit in known["audits"]),
    )


@pytest.mark.parametrize("form", ["html", "markdown", "text"])
def test_golden(case: Case, form: str) -> None:
    """Any change of what people read is seen in the difference; EVENHAND_UPDATE_GOLDEN=1 writes it anew."""
    name, record, verdict = case
    record = measured(record)
    ending = {"html": "html", "markdown": "md", "text": "txt"}[form]
    place = GOLDEN / "report" / f"{name}.{ending}"
    made = eh.render(record, verdict, form)
    if os.environ.get("EVENHAND_UPDATE_GOLDEN"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(made, encoding="utf-8")
    assert form != "html" or digest(record) in made
    assert without_digests(made) == without_digests(place.read_text(encoding="utf-8"))


def without_digests(page: str) -> str:
    """Return a page without digests: versions of SciPy, and processors, round the last bit of a figure differently."""
    return re.sub(r"\b[0-9a-f]{64}\b", "(digest)", page)


def test_each_case_is_what_its_name_says(make_case: Callable[[str], tuple[AuditRecord, Verdict]]) -> None:
    status = {name: make_case(name)[1].status for name in ("passing", "failing", "undecided")}
    assert status == {"passing": "passed", "failing": "failed", "undecided": "undecided"}


def test_the_page_is_well_formed(case: Case) -> None:
    _, record, verdict = case
    page = Reader(eh.render(record, verdict))
    assert page.open == []
    assert page.wrong == []
    ids = Counter(str(attrs["id"]) for _, attrs in page.tags if "id" in attrs)
    assert [name for name, count in ids.items() if count > 1] == []
    targets = [str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"]
    assert set(targets) <= set(ids)
    named = [value for _, attrs in page.tags for value in str(attrs.get("aria-labelledby") or "").split()]
    assert set(named) <= set(ids)


def test_the_page_loads_and_runs_nothing(case: Case) -> None:
    _, record, verdict = case
    made = eh.render(record, verdict)
    page = Reader(made)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name in ("style", "src", "srcset", "action")], (
            tag
        )
        assert str(attrs.get("href") or "#").startswith("#")
    assert "url(" not in made
    assert "@import" not in made


def test_the_content_policy_allows_this_style_and_nothing_else(case: Case) -> None:
    import base64
    import hashlib

    made = eh.render(case[1], case[2])
    style = re.search(r"<style>(.*?)</style>", made, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in made


def test_the_verdict_comes_first_and_every_limit_is_there(case: Case) -> None:
    _, record, verdict = case
    words = Reader(eh.render(record, verdict)).words
    assert words.index(headline(verdict).text) < words.index("Every limit") < words.rindex("What was audited")
    rows = re.findall(r'<tr id="limit-\d+" class="(passed|failed|undecided)">', eh.render(record, verdict))
    assert rows == [judgement.status for judgement in verdict.judgements]


def test_no_group_is_left_out(make_case: Callable[[str], tuple[AuditRecord, Verdict]]) -> None:
    record, verdict = make_case("undecided")
    words = Reader(eh.render(record, verdict)).words
    for text in ("black", "hispanic", "white", "hispanic (6)"):
        assert text in words


def test_hostile_names_are_text(make_case: Callable[[str], tuple[AuditRecord, Verdict]]) -> None:
    record, verdict = make_case("hostile")
    made = eh.render(record, verdict)
    page = Reader(made)
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}" in page.words
    assert "49" not in re.findall(r"(?<![\d.,])49(?![\d.,])", page.words.split("race")[0])
    assert not [char for char in made if char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
    assert "مجموعة" in page.words
    assert "x" * 400 not in made, "a name of 10,000 characters is cut visibly"


@pytest.mark.parametrize("name", ["passing", "failing", "undecided", "hostile"])
def test_budgets(name: str, make_case: Callable[[str], tuple[AuditRecord, Verdict]]) -> None:
    made = eh.render(*make_case(name))
    assert len(made.encode()) < 300_000
    for figure in re.findall("<figure .*?</figure>", made, re.S):
        drawings = re.findall("<svg viewBox.*?</svg>", figure, re.S) if "distances" in figure else [figure]
        assert all(len(drawing.encode()) < 12_000 for drawing in drawings)


def test_the_same_record_gives_the_same_bytes(make_case: Callable[[str], tuple[AuditRecord, Verdict]]) -> None:
    assert eh.render(*make_case("failing")) == eh.render(*make_case("failing"))


def test_a_page_is_drawn_again_from_the_file_alone(
    make_case: Callable[[str], tuple[AuditRecord, Verdict]], tmp_path: Path
) -> None:
    record, verdict = make_case("undecided")
    eh.write_record(tmp_path / "audit.json", record)
    assert eh.render(eh.read_record(tmp_path / "audit.json"), verdict) == eh.render(record, verdict)


def test_without_a_policy_nothing_is_passed_or_failed(make_case: Callable[[str], tuple[AuditRecord, Verdict]]) -> None:
    record, _ = make_case("failing")
    words = Reader(eh.render(record)).words
    assert "No policy was given" in words
    assert "Every limit" not in words


def test_every_figure_is_a_table_or_has_a_title_a_description_and_a_table(case: Case) -> None:
    made = eh.render(case[1], case[2])
    figures = re.findall(r'<figure class="chart.*?</figure>', made, re.S)
    assert figures
    for figure in figures:
        if 'role="img"' not in figure:
            assert re.search(r'<table class="(rows|heat|tree)[^"]*" aria-labelledby="([^"]+)"', figure)
            assert all('aria-hidden="true"' in svg for svg in re.findall("<svg [^>]*>", figure))
            continue
        assert re.search(r"<title [^>]*>[^<]+</title>", figure)
        assert re.search(r"<desc [^>]*>[^<]+</desc>", figure)
        elsewhere = re.search(r'<a href="#([^"]+)">The same numbers as a table', figure)
        folded = made.partition(figure)[2].partition("</section>")[0]
        assert f'<table id="{elsewhere[1]}"' in made if elsewhere else "<table" in figure or "<table" in folded


def test_status_is_never_colour_alone(case: Case) -> None:
    made = eh.render(case[1], case[2])
    for status in re.findall(r'<td class="status">(.*?)</td>', made):
        assert re.search(r"</span> (passed|failed|undecided)", status)


def test_the_format_is_told_from_the_ending(
    make_case: Callable[[str], tuple[AuditRecord, Verdict]], tmp_path: Path
) -> None:
    record, verdict = make_case("failing")
    for ending, start in ((".html", "<!doctype html>"), (".md", "# Audit"), (".json", "{"), (".txt", "")):
        eh.write_report(tmp_path / f"page{ending}", record, verdict)
        assert (tmp_path / f"page{ending}").read_text().startswith(start)
    with pytest.raises(eh.EvenhandError, match="names no format"):
        eh.write_report(tmp_path / "page.docx", record)
