"""The parts of the page, built from a record: plain data, no markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from evenhand.keys import Key
from evenhand.metrics import describe
from evenhand.report.figures import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.view import Block, Mark, Part, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord, Finding, GroupCounts, Plain
    from evenhand.policy import Verdict

MOST_ROWS = 200
GROUP_COLUMNS = ("base_rate", "selection_rate", "recall", "false_positive_rate", "precision", "accuracy")
DRAWN = ("selection_rate", "recall", "false_positive_rate")


def marks(verdict: Verdict | None) -> Mapping[Key, tuple[Mark, float]]:
    """Return the judgement and the limit of each judged finding."""
    if verdict is None:
        return {}
    return {judgement.key: (judgement.status, judgement.limit.bound) for judgement in verdict.judgements}


def parts(record: AuditRecord, verdict: Verdict | None) -> tuple[Part, ...]:
    """Return the page's parts after the verdict, in reading order."""
    judged = marks(verdict)
    return (
        scope(record),
        performance(record, judged),
        *fairness(record, judged),
        explanation(record),
        compression(record, judged),
        provenance(record),
        limitations(record, verdict),
    )


def scope(record: AuditRecord) -> Part:
    """What was audited on what."""
    source = record.provenance
    data = _mapping(source.get("data"))
    subject = _mapping(source.get("subject"))
    rows = [
        ("Model", _text(subject.get("name"))),
        ("Decides positive at a score of at least", _text(subject.get("threshold"))),
        ("Data", _text(data.get("name"))),
        ("Rows", show(cast("float", data.get("rows") or 0), "number")),
        ("Label", _text(data.get("label"))),
        ("Positive class", _text(data.get("positive"))),
        ("Favourable outcome", _text(data.get("favourable"))),
        ("Sensitive features", _listed(data.get("sensitive_features"))),
        ("Sensitive features the model reads", _listed(source.get("sensitive_inputs"))),
        ("Missing sensitive values", "a group of their own" if data.get("missing") == "group" else "refused"),
        ("Evaluation rows also used for fitting", _seen(source.get("rows_seen_in_training"))),
    ]
    groups = [
        (" × ".join(counts.columns), ", ".join(group), f"{_rows(counts, index):,}")
        for counts in record.tallies
        if counts.model == "subject" and counts.columns
        for index, group in enumerate(counts.groups)
    ]
    blocks: list[Block] = [Table("scope-facts", "What was audited", ("", ""), tuple(rows))]
    if groups:
        blocks.append(
            _cut(Table("scope-groups", "Groups", ("feature", "group", "rows"), tuple(groups), frozenset({2})))
        )
    return Part("scope", "What was audited", (), tuple(blocks))


def performance(record: AuditRecord, judged: Mapping[Key, tuple[Mark, float]]) -> Part:
    """How good the model is over all rows."""
    found = [f for f in record.findings if not f.key.features and not f.key.qualifiers and _is_performance(f)]
    if not found:
        return Part("performance", "Performance", ("No metric was computed over all rows.",))
    shares = [f for f in found if f.unit in ("share", "score") and (f.estimate or 0) <= 1]
    drawn = figure("performance-all", "Over all rows", [_row(f, judged) for f in shares], digits=3)
    reasons = _reasons(record, "performance", "calibration")
    return Part("performance", "Performance", reasons, (drawn, *_curious(found, shares)))


def _curious(found: list[Finding], shares: list[Finding]) -> tuple[Block, ...]:
    rest = [f for f in found if f not in shares]
    if not rest:
        return ()
    rows = tuple((describe(f.key.metric).label, with_interval(f, 3), f"{f.support:,}") for f in rest)
    return (Table("performance-more", "Further", ("metric", "estimate and interval", "rows"), rows, frozenset({1, 2})),)


def _is_performance(finding: Finding) -> bool:
    return finding.audit in ("performance", "calibration", "custom")


def fairness(record: AuditRecord, judged: Mapping[Key, tuple[Mark, float]]) -> tuple[Part, ...]:
    """Whom the model treats how, one part for each feature and crossing."""
    groupings = [counts for counts in record.tallies if counts.model == "subject" and counts.columns]
    if not groupings:
        return (Part("fairness", "Groups", _reasons(record, "fairness") or ("No sensitive feature was named.",)),)
    return tuple(_grouping(record, counts, judged, index) for index, counts in enumerate(groupings))


def _grouping(record: AuditRecord, counts: GroupCounts, judged: Mapping[Key, tuple[Mark, float]], index: int) -> Part:
    name, title = f"groups-{index}", " × ".join(cut(column, 60) for column in counts.columns)
    blocks: list[Block] = [_group_table(record, counts, name)]
    drawn = DRAWN if len(counts.columns) == 1 else DRAWN[:1]
    for metric in drawn:
        found = [record.get(_group_key(metric, counts, group)) for group in range(len(counts.groups))]
        rows = [
            (_label(counts, group), finding, judged.get(finding.key, ("plain", None))[0], _limit(finding.key, judged))
            for group, finding in enumerate(found)
            if finding is not None
        ]
        if rows:
            blocks.append(figure(f"{name}-{metric}", f"{describe(metric).label} by {title}", rows))
    disparities = _disparities(record, counts)
    if disparities:
        blocks.append(_disparity_table(disparities, name, title))
    return Part(name, f"Groups by {title}", _group_sentences(record, counts), tuple(blocks))


def _group_table(record: AuditRecord, counts: GroupCounts, name: str) -> Table:
    rows = []
    for group in range(len(counts.groups)):
        cells = [with_interval(record.get(_group_key(metric, counts, group))) for metric in GROUP_COLUMNS]
        rows.append((_label(counts, group, 200), f"{_rows(counts, group):,}", *cells))
    head = ("group", "rows", *(describe(metric).label for metric in GROUP_COLUMNS))
    return _cut(Table(f"{name}-table", "Every group", head, tuple(rows), frozenset(range(1, len(head)))))


def _disparities(record: AuditRecord, counts: GroupCounts) -> list[Finding]:
    columns = tuple(counts.columns)
    return [
        f
        for f in record.findings
        if f.key.columns == columns and not f.key.group and not f.key.qualifiers and f.audit == "fairness"
    ]


def _disparity_table(found: list[Finding], name: str, title: str) -> Table:
    rows = tuple(
        (
            describe(f.key.metric).label,
            with_interval(f),
            _ends(f),
            f.undefined or f.note,
        )
        for f in found
    )
    head = ("disparity", "estimate and interval", "least and greatest", "")
    return Table(f"{name}-gaps", f"Disparities by {title}", head, rows, frozenset({1}))


def _ends(finding: Finding) -> str:
    return ", ".join(f"{cut(part.group, 60)} {show(part.estimate)} (n={part.support:,})" for part in finding.groups)


def _group_sentences(record: AuditRecord, counts: GroupCounts) -> tuple[str, ...]:
    """Say the widest gap in selection, and which groups have no value of a metric."""
    sentences = []
    gap = record.get(Key.of("selection_rate_difference", counts.columns))
    if gap is not None and gap.estimate is not None and len(gap.groups) > 1:
        least, greatest = gap.groups[0], gap.groups[-1]
        sentences.append(
            f"{cut(greatest.group, 80)} is predicted positive in {_percent(greatest.estimate)} of "
            f"{greatest.rows:,} rows, {cut(least.group, 80)} in {_percent(least.estimate)} of {least.rows:,}: "
            f"a difference of {with_interval(gap)}."
        )
    undefined = sorted({group for f in _disparities(record, counts) for group in f.undefined_groups})
    if undefined:
        named = ", ".join(cut(group, 60) for group in undefined[:8])
        sentences.append(f"Some metric cannot be computed for {named}; it is said where, and is never taken for 0.")
    return tuple(sentences)


def _percent(value: float | None) -> str:
    return "an unknown share" if value is None else f"{100 * value:.1f} %"


def explanation(record: AuditRecord) -> Part:
    """What the scores rest on."""
    every = [f for f in record.findings if f.key.metric == "importance"]
    overall = sorted((f for f in every if not f.key.qualifiers), key=lambda f: -(f.estimate or 0))
    if not overall:
        return Part("explanation", "Explanation", _reasons(record, "explanation") or ("Nothing was explained.",))
    rows: list[tuple[str, Finding, Mark, float | None]] = [(f.key.columns[0], f, "plain", None) for f in overall]
    drawn = figure("importance", "Mean absolute attribution of each feature", rows[:20], kind="bars", digits=3)
    residual = record.get("attribution_residual")
    lead = [
        "Shapley values of the columns as a person named them, on the scale of log-odds: how far a feature moves the "
        f"score from its average, over {overall[0].support:,} rows. They show what the model uses, not what causes "
        "the outcome."
    ]
    lead += _reasons(record, "explanation")
    if residual is not None:
        lead.append(
            f"Greatest gap between a row's values and the model's own score: {show(residual.estimate, 'score')}."
        )
    return Part("explanation", "Explanation", tuple(lead), (drawn, *_importance_by_group(every, overall)))


def _importance_by_group(every: list[Finding], overall: list[Finding]) -> tuple[Block, ...]:
    groups = sorted({given for f in every if (given := f.key.qualifier("given"))})
    if not groups:
        return ()
    by_key = {(f.key.columns[0], f.key.qualifier("given")): f for f in every}
    rows = tuple(
        (feature.key.columns[0], *(show_or_dash(by_key.get((feature.key.columns[0], group))) for group in groups[:12]))
        for feature in overall[:20]
    )
    head = ("feature", *(cut(group, 60) for group in groups[:12]))
    return (
        Table(
            "importance-groups", "Mean absolute attribution in each group", head, rows, frozenset(range(1, len(head)))
        ),
    )


def show_or_dash(finding: Finding | None) -> str:
    """Return the estimate, or a dash where there is no finding."""
    return "–" if finding is None else show(finding.estimate, "share", 3)


def compression(record: AuditRecord, judged: Mapping[Key, tuple[Mark, float]]) -> Part:
    """What compression did, and to whom."""
    found = [f for f in record.findings if f.audit == "compression"]
    if not found:
        return Part("compression", "Compression", _reasons(record, "compression") or ("Nothing was compressed.",))
    gain = record.get("size_ratio[;of=original]")
    blocks: list[Block] = [_size_table(record)]
    for metric in ("flip_rate", "accuracy_change", "selection_rate_change"):
        rows = [
            (_who(f), f, judged.get(f.key, ("plain", None))[0], _limit(f.key, judged))
            for f in found
            if f.key.metric == metric and len(f.key.columns) <= 1
        ]
        if rows:
            blocks.append(
                figure(
                    f"compression-{metric}", f"{describe(metric).label}, compressed against original", rows, digits=3
                )
            )
    lead = tuple(text for text in (gain.note if gain is not None else "",) if text)
    return Part("compression", "Compression", (*lead, *_reasons(record, "compression")), tuple(blocks))


def _who(finding: Finding) -> str:
    return ", ".join(f"{column}={group}" for column, group in finding.key.group) or "all rows"


def _size_table(record: AuditRecord) -> Table:
    names = ["file_bytes", "parameters", "nonzero_parameters", "macs"]
    batches = sorted(
        {f.key.qualifier("batch") or "" for f in record.findings if f.key.metric == "latency"},
        key=lambda b: (len(b), b),
    )
    rows = []
    for name, qualifiers in [(name, {}) for name in names] + [("latency", {"batch": batch}) for batch in batches]:
        new = record.get(Key.of(name, **qualifiers))
        old = record.get(Key.of(name, of="original", **qualifiers))
        if new is None and old is None:
            continue
        words = describe(name).label + (f", batch of {qualifiers['batch']}" if qualifiers else "")
        ratio = old.estimate / new.estimate if old and new and old.estimate and new.estimate else None
        if name == "latency":
            faster = record.get(Key.of("latency_ratio", of="original", **qualifiers))
            ratio = faster.estimate if faster is not None else ratio
        cells = (show(f.estimate, f.unit) if f is not None else "–" for f in (old, new))
        rows.append((words, *cells, "–" if ratio is None else f"{ratio:.2f}×"))
    head = ("", "original", "compressed", "gain")
    return Table(
        "compression-size", "Size and speed, measured in one run on one thread", head, tuple(rows), frozenset({1, 2, 3})
    )


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
    table = _cut(Table("provenance-table", "Provenance", ("", ""), tuple(rows)))
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
    lead += [f"Not run: {section.audit}. {section.reason}" for section in record.sections if not section.ran]
    return Part("limitations", "What this page does not show", tuple(lead))


def _row(finding: Finding, judged: Mapping[Key, tuple[Mark, float]]) -> tuple[str, Finding, Mark, float | None]:
    mark = judged.get(finding.key, ("plain", 0.0))[0]
    return describe(finding.key.metric).label, finding, mark, _limit(finding.key, judged)


def _limit(key: Key, judged: Mapping[Key, tuple[Mark, float]]) -> float | None:
    return judged[key][1] if key in judged else None


def _group_key(metric: str, counts: GroupCounts, group: int) -> Key:
    return Key.of(metric, dict(zip(counts.columns, counts.groups[group], strict=True)))


def _label(counts: GroupCounts, group: int, most: int = 80) -> str:
    return cut(", ".join(counts.groups[group]), most)


def _rows(counts: GroupCounts, group: int) -> int:
    def total(cells: Plain) -> int:
        return sum(total(cell) for cell in cells) if isinstance(cells, list) else int(cast("int", cells))

    return total(cast("list[Plain]", counts.counts)[group])


def _reasons(record: AuditRecord, *audits: str) -> tuple[str, ...]:
    return tuple(section.reason for section in record.sections if section.audit in audits and section.reason)


def _cut(table: Table) -> Table:
    left = len(table.rows) - MOST_ROWS
    if left <= 0:
        return table
    return Table(table.name, table.title, table.head, table.rows[:MOST_ROWS], table.numeric, left)


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
