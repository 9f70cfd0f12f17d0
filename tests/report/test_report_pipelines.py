"""What pipelines read: valid by their own rules, and anybody's names are text in all of them."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

import evenhand as eh
from evenhand.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Case = tuple[str, AuditRecord, Verdict]
    Make = Callable[[str], tuple[AuditRecord, Verdict]]

TEXTS = [name for name in sorted(FORMATS) if not FORMATS[name].of]
"""The formats that are text."""


@pytest.mark.parametrize("form", ["junit", "sarif", "github", "gitlab"])
def test_without_a_policy_there_is_nothing_to_tell(form: str, make_case: Make) -> None:
    with pytest.raises(eh.EvenhandError, match="needs a policy"):
        eh.render(make_case("failing")[0], None, form)


@pytest.mark.parametrize("form", TEXTS)
def test_every_format_says_every_case(form: str, case: Case) -> None:
    _, record, verdict = case
    text = eh.render(record, verdict, form)
    assert text == eh.render(record, verdict, form), "the same bytes for the same record"
    assert len(text) < 300_000
    if form not in ("json", "csv"):  # data for machines, whole; all others are cut visibly
        assert "x" * 1000 not in text


class TestJunit:
    def tree(self, case: Case) -> ET.Element:
        return ET.fromstring(eh.render(case[1], case[2], "junit").encode())

    def test_one_case_a_limit_with_a_name_of_its_own(self, case: Case) -> None:
        cases = self.tree(case).findall("./testsuite/testcase")
        assert len(cases) == len(case[2].judgements)
        assert len({(part.get("classname"), part.get("name")) for part in cases}) == len(cases)

    def test_counts_agree_with_the_verdict(self, case: Case) -> None:
        suite = self.tree(case).find("testsuite")
        assert suite is not None
        stops = sum(judgement.stops for judgement in case[2].judgements)
        assert suite.get("failures") == str(stops) == str(len(suite.findall("./testcase/failure")))
        assert suite.get("skipped") == str(len(suite.findall("./testcase/skipped")))
        assert (stops > 0) == (case[2].exit_code != 0)

    def test_only_what_jenkins_schema_knows(self, case: Case) -> None:
        known = {
            "testsuites": set(),
            "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
            "properties": set(),
            "property": {"name", "value"},
            "testcase": {"classname", "name", "time"},
            "failure": {"type", "message"},
            "skipped": {"message"},
            "system-out": set(),
        }
        for element in self.tree(case).iter():
            assert set(element.attrib) <= known[element.tag]

    def test_characters_that_xml_cannot_say(self) -> None:
        from evenhand.report.formats.junit import _legal

        assert _legal("a\x00b\x0b\ud800\ufffe\t") == "a\ufffdb\ufffd\ufffd\ufffd\t"


class TestSarif:
    def run(self, case: Case) -> dict[str, object]:
        document = json.loads(eh.render(case[1], case[2], "sarif"))
        assert document["version"] == "2.1.0"
        (run,) = document["runs"]
        return run  # type: ignore[no-any-return]

    def test_results_point_to_their_rules_and_lines(self, case: Case, tmp_path: Path) -> None:
        run = self.run(case)
        rules = run["tool"]["driver"]["rules"]  # type: ignore[index]
        lines = (tmp_path / "policy.toml").read_text().splitlines()
        for result in run["results"]:  # type: ignore[attr-defined]
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            place = result["locations"][0]["physicalLocation"]
            assert result["ruleId"] in lines[place["region"]["startLine"] - 1].replace('\\"', '"')
            assert place["artifactLocation"]["uri"] == "policy.toml"

    def test_kind_and_level(self, case: Case) -> None:
        for result in self.run(case)["results"]:  # type: ignore[attr-defined]
            assert result["kind"] == "fail", "the standard allows a level for no other kind"
            assert result["level"] == ("error" if result["properties"]["stops"] else "warning")
            assert result["message"]["text"].startswith(result["properties"]["status"])

    def test_fingerprints_hold_no_measured_value(self, make_case: Make) -> None:
        record, verdict = make_case("failing")
        from dataclasses import replace

        other = replace(record, findings=tuple(replace(f, support=f.support + 1) for f in record.findings))
        policy_again = json.loads(eh.render(other, verdict, "sarif"))["runs"][0]["results"]
        first = json.loads(eh.render(record, verdict, "sarif"))["runs"][0]["results"]
        assert [r["partialFingerprints"] for r in first] == [r["partialFingerprints"] for r in policy_again]
        prints = [r["partialFingerprints"]["evenhandLimit/v1"] for r in first]
        assert len(set(prints)) == len(prints)


class TestGithub:
    LINE = re.compile(r"^::(error|warning|notice) [^\n]*?::[^\n]*$")

    def test_every_line_is_one_command(self, case: Case) -> None:
        for line in eh.render(case[1], case[2], "github").splitlines():
            assert self.LINE.match(line), line

    def test_at_most_ten_of_a_kind(self, make_case: Make) -> None:
        record, _ = make_case("hostile")
        strict = {"recall[race=*]": {"at_least": 0.999}, "accuracy[race=*]": {"at_least": 0.999}}
        verdict = eh.judge(record, eh.load_policy({"limits": strict}))
        lines = eh.render(record, verdict, "github").splitlines()
        errors = [line for line in lines if line.startswith("::error ")]
        assert len(errors) == 10
        assert re.search(r"::\d+ more are in the report\.$", errors[-1])

    def test_a_name_cannot_begin_a_command(self) -> None:
        from evenhand.report.formats.github import _data, _property

        assert _data("a\n::error::b%") == "a%0A::error::b%25"
        assert _property("x,title=y:z") == "x%2Ctitle=y%3Az"


def test_gitlab_names_what_did_not_pass(case: Case) -> None:
    entries = json.loads(eh.render(case[1], case[2], "gitlab"))
    assert len(entries) == sum(judgement.status != "passed" for judgement in case[2].judgements)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    for entry in entries:
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert entry["location"]["lines"]["begin"] >= 1


def test_csv_is_a_table_that_no_spreadsheet_runs(case: Case) -> None:
    _, record, verdict = case
    for text, rows in (
        (eh.render(record, verdict, "csv"), verdict.judgements),
        (eh.render(record, None, "csv"), record.findings),
    ):
        table = list(csv.reader(io.StringIO(text)))
        assert len(table) == len(rows) + 1
        assert len({len(row) for row in table}) == 1
        numbers = re.compile(r"^-?\d")
        assert not [cell for row in table for cell in row if cell[:1] in "=+-@" and cell and not numbers.match(cell)]


def test_cells_that_would_be_formulas() -> None:
    from evenhand.report.formats.csv_format import _safe

    assert [_safe(text) for text in ("=cmd()", "+1", "-x", "@a", "a=b")] == ["'=cmd()", "'+1", "'-x", "'@a", "a=b"]


def test_the_model_cards_front_matter_is_yaml(case: Case) -> None:
    yaml = pytest.importorskip("yaml")
    text = eh.render(case[1], case[2], "model-card")
    _, front, body = text.split("---\n", 2)
    (entry,) = yaml.safe_load(front)["model-index"]
    (result,) = entry["results"]
    accuracy = next(metric["value"] for metric in result["metrics"] if metric["type"] == "accuracy")
    assert accuracy == pytest.approx(case[1]["accuracy"].estimate, abs=1e-6)
    assert "## Limitations" in body
