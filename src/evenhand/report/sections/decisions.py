"""Confusion tables and score distributions, overall and by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.keys import Key, group_name
from evenhand.messages import message
from evenhand.report.figures.heat import heat_figure
from evenhand.report.figures.histograms import BINS, histogram_pair
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord, GroupCounts
    from evenhand.report.view import Block

CELLS: Final = (
    message("true negative"), message("false positive"), message("false negative"), message("true positive"),
)  # fmt: skip
AXES: Final = ("group", "true", "predicted")
FEWEST_EDGES: Final = 5
"""Thresholds below which scores have too few values for a histogram."""
MOST_CLASSES: Final = 7
CLASS_NAME: Final = 16


def confusion(record: AuditRecord) -> tuple[Block, ...]:
    """Draw truth against decision over all rows, each row of the grid as shares of that truth."""
    whole = (part for part in record.tallies if part.model == "subject" and not part.columns)
    counts = next((part for part in whole if part.axes == AXES), None)
    if counts is None:
        return ()
    table = cast("list[list[int]]", cast("list[object]", counts.counts)[0])
    names = _classes(record, len(table))
    if len(names) > MOST_CLASSES:
        return ()
    rows = [(name, *_shares(cells)) for name, cells in zip(names, table, strict=True)]
    title = message("Truth (rows of the grid) against decision (columns), as shares of each truth")
    return (heat_figure("confusion", title, names, rows, message("truth")),)


def whose(record: AuditRecord, counts: GroupCounts, name: str, title: str) -> tuple[Block, ...]:
    """Draw the confusion table of each group, as shares of its rows."""
    if counts.axes != AXES:
        return ()
    rows = []
    for group, cells in zip(counts.groups, cast("list[list[list[int]]]", counts.counts), strict=True):
        flat = [cell for row in cells for cell in row]
        if len(flat) != len(CELLS):
            return ()
        rows.append((cut(group_name(zip(counts.columns, group, strict=True)), 200), *_shares(flat)))
    words = message("Where each group's rows fall, by {features}", features=title)
    return (heat_figure(f"{name}-cells", words, CELLS, rows, message("group")),)


def scores_by_truth(record: AuditRecord) -> tuple[Block, ...]:
    """Draw the scores of rows whose truth is negative, and of those whose truth is positive."""
    counts = next((part for part in record.tallies if part.model == "scores" and not part.columns), None)
    edges = _edges(record)
    if counts is None or not edges:
        return ()
    table = cast("list[list[list[int]]]", counts.counts)[0]
    labels = ((1, message("truth positive")), (0, message("truth negative")))
    pair = [(label, _binned(table[truth], edges)) for truth, label in labels]
    title = message("Scores by truth, each group of rows as shares of its own")
    return _pair(record, "scores-truth", title, pair, edges)


def scores_by_group(record: AuditRecord, counts: GroupCounts, name: str, title: str) -> tuple[Block, ...]:
    """Draw the scores of the two groups that are shown to be furthest apart in selection."""
    gap = record.get(Key.of("selection_rate_difference", counts.columns))
    scored = next((part for part in record.tallies if part.model == "scores" and part.columns == counts.columns), None)
    edges = _edges(record)
    if gap is None or len(gap.furthest) < 2 or scored is None or not edges:
        return ()
    by_name = {
        ", ".join(group): table
        for group, table in zip(scored.groups, cast("list[list[list[int]]]", scored.counts), strict=True)
    }
    chosen = [(part.group, by_name.get(part.group)) for part in reversed(gap.furthest)]
    if any(table is None for _, table in chosen):
        return ()
    pair = [
        (cut(f"{counts.columns[0]}={group}", 40), _binned([sum(both) for both in zip(*table, strict=True)], edges))
        for group, table in chosen
        if table is not None
    ]
    words = message("Scores of the two groups that are compared first above, by {features}", features=title)
    return _pair(record, f"{name}-scores", words, pair, edges)


def _pair(
    record: AuditRecord, name: str, title: str, pair: Sequence[tuple[str, list[float]]], edges: list[float]
) -> tuple[Block, ...]:
    used, (low, high) = record.provenance.get("subject", {}).get("threshold"), _ends(edges)
    inside = used is not None and low <= used <= high
    return (histogram_pair(name, title, low, high, pair, used if inside else None, message("the threshold in use")),)


def _ends(edges: list[float]) -> tuple[float, float]:
    """Return the ends of the axis: those of shares where scores may be shares."""
    return (0.0, 1.0) if edges[0] >= 0 and edges[-1] <= 1 else (edges[0], edges[-1])


def _edges(record: AuditRecord) -> list[float]:
    edges = record.provenance.get("score_edges", [])
    return edges if len(edges) >= FEWEST_EDGES and edges[0] < edges[-1] else []


def _binned(reached: Sequence[int], edges: list[float]) -> list[float]:
    """Return counts by score in equal bins; a count between two thresholds lies in the bin of their middle."""
    low, high = _ends(edges)
    bins = [0.0] * BINS
    for at, count in enumerate(reached):
        below, above = edges[max(at - 1, 0)], edges[min(at, len(edges) - 1)]
        place = ((below + above) / 2 - low) / (high - low)
        bins[min(BINS - 1, max(0, int(place * BINS)))] += count
    return bins


def _shares(cells: Sequence[int]) -> tuple[list[float | None], list[str]]:
    total = sum(cells)
    shares: list[float | None] = [cell / total if total else None for cell in cells]
    return shares, [f"{100 * share:.0f} %" if share is not None else "–" for share in shares]


def _classes(record: AuditRecord, count: int) -> list[str]:
    named = record.provenance.get("data", {}).get("classes", [])
    if len(named) == count:
        return [cut(str(name), CLASS_NAME) for name in named]
    return [message("negative"), message("positive")] if count == 2 else [str(at) for at in range(count)]
