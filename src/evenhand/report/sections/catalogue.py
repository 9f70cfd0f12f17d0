"""The parts of the page, built from a record: plain data, no markup."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from evenhand.keys import group_name
from evenhand.messages import joined, message
from evenhand.metrics import describe
from evenhand.report.drawings import Table
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
from evenhand.report.sections.reasons import audit_words, reasons
from evenhand.report.sections.reliance import refused, relied
from evenhand.report.sections.scope import data_part, mapping, scope
from evenhand.report.sections.slices import by_other_metrics, narrowing
from evenhand.report.sections.study import is_study, searched
from evenhand.report.sections.thresholds import swept
from evenhand.report.sections.training import trained
from evenhand.report.suppression import withheld_words
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict

MOST_ROWS = 200
MOST_WARNINGS = 10
BLOCKS = {
    "subject": message("subject"),
    "original": message("original"),
    "data": message("data"),
    "options": message("options"),
    "code": message("code"),
    "versions": message("versions"),
}
SAME_POLICY = message("The policy judged by is the one that was on record before the audit.")
OTHER_POLICY = message("The policy judged by is another than the one that was on record before the audit.")


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
        return Part("performance", message("Performance"), (message("No metric was computed over all rows."),))
    shares = [f for f in found if f.unit in ("share", "score") and (f.estimate or 0) <= 1]
    rows = [judged.row(describe(f.key.metric).label, f) for f in shares]
    drawn = figure("performance-all", message("Over all rows"), rows, digits=3)
    blocks = (
        *((drawn,) if rows else ()),
        *_curious(found, shares),
        *_of_classes(record),
        *confusion(record),
        *scores_by_truth(record),
    )
    return Part("performance", message("Performance"), reasons(record, "performance", "calibration"), blocks)


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
    head = (message("class"), *(describe(metric).label for metric in metrics))
    columns = frozenset(range(1, len(head)))
    return (Table("performance-classes", message("Each class against the rest"), head, rows, columns).bounded(),)


def _curious(found: list[Finding], shares: list[Finding]) -> tuple[Block, ...]:
    rest = [f for f in found if f not in shares]
    if not rest:
        return ()
    rows = tuple((describe(f.key.metric).label, with_interval(f, 3), f"{f.support:,}") for f in rest)
    head = (message("metric"), message("estimate and interval"), message("rows"))
    return (Table("performance-more", message("Further"), head, rows, frozenset({1, 2})),)


def _is_performance(finding: Finding) -> bool:
    return finding.audit in ("performance", "calibration", "custom", "classes", "labels", "numbers", "rankings")


def fairness(record: AuditRecord, verdict: Verdict | None) -> Part:
    """Every group at a glance; one sentence when no group was named."""
    if not groupings(record):
        told = reasons(record, "fairness") or (message("No sensitive feature was named."),)
        return Part("fairness", message("Fairness"), told)
    lead, table = in_conflict(record, verdict)
    return Part("fairness", message("Fairness"), (*small_groups(record), *lead), (*every_group(record), *table))


def sliced(record: AuditRecord, judged: Judged) -> Part:
    """Where the model errs more than elsewhere, in subgroups that nobody named."""
    # what a copy for publication withholds has no groups
    stated = [f for f in record.findings if f.audit == "slices" and len(f.groups) > 1]
    found = [f for f in stated if f.key.metric == "error_rate"]
    more = by_other_metrics(f for f in stated if f.key.metric != "error_rate")
    told = reasons(record, "slices") or (message("No subgroups were searched."),)
    if not found:
        return Part("slices", message("Subgroups nobody named"), told, more)
    rows = [judged.row(group_name(f.key.group) if len(f.key.group) > 1 else _who(f), f) for f in found]
    title = message("How much more often the model errs there than elsewhere")
    head = (
        message("subgroup"),
        message("rows"),
        message("errs there"),
        message("errs elsewhere"),
        message("difference"),
    )
    cells = tuple(
        (label, f"{f.groups[1].support:,}", show(f.groups[1].estimate), show(f.groups[0].estimate), with_interval(f))
        for label, f, _, _ in rows
    )
    caption = message("On the rows that took no part in the search")
    table = Table("slices-table", caption, head, cells, frozenset({1, 2, 3, 4}))
    drawn = figure("slices-figure", title, rows[:12])
    return Part("slices", message("Subgroups nobody named"), told, (drawn, *narrowing(rows), table.bounded(), *more))


def _who(finding: Finding) -> str:
    return ", ".join(f"{column}={group}" for column, group in finding.key.group) or message("all rows")


def provenance(record: AuditRecord, verdict: Verdict | None) -> Part:
    """Where the record comes from."""
    rows: list[tuple[str, str]] = []
    for block, words in BLOCKS.items():
        for name, value in sorted(mapping(record.provenance.get(block)).items()):
            if isinstance(value, (str, int, float, bool)) and value != "":
                rows.append((joined(": ", (words, name)), cut(str(value), 120)))
    measured = record.measurements
    if measured.get("started"):
        took = message("{day}, in {seconds} s", day=str(measured["started"]), seconds=str(measured.get("seconds")))
        rows.append((message("audited at"), took))
    if measured.get("command"):
        rows.append((message("command"), cut(str(measured["command"]), 400)))
    warned = measured.get("warnings")
    rows += [
        (message("warning"), cut(str(text), 300))
        for text in (warned if isinstance(warned, list) else [])[:MOST_WARNINGS]
    ]
    before = mapping(record.provenance.get("policy")).get("sha256")
    if before:
        rows.append((message("policy on record before the audit"), str(before)))
    table = Table("provenance-table", message("Provenance"), ("", ""), tuple(rows)).bounded()
    lead = [message("Enough to repeat the audit and to see whether anything differs.")]
    if before and verdict is not None:
        lead.append(SAME_POLICY if before == verdict.policy_sha256 else OTHER_POLICY)
    return Part("provenance", message("Provenance"), tuple(lead), (table,))


def limitations(record: AuditRecord, verdict: Verdict | None) -> Part:
    """What this page does not show."""
    level = next((f.interval.level for f in record.findings if f.interval is not None), 0.95)
    lead = [
        message(
            "Intervals have a confidence of {level:g} %: {error:g} % is the chance of an error on either side, of one "
            "limit.",
            level=100 * level,
            error=100 * (1 - level) / 2,
        ),
        message(
            "Rows are taken as independent draws from the people the model will meet. Where they are not, intervals "
            "are too narrow."
        ),
        message("The label is taken as the truth. Where it records past decisions, their bias counts as truth here."),
        message("These are measurements; that they are evidence for a rule does not make a model comply with it."),
    ]
    if verdict is not None:
        lead.insert(1, message("{limits} blocking limits were judged, each on its own.", limits=len(verdict.blocking)))
    if "suppressed_below" in record.provenance:
        lead.insert(0, withheld_words(cast("int", record.provenance["suppressed_below"])))
    lead += [
        message("Not run: {audit}. {reason}", audit=audit_words(section.audit), reason=section.reason)
        for section in record.sections
        if not section.ran
    ]
    return Part(
        "limitations",
        message("What this page does not show"),
        tuple(lead),
        (said(record, LIMITS, "limitations-declared"),),
    )
