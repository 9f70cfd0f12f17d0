"""CycloneDX 1.6 (ECMA-424) ML-BOM: the model as a component, the findings as its model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid5

from evenhand.metrics import describe
from evenhand.metrics.catalogue.lists import stated
from evenhand.policy.harm import harm_of
from evenhand.records import digest
from evenhand.report.formats.format import Format
from evenhand.report.formats.plain_text import as_json, short

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, Plain
    from evenhand.policy import Verdict
    from evenhand.provenance import SubjectFacts

SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
DECLARED: Final = {"users": "affected", "useCases": "intended_use", "technicalLimitations": "known_limitations"}
"""The card's considerations, by the declaration that answers them."""
DATA_FACTS: Final = ("content_hash", "rows", "label", "source")
ATTRIBUTED: Final = ("importance", "attribution_residual")


def cyclonedx(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """A bill of materials of the model (.json by name): its hash, its data, each metric by group."""
    held = digest(record)
    document: dict[str, Plain] = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # The same record gives the same bill, so its serial number comes from the record's digest.
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, f'evenhand:{held}')}",
        "version": 1,
        "metadata": {"tools": {"components": [_tool(record)]}},
        "components": [_model(record, verdict, held)],
    }
    return as_json(document)


def _tool(record: AuditRecord) -> Plain:
    version = record.provenance.get("versions", {}).get("evenhand")
    tool: dict[str, Plain] = {"type": "application", "name": "evenhand"}
    return {**tool, "version": short(version)} if version else tool


def _model(record: AuditRecord, verdict: Verdict | None, held: str) -> Plain:
    subject = record.provenance.get("subject", {})
    component: dict[str, Plain] = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": short(subject.get("name", "model")),
        "modelCard": {
            "modelParameters": _parameters(record, subject),
            "quantitativeAnalysis": {"performanceMetrics": [_metric(finding) for finding in _reported(record)]},
            "considerations": _considerations(record),
        },
        "properties": _properties(verdict, held),
    }
    sha256 = subject.get("sha256")
    if sha256 and len(sha256) == 64:
        component["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    return component


def _parameters(record: AuditRecord, subject: SubjectFacts) -> Plain:
    data = record.provenance.get("data", {})
    facts: list[Plain] = [_property(f"evenhand:{name}", data[name]) for name in DATA_FACTS if data.get(name)]
    dataset: dict[str, Plain] = {"type": "dataset", "name": short(data.get("name", "data"))}
    if facts:
        dataset["contents"] = {"properties": facts}
    parameters: dict[str, Plain] = {
        "approach": {"type": "supervised"},
        "task": "classification",
        "datasets": [{**dataset, "description": "The data of the audit, not of the training."}],
    }
    if subject.get("kind"):
        parameters["architectureFamily"] = short(subject["kind"])
    return parameters


def _reported(record: AuditRecord) -> list[Finding]:
    """Return the findings with a value that describe performance, not explanations."""
    found = (finding for finding in record.findings if finding.key.metric not in ATTRIBUTED)
    return [finding for finding in found if finding.estimate is not None and not finding.volatile]


def _metric(finding: Finding) -> Plain:
    told: dict[str, Plain] = {"type": short(finding.key.metric), "value": repr(finding.estimate)}
    if finding.key.features or finding.key.qualifiers:
        told["slice"] = short(str(finding.key))
    if finding.interval is not None:
        # An end that is unbounded is left out: the standard has no value for it.
        ends = {"lowerBound": finding.interval.low, "upperBound": finding.interval.high}
        told["confidenceInterval"] = {name: repr(end) for name, end in ends.items() if end is not None}
    return told


def _considerations(record: AuditRecord) -> Plain:
    declared = record.provenance.get("declared", {})
    said = {place: declared.get(name) for place, name in DECLARED.items()}
    told: dict[str, Plain] = {place: [short(answer, 2000)] for place, answer in said.items() if answer}
    assessed: list[Plain] = [
        _assessed(finding, record)
        for finding in record.findings
        if finding.key.metric in stated("bill gap") and finding.estimate is not None and len(finding.furthest) > 1
    ]
    if assessed:
        told["fairnessAssessments"] = assessed
    return told


def _assessed(finding: Finding, record: AuditRecord) -> Plain:
    """Return a gap between groups, and the group at risk: both where nothing says which of them is harmed."""
    low, high = (short(part.group) for part in finding.furthest)
    harm = harm_of(finding.key, finding.component, record)
    return {
        "groupAtRisk": high if harm > 0 else low if harm < 0 else f"{low} or {high}",
        "harms": f"{describe(finding.key.metric).label} over {short(str(finding.key))}: {finding.estimate:.3f}, "
        f"shown best between {low} and {high}",
    }


def _properties(verdict: Verdict | None, held: str) -> list[Plain]:
    said = [_property("evenhand:audit_digest", held)]
    if verdict is not None:
        told = {"verdict": verdict.status, "policy": verdict.policy_name, "policy_sha256": verdict.policy_sha256}
        said += [_property(f"evenhand:{name}", value) for name, value in told.items()]
    return said


def _property(name: str, value: object) -> Plain:
    return {"name": name, "value": short(str(value))}


FORMAT: Final = Format(cyclonedx)
