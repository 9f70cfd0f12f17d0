"""What may be wrong with the rows: copies of the label, repeated rows, missing values, labels; and their datasheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.declarations import DATASHEET_QUESTIONS
from evenhand.headlines import ALARMS
from evenhand.messages import joined, lowered, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import Table, table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("What may be wrong with the rows")
PLAIN: Final = frozenset((
    "label_copies", "duplicate_share", "duplicate_excess_share", "constant_columns", "repeated_id_share", "seen_share",
    "seen_excess_share",
))  # fmt: skip
"""What every audit states: without a note, and without a limit, there is nothing to show of it."""
MOST: Final = 12
MOST_TOLD: Final = 30
UNSEEN: Final = message(
    "A check of columns one by one does not see a leak that two columns make together, a copy that was changed in many "
    "places, people who are missing altogether, or labels that are wrong for everybody alike."
)
FOUND: Final = message("What was found can make every figure of these rows mislead: {kinds}.")
CLEAN: Final = message("Nothing was found that makes figures of these rows mislead.")
NOTED: Final = message("Findings to look at: {n}; none makes figures of these rows mislead.")


def quality(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Draw what was found; nothing where a plain audit found nothing."""
    found = record.of_audit("data_quality")
    sheet = _datasheet(record)
    more = [f for f in found if f.key.metric not in PLAIN]
    if not (more or sheet or any(f.note or judged.holds(f) for f in found)):
        return ()
    blocks: list[Block] = [*_noted(found, judged), *_missing(found, judged), *_represented(found, judged)]
    blocks += [*_base_rates(record), *_noise(found), *_by_group(found, judged), *_proxies(found), *sheet]
    return (Part("data_quality", TITLE, (UNSEEN,) if more else (), tuple(blocks)),)


def _noted(found: Sequence[Finding], judged: Judged) -> tuple[Table, ...]:
    """Return the table of what has a note or a limit, and of counts that are not 0."""
    shown = [f for f in found if f.note or judged.holds(f)]
    shown += [f for f in found if f not in shown and f.key.metric in COUNTED and f.estimate]
    shown.sort(key=lambda f: not f.note)
    rows = ((_named(f), with_interval(f, 3), f.note or _counted(f)) for f in shown)
    head = (message("what"), message("measured"), message("what it means"))
    return table("quality-noted", message("What was found"), head, rows, {1}, most=MOST_TOLD)


COUNTED: Final = ("duplicate_share", "conflicting_label_share", "constant_columns", "seen_share", "repeated_id_share")
"""Shares and numbers that are shown where they are not 0."""


def _counted(finding: Finding) -> str:
    """Return how many rows a share is of."""
    if finding.unit != "share" or finding.estimate is None:
        return ""
    return message("{n:,} of {rows:,} rows.", n=round(finding.estimate * finding.support), rows=finding.support)


def _named(finding: Finding) -> str:
    """Return the metric in words, and the column it is about."""
    label, feature = describe(finding.key.metric).label, finding.key.qualifier("feature")
    named = label if feature is None else joined(": ", (label, cut(feature, 60)))
    if finding.key.qualifier("how"):
        named = message("{what}, nearly equal", what=named)
    return named if not finding.key.group else joined(", ", (named, cut(whom(finding), 60)))


def _missing(found: Sequence[Finding], judged: Judged) -> Iterator[Block]:
    """Yield the figure of missing values by column."""
    lacking = [f for f in found if f.key.metric == "missing_share" and not f.key.group and f.estimate]
    lacking.sort(key=lambda f: -(f.estimate or 0.0))
    if lacking:
        rows = [judged.row(cut(f.key.qualifier("feature") or "", 60), f) for f in lacking[:MOST]]
        yield figure("quality-missing", message("Share of rows without a value"), rows, digits=3)


def _represented(found: Sequence[Finding], judged: Judged) -> tuple[Table, ...]:
    """Return the table of groups beside their declared shares of the population."""
    rows = ((cut(whom(f), 60), with_interval(f), f.undefined) for f in found if f.key.metric == "representation_ratio")
    head = (message("group"), message("rows for each that is expected"), message("note"))
    title = message("Groups beside their declared shares of the population: 1 is in proportion")
    return table("quality-represented", title, head, rows, {1})


def _base_rates(record: AuditRecord) -> tuple[Table, ...]:
    """Return the table of how far base rates are apart, of rows without a model."""
    gaps = [f for f in record.of_audit("data_quality") if f.key.metric == "label_rate_difference"]
    rows = ((" × ".join(cut(column, 40) for column in f.key.columns), with_interval(f), _ends(f)) for f in gaps)
    head = (message("feature"), message("difference"), message("least and most"))
    title = message("How far shares of positive labels are apart between groups")
    return table("quality-base-rates", title, head, rows, {1})


def _ends(finding: Finding) -> str:
    return joined(", ", (cut(part.group, 40) for part in finding.furthest))


def _noise(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of gaps with their bounds under label noise, and the noise that each withstands."""
    values = {f.key: f for f in found}
    rows = []
    for finding in found:
        if finding.key.metric == "label_noise_tolerance" and finding.estimate is not None:
            ends = [values.get(finding.key.renamed(name)) for name in ("label_noise_low", "label_noise_high")]
            rate = describe(finding.key.qualifier("rate") or "").label
            low, high = (show(None if end is None else end.estimate) for end in ends)
            columns = " × ".join(cut(column, 40) for column in finding.key.columns)
            rows.append((joined(": ", (columns, rate)), low, high, f"{100 * finding.estimate:.1f} %"))
    head = (message("gap"), message("least"), message("greatest"), message("wrong labels it withstands"))
    title = message("How far wrong labels could move gaps between groups, at most the declared share of each group's")
    return table("quality-noise", title, head, rows, most=MOST_TOLD, folded=len(rows) > MOST)


def _by_group(found: Sequence[Finding], judged: Judged) -> Iterator[Block]:
    """Yield figures of labels that look wrong, or that people disagree on, by group; and gaps of missing values."""
    for metric in ("label_rate", "label_error_share", "annotator_disagreement"):
        shares = [f for f in found if f.key.metric == metric and len(f.key.columns) < 2]
        if shares:
            rows = [judged.row(cut(whom(f), 60), f) for f in shares]
            yield figure(f"quality-{metric}", describe(metric).label, rows[: 2 * MOST], digits=3)
    gaps = [
        f for f in found if f.key.metric == "missing_share_difference" and (f.interval and (f.interval.low or 0) > 0)
    ]
    gaps.sort(key=lambda f: -(f.interval.low or 0.0) if f.interval else 0.0)
    cells = [
        (joined(": ", (cut(f.key.qualifier("feature") or "", 40), " × ".join(f.key.columns))), with_interval(f, 3))
        for f in gaps
    ]
    head = (message("column"), message("gap between groups"))
    yield from table("quality-missing-gaps", message("Values that some groups lack more often"), head, cells, most=MOST)


def _proxies(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of columns that tell a group best, of rows without a model."""
    areas = [f for f in found if f.key.metric == "proxy_auc" and f.interval is not None]
    areas.sort(key=lambda f: -(f.interval.low or 0.0) if f.interval else 0.0)
    rows = ((cut(f.key.qualifier("feature") or "", 60), cut(whom(f), 60), with_interval(f, 3)) for f in areas)
    title = message("What tells a group best: area under the ROC curve, 0.5 tells nothing")
    head = (message("column"), message("group"), message("area"))
    return table("quality-proxies", title, head, rows, {2}, most=MOST, folded=True)


def _datasheet(record: AuditRecord) -> tuple[Table, ...]:
    """Return what people have said of the rows; the questions without an answer are named in one row."""
    answers = record.provenance.get("datasheet")
    if answers is None:
        return ()
    rows = [(DATASHEET_QUESTIONS[name], cut(answers[name], 600)) for name in DATASHEET_QUESTIONS if answers.get(name)]
    absent = [question for name, question in DATASHEET_QUESTIONS.items() if not answers.get(name)]
    if absent:
        rows.append((message("not declared"), sentences(*absent)))
    return (Table("quality-datasheet", message("Declared by people, not measured"), ("", ""), tuple(rows)),)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name what makes figures of the rows mislead, which has to be seen."""
    found = record.of_audit("data_quality")
    kinds = [metric for metric in ALARMS if any(f.key.metric == metric and f.note for f in found)]
    limited = answered(judged, [f for f in found if judged.holds(f)], "")
    state = limited.state if limited.state in OPENING else "notable" if kinds else limited.state
    named = joined(", ", (lowered(describe(metric).label) for metric in kinds))
    noted = sum(bool(f.note) for f in found)
    said = message(FOUND, kinds=named) if kinds else message(NOTED, n=noted) if noted else CLEAN
    return Answer(sentences(limited.sentence, said), state)


SECTION: Final = Section("data_quality", TITLE, ("data_quality",), 205, quality, theme=MODEL, answer=answer)
