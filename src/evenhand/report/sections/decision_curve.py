"""The decision curve: net benefit at each threshold that was named, beside deciding alike for everybody."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.metrics import describe
from evenhand.report.drawings import Table, table
from evenhand.report.figures.findings import figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.figures.scales import nice_step
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Lines
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import Block

    Curve = Mapping[float, Finding]
    """Findings by threshold, in order."""

NAME: Final = "decision_curve"
TITLE: Final = message("Net benefit of decisions")
MODELS: Final = message("the model")
EVERYBODY: Final = message("positive for all")
NOBODY: Final = message("positive for nobody")
LEAD: Final = message(
    "Who decides at a threshold of t holds one true positive to be worth (1 - t) / t false ones. Net benefit is true "
    "positives less false ones so weighed, for each row. Without a model one may decide positive for all, or for "
    "nobody (0): a model is of use where its line is above both. What falls below the axis is drawn along its foot."
)
DIGITS: Final = 4
"""Of net benefit in tables: it is at most the base rate."""
LEAST_STEPS: Final = 4
"""Parts of the upright axis."""
BELOW: Final = 0.25
"""How far below 0 a line is drawn at most, in parts of its greatest value: further down all is worse than nothing."""
MOST_LINES: Final = 5
MOST_ROWS: Final = 60


def curves(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about net benefit; nothing where no threshold was named."""
    found = _stated(record)
    if not found:
        return ()
    blocks: list[Block] = [*_overall(record, found), *_gains(found, judged)]
    columns = dict.fromkeys(f.key.columns for f in found if len(f.key.columns) == 1)
    for at, (column,) in enumerate(columns):
        blocks += _by_group(record, found, column, at)
    blocks += _gaps(found, judged)
    return (Part(NAME, TITLE, (LEAD, *reasons(record, NAME)), tuple(blocks)),)


def _stated(record: AuditRecord) -> list[Finding]:
    return [each for each in record.of_audit(NAME) if _is_number(each.key.qualifier("threshold"))]


def _is_number(threshold: str | None) -> bool:
    """Whether a key names no threshold, or a number: a record may have been written by somebody else."""
    try:
        return threshold is None or math.isfinite(float(threshold))
    except ValueError:
        return False


def _overall(record: AuditRecord, found: Sequence[Finding]) -> Iterator[Block]:
    """Draw the model's net benefit over all rows beside both rules without a model."""
    model, everybody, gain = (
        _curve(record, found, metric) for metric in ("net_benefit", "net_benefit_of_all", "net_benefit_gain")
    )
    shared = [at for at in model if at in everybody and at in gain]
    rows = [(f"{at:g}", *(with_interval(curve[at], DIGITS) for curve in (model, everybody, gain))) for at in shared]
    head = (message("threshold"), MODELS, EVERYBODY, message("gain over the better of both"))
    caption = message("Net benefit over all rows")
    if len(shared) < 2:
        yield from table("decision-curve-table", caption, head, rows)
        return
    lines = [
        (label, [_value(curve[at]) for at in shared]) for label, curve in ((MODELS, model), (EVERYBODY, everybody))
    ]
    lines.append((NOBODY, [0.0] * len(shared)))
    twin = Table("decision-curve-table", caption, head, tuple(rows), frozenset(range(1, len(head))))
    yield _lines(record, "decision-curve", message("Net benefit at each threshold, over all rows"), shared, lines, twin)


def _by_group(record: AuditRecord, found: Sequence[Finding], column: str, number: int) -> Iterator[Block]:
    """Draw what the model gains in each group over the better rule without a model."""
    mine = [f for f in found if f.key.metric == "net_benefit_gain" and f.key.columns == (column,) and f.key.group]
    groups = sorted({f.key.group: f.support for f in mine}.items(), key=lambda pair: -pair[1])
    by_group = {group: _curve(record, mine, "net_benefit_gain", group) for group, _ in groups}
    places = sorted({at for curve in by_group.values() for at in curve})
    drawn = {
        group: curve
        for group, curve in by_group.items()
        if all(at in curve and curve[at].estimate is not None for at in places)
    }
    names = {group: cut(f"{group[0][0]}={group[0][1]}", 40) for group in by_group}
    head = (message("group"), *(message("at {threshold}", threshold=f"{at:g}") for at in places))
    rows = [(names[group], *(with_interval(by_group[group].get(at), DIGITS) for at in places)) for group in by_group]
    caption = message("What the model gains over the better rule without one, by {feature}", feature=cut(column, 60))
    if len(places) < 2 or not drawn:
        yield from table(f"decision-curve-{number + 1}-table", caption, head, rows, most=MOST_ROWS)
        return
    lines = [(names[group], [_value(curve[at]) for at in places]) for group, curve in list(drawn.items())[:MOST_LINES]]
    name, numeric = f"decision-curve-{number + 1}", frozenset(range(1, len(head)))
    twin = Table(f"{name}-table", caption, head, tuple(rows), numeric).bounded(MOST_ROWS)
    yield _lines(record, name, caption, places, lines, twin)


def _lines(
    record: AuditRecord,
    name: str,
    title: str,
    places: Sequence[float],
    lines: Sequence[tuple[str, Sequence[float]]],
    twin: Table,
) -> Lines:
    """Draw lines over thresholds, on an axis that ends little below 0."""
    most = max((value for _, values in lines for value in values), default=0.0)
    least = min((value for _, values in lines for value in values), default=0.0)
    room = max(most, 0.0) or -least or 1.0
    low = max(least, -BELOW * room if most > 0 else least)
    bottom, top = _ends(min(low, 0.0), max(most, 0.0))
    used = record.provenance.get("subject", {}).get("threshold")
    inside = used if used is not None and places[0] <= used <= places[-1] else None
    ends = (
        message("{line} from {first:.3f} to {last:.3f}", line=label, first=values[0], last=values[-1])
        for label, values in lines
    )
    told = joined("; ", ends)
    words = message("Thresholds from {low:.3g} to {high:.3g}: {lines}.", low=places[0], high=places[-1], lines=told)
    axes = (message("threshold"), message("net benefit"))
    more = {"marker": inside, "marked": message("the threshold in use"), "top": top, "bottom": bottom}
    at, drawn = _to_the_foot(places, lines, bottom)
    return line_figure(f"{name}-figure", title, words, at, drawn, twin, axes=axes, **more)  # type: ignore[arg-type]


def _to_the_foot(
    places: Sequence[float], lines: Sequence[tuple[str, Sequence[float]]], bottom: float
) -> tuple[list[float], list[tuple[str, list[float]]]]:
    """Return the lines with a place more where one passes the foot of the axis, so that it keeps its slope above it.

    Examples
    --------
    >>> _to_the_foot([0.0, 1.0], [("all", [1.0, -3.0])], -1.0)
    ([0.0, 0.5, 1.0], [('all', [1.0, -1.0, -3.0])])
    """
    from numpy import interp

    found = {float(at) for at in places}
    for _, values in lines:
        for (x, y), (later, end) in pairwise(zip(places, values, strict=True)):
            if (y - bottom) * (end - bottom) < 0:
                found.add(x + (later - x) * (bottom - y) / (end - y))
    at = sorted(found)
    return at, [(label, interp(at, places, values).tolist()) for label, values in lines]


def _ends(low: float, high: float) -> tuple[float, float]:
    """Return round ends of an axis of four equal, round parts that holds two values.

    Examples
    --------
    >>> _ends(-0.01, 0.05)
    (-0.02, 0.06)
    """
    step = nice_step(max(high - low, 1e-6) / LEAST_STEPS)
    while True:
        bottom = -round(-low / step + 0.4999) * step if low < 0 else 0.0
        if bottom + LEAST_STEPS * step >= high - 1e-12:
            return round(bottom, 12), round(bottom + LEAST_STEPS * step, 12)
        step = nice_step(step * 1.01)


def _gains(found: Sequence[Finding], judged: Judged) -> Iterator[Block]:
    """Draw the gains with their intervals: at every threshold over all rows, and what a limit is on."""
    mine = [f for f in found if f.key.metric == "net_benefit_gain" and (not f.key.columns or judged.holds(f))]
    rows = [judged.row(_named(f), f) for f in mine if f.estimate is not None]
    if rows:
        title = message("What the model gains over the better rule without one, with intervals")
        yield figure("decision-curve-gains", title, rows, digits=DIGITS)


def _gaps(found: Sequence[Finding], judged: Judged) -> Iterator[Block]:
    """Draw how net benefit differs between groups."""
    compared = [f for f in found if f.key.columns and not f.key.group and f.estimate is not None]
    usual = [f for f in compared if f.key.metric == "net_benefit_difference" and len(f.key.columns) == 1]
    rows = [judged.row(_gap_name(f), f) for f in compared if f in usual or judged.holds(f)]
    if rows:
        title = message("How net benefit differs between groups")
        yield figure("decision-curve-gaps", title, rows, digits=DIGITS, axis=message("net benefit"))


def _named(finding: Finding) -> str:
    return _at_threshold(whom(finding), finding)


def _gap_name(finding: Finding) -> str:
    label = message("{metric} by {feature}", metric=describe(finding.key.metric).label, feature=finding.key.columns[0])
    return _at_threshold(label, finding)


def _at_threshold(who: str, finding: Finding) -> str:
    threshold = finding.key.qualifier("threshold")
    return who if threshold is None else message("{who} at {threshold}", who=who, threshold=f"{float(threshold):g}")


def _curve(
    record: AuditRecord, found: Sequence[Finding], metric: str, group: tuple[tuple[str, str], ...] = ()
) -> Curve:
    """Return the findings of a metric for all rows, or a group, by threshold; the model's own among them."""
    own = record.provenance.get("subject", {}).get("threshold")
    by_place = {}
    for each in found:
        at = each.key.qualifier("threshold")
        if each.key.metric == metric and each.key.group == group and len(each.key.columns) == len(group):
            place = own if at is None else float(at)
            if place is not None and each.estimate is not None:
                by_place[place] = each
    return dict(sorted(by_place.items()))


def _value(finding: Finding) -> float:
    return finding.estimate if finding.estimate is not None else 0.0


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State at how many thresholds the model is shown to be better than both rules without one."""
    found = _stated(record)
    gains = _curve(record, found, "net_benefit_gain")
    ends = [f.interval for f in gains.values() if f.interval is not None]
    better = sum(end.low is not None and end.low > 0 for end in ends)
    worse = sum(end.high is not None and end.high < 0 for end in ends)
    said = message(
        "Of {n} thresholds the model is shown to beat both rules without one at {better}, and to be worse than one of "
        "them at {worse}.", n=len(ends), better=better, worse=worse,
    )  # fmt: skip
    limits = judged.of(found)
    return answered(judged, [f for f in found if judged.holds(f)], said) if limits else Answer(said)


SECTION: Final = Section(NAME, TITLE, (NAME,), 505, curves, theme=MODEL, answer=answer)
