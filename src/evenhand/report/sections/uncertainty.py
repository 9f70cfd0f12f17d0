"""What scores are worth: calibration beside chance, coverage of prediction sets, refusals, corrections, strangers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.messages import message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import Table, table
from evenhand.report.figures.findings import figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import cut, named, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Figure, Lines
    from evenhand.report.sections.judged import FigureRow, Judged

Column: TypeAlias = "tuple[str, str, Mapping[str, str]]"
"""A heading, a metric and its qualifiers."""
NAME: Final = "uncertainty"
TITLE: Final = message("What scores are worth")
KINDS: Final = {
    "marginal": message("one threshold"),
    "by_group": message("by group"),
    "overlapping": message("for overlapping groups"),
    "by_class": message("by class"),
    "adaptive": message("adaptive"),
    "quantiles": message("from quantiles"),
}
"""Prediction sets, by what their thresholds are of."""
METHODS: Final = {
    "temperature": message("temperature"),
    "sigmoid": message("sigmoid (Platt)"),
    "isotonic": message("isotonic"),
    "venn_abers": message("Venn-Abers"),
}
"""Corrections of scores."""
SHOWN_BY: Final = {
    "calibration_excess": "uncertainty-excess", "refused_share": "uncertainty-refused-share",
    "refused_share_difference": "uncertainty-refused-share", "recalibrated_brier_change": "uncertainty-gains",
    "outside_share": "uncertainty-strangers", "ambiguity": "uncertainty-strangers",
}  # fmt: skip
"""The figure or table of a metric that a limit is on; the first figure shows the others."""
MOST: Final = 40
"""Rows of a table."""
MISCALIBRATED: Final = message("Scores are wrong by more than chance shows for {who}.")
CALIBRATED: Final = message("No group's scores are shown to be wrong by more than chance.")
UNCOVERED: Final = message("Sets with one threshold hold the truth less often than promised for {who}.")
COVERED: Final = message("No group's sets are shown to hold the truth less often than promised.")
UNSEEN: Final = message(
    "Coverage is promised for rows like these, on average over a group: not for one person, nor after a change of the "
    "population. A small group may be miscalibrated and not be shown to be."
)
FEW: Final = message("A group of fewer than {least} rows to fit on has no threshold of its own: {who}.")
MOST_CURVES: Final = 2
"""Groups whose reliability is drawn, the worst; the record has more."""
MOST_NAMED: Final = 6
USUAL: Final = 0.9
"""The promise where the record tells no other."""


def worth(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about what scores are worth; nothing where that was not asked."""
    found = record.of_audit(NAME)
    if not found:
        return ()
    single, crossed = ([f for f in found if (len(f.key.columns) > 1) is several] for several in (False, True))
    blocks: list[Block] = [
        *_covered(record, single, judged),
        *_errors(single, judged),
        *_curves(single),
        *_sets("uncertainty-sets", message("Prediction sets"), single),
        *_of_classes(single),
        *_refused(single),
        *_gains(single),
        *_strangers(single),
        *_changed(single),
        *_sets("uncertainty-crossed-sets", message("Prediction sets where features cross"), crossed, folded=True),
        *_refused(crossed, folded=True),
    ]
    limits = judged.of(found)
    worst = limits[0].key.metric if limits and limits[0].status != "passed" else ""
    blocks.sort(key=lambda block: block.name != SHOWN_BY.get(worst))  # what shows the answer comes first
    return (Part(NAME, TITLE, (*reasons(record, NAME), *_few(record, single), UNSEEN), tuple(blocks)),)


def _few(record: AuditRecord, found: Sequence[Finding]) -> tuple[str, ...]:
    """Say which groups of single features have no threshold of their own."""
    few = [f for f in _named(found, "set_coverage", sets="by_group") if f.note and not f.withheld]
    least = math.ceil(_promised(record) / (1 - _promised(record)) - 1e-9)
    return (message(FEW, least=least, who=_who(few)),) if few else ()


def _named(found: Iterable[Finding], metric: str, **qualifiers: str) -> list[Finding]:
    """Return the findings of a metric of all rows and of each group, without gaps."""
    told = tuple(sorted(qualifiers.items()))
    chosen = (f for f in found if f.key.metric == metric and f.key.qualifiers == told)
    return [f for f in chosen if len(f.key.columns) == len(f.key.group)]


def _promised(record: AuditRecord) -> float:
    """Return the chance with which sets are to hold the truth."""
    chance = record.provenance.get("options", {}).get("coverage", USUAL)
    return chance if isinstance(chance, float) else USUAL


def _covered(record: AuditRecord, found: Sequence[Finding], judged: Judged) -> list[Figure]:
    """Draw the coverage with one threshold, and the promise."""
    rows = [judged.row(cut(whom(f), 80), f) for f in _named(found, "set_coverage", sets="marginal")]
    if not rows:
        return []
    title = message("How often prediction sets with one threshold hold the truth")
    if any(judged.holds(finding) for _, finding, _, _ in rows):
        return [figure("uncertainty-coverage", title, rows, digits=3)]
    drawn: list[FigureRow] = [(label, finding, mark, _promised(record)) for label, finding, mark, _ in rows]
    made = figure("uncertainty-coverage", title, drawn, digits=3)
    return [replace(made, key=(("limit", message("promised")),))]


def _errors(found: Sequence[Finding], judged: Judged) -> list[Figure]:
    rows = [judged.row(whom(f), f) for f in _named(found, "calibration_excess")]
    title = message("Calibration error beyond what chance shows, and the interval of the true error")
    return [figure("uncertainty-excess", title, rows, digits=3)] if rows else []


def _curves(found: Sequence[Finding]) -> list[Lines]:
    """Draw the reliability of all rows, and of the groups that are wrong beyond chance, the worst first."""
    bins = [f for f in found if f.key.metric in ("claimed_rate", "observed_rate")]
    groups = list(dict.fromkeys(f.key.group for f in bins if f.key.group))[:MOST_CURVES]
    drawn = _curve([f for f in bins if not f.key.group], "uncertainty-curve", message("all rows"))
    for at, group in enumerate(groups):
        mine = [f for f in bins if f.key.group == group]
        drawn += _curve(mine, f"uncertainty-curve-{at + 1}", cut(whom(mine[0]), 60))
    return drawn


def _curve(found: Sequence[Finding], name: str, who: str) -> list[Lines]:
    """Draw how often it is so against how often it should be, and what chance shows of scores that are right."""
    from evenhand.metrics.inference.usual import usual_shares

    claimed, seen = ([f for f in found if f.key.metric == metric] for metric in ("claimed_rate", "observed_rate"))
    pairs = [
        (one.estimate, other.estimate, one.support)
        for one, other in zip(claimed, seen, strict=False)
        if one.estimate is not None and other.estimate is not None
    ]
    if len(pairs) < 2 or pairs[0][0] >= pairs[-1][0]:
        return []
    places, rates, rows = ([pair[at] for pair in pairs] for at in (0, 1, 2))
    band = [(float(low), float(high)) for low, high in zip(*usual_shares(rows, places), strict=True)]
    head = (message("mean score"), message("rate"), message("by chance, of scores that are right"), message("rows"))
    cells = tuple(
        (f"{place:.3f}", f"{rate:.3f}", f"{low:.3f}, {high:.3f}", f"{n:,}")
        for place, rate, (low, high), n in zip(places, rates, band, rows, strict=True)
    )
    title = message("Reliability: how often what the scores say comes true, {who}", who=who)
    twin = Table(f"{name}-table", title, head, cells, frozenset(range(4)))
    outside = sum(not low <= rate <= high for rate, (low, high) in zip(rates, band, strict=True))
    told = message(
        "{outside} of {bins} rates are outside what chance shows of scores that are right (95 %).",
        outside=outside, bins=len(pairs),
    )  # fmt: skip
    lines = [(message("scores that are right, with 95 % of chance"), places), (message("observed"), rates)]
    ends = [band, [(rate, rate) for rate in rates]]
    axes = (head[0], message("rate"))
    return [line_figure(name, title, told, places, lines, twin, axes=axes, ends=ends)]


def _grid(
    name: str, title: str, found: Sequence[Finding], columns: Sequence[Column], *, folded: bool = False
) -> tuple[Table, ...]:
    """Return the table of groups by columns, each a heading, a metric and its qualifiers; empty ones are left out."""
    cells: dict[str, dict[str, Finding]] = {}
    for heading, metric, told in columns:
        for finding in _named(found, metric, **told):
            cells.setdefault(whom(finding), {})[heading] = finding
    shown = [heading for heading, *_ in columns if any(heading in by for by in cells.values())]
    rows = ((cut(who, 120), *(with_interval(by.get(heading), 3) for heading in shown)) for who, by in cells.items())
    return table(name, title, (message("group"), *shown), rows, most=MOST, folded=folded)


def _sets(name: str, title: str, found: Sequence[Finding], *, folded: bool = False) -> tuple[Table, ...]:
    """Return the tables of coverage, and of sizes: the sets by class are in that of classes."""
    kinds = [kind for kind in KINDS if kind != "by_class"]
    covered: list[Column] = [(KINDS[kind], "set_coverage", {"sets": kind}) for kind in kinds]
    metric = "interval_width" if any(f.key.metric == "interval_width" for f in found) else "set_size"
    sizes: list[Column] = [(KINDS[kind], metric, {"sets": kind}) for kind in kinds]
    held, sized = (
        message("{title}: how often they hold the truth", title=title),
        message("{title}: how many classes they hold; of numbers, how wide they are", title=title),
    )
    return (
        *_grid(name, held, found, covered, folded=folded),
        *_grid(f"{name}-sizes", sized, found, sizes, folded=folded),
    )


def _of_classes(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of coverage by the true class."""
    cells: dict[str, dict[str, Finding]] = {}
    for finding in (f for f in found if f.key.metric == "set_coverage" and f.key.qualifier("class") is not None):
        kind = finding.key.qualifier("sets") or ""
        cells.setdefault(cut(finding.key.qualifier("class") or "", 60), {})[kind] = finding
    kinds = [kind for kind in KINDS if any(kind in by for by in cells.values())]
    rows = ((name, *(with_interval(by.get(kind), 3) for kind in kinds)) for name, by in cells.items())
    title = message("How often sets hold the truth, by the true class")
    head = (message("true class"), *(KINDS[kind] for kind in kinds))
    return table("uncertainty-classes", title, head, rows, most=MOST)


def _refused(found: Sequence[Finding], *, folded: bool = False) -> tuple[Table, ...]:
    """Return the tables of who is refused an answer, and of how often the others are decided rightly."""
    kept = sorted({f.key.qualifier("kept") or "" for f in found if f.key.metric == "refused_share"}, reverse=True)
    words = [message("of {share} kept", share=f"{float(share):.0%}".replace("%", " %")) for share in kept]
    parts = {
        "refused_share": message("Who is refused an answer where only the surest rows are kept"),
        "retained_accuracy": message("How often those are decided rightly who get an answer"),
    }
    crossed = "-crossed" if folded else ""
    return tuple(
        made
        for metric, title in parts.items()
        for made in _grid(
            f"uncertainty-{metric.replace('_', '-')}{crossed}", message("{title}, where features cross", title=title)
            if folded else title, found,
            [(label, metric, {"kept": share}) for label, share in zip(words, kept, strict=True)], folded=folded,
        )
    )  # fmt: skip


def _gains(found: Sequence[Finding]) -> tuple[Table, ...]:
    columns: list[Column] = [(words, "recalibrated_brier_change", {"by": method}) for method, words in METHODS.items()]
    title = message("Who gains by a correction of the scores: change of the Brier score, a gain below 0")
    return _grid("uncertainty-gains", title, found, columns)


def _strangers(found: Sequence[Finding]) -> tuple[Table, ...]:
    columns: list[Column] = [(describe(name).label, name, {}) for name in ("outside_share", "ambiguity", "discrepancy")]
    title = message("Who is unlike the training rows, and whom models as good decide otherwise")
    return _grid("uncertainty-strangers", title, found, columns)


def _changed(found: Sequence[Finding]) -> tuple[Table, ...]:
    columns: list[Column] = [
        (message("{sets}: {what}", sets=KINDS[kind], what=what), metric, {"of": "original", "sets": kind})
        for kind in ("marginal", "overlapping")
        for metric, what in (("set_coverage_change", message("coverage")), ("set_size_change", message("size")))
    ]
    return _grid("uncertainty-changes", message("What compression did to prediction sets"), found, columns)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the groups whose scores are wrong, and those whose sets do not keep the promise."""
    found = [f for f in record.of_audit(NAME) if len(f.key.columns) < 2]
    wrong = [f for f in _named(found, "calibration_excess") if f.interval is not None and (f.interval.low or 0.0) > 0]
    missed = [
        f
        for f in _named(found, "set_coverage", sets="marginal")
        if f.interval is not None and f.interval.high is not None and f.interval.high < _promised(record)
    ]
    told = []
    if _named(found, "calibration_excess"):
        told.append(message(MISCALIBRATED, who=_who(wrong)) if wrong else CALIBRATED)
    if _named(found, "set_coverage", sets="marginal"):
        told.append(message(UNCOVERED, who=_who(missed)) if missed else COVERED)
    made = answered(judged, found, "")
    limits = judged.of(found)
    state = "notable" if (wrong or missed) and made.state not in OPENING else made.state
    alone = made.state == "notable" and not (wrong or missed)  # what stands out is not told below
    return Answer(sentences(made.sentence if limits or alone else "", *told), state)


def _who(found: Sequence[Finding]) -> str:
    """Name the groups of findings, those of most rows first."""
    ordered = sorted(found, key=lambda f: (bool(f.key.group), -f.support))
    return named([cut(whom(f), 60) for f in ordered], MOST_NAMED)


SECTION: Final = Section(NAME, TITLE, (NAME,), 890, worth, theme=CHANGES, answer=answer)
