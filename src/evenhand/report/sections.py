"""The parts of the page, built from a record: plain data, no markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from evenhand.declarations import QUESTIONS
from evenhand.keys import group_name
from evenhand.metrics import describe
from evenhand.report.compared import by_chance, by_probability, within
from evenhand.report.compressed import compression
from evenhand.report.controlled import controls
from evenhand.report.explained import explanation
from evenhand.report.figures import figure
from evenhand.report.groups import group_parts, group_rows, groupings
from evenhand.report.judged import Judged
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.reasons import reasons
from evenhand.report.relied import refused, relied
from evenhand.report.suppressing import WITHHELD
from evenhand.report.sweeping import swept
from evenhand.report.trained import trained
from evenhand.report.view import Block, Part, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord, Finding, Plain
    from evenhand.policy import Verdict

MOST_ROWS = 200
GROUP_COLUMNS = ("base_rate", "selection_rate", "recall", "false_positive_rate", "precision", "accuracy")
DRAWN = ("selection_rate", "recall", "false_positive_rate")


def parts(record: AuditRecord, verdict: Verdict | None) -> tuple[Part, ...]:
    """Return the page's parts after the verdict, in reading order."""
    judged = Judged(verdict)
    return (
        scope(record),
        declared(record),
        performance(record, judged),
        *fairness(record, judged),
        *within(record),
        *by_probability(record),
        *by_chance(record),
        swept(record),
        sliced(record, judged),
        explanation(record),
        *relied(record, judged),
        *refused(record, judged),
        compression(record, judged, verdict),
        *trained(record, judged),
        *controls(record, verdict),
        provenance(record),
        limitations(record, verdict),
    )


def scope(record: AuditRecord) -> Part:
    """What was audited on what."""
    source = record.provenance
    data = _mapping(source.get("data"))
    subject = _mapping(source.get("subject"))
    task = data.get("task")
    cut_at = _text(subject.get("threshold")) if task is None else _task_words(data)
    rows = [
        ("Model", _text(subject.get("name"))),
        ("Decides positive at a score of at least" if task is None else "Task", cut_at),
        ("Data", _text(data.get("name"))),
        ("Rows", show(cast("float", data.get("rows") or 0), "number")),
        ("Label", _text(data.get("label"))),
        *(
            [("Positive class", _text(data.get("positive"))), ("Favourable outcome", _text(data.get("favourable")))]
            if task is None
            else []
        ),
        ("Sensitive features", _listed(data.get("sensitive_features"))),
        ("Sensitive features the model reads", _listed(source.get("sensitive_inputs"))),
        ("Missing sensitive values", "a group of their own" if data.get("missing") == "group" else "refused"),
        ("Evaluation rows with an equal row among the fitted", _seen(source.get("rows_seen_in_training"))),
    ]
    rows[8:8] = [(f"Groups of {title}", sizes) for title, sizes in _sizes(record)]
    return Part("scope", "What was audited", (), (Table("scope-facts", "What was audited", ("", ""), tuple(rows)),))


def _task_words(data: Mapping[str, Plain]) -> str:
    classes = data.get("classes")
    return f"{data.get('task')}: {_listed(classes)}" if classes else str(data.get("task"))


def _sizes(record: AuditRecord) -> list[tuple[str, str]]:
    """Say for each feature how many rows each group has."""
    return [
        (
            cut(counts.columns[0], 60),
            ", ".join(
                f"{cut(group[0], 60)} ({group_rows(counts, at):,})" for at, group in enumerate(counts.groups[:20])
            )
            + (f" and {len(counts.groups) - 20} more" if len(counts.groups) > 20 else ""),
        )
        for counts in groupings(record)
        if len(counts.columns) == 1
    ]


def declared(record: AuditRecord) -> Part:
    """What people said of the model, and what they did not say."""
    said = _mapping(record.provenance.get("declared"))
    rows = tuple((question, _text(said[name])) for name, question in QUESTIONS.items() if said.get(name))
    absent = [question for name, question in QUESTIONS.items() if not said.get(name)]
    lead = ["Declared by people, not measured."] if rows else []
    if absent and rows:
        lead.append(f"Not declared: {' '.join(absent)}")
    elif absent:
        lead.append("Nothing was declared of the model's purpose, oversight and limits; a responsibility.toml would.")
    blocks = (Table("declared-table", "What people say of the model", ("", ""), rows),) if rows else ()
    return Part("declared", "Responsibility", tuple(lead), blocks)


def performance(record: AuditRecord, judged: Judged) -> Part:
    """How good the model is over all rows."""
    found = [f for f in record.findings if not f.key.features and not f.key.qualifiers and _is_performance(f)]
    if not found:
        return Part("performance", "Performance", ("No metric was computed over all rows.",))
    shares = [f for f in found if f.unit in ("share", "score") and (f.estimate or 0) <= 1]
    rows = [judged.row(describe(f.key.metric).label, f) for f in shares]
    drawn = figure("performance-all", "Over all rows", rows, digits=3)
    blocks = (*((drawn,) if rows else ()), *_curious(found, shares), *_of_classes(record))
    return Part("performance", "Performance", reasons(record, "performance", "calibration"), blocks)


def _of_classes(record: AuditRecord) -> tuple[Block, ...]:
    """Return the table of classes, or labels, where the task has several."""
    found = {
        (f.key.qualifier("class") or "", f.key.metric): f
        for f in record.findings
        if f.key.qualifier("class") is not None and not f.key.features
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


def fairness(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Whom the model treats how; one sentence when no group was named."""
    found = group_parts(record, judged)
    return found or (Part("fairness", "Groups", reasons(record, "fairness") or ("No sensitive feature was named.",)),)


def sliced(record: AuditRecord, judged: Judged) -> Part:
    """Where the model errs more than elsewhere, in subgroups that nobody named."""
    found = [f for f in record.findings if f.audit == "slices"]
    said = reasons(record, "slices") or ("No subgroups were searched.",)
    if not found:
        return Part("slices", "Subgroups nobody named", said)
    rows = [judged.row(group_name(f.key.group) if len(f.key.group) > 1 else _who(f), f) for f in found]
    title = "How much more often the model errs there than elsewhere"
    head = ("subgroup", "rows", "errs there", "errs elsewhere", "difference")
    cells = tuple(
        (label, f"{f.groups[1].support:,}", show(f.groups[1].estimate), show(f.groups[0].estimate), with_interval(f))
        for label, f, _, _ in rows
    )
    table = Table("slices-table", "On the rows that took no part in the search", head, cells, frozenset({1, 2, 3, 4}))
    return Part("slices", "Subgroups nobody named", said, (figure("slices-figure", title, rows[:12]), table))


def _who(finding: Finding) -> str:
    return ", ".join(f"{column}={group}" for column, group in finding.key.group) or "all rows"


def provenance(record: AuditRecord) -> Part:
    """Where the record comes from."""
    rows: list[tuple[str, str]] = []
    for block in ("subject", "original", "data", "options", "versions"):
        for name, value in sorted(_mapping(record.provenance.get(block)).items()):
            if isinstance(value, (str, int, float, bool)) and value != "":
                rows.append((f"{block}: {name}", cut(str(value), 120)))
    started = record.measurements.get("started")
    if started:
        rows.append(("audited at", f"{started}, in {record.measurements.get('seconds')} s"))
    table = Table("provenance-table", "Provenance", ("", ""), tuple(rows)).bounded()
    lead = ("Enough to repeat the audit and to see whether anything differs.",)
    return Part("provenance", "Provenance", lead, (table,))


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
    return Part("limitations", "What this page does not show", tuple(lead))


def _mapping(value: Plain | Mapping[str, Plain]) -> Mapping[str, Plain]:
    return value if isinstance(value, dict) else {}


def _text(value: Plain) -> str:
    if value is None:
        return "not declared"
    return f"{value:.4g}" if isinstance(value, float) else cut(str(value), 300)


def _listed(value: Plain) -> str:
    return ", ".join(cut(str(name), 100) for name in value) if isinstance(value, list) and value else "none"


def _seen(value: Plain) -> str:
    return "unknown" if value is None else show(cast("float", value), "number")
