"""Formats by the rules of those who read them, and hostile names in every one of them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

import evenhand as eh
from evenhand.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Case = tuple[str, AuditRecord, Verdict]
    Make = Callable[[str], tuple[AuditRecord, Verdict]]

TEXTS = [name for name in sorted(FORMATS) if not FORMATS[name].of]
"""The formats that are text."""
JUNIT: dict[str, tuple[set[str], set[str], set[str], bool]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}, False),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        False,
    ),
    "properties": (set(), set(), {"property"}, False),
    "property": ({"name", "value"}, set(), set(), False),
    "testcase": (
        {"name"}, {"time", "classname", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}, False,
    ),
    "failure": (set(), {"type", "message"}, set(), True),
    "skipped": (set(), {"type", "message"}, set(), True),
    "system-out": (set(), set(), set(), True),
}  # fmt: skip
"""What junit-10.xsd of Jenkins' xUnit plugin asks: attributes that must and may be there, children, and text."""
SARIF_SCHEMA = os.environ.get("EVENHAND_SARIF_SCHEMA")


def test_junit_is_what_jenkins_schema_asks(case: Case, rich: tuple[AuditRecord, Verdict]) -> None:
    for record, verdict in (case[1:], rich):
        root = ET.fromstring(eh.render(record, verdict, "junit").encode())
        assert root.tag == "testsuites"
        for element in root.iter():
            must, may, children, text = JUNIT[element.tag]
            assert must <= set(element.attrib) <= must | may, element.tag
            assert {child.tag for child in element} <= children, element.tag
            assert text or not (element.text or "").strip(), element.tag
        for suite in root.iter("testsuite"):
            assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", suite.get("time", ""))
            named = [(part.get("classname"), part.get("name")) for part in suite.iter("testcase")]
            assert len(set(named)) == len(named), "of two cases of one name GitLab counts the first"


@pytest.mark.skipif(not SARIF_SCHEMA, reason="EVENHAND_SARIF_SCHEMA names no schema (npm pack @microsoft/jest-sarif)")
def test_sarif_is_valid_by_its_schema(case: Case, rich: tuple[AuditRecord, Verdict]) -> None:
    import jsonschema

    schema = json.loads(Path(str(SARIF_SCHEMA)).read_text("utf-8-sig"))
    check = jsonschema.validators.validator_for(schema)(schema)
    for record, verdict in (case[1:], rich):
        found = [error.message for error in check.iter_errors(json.loads(eh.render(record, verdict, "sarif")))]
        assert found == []


def test_sarif_says_undecided_waived_and_since_when(rich: tuple[AuditRecord, Verdict]) -> None:
    results = json.loads(eh.render(*rich, "sarif"))["runs"][0]["results"]
    statuses = {result["ruleId"]: result["properties"]["status"] for result in results}
    assert statuses["declared[human_oversight]"] == "undecided"
    waived = [result for result in results if result["suppressions"]]
    assert [result["ruleId"] for result in waived] == ["precision"]
    assert waived[0]["suppressions"][0]["status"] == "accepted"
    assert waived[0]["level"] == "warning"
    assert {result["baselineState"] for result in results} <= {"new", "unchanged", "updated"}


def test_cyclonedx_is_valid_by_its_own_library(case: Case, rich: tuple[AuditRecord, Verdict]) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    check = validation.JsonStrictValidator(SchemaVersion.V1_6)
    for record, verdict in (case[1:], rich):
        wrong = check.validate_str(eh.render(record, verdict, "cyclonedx"))
        assert wrong is None, str(wrong)[:500]
    broken: Any = json.loads(eh.render(*rich, "cyclonedx"))
    broken["components"][0]["modelCard"]["modelParameters"]["task_"] = "x"
    assert check.validate_str(json.dumps(broken)) is not None, "the check can fail"


def test_step_summary_and_comment_fit_their_places(case: Case, rich: tuple[AuditRecord, Verdict]) -> None:
    for record, verdict in (case[1:], rich):
        for lang in ("en", "zh-CN"):
            text = eh.render(record, verdict, "markdown", lang=lang)
            assert len(text) < 65_536, "a comment on GitHub"
            assert len(text.encode()) < 1_048_576, "a step summary"


SHOWN = (
    "</script><img onerror=alert(1) src=x>",
    "]]>",
    "::error::no such limit",
    "left|right",
    "=cmd()",
)
"""Names that must come out as they are, as text."""


class TestHostileNames:
    @pytest.fixture
    def hostile(self, make_case: Make) -> tuple[AuditRecord, Verdict]:
        return make_case("hostile")

    @pytest.mark.parametrize("form", TEXTS)
    def test_no_format_lets_directions_or_control_characters_through(
        self, form: str, hostile: tuple[AuditRecord, Verdict]
    ) -> None:
        text = eh.render(*hostile, form)
        if form == "json":  # JSON is the record itself, and says such characters as escapes or as they are
            assert json.loads(text)
            return
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f]", text)

    def test_html_and_svg(self, hostile: tuple[AuditRecord, Verdict]) -> None:
        page = eh.render(*hostile)
        assert "<img" not in page and "<script" not in page
        words = unescape(re.sub("<[^>]*>", " ", page))
        for name in SHOWN:
            assert name in words
        for svg in re.findall(r"<svg .*?</svg>", page, re.S):
            ET.fromstring(svg)

    def test_xml(self, hostile: tuple[AuditRecord, Verdict]) -> None:
        text = eh.render(*hostile, "junit")
        said = " ".join(part.get("name", "") for part in ET.fromstring(text.encode()).iter("testcase"))
        for name in SHOWN:
            assert name in said
        assert "]]>" not in text, "it would end a CDATA section of whoever pastes it"

    def test_sarif(self, hostile: tuple[AuditRecord, Verdict]) -> None:
        record, _ = hostile
        strict = eh.judge(record, eh.load_policy({"limits": {"recall[race=*]": {"at_least": 0.9999}}}))
        messages = [r["message"]["text"] for r in json.loads(eh.render(record, strict, "sarif"))["runs"][0]["results"]]
        for name in SHOWN:
            assert any(name in message.replace("{{", "{") for message in messages)
        assert not [message for message in messages if "\n" in message]

    def test_markdown(self, hostile: tuple[AuditRecord, Verdict]) -> None:
        text = eh.render(*hostile, "markdown")
        assert not re.search(r"(?<!\\)<(img|script)", text)
        widths: list[int] = []
        for line in text.splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            if cells and widths and widths[-1]:
                assert cells == widths[-1], line[:200]
            widths.append(cells)

    def test_csv(self, hostile: tuple[AuditRecord, Verdict]) -> None:
        for verdict in (hostile[1], None):
            for row in csv.reader(io.StringIO(eh.render(hostile[0], verdict, "csv"))):
                assert not [cell for cell in row if re.match(r"[=+@]|-(?!\d)", cell) or "\n" in cell]

    def test_annotations(self, hostile: tuple[AuditRecord, Verdict]) -> None:
        record, _ = hostile
        strict = eh.judge(record, eh.load_policy({"limits": {"recall[race=*]": {"at_least": 0.9999}}}))
        for line in eh.render(record, strict, "github").splitlines():
            command, _, rest = line[2:].partition("::")
            assert re.match(r"(error|warning|notice) ", command)
            assert "\n" not in rest and "\r" not in rest
            assert command.count("title=") == 1
