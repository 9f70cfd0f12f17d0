"""Waterfalls: from a start to an end, step by step, each step with its interval."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import LABEL, Dot, Figure, Table
from evenhand.report.figures.findings import described
from evenhand.report.figures.scales import axis_of, scale_of
from evenhand.report.numbers import cut, ends_of, show, with_interval

if TYPE_CHECKING:
    from evenhand.findings import Finding
    from evenhand.report.drawings import Mark
    from evenhand.report.figures.scales import Scale

MOST: Final = 10
"""Steps drawn, the largest ones; the others are one step together."""
MOST_TOLD: Final = 12
"""Steps of the table; more are in audit.json."""
KEY: Final = (("up", message("raises it")), ("down", message("lowers it")))


def waterfall(
    name: str, title: str, parts: list[Finding], start: float, end: float, words: tuple[str, str], axis: str = ""
) -> Figure:
    """Return the figure of steps that lead from `start` to `end`, the largest first, with its table twin.

    Each step is about one feature; they sum to ``end - start``. `words` are the names of the start and the end;
    `axis` names the axis where the steps do not.
    """
    ordered = sorted(parts, key=lambda finding: -abs(finding.estimate or 0.0))
    drawn, rest = ordered[:MOST], ordered[MOST:]
    left_over = sum(finding.estimate or 0.0 for finding in rest)
    ends = list(accumulate((finding.estimate or 0.0 for finding in drawn), initial=start))
    reach: list[float | None] = [*ends, end, start]
    for place, finding in enumerate(drawn):
        if finding.interval is not None:
            low, high = ends_of(finding)
            reach += [None if low is None else ends[place] + low, None if high is None else ends[place] + high]
    others = message("{features} other features", features=len(rest))
    scale = scale_of(reach, shares=False)
    dots = [_total(words[0], start, scale)]
    dots += [_step(finding, way, scale) for finding, way in zip(drawn, pairwise(ends), strict=True)]
    if rest:
        dots.append(_several(others, ends[-1], left_over, scale))
    dots.append(_total(words[1], end, scale))
    few = [(cut(f.key.columns[0], 60), with_interval(f, 3)) for f in drawn[:2]]
    told = [(words[0], show(start, "score")), *few, (words[1], show(end, "score"))]
    twin = _twin(name, title, ordered, start, end, words)
    named, unit = axis_of(drawn)
    frame = (name, title, described(title, told), twin, scale.labels(unit), axis or named, KEY, scale.place(0.0))
    return Figure(*frame, "waterfall", tuple(dots))


def _total(label: str, value: float, scale: Scale) -> Dot:
    goal = scale.place(value)
    return Dot(label, show(value, "score"), "plain", goal, goal, goal, start=scale.place(0.0))


def _step(finding: Finding, way: tuple[float, float], scale: Scale) -> Dot:
    origin, goal = way
    low, high = (None, None) if finding.interval is None else ends_of(finding)
    least, most = (scale.place(goal if end is None else origin + end) for end in (low, high))
    name, text, mark = cut(finding.key.columns[0], LABEL), with_interval(finding, 3), _mark(goal - origin)
    return Dot(name, text, mark, scale.place(goal), least, most, start=scale.place(origin))


def _several(label: str, origin: float, step: float, scale: Scale) -> Dot:
    goal = scale.place(origin + step)
    text, began = show(step, "score", 3), scale.place(origin)
    return Dot(label, text, _mark(step), goal, goal, goal, start=began)


def _mark(step: float) -> Mark:
    """Return the direction of a step, which sets its colour."""
    return "passed" if step > 0 else "failed"


def _twin(name: str, title: str, ordered: list[Finding], start: float, end: float, words: tuple[str, str]) -> Table:
    told = any(f.key.qualifier("row") is not None for f in ordered)
    rows = [(words[0], show(start, "score", 3), "")]
    rows += [(cut(f.key.columns[0], 200), with_interval(f, 3), f.note) for f in ordered[:MOST_TOLD]]
    rows.append((words[1], show(end, "score", 3), ""))
    columns = 3 if told else 2
    head = ("", message("estimate and interval"), "")[:columns]
    table = Table(f"{name}-table", title, head, tuple(row[:columns] for row in rows), frozenset({1}))
    return replace(table, cut=max(len(ordered) - MOST_TOLD, 0))
