"""What compression did, and to whom: sizes, who was decided otherwise, each group's changes, gaps, scores, reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.keys import Key, group_name
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.metrics.catalogue.lists import stated
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, named, p_value, show, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict
    from evenhand.report.sections.judged import Judged

MOST_NAMED: Final = 12
TITLE: Final = message("Compression")
EMPTY: Final = message("Nothing was compressed.")


def compression(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about compression; none where nothing was compressed."""
    found = [f for f in record.findings if f.audit == "compression"]
    if not found:
        return ()
    gain = record.get("size_ratio[;of=original]")
    blocks: list[Block] = [*_sizes(record), *_drawn(found, judged)]
    plain = [f for f in found if f.key.qualifiers == (("of", "original"),)]
    rates, scores, warnings = stated("change column"), stated("change of scores"), stated("early warning")
    single, crossed = ([f for f in plain if _plain(f) is wanted] for wanted in (True, False))
    blocks += [
        *_who(
            "compression-flips", message("Who is decided otherwise, and towards what"), [f for f in found if _plain(f)]
        ),
        *_grid("compression-rates", message("What changed for each group"), single, rates),
        *_who(
            "compression-crossed-flips",
            message("Who is decided otherwise where features cross"),
            [f for f in found if not _plain(f)],
            folded=True,
        ),
        *_grid(
            "compression-crossed",
            message("What changed where features cross"),
            crossed,
            stated("change column"),
            folded=True,
        ),
        *_gaps(plain),
        *_classes(found),
        *_grid("compression-scores", message("Scores, losses and reasons"), plain, scores, folded=True),
        *_grid(
            "compression-warnings",
            message("Before compression: who is nearest to harm"),
            plain,
            warnings,
            folded=True,
        ),
        *_features(plain),
        *_tests(found),
    ]
    lead = [gain.note] if gain is not None and gain.note else []
    lead += _margins(judged.verdict)
    return (Part("compression", TITLE, (*lead, *reasons(record, "compression")), tuple(blocks)),)


def _margins(verdict: Verdict | None) -> list[str]:
    """Say for each margin of the policy who is harmed, who is not, and of whom it is not known."""
    said: dict[tuple[str, float], dict[str, list[str]]] = {}
    for judgement in () if verdict is None else verdict.judgements:
        key = judgement.key
        if key.group and key.metric.endswith("_change") and key.qualifier("of") == "original":
            at = said.setdefault((key.metric, judgement.limit.bound), {})
            at.setdefault(judgement.status, []).append(cut(group_name(key.group), 60))
    sentences: list[str] = []
    for (metric, margin), by_status in said.items():
        sentences.append(message("{metric}, margin {margin:g}.", metric=describe(metric).label, margin=margin))
        who = {status: named(names, MOST_NAMED) for status, names in by_status.items()}
        if "passed" in who:
            sentences.append(message("Not harmed (non-inferior within the margin): {who}.", who=who["passed"]))
        if "failed" in who:
            sentences.append(message("Harmed beyond the margin: {who}.", who=who["failed"]))
        if "undecided" in who:
            sentences.append(message("Not shown either way at this margin: {who}.", who=who["undecided"]))
    return sentences


def _drawn(found: Sequence[Finding], judged: Judged) -> list[Block]:
    """Draw the paired changes of every group of single features, with the limit where there is one."""
    blocks: list[Block] = []
    for metric in stated("change figure"):
        chosen = [
            f for f in found
            if f.key.metric == metric and len(f.key.columns) <= 1 and f.key.qualifiers == (("of", "original"),)
        ]  # fmt: skip
        rows = [judged.row(_name(f), f) for f in chosen]
        if rows:
            title = message("{metric}, compressed against original", metric=describe(metric).label)
            drawn = figure(f"compression-{metric}", title, rows, digits=3)
            of = "compression-flips" if describe(metric).pairs else "compression-rates"
            blocks.append(replace(drawn, table=replace(drawn.table, within=of)))
    return blocks


def _name(finding: Finding) -> str:
    return ", ".join(f"{column}={group}" for column, group in finding.key.group) or message("all rows")


def _plain(finding: Finding) -> bool:
    """Whether a finding is of all rows, or of the groups of one feature."""
    return len(finding.key.columns) <= 1


def _who(name: str, caption: str, found: Sequence[Finding], *, folded: bool = False) -> list[Block]:
    """Return the table of who was decided otherwise, in which direction, and for better or worse."""
    cells: dict[str, dict[str, Finding]] = {}
    for finding in found:
        if describe(finding.key.metric).pairs:
            column = finding.key.qualifier("class")
            now = None if column is None else message("now {class_}", class_=cut(column, 40))
            title = now or describe(finding.key.metric).label
            cells.setdefault(_name(finding), {})[title] = finding
    if not cells:
        return []
    titles = list(next(iter(cells.values())))
    rows = tuple(
        (
            cut(who, 120),
            f"{next(iter(by.values())).support:,}",
            *(with_interval(by.get(title), 3) if title in by else "–" for title in titles),
        )
        for who, by in cells.items()
    )
    head = (message("group"), message("rows"), *titles)
    numbers = frozenset(range(1, len(head)))
    return [Table(name, caption, head, rows, numbers, folded=caption if folded else "").bounded(60)]


def _grid(
    name: str, title: str, found: Sequence[Finding], metrics: Sequence[str], *, folded: bool = False
) -> list[Block]:
    """Return a table of groups by metrics."""
    cells: dict[str, dict[str, Finding]] = {}
    for finding in found:
        if finding.key.metric in metrics and len(finding.key.columns) == len(finding.key.group):
            cells.setdefault(_name(finding), {})[finding.key.metric] = finding
    shown = [metric for metric in metrics if any(metric in by for by in cells.values())]
    if not shown:
        return []
    rows = tuple(
        (cut(who, 120), *(with_interval(by[metric], 3) if metric in by else "–" for metric in shown))
        for who, by in cells.items()
    )
    head = (message("group"), *(describe(metric).label for metric in shown))
    numbers = frozenset(range(1, len(head)))
    return [Table(name, title, head, rows, numbers, folded=title if folded else "").bounded(60)]


def _gaps(found: Sequence[Finding]) -> list[Block]:
    """Return the table of what became of the gaps between groups, and of the group that lost most."""
    rows = tuple(
        (
            cut(", ".join(f.key.columns), 60),
            describe(f.key.metric).label,
            with_interval(f, 3),
            " / ".join(cut(part.group, 40) for part in f.groups) or "–",
        )
        for f in found
        if f.key.columns and not f.key.group and f.key.metric not in ("importance_change",)
    )
    if not rows:
        return []
    head = (message("groups by"), "", message("estimate and interval"), message("fell most / rose most"))
    title = message("Between groups")
    return [Table("compression-gaps", title, head, rows, frozenset({2}), folded=title).bounded(60)]


def _classes(found: Sequence[Finding]) -> list[Block]:
    """Return the table of how much more than the whole each class lost, over all rows and in each group."""
    rows = tuple(
        (cut(_name(f), 120), cut(f.key.qualifier("class") or "", 60), f"{f.support:,}", with_interval(f, 3))
        for f in found
        if f.key.metric == "normalized_recall_change"
    )
    if not rows:
        return []
    head = (message("group"), message("class"), message("rows"), describe("normalized_recall_change").label)
    title = message("Each class beside the whole")
    return [Table("compression-classes", title, head, rows, frozenset({2, 3}), folded=title).bounded(60)]


def _features(found: Sequence[Finding]) -> list[Block]:
    rows = tuple(
        (cut(", ".join(f.key.columns), 80), with_interval(f, 4)) for f in found if f.key.metric == "importance_change"
    )
    if not rows:
        return []
    head = (message("feature"), describe("importance_change").label)
    title = message("What the compressed model relies on more, or less")
    return [Table("compression-features", title, head, rows, frozenset({1}), folded=title).bounded(60)]


def _tests(found: Sequence[Finding]) -> list[Block]:
    """Return the table of McNemar's tests, plain and adjusted for the groups of one feature and one rate."""
    cells: dict[tuple[str, str], dict[str, Finding]] = {}
    for finding in found:
        if finding.key.metric == "p_value":
            at = (_name(finding), finding.key.qualifier("rate") or "")
            cells.setdefault(at, {})[finding.key.qualifier("adjusted") or ""] = finding
    if not cells:
        return []
    rows = tuple(
        (cut(who, 120), describe(rate).label, *(p_value(by.get(how)) for how in ("", "holm", "benjamini-hochberg")))
        for (who, rate), by in cells.items()
    )
    head = (message("group"), message("rate"), message("p-value"), "Holm", "Benjamini-Hochberg")
    title = message("McNemar's tests")
    return [Table("compression-tests", title, head, rows, frozenset({2, 3, 4}), folded=title).bounded(60)]


def _sizes(record: AuditRecord) -> list[Block]:
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
        words = describe(name).label
        if qualifiers:
            words = message("{metric}, batch of {rows}", metric=words, rows=qualifiers["batch"])
        ratio = old.estimate / new.estimate if old and new and old.estimate and new.estimate else None
        if name == "latency":
            faster = record.get(Key.of("latency_ratio", of="original", **qualifiers))
            ratio = faster.estimate if faster is not None else ratio
        cells = (show(f.estimate, f.unit) if f is not None else "–" for f in (old, new))
        rows.append((words, *cells, "–" if ratio is None else f"{ratio:.2f}×"))
    if not rows:
        return []
    head = ("", message("original"), message("compressed"), message("gain"))
    title = message("Size and speed, measured in one run on one thread")
    return [Table("compression-size", title, head, tuple(rows), frozenset({1, 2, 3}))]


SECTION: Final = Section("compression", TITLE, ("compression",), 1100, compression, EMPTY)
