"""A model card for Hugging Face: front matter with `model-index`, and a section of findings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from evenhand.metrics import describe
from evenhand.report.formats.format import Format
from evenhand.report.formats.markdown_text import as_markdown, as_table
from evenhand.report.formats.plain_text import as_yaml, short
from evenhand.report.mitigated import BY_GROUP
from evenhand.report.numbers import with_interval
from evenhand.report.page import build_page
from evenhand.report.reported import reported

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, Plain
    from evenhand.policy import Verdict
    from evenhand.report.view import Page

MOST_LIMITS: Final = 100
LONGEST_NAME: Final = 120
LIBRARIES: Final = {
    "scikit-learn": "sklearn", "torch": "pytorch", "onnx": "onnx", "keras": "keras", "transformers": "transformers",
    "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost", "statsmodels": "statsmodels",
}  # fmt: skip
"""The hub's name of what runs a model; callables and predictions have none."""
TASKS: Final = {
    ("table", "regression"): "tabular-regression", ("table", "ranking"): "other",
    ("table", "transcription"): "automatic-speech-recognition",
    ("texts", "regression"): "other", ("texts", "ranking"): "text-ranking",
}  # fmt: skip
"""The hub's name of a task, by input and label, where it is no classification."""
CLASSIFYING: Final = {
    "table": "tabular-classification",
    "texts": "text-classification",
    "tokens": "text-classification",
}
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
"""A licence that has an identifier; any other is of the hub's kind "other", with a name."""
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
"""The code of a language, ISO 639."""
ADDRESS: Final = re.compile(r"https?://[^\s;,]+")


def model_card(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """A README for a model hub (.md by name): metrics as data, groups and verdict as text."""
    page = build_page(record, verdict)
    found = reported(record)
    lines = [*_front(record, found), f"# {as_markdown(page.title)}", "", "## Evaluation", ""]
    lines += [f"**{as_markdown(page.headline)}.** {as_markdown(page.sentence)}", ""]
    lines += _decides_by(record)
    rows = [(_label(finding), with_interval(finding, 3), f"{finding.support:,}") for finding in found]
    lines += as_table(("metric", "estimate and interval", "rows"), rows)
    if found:
        lines += ["", _confidence(found)]
    lines += _limits(page)
    lines += _declared(record)
    for part in page.parts:
        if part.name.startswith("groups-"):
            lines += ["", f"### {as_markdown(part.title)}", "", *(as_markdown(text) for text in part.lead)]
    limits = next(part for part in page.parts if part.name == "limitations")
    lines += ["", "## Limitations", "", *(f"- {as_markdown(text)}" for text in limits.lead)]
    return "\n".join(lines).rstrip() + "\n"


def _decides_by(record: AuditRecord) -> list[str]:
    """Return what a reader has to know of a model whose rule asks for sensitive features."""
    told = record.provenance.get("subject", {}).get("decides_by")
    names = [short(name, LONGEST_NAME) for name in told] if isinstance(told, list) else []
    return [as_markdown(f"{BY_GROUP} It must be told: {', '.join(names)}."), ""] if names else []


def front_matter(record: AuditRecord, found: list[Finding]) -> dict[str, Plain]:
    """Return the metadata that the hub reads: licence and language as declared, the library, the results."""
    said = record.provenance.get("declared", {})
    metrics = [finding for finding in found if finding.estimate is not None]
    subject, task = record.provenance.get("subject", {}), _task(record)
    library = LIBRARIES.get(subject.get("kind", ""), "")
    told: dict[str, Plain] = {
        **_license(said.get("license", "")),
        "language": [code for code in re.split(r"[\s;,]+", said.get("language", "")) if LANGUAGE.fullmatch(code)],
        "library_name": library,
        "pipeline_tag": "" if task == "other" else task,
        "tags": ["evenhand", *([task] if task != "other" else [])],
        "metrics": [*sorted({finding.key.metric for finding in metrics if not finding.key.columns})],
        # the hub refuses a result without metrics
        "model-index": [_index(record, [_metric(finding) for finding in metrics])] if metrics else [],
    }
    return {name: value for name, value in told.items() if value}


def _front(record: AuditRecord, found: list[Finding]) -> list[str]:
    return ["---", *as_yaml(front_matter(record, found)), "---", ""]


def _task(record: AuditRecord) -> str:
    read = record.provenance.get("subject", {}).get("reads", "table")
    task = record.provenance.get("data", {}).get("task", "binary")
    plain = CLASSIFYING.get(read, "other")
    return TASKS.get((read, task), "other") if task in ("regression", "ranking", "transcription") else plain


def _license(said: str) -> dict[str, Plain]:
    """Return a licence as the hub asks: an identifier in small letters, or "other" with a name and an address."""
    if not said or IDENTIFIER.fullmatch(said):
        return {"license": said.lower()}
    address = ADDRESS.search(said)
    name = re.sub(r"[^a-z0-9.]+", "-", ADDRESS.sub("", said).lower()).strip("-")[:60]
    link: dict[str, Plain] = {"license_link": short(address[0], 200)} if address else {}
    return {"license": "other", "license_name": name or "declared", **link}


def _index(record: AuditRecord, metrics: list[Plain]) -> Plain:
    data, subject = record.provenance.get("data", {}), record.provenance.get("subject", {})
    kind = {"table": "tabular"}.get(subject.get("reads", "table"), subject.get("reads", "table"))
    dataset: dict[str, Plain] = {"name": short(data.get("name", "data"), LONGEST_NAME), "type": kind}
    if data.get("content_hash"):
        dataset["args"] = {"content_hash": short(data["content_hash"], LONGEST_NAME)}
    results: Plain = [{"task": {"type": _task(record)}, "dataset": dataset, "metrics": metrics}]
    return {"name": short(subject.get("name", "model"), LONGEST_NAME), "results": results}


def _metric(finding: Finding) -> Plain:
    assert finding.estimate is not None  # the caller leaves out what has no value
    ends: dict[str, Plain] = {"rows": finding.support}
    if finding.interval is not None:
        interval = {"low": finding.interval.low, "high": finding.interval.high, "level": finding.interval.level}
        ends = {**{name: value for name, value in interval.items() if value is not None}, **ends}
    return {
        "type": finding.key.metric,
        "name": f"{_label(finding)}: {with_interval(finding, 3)}, n={finding.support}",
        "value": round(finding.estimate, 6),
        "config": short(str(finding.key), LONGEST_NAME),
        "args": ends,
    }


def _label(finding: Finding) -> str:
    columns = ", ".join(finding.key.columns)
    return short(f"{describe(finding.key.metric).label} ({columns})" if columns else describe(finding.key.metric).label)


def _confidence(found: list[Finding]) -> str:
    """Return the level of the intervals in words."""
    levels = {finding.interval.level for finding in found if finding.interval is not None}
    said = " and ".join(f"{100 * level:g} %" for level in sorted(levels))
    return f"Intervals hold the true value in {said} of audits." if levels else "No interval was computed."


def _declared(record: AuditRecord) -> list[str]:
    """Return the declarations under the hub's heading; nothing when nothing was declared."""
    said = record.provenance.get("declared")
    if not said:
        return []
    answers = [f"- {name.replace('_', ' ').capitalize()}: {as_markdown(answer)}" for name, answer in said.items()]
    return ["", "### Declared, not measured", "", *answers]


def _limits(page: Page) -> list[str]:
    if not page.limits:
        return []
    rows = [(row.badge, row.key, row.measured, row.limit) for row in page.limits[:MOST_LIMITS]]
    left = len(page.limits) - len(rows)
    more = ["", f"{left} more limits are in the report."] if left else []
    return ["", "### Limits", "", *as_table(("", "limit on", "measured", "limit"), rows), *more]


FORMAT: Final = Format(model_card)
