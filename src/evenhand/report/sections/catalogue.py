"""The parts of the page, built from a record: plain data, no markup."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.keys import group_name
from evenhand.metrics import describe
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.baseline import since
from evenhand.report.sections.compression import compression
from evenhand.report.sections.conditional import by_chance, by_probability, of_impact, within
from evenhand.report.sections.controls import controls
from evenhand.report.sections.decisions import confusion, scores_by_truth
from evenhand.report.sections.declarations import LIMITS, said
from evenhand.report.sections.explanation_checks import checked, moved
from evenhand.report.sections.explanations import explanation
from evenhand.report.sections.generic import further, plain_part
from evenhand.report.sections.groups import group_parts, groupings
from evenhand.report.sections.judged import Judged
from evenhand.report.sections.overview import every_group, in_conflict, small_groups
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.reliance import refused, relied
from evenhand.report.sections.scope import data_part, scope
from evenhand.report.sections.slices import by_other_metrics, narrowing
from evenhand.report.sections.study import is_study, searched
from evenhand.report.sections.thresholds import swept
from evenhand.report.sections.training import trained
from evenhand.report.suppression import WITHHELD
from evenhand.report.view import Block, Part, Table

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict

MOST_ROWS = 200
MOST_WARNINGS = 10
BLOCKS: Final = ("subject", "original", "data", "options", "code", "versions")
"""Of the provenance: those whose facts are listed one by one."""
SAME_POLICY = "The policy judged by is the one that was on record before the audit."
OTHER_POLICY = "The policy judged by is another than the one that was on record before the audit."


def parts(record: AuditRecord, verdict: Verdict | None) -> tuple[Part, ...]:
    """Return the page's parts between the verdict and the glossary, in reading order."""
    judged = Judged(verdict)
    if is_study(record):
        return (scope(record), *searched(record), provenance(record, verdict), limitations(record, verdict))
    return (
        scope(record),
        data_part(record),
        performance(record, judged),
        fairness(record, verdict),
        *(replace(part, within="fairness") for part in _of_groups(record, judged)),
        swept(record),
        sliced(record, judged),
        explanation(record),
        *(replace(part, within="explanation") for part in _of_explanations(record, judged)),
        plain_part(record, "privacy", judged),
        plain_part(record, "robustness", judged),
        *further(record, judged),
        compression(record, judged, verdict),
        *trained(record, judged),
        plain_part(record, "drift", judged),
        since(verdict),
        *controls(record, verdict),
        provenance(record, verdict),
        limitations(record, verdict),
    )


def _of_explanations(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    return (*moved(record), *checked(record), *relied(record, judged), *refused(record, judged))


def _of_groups(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    looked = (within, by_probability, of_impact, by_chance)
    return (*group_parts(record, judged), *(part for look in looked for part in look(record)))


def performance(record: AuditRecord, judged: Judged) -> Part:
    """How good the model is over all rows."""
    found = [f for f in record.findings if not f.key.features and not f.key.qualifiers and _is_performance(f)]
    if not found:
        return Part("performance", "Performance", ("No metric was computed over all rows.",))
    shares = [f for f in found if f.unit in ("share", "score") and (f.estimate or 0) <= 1]
    rows = [judged.row(describe(f.key.metric).label, f) for f in shares]
    drawn = figure("performance-all", "Over all rows", rows, digits=3)
    blocks = (
        *((drawn,) if rows else ()),
        *_curious(found, shares),
        *_of_classes(record),
        *confusion(record),
        *scores_by_truth(record),
    )
    return Part("performance", "Performance", reasons(record, "performance", "calibration"), blocks)


def _of_classes(record: AuditRecord) -> tuple[Block, ...]:
    """Return the table of classes, or labels, where the task has several."""
    found = {
        (f.key.qualifier("class") or "", f.key.metric): f
        for f in record.findings
        if f.key.qualifier("class") is not None and not f.key.features and _is_performance(f)
    }
    if not found:
        return ()
    names, metrics = dict.fromkeys(name for name, _ in found), dict.fromkeys(metric for _, metric in found)
    rows = tuple((cut(name, 80), *(with_interval(found.get((name, m)), 3) for m in metrics)) for name in names)
    head = ("class", *(describe(metric).label for metric in metrics))
    columns = frozenset(range(1, len(head)))
    return (Table("performance-classes", "Each class against the rest", head, rows, columns).bounded(),)


def _curious(found: list[Finding], shares: list[Finding]) -> tuple[Block, ...]:
    rest = [f for f in found if f not in shares]
    if not rest:
        return ()
    rows = tuple((describe(f.key.metric).label, with_interval(f, 3), f"{f.support:,}") for f in rest)
    return (Table("performance-more", "Further", ("metric", "estimate and interval", "rows"), rows, frozenset({1, 2})),)


def _is_performance(finding: Finding) -> bool:
    return finding.audit in ("performance", "calibration", "custom", "classes", "labels", "numbers", "rankings")


def fairness(record: AuditRecord, verdict: Verdict | None) -> Part:
    """Every group at a glance; one sentence when no group was named."""
    if not groupings(record):
        return Part("fairness", "Fairness", reasons(record, "fairness") or ("No sensitive feature was named.",))
    lead, table = in_conflict(record, verdict)
    return Part("fairness", "Fairness", (*small_groups(record), *lead), (*every_group(record), *table))


def sliced(record: AuditRecord, judged: Judged) -> Part:
    """Where the model errs more than elsewhere, in subgroups that nobody named."""
    # what a copy for publication withholds has no groups
    stated = [f for f in record.findings if f.audit == "slices" and len(f.groups) > 1]
    found = [f for f in stated if f.key.metric == "error_rate"]
    more = by_other_metrics(f for f in stated if f.key.metric != "error_rate")
    told = reasons(record, "slices") or ("No subgroups were searched.",)
    if not found:
        return Part("slices", "Subgroups nobody named", told, more)
    rows = [judged.row(group_name(f.key.group) if len(f.key.group) > 1 else _who(f), f) for f in found]
    title = "How much more often the model errs there than elsewhere"
    head = ("subgroup", "rows", "errs there", "errs elsewhere", "difference")
    cells = tuple(
        (label, f"{f.groups[1].support:,}", show(f.groups[1].estimate), show(f.groups[0].estimate), with_interval(f))
        for label, f, _, _ in rows
    )
    table = Table("slices-table", "On the rows that took no part in the search", head, cells, frozenset({1, 2, 3, 4}))
    drawn = figure("slices-figure", title, rows[:12])
    return Part("slices", "Subgroups nobody named", told, (drawn, *narrowing(rows), table.bounded(), *more))


def _who(finding: Finding) -> str:
    return ", ".join(f"{column}={group}" for column, group in finding.key.group) or "all rows"


def provenance(record: AuditRecord, verdict: Verdict | None) -> Part:
    """Where the record comes from."""
    rows: list[tuple[str, str]] = []
    for block in (name for name in BLOCKS if name in record.provenance):
        for name, value in sorted((record.provenance[block] or {}).items()):
            if isinstance(value, (str, int, float, bool)) and value != "":
                rows.append((f"{block}: {name}", cut(str(value), 120)))
    measured = record.measurements
    if measured.get("started"):
        rows.append(("audited at", f"{measured['started']}, in {measured.get('seconds')} s"))
    if measured.get("command"):
        rows.append(("command", cut(measured["command"], 400)))
    rows += [("warning", cut(text, 300)) for text in measured.get("warnings", [])[:MOST_WARNINGS]]
    before = record.provenance["policy"]["sha256"] if "policy" in record.provenance else ""
    if before:
        rows.append(("policy on record before the audit", before))
    table = Table("provenance-table", "Provenance", ("", ""), tuple(rows)).bounded()
    lead = ["Enough to repeat the audit and to see whether anything differs."]
    if before and verdict is not None:
        lead.append(SAME_POLICY if before == verdict.policy_sha256 else OTHER_POLICY)
    return Part("provenance", "Provenance", tuple(lead), (table,))


def limitations(record: AuditRecord, verdict: Verdict | None) -> Part:
    """What this page does not show."""
    level = next((f.interval.level for f in record.findings if f.interval is not None), 0.95)
    lead = [
        f"Intervals have a confidence of {100 * level:g} %: {100 * (1 - level) / 2:g} % is the chance of an error on "
        "either side, of one limit.",
        "Rows are taken as independent draws from the people the model will meet. Where they are not, intervals are "
        "too narrow.",
        "The label is taken as the truth. Where it records past decisions, their bias counts as truth here.",
        "These are measurements; that they are evidence for a rule does not make a model comply with it.",
    ]
    if verdict is not None:
        lead.insert(1, f"{len(verdict.blocking)} blocking limits were judged, each on its own.")
    if "suppressed_below" in record.provenance:
        lead.insert(0, WITHHELD.format(below=record.provenance["suppressed_below"]))
    lead += [f"Not run: {section.audit}. {section.reason}" for section in record.sections if not section.ran]
    return Part(
        "limitations", "What this page does not show", tuple(lead), (said(record, LIMITS, "limitations-declared"),)
    )
