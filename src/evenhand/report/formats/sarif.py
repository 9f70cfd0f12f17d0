"""SARIF 2.1.0 (OASIS): each limit a rule, each judgement that did not pass a result at the limit's line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from evenhand.metrics import describe
from evenhand.report.formats.format import Format
from evenhand.report.formats.judged_only import level, message, need_verdict, stable_id
from evenhand.report.formats.plain_text import as_json, short

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Judgement, Verdict

LONGEST_MODEL: Final = 80
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT: Final = "%SRCROOT%"
"""The name that readers of SARIF know for the root of the repository."""


def sarif(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """Results for code scanning (.sarif): what stops is an error, what else did not pass a warning.

    Limits that passed are rules but not results: code scanning shows every result as an alert, whatever its kind. An
    undecided limit is of the kind "fail", too: the standard keeps "open" for results without a level, and one that
    stops a release would then be no error. Whether it failed or is undecided is in its message and properties.
    """
    judged = need_verdict(verdict, "sarif")
    rules = {str(judgement.limit.key): judgement for judgement in judged.judgements}
    order = {rule: at for at, rule in enumerate(rules)}
    told = [judgement for judgement in judged.judgements if judgement.status != "passed"]
    run: dict[str, Plain] = {
        "tool": {"driver": _driver(record, rules, judged)},
        # Code scanning takes what is before the last slash for the category: one for each model, each with its alerts.
        "automationDetails": {"id": f"evenhand/{_model(record)}/"},
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [{"executionSuccessful": True, "exitCode": judged.exit_code}],
        "results": [_result(judgement, order, judged) for judgement in told],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "verdict": judged.status,
            "policySha256": judged.policy_sha256,
            "limits": len(judged.judgements),
            "passed": len(judged.judgements) - len(told),
        },
    }
    document: dict[str, Plain] = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return as_json(document)


def _model(record: AuditRecord) -> str:
    name = short(record.provenance.get("subject", {}).get("name", "model"), LONGEST_MODEL)
    return name.replace("/", "-").strip() or "model"


def _driver(record: AuditRecord, rules: dict[str, Judgement], verdict: Verdict) -> Plain:
    version = record.provenance.get("versions", {}).get("evenhand", "")
    known: dict[str, Plain] = {"version": short(version)} if version else {}
    if verdict.help_url:
        known["informationUri"] = verdict.help_url
    told: list[Plain] = [_rule(rule, judgement) for rule, judgement in rules.items()]
    return {"name": "evenhand", **known, "rules": told}


def _rule(rule: str, judgement: Judgement) -> Plain:
    entry = describe(judgement.key.metric)
    limit = judgement.limit
    told: dict[str, Plain] = {
        "id": short(rule),
        "name": short(entry.label),
        "shortDescription": {"text": _text(short(entry.label))},
        "fullDescription": {"text": _text(entry.meaning)},
        "help": {"text": _text(" ".join(part for part in (entry.meaning, entry.misleads, limit.note) if part))},
        "defaultConfiguration": {"level": "error" if judgement.blocking else "warning"},
    }
    if limit.help_url:
        told["helpUri"] = limit.help_url
    if limit.controls:
        told["properties"] = {"tags": [short(control) for control in limit.controls[:20]]}
    return told


def _result(judgement: Judgement, order: dict[str, int], verdict: Verdict) -> Plain:
    rule = str(judgement.limit.key)
    region: dict[str, Plain] = {"startLine": max(judgement.limit.line, 1)}
    place: Plain = {"uri": quote(verdict.policy_path, safe="/", errors="surrogatepass"), "uriBaseId": ROOT}
    return {
        "ruleId": short(rule),
        "ruleIndex": order[rule],
        "kind": "fail",
        "level": level(judgement),
        "message": {"text": _text(message(judgement))},
        "locations": [{"physicalLocation": {"artifactLocation": place, "region": region}}],
        "partialFingerprints": {"evenhandLimit/v1": stable_id(judgement)},
        # An empty list means "not suppressed"; the standard requires it on all results of a run or none (3.27.23).
        "suppressions": _suppressions(judgement),
        # Also on all results or none (3.27.24): where an earlier audit was given.
        **({"baselineState": _since(judgement)} if any(other.before for other in verdict.judgements) else {}),
        "properties": {"status": judgement.status, "stops": judgement.stops},
    }


def _since(judgement: Judgement) -> str:
    """Return the state compared with the earlier audit, in the standard's terms."""
    if judgement.before in (None, "passed"):
        return "new"
    return "unchanged" if judgement.before == judgement.status else "updated"


def _suppressions(judgement: Judgement) -> list[Plain]:
    waiver = judgement.waiver
    if waiver is None:
        return []
    approved = f", approved by {waiver.approved_by}" if waiver.approved_by else ""
    said = f"{waiver.reason} ({waiver.owner}{approved}, until {waiver.expires})"
    return [{"kind": "external", "status": "accepted", "justification": short(said)}]


def _text(text: str) -> str:
    """Return text escaped for a SARIF message: braces would be placeholders (3.11.5), ``](`` a link (3.11.6)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "]\\(")


FORMAT: Final = Format(sarif, (".sarif",))
