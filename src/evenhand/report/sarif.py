"""SARIF 2.1.0 (OASIS): each limit a rule, each judgement a result at the limit's line in the policy file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from evenhand.metrics import describe
from evenhand.report.judged_only import message, need_verdict, short, stable_id

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Judgement, Verdict

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
KINDS: Final = {"passed": "pass", "failed": "fail", "undecided": "open"}
"""SARIF's word for what the evidence does not decide is "open"."""


def sarif(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """Results for code scanning (.sarif): undecided is open, a waiver is a suppression."""
    judged = need_verdict(verdict, "sarif")
    rules = {str(judgement.limit.key): judgement for judgement in judged.judgements}
    order = {rule: at for at, rule in enumerate(rules)}
    versions = record.provenance.get("versions")
    version = str(versions.get("evenhand", "")) if isinstance(versions, dict) else ""
    driver: dict[str, Plain] = {
        "name": "evenhand",
        "rules": [_rule(rule, judgement) for rule, judgement in rules.items()],
    }
    if version:
        driver["version"] = version
    run: dict[str, Plain] = {
        "tool": {"driver": driver},
        "results": [_result(judgement, order, judged) for judgement in judged.judgements],
        "columnKind": "unicodeCodePoints",
        "properties": {"verdict": judged.status, "policySha256": judged.policy_sha256},
    }
    document: dict[str, Plain] = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _rule(rule: str, judgement: Judgement) -> Plain:
    entry = describe(judgement.key.metric)
    return {
        "id": short(rule),
        "name": entry.label,
        "shortDescription": {"text": entry.label},
        "fullDescription": {"text": entry.meaning},
        "help": {"text": f"{entry.meaning} {entry.misleads}".strip()},
        "defaultConfiguration": {"level": "error" if judgement.blocking else "warning"},
    }


def _result(judgement: Judgement, order: dict[str, int], verdict: Verdict) -> Plain:
    rule = str(judgement.limit.key)
    kind = KINDS[judgement.status]
    level = "none" if kind != "fail" else "error" if judgement.blocking else "warning"
    result: dict[str, Plain] = {
        "ruleId": short(rule),
        "ruleIndex": order[rule],
        "kind": kind,
        "level": level,
        "message": {"text": message(judgement)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": verdict.policy_path},
                    "region": {"startLine": max(judgement.limit.line, 1)},
                }
            }
        ],
        "partialFingerprints": {"evenhandLimit/v1": stable_id(judgement)},
    }
    if judgement.waiver is not None:
        waiver = judgement.waiver
        said = f"{waiver.reason} ({waiver.owner}, until {waiver.expires})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": short(said)}]
    return result
