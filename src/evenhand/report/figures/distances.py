"""The figure of limits: how far each is kept or missed, on one scale for ratios, errors, R2 and bytes alike.

The scale is that of `evenhand.policy.severity`: 0 is the limit, -1 the best possible value, 1 twice as far from the
best value as the limit allows. It is drawn twice, wide and narrow; a page shows the one that it has room for.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.policy.evidence import decided_end
from evenhand.policy.naming import named
from evenhand.policy.severity import beyond
from evenhand.policy.wording import measured
from evenhand.report.drawings import Tick
from evenhand.report.numbers import cut, words_of
from evenhand.report.spans import Bar, Distances, Sheet, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.policy import Judgement

MOST_ROWS: Final = 12
"""Limits that are drawn; all are in the table."""
LEAST_ROWS: Final = 6
"""Limits that are drawn however much is said before."""
INSIDE: Final = -1.0
OUTSIDE: Final = 3.0
"""The ends of the scale; what is beyond them is drawn as an arrow."""
ASIDE: Final = 14
"""How far an estimate beyond the scale is drawn from its end, so that the arrow is seen."""
MOST_KEY: Final = 80


def distances(judgements: Sequence[Judgement], words: int = 1000) -> Distances | None:
    """Return the figure of the worst limits; None without any. What is met and has no value needs no place on it.

    Parameters
    ----------
    judgements : sequence of Judgement
        Worst first.
    words : int
        How many words the rows may take together; a few rows are drawn in any case.
    """
    placed = (span_of(judgement) for judgement in judgements)
    drawn = [span for span in placed if span.at is not None or span.mark != "passed"]
    spans = _fitting(drawn[:MOST_ROWS], words)
    if not spans:
        return None
    reach = max(
        (end for span in spans for end in (span.at, span.high) if end is not None and math.isfinite(end)), default=1
    )
    end = float(min(max(math.ceil(reach), 1), OUTSIDE))
    title = message("How far each limit is kept or missed")
    told = joined("; ", (message("{limit}: {status}", limit=span.label, status=span.badge) for span in spans))
    sheets = _sheet("wide", spans, end), _sheet("narrow", spans, end)
    description = message("{title}, worst first. {limits}.", title=title, limits=told)
    return Distances("limits-figure", title, description, sheets, len(judgements) - len(spans))


def _fitting(spans: Sequence[Span], words: int) -> list[Span]:
    """Return as many rows as have the words together, and at least a few."""
    taken = list(accumulate(words_of(f"{span.label} {span.key} {span.badge}") for span in spans))
    return list(spans[: max(LEAST_ROWS, bisect_right(taken, words))])


def span_of(judgement: Judgement) -> Span:
    """Return a judged limit on the scale; the end that decided is at the judgement's severity."""
    limit, finding = judgement.limit, judgement.finding
    key, label = cut(str(judgement.key), MOST_KEY), named(judgement.key)
    said = (label, key, judgement.status, judgement.badge)
    if finding is None or finding.estimate is None:
        return Span(*said, None, 0.0, 0.0, cut(measured(finding, limit), 40))
    at = beyond(finding.estimate, limit)
    if finding.interval is None:
        return Span(*said, at, at, at)
    ends = {
        "low": finding.interval.low if finding.interval.low is not None else -math.inf,
        "high": finding.interval.high if finding.interval.high is not None else math.inf,
    }
    better, worse = ("low", "high") if limit.at_most is not None else ("high", "low")
    low, high = beyond(ends[better], limit), beyond(ends[worse], limit)
    if finding.uncovered:
        return Span(*said, at, low, high)
    if decided_end(limit, judgement.status) == better:
        return Span(*said, at, judgement.severity, high)
    return Span(*said, at, low, judgement.severity)


def _sheet(name: str, spans: Sequence[Span], end: float) -> Sheet:
    wide = name == "wide"
    width, left, right = (856, 304, 700) if wide else (334, 6, 328)
    top, row = 38, 36 if wide else 58
    room = float(left - 16) if wide else float(width)

    def place(value: float) -> float:
        share = (min(max(value, INSIDE), end) - INSIDE) / (end - INSIDE)
        return round(left + share * (right - left), 1)

    bars = []
    for at, span in enumerate(spans):
        y, known = top + row * at + (row // 2 if wide else row - 14), 0.0 if span.at is None else span.at
        opens = min(span.low, known) < INSIDE, max(span.high, known) > end
        x = None if span.at is None else place(span.at) + ASIDE * ((span.at < INSIDE) - (span.at > end))
        label_y = y - 3 if wide else y - 30
        bars.append(Bar(span, y, place(span.low), place(span.high), x, opens, label_y, room, not wide))
    marks: list[tuple[float, str]] = [(INSIDE, message("best")), (0.0, message("limit"))]
    marks += [(float(times), f"{times + 1}×") for times in range(1, int(end) + 1)]
    ticks = tuple(Tick(place(value), text) for value, text in marks)
    height = top + row * len(spans) + 4
    bands = ((top, height),) if wide else tuple((bar.y - 11, bar.y + 11) for bar in bars)
    return Sheet(name, width, height, left, right, top, place(0.0), ticks, tuple(bars), bands)
