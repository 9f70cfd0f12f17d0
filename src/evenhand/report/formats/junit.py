"""JUnit XML by Jenkins' schema, which GitLab reads, too: one test case per limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from evenhand.records import digest
from evenhand.report.formats.format import Format
from evenhand.report.formats.judged_only import level, message, names, need_verdict
from evenhand.report.formats.plain_text import short

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Verdict


def junit(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """Test cases for Jenkins, GitLab and others (.xml): what stops is a failure, what does not is skipped."""
    judged = need_verdict(verdict, "junit")
    suite = ET.Element("testsuite", name="evenhand", tests=str(len(judged.judgements)), errors="0")
    properties = ET.SubElement(suite, "properties")
    told = {
        "verdict": judged.status, "policy": short(judged.policy_name), "policy_sha256": judged.policy_sha256,
        "audit_digest": digest(record), "confidence": f"{judged.confidence:g}",
    }  # fmt: skip
    for name, fact in told.items():
        ET.SubElement(properties, "property", name=name, value=_legal(fact))
    cases = [_case(suite, judgement, name) for judgement, name in zip(judged.judgements, names(judged), strict=True)]
    for name, value in (("failures", cases.count("failure")), ("skipped", cases.count("skipped")), ("time", 0)):
        suite.set(name, str(value))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, judgement: Judgement, name: str) -> str:
    """Add a test case; return ``passed``, ``failure`` or ``skipped``."""
    metric = _legal(f"evenhand.{short(judgement.key.metric)}")
    case = ET.SubElement(suite, "testcase", classname=metric, name=_legal(name), time="0")
    said = _legal(message(judgement))
    loud = level(judgement)
    if loud == "none":
        ET.SubElement(case, "system-out").text = said
        return "passed"
    if loud == "error":
        ET.SubElement(case, "failure", type=judgement.status, message=said).text = said
        return "failure"
    ET.SubElement(case, "skipped", message=said)
    return "skipped"


def _legal(text: str) -> str:
    """Return text with each character that XML 1.0 forbids replaced by U+FFFD."""
    return "".join(char if _is_legal(ord(char)) else "\ufffd" for char in text)


def _is_legal(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


FORMAT: Final = Format(junit, (".xml",))
