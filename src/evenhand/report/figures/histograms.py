"""Figures of two histograms, one above the axis and one below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import HistogramPair, Outline, Table
from evenhand.report.figures.findings import described
from evenhand.report.figures.scales import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

TALL, TOP, LEFT, WIDE = 70, 26, 44, 280
BINS: Final = 20


def histogram_pair(
    name: str,
    title: str,
    low: float,
    high: float,
    histograms: Sequence[tuple[str, Sequence[float]]],
    marker: float | None = None,
    marked: str = "",
) -> HistogramPair:
    """Return two histograms of equal bins from `low` to `high`, each of the same area, with their table twin.

    Each is a label and counts, as many as the other's; a vertical line marks `marker`, which is what
    `marked` says.
    """
    across = Scale(low, high, LEFT, WIDE)
    shares = [[count / max(sum(counts), 1) for count in counts] for _, counts in histograms]
    top = max(max(values) for values in shares) or 1.0
    bins = len(shares[0])
    edges = [low + (high - low) * at / bins for at in range(bins + 1)]
    axis = TOP + TALL
    outlines = tuple(
        Outline(label, _path(across, edges, [value / top for value in shares[at]], axis, -1 if at == 0 else 1), at)
        for at, (label, _) in enumerate(histograms)
    )
    upwards = tuple((axis - sign * TALL, f"{100 * share:.0f} %") for sign, share in ((1, top), (0, 0.0), (-1, top)))
    frame = (name, title, _describe(title, edges, histograms), _table(name, title, edges, histograms))
    width, high_ = LEFT + WIDE + 16, TOP + 2 * TALL + 40
    axes: tuple[str, str] = (message("score"), message("share of the rows"))
    place = None if marker is None else across.place(marker)
    return HistogramPair(
        *frame, width, high_, across.ticks(), upwards, LEFT, across.right, axes, outlines, axis, place, marked
    )


def _path(across: Scale, edges: list[float], heights: list[float], axis: float, sign: int) -> str:
    steps = [f"M{across.place(edges[0]):g} {axis:g}"]
    for at, height in enumerate(heights):
        steps.append(f"V{axis + sign * TALL * height:.1f}H{across.place(edges[at + 1]):g}")
    return "".join([*steps, f"V{axis:g}z"])


def _table(name: str, title: str, edges: list[float], histograms: Sequence[tuple[str, Sequence[float]]]) -> Table:
    """Return the shares and counts of the bins from the first with a row to the last."""
    used = [at for at in range(len(edges) - 1) if any(counts[at] for _, counts in histograms)]
    rows = tuple(
        (f"{edges[at]:.3g} – {edges[at + 1]:.3g}", *(_share(counts, at) for _, counts in histograms))
        for at in range(min(used, default=0), max(used, default=-1) + 1)
    )
    head = (message("score"), *(label for label, _ in histograms))
    return Table(f"{name}-table", title, head, rows, frozenset({1, 2}))


def _share(counts: Sequence[float], at: int) -> str:
    return f"{100 * counts[at] / max(sum(counts), 1):.1f} % ({counts[at]:,.0f})"


def _describe(title: str, edges: list[float], histograms: Sequence[tuple[str, Sequence[float]]]) -> str:
    told = []
    for label, counts in histograms:
        at = max(range(len(counts)), key=lambda place, counts=counts: counts[place])  # type: ignore[misc]
        said = {"rows": sum(counts), "low": edges[at], "high": edges[at + 1]}
        told.append((label, message("{rows:,.0f} rows, most between {low:.3g} and {high:.3g}", **said)))
    return described(title, told)
