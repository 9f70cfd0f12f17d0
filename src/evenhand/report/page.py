"""Build the page as plain data from a record and a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.metrics import METRICS, Metric, canonical, describe, parse_disparity
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.catalogue.names import any_disparity
from evenhand.policy.limits import REQUIRED
from evenhand.policy.wording import limit_text, measured
from evenhand.report.decision import decision, judged_on, signs
from evenhand.report.numbers import cut, with_interval
from evenhand.report.publication import withheld_words
from evenhand.report.sections.catalogue import parts
from evenhand.report.sections.facts import has_model, is_study
from evenhand.report.view import Entry, LimitRow, Page
from evenhand.report.why import why

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Judgement, Verdict

ANY_CHANGE: Final = Metric(
    "*_change",
    message("Change by compression"),
    "change",
    "neutral",
    "value of the compressed model - value of the original",
    message("What compression did to a figure, row by row."),
    message("No change on average can hide gains of one group and losses of another."),
    "Zou and Donner (2008), Statistics in Medicine 27; Newcombe (1998b), Statistics in Medicine 17",
    example="0.90 - 0.92 = -0.02",
)
"""The change of any metric."""
UNJUDGED = message("No policy was given, so nothing is passed or failed.")
COMPARED = message("Models are compared here; the verdict on each is in their table.")
MOST_KEY = 160
QUIET: Final = ("data_quality",)
"""Audits that are on the page only where they found something, under their own names."""


def build_page(record: AuditRecord, verdict: Verdict | None, omit_empty: bool = False) -> Page:
    """Return the whole page; optionally without sections that have no figures."""
    data, name = record.provenance.get("data", {}), record.provenance.get("subject", {}).get("name", "model")
    source, rows = data.get("name", "data"), data.get("rows", 0)
    study, model, found = is_study(record), cut(name, 80), decision(record, verdict)
    before, after = parts(record, verdict)
    return Page(
        title=message("Study of {model}", model=model) if study else message("Audit of {model}", model=model),
        subtitle=_subtitle(record, model, cut(source, 80), rows),
        status=found.headline.status,
        headline=found.headline.text,
        sentence=_unjudged(record) if verdict is None else found.headline.told,
        remarks=verdict.remarks if verdict is not None else _notices(record),
        limits=() if verdict is None else tuple(_limit(j, at) for at, j in enumerate(verdict.judgements)),
        decision=found,
        parts=tuple(part for part in before if part.blocks or not omit_empty),
        glossary=_glossary(record, verdict, {part.name for part in (*before, *after)}),
        last=after,
        version=record.provenance.get("versions", {}).get("evenhand", ""),
    )


def _subtitle(record: AuditRecord, model: str, data: str, rows: int) -> str:
    """Return what was audited on what; of rows without a model, that there is none."""
    if has_model(record):
        return message("{model} on {data}, {rows:,} rows", model=model, data=data, rows=rows)
    return message("{rows:,} rows, without a model", rows=rows)


def _notices(record: AuditRecord) -> tuple[str, ...]:
    return (withheld_words(record.provenance),) if "suppressed_below" in record.provenance else ()


def _unjudged(record: AuditRecord) -> str:
    """Return what a page without a verdict says in its place; of a study its models have one each."""
    return COMPARED if record.provenance.get("study", {}).get("policy") else UNJUDGED


def _limit(judgement: Judgement, at: int) -> LimitRow:
    return LimitRow(
        f"limit-{at}",
        judgement.status,
        judgement.badge,
        cut(str(judgement.key), MOST_KEY),
        describe(judgement.key.metric).label,
        signs(measured(judgement.finding, judgement.limit)),
        signs(limit_text(judgement.limit)),
        why(judgement, judgement.sentence),
        judgement.limit.note,
    )


def _glossary(record: AuditRecord, verdict: Verdict | None, drawn: set[str]) -> tuple[Entry, ...]:
    """Return the entries of all metrics on the page, by label; group comparisons once, not for every metric."""
    told = (finding for finding in reversed(record.findings) if finding.audit not in QUIET or finding.audit in drawn)
    values = {finding.key.metric: finding for finding in told}
    judged = {judgement.key.metric for judgement in (() if verdict is None else verdict.judgements)} - {REQUIRED}
    judged |= judged_on(record)
    hows = {split[1] for name in values if (split := parse_disparity(name)) and split[0] in METRICS}
    kept = {canonical(name) or name: values.get(name) for name in {*values, *judged} if _of_its_own(name, judged)}
    entries = [(describe(name), name, finding) for name, finding in kept.items()]
    entries += [(any_disparity(how), f"*_{how}", None) for how in hows]
    if any(_is_change(name, judged) for name in values):
        entries.append((ANY_CHANGE, ANY_CHANGE.name, None))
    return tuple(
        Entry(
            cut(name, MOST_KEY), cut(e.label, MOST_KEY), e.meaning, e.formula, e.misleads, e.source, e.worked,
            "" if e.worked or found is None else _equation(found),
        )
        for e, name, found in sorted(entries, key=lambda entry: entry[0].label.lower())
    )  # fmt: skip


def _equation(finding: Finding) -> str:
    """Return the name and the value of a finding; one too small to be written out is not equal to what is shown."""
    name, value = cut(finding.name, MOST_KEY), with_interval(finding)
    return f"{name} {value}" if value.startswith(("<", ">")) else f"{name} = {value}"


def _of_its_own(name: str, judged: set[str]) -> bool:
    """Return whether a metric has its own entry: it is judged, drawn, or no comparison of groups."""
    split = parse_disparity(name)
    if _is_change(name, judged):
        return False
    return name in judged or canonical(name) in stated("headline") or split is None or split[0] not in METRICS


def _is_change(name: str, judged: set[str]) -> bool:
    """Return whether a metric is the change of another, which the glossary explains once for all."""
    return name.endswith("_change") and name not in judged
