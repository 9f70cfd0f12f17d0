"""A model card for Hugging Face: front matter with `model-index`, and a section of findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from evenhand.metrics import describe
from evenhand.metrics.catalogue.lists import stated
from evenhand.report.formats.format import Format
from evenhand.report.formats.markdown_text import as_markdown, as_table
from evenhand.report.formats.plain_text import short
from evenhand.report.numbers import with_interval
from evenhand.report.page import build_page

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, Plain
    from evenhand.policy import Verdict
    from evenhand.report.view import Page

MOST_LIMITS: Final = 100
LONGEST_NAME: Final = 120
TASK: Final = "tabular-classification"


def model_card(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """A README for a model hub (.md by name): metrics as data, groups and verdict as text."""
    page = build_page(record, verdict)
    found = _reported(record)
    lines = [*_front(record, found), f"# {as_markdown(page.title)}", "", "## Evaluation", ""]
    lines += [f"**{as_markdown(page.headline)}.** {as_markdown(page.sentence)}", ""]
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


def _reported(record: AuditRecord) -> list[Finding]:
    """Return the findings of the card: a few over all rows, then the disparities of each feature."""
    overall = [record.get(name) for name in stated("card")]
    found = (finding for finding in record.findings if finding.key.metric in stated("card gap"))
    gaps = [finding for finding in found if len(finding.key.columns) == 1 and not finding.key.qualifiers]
    return [finding for finding in (*overall, *gaps) if finding is not None]


def _front(record: AuditRecord, found: list[Finding]) -> list[str]:
    entries: dict[str, Plain] = {"tags": [TASK, "evenhand"]}
    metrics = [_metric(finding) for finding in found if finding.estimate is not None]
    if metrics:  # the hub refuses a result without metrics
        entries["model-index"] = [_index(record, metrics)]
    lines = ["---"]
    for name, value in entries.items():
        # YAML reads JSON; all but the first line are indented, as YAML requires of a continued value.
        first, *more = json.dumps(value, indent=1, ensure_ascii=False).split("\n")
        lines += [f"{name}: {first}", *(f"  {line}" for line in more)]
    return [*lines, "---", ""]


def _index(record: AuditRecord, metrics: list[Plain]) -> Plain:
    data, name = record.provenance.get("data", {}), record.provenance.get("subject", {}).get("name", "model")
    dataset: dict[str, Plain] = {"name": short(data.get("name", "data"), LONGEST_NAME), "type": "tabular"}
    if data.get("content_hash"):
        dataset["args"] = {"content_hash": short(data["content_hash"], LONGEST_NAME)}
    results: Plain = [{"task": {"type": TASK}, "dataset": dataset, "metrics": metrics}]
    return {"name": short(name, LONGEST_NAME), "results": results}


def _metric(finding: Finding) -> Plain:
    assert finding.estimate is not None  # the caller leaves out what has no value
    return {
        "type": finding.key.metric,
        "name": f"{_label(finding)}: {with_interval(finding, 3)}, n={finding.support}",
        "value": round(finding.estimate, 6),
        "config": short(str(finding.key), LONGEST_NAME),
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
    more = ["", f"{left} more limits stand in the report."] if left else []
    return ["", "### Limits", "", *as_table(("", "limit on", "measured", "limit"), rows), *more]


FORMAT: Final = Format(model_card)
