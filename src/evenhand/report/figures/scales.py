"""Compute positions on a figure from values, so that templates have no arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.metrics import METRICS, describe
from evenhand.report.drawings import Tick
from evenhand.report.numbers import ends_of, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import Finding, Unit

SMALLEST: Final = 1e-9
"""The shortest axis."""
MOST_BYTES: Final = 12_000
"""The largest size of a figure."""
FRAME_BYTES: Final = 2_500
"""What title, description and axis take of that."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis from the value `low` at the left end to `high` at the right one."""

    low: float
    high: float
    left: int = 0
    """The position of the left end."""
    width: int = 100
    """Of the axis: in percent of the figure, or in units of a plot."""
    parts: int = 5
    """Into how many equal parts round marks divide it; of an axis of rows."""

    @property
    def right(self) -> int:
        """The position of the right end."""
        return self.left + self.width

    def place(self, value: float | None, otherwise: float | None = None) -> float:
        """Return the position of a value, clipped to the axis; an unbounded end (None) is at `otherwise`."""
        if value is None or not math.isfinite(value):
            value = self.low if otherwise is None else otherwise
        share = (value - self.low) / (self.high - self.low)
        return round(self.left + min(max(share, 0.0), 1.0) * self.width, 1)

    def labels(self, unit: Unit = "share") -> tuple[str, ...]:
        """Return the values at the ends of its equal parts, as text."""
        step = (self.high - self.low) / self.parts
        return tuple(_tick(self.low + at * step + 0.0, step, unit) for at in range(self.parts + 1))

    def ticks(self, unit: Unit = "share") -> tuple[Tick, ...]:
        """Return about five round marks."""
        step = nice_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        values = ((first + index) * step for index in range(count))
        return tuple(Tick(self.place(value), _tick(value + 0.0, step, unit)) for value in values)


def _tick(value: float, step: float, unit: Unit) -> str:
    if unit in ("bytes", "seconds") and value:
        return show(value, unit)
    return f"{value:z,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def nice_step(rough: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at or above `rough`.

    Examples
    --------
    >>> nice_step(0.25), nice_step(0.07), nice_step(3)
    (0.5, 0.1, 5.0)
    """
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))


def scale_of(values: list[float | None], *, shares: bool = True) -> Scale:
    """Return an axis that holds all values, from 0 to 1 where they are shares and may be."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if shares and low >= 0 and high <= 1 and high > 0.3:
        return Scale(0.0, 1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < SMALLEST:  # all are zero
        return Scale(0.0, 1.0)
    step = nice_step((high - low) / 4)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return Scale(first * step, last * step, parts=last - first)


def values_of(findings: Sequence[Finding], limits: Sequence[float | None]) -> list[float | None]:
    """Return what an axis has to hold: estimates, limits, and the ends of intervals that are not far from these.

    An interval of few rows may be a thousand times as wide as all estimates are apart: for its ends the axis goes to
    three times as far as estimates and limits do, of shares also from -1 to 1, and no further. A share of what is
    explained has no least value; below `LEAST_SHARE` it is only "worse than useless", and no further drawn.
    """
    least = LEAST_SHARE if {f.unit for f in findings} <= {"share"} and any(map(_is_bottomless, findings)) else -math.inf
    known = [value for value in (*(f.estimate for f in findings), *limits) if value is not None]
    inner = [max(value, least) for value in known]
    low, high = min((0.0, *inner)), max((0.0, *inner))
    room, least_room = 2 * (high - low), 1.0 if {f.unit for f in findings} <= set(SHARES) else 0.0
    left, right = max(min(low - room, -least_room), least), max(high + room, least_room)
    ends = [end for f in findings for end in ends_of(f) if end is not None]
    return [*inner, *(min(max(end, left), right) for end in ends)]


def _is_bottomless(finding: Finding) -> bool:
    metric = METRICS.get(finding.key.metric)
    return metric is not None and metric.highest == 1 and metric.lowest is None


def all_zero(values: Sequence[float | None], digits: int) -> bool:
    """Return whether every value is shown as zero, so that a plot of them would be empty.

    Examples
    --------
    >>> all_zero([0.0, -1e-10, None], 3), all_zero([0.0, 0.02], 2)
    (True, False)
    """
    return all(abs(value) < 0.5 * 10.0**-digits for value in values if value is not None)


LEAST_SHARE: Final = -1.0
SHARES: Final = ("share", "ratio", "score")
"""Units of numbers that are usually between 0 and 1."""
AXES: Final = {
    "share": message("share"), "ratio": message("ratio"), "score": message("score"), "number": message("value"),
    "bytes": message("bytes"), "seconds": message("seconds"),
}  # fmt: skip
"""What the axis of findings of a unit is called."""
DIFFERENCE: Final = message("difference of shares")
OF_EXPLANATIONS: Final = {"selection_gap_part": DIFFERENCE, "attribution_similarity": message("similarity")}
"""What the axis of metrics is called that are stated in units of the score, but are no scores."""
IN_LABEL: Final = message("in units of the label")


def axis_of(findings: Sequence[Finding]) -> tuple[str, Unit]:
    """Return the name and the unit of the axis of findings; those of several units have values, no unit."""
    units = {finding.unit for finding in findings}
    if len(units) != 1:
        return AXES["number"], "number"
    (unit,) = units
    metrics = {finding.key.metric for finding in findings}
    if unit == "number" and len(metrics) == 1:
        (metric,) = metrics
        of_label = metric in METRICS and METRICS[metric].task == "regression"
        return (IN_LABEL if of_label else describe(metric).label), unit
    if metrics <= OF_EXPLANATIONS.keys():
        return OF_EXPLANATIONS[min(metrics)], unit
    if unit == "share" and len(metrics) == 1 and _is_bottomless(findings[0]):
        return describe(findings[0].key.metric).label, unit
    apart = all(finding.key.metric.endswith(("_difference", "_change")) for finding in findings)
    return (DIFFERENCE if unit == "share" and apart else AXES[unit]), unit


def bytes_of(*texts: str) -> int:
    """Return how many bytes texts take on the page, with markup escaped."""
    return sum(len(escape(text).encode("utf-8", "replace")) for text in texts)


def fitting(rows: Sequence[Sequence[str]], each: int) -> int:
    """Return how many rows of texts, each with marks of `each` bytes, a figure of `MOST_BYTES` can have.

    Examples
    --------
    >>> fitting([["a"]] * 100, 1000), fitting([["<" * 1000]] * 100, 1000)
    (9, 1)
    """
    used = FRAME_BYTES
    for at, texts in enumerate(rows):
        used += each + bytes_of(*texts)
        if used > MOST_BYTES:
            return at
    return len(rows)
