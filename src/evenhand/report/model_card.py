"""A model card for Hugging Face: front matter with `model-index`, and a section that says what was found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from evenhand.metrics import describe
from evenhand.report.markdown_text import as_markdown
from evenhand.report.numbers import cut, with_interval
from evenhand.report.page import build_page

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Verdict

METRICS: Final = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")


def model_card(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """A README for a model hub (.md by name): metrics as data, groups and verdict as text."""
    page = build_page(record, verdict)
    # JSON is YAML, and its strings need no care for what YAML would make of them.
    front = json.dumps({"model-index": [_index(record)], "tags": ["evenhand"]}, indent=1, ensure_ascii=False)
    lines = ["---", front.strip()[1:-1].strip("\n"), "---", "", f"# {as_markdown(page.title)}", ""]
    lines += ["## Evaluation", "", f"**{page.headline}.** {as_markdown(page.sentence)}", ""]
    lines += ["| metric | estimate and 95 % interval | rows |", "| --- | --- | --- |"]
    for name in METRICS:
        found = record.get(name)
        if found is not None:
            lines.append(f"| {describe(name).label} | {with_interval(found, 3)} | {found.support:,} |")
    for part in page.parts:
        if part.name.startswith("groups-"):
            lines += ["", f"### {as_markdown(part.title)}", "", *(as_markdown(text) for text in part.lead)]
    limits = next(part for part in page.parts if part.name == "limitations")
    lines += ["", "## Limitations", "", *(f"- {as_markdown(text)}" for text in limits.lead)]
    return "\n".join(lines).rstrip() + "\n"


def _index(record: AuditRecord) -> Plain:
    data, subject = record.provenance.get("data"), record.provenance.get("subject")
    source = data if isinstance(data, dict) else {}
    name = subject.get("name", "model") if isinstance(subject, dict) else "model"
    found = [(name, record.get(name)) for name in METRICS]
    metrics: list[Plain] = [
        {"type": metric, "name": describe(metric).label, "value": round(finding.estimate, 6)}
        for metric, finding in found
        if finding is not None and finding.estimate is not None
    ]
    return {
        "name": cut(str(name), 120),
        "results": [
            {
                "task": {"type": "tabular-classification"},
                "dataset": {
                    "name": cut(str(source.get("name", "data")), 120),
                    "type": "tabular",
                    "revision": str(source.get("content_hash", "")),
                },
                "metrics": metrics,
            }
        ],
    }
