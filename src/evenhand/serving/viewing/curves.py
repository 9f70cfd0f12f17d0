"""A metric of the groups at every threshold, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.keys import group_name
from evenhand.messages import joined, message
from evenhand.metrics import METRICS, describe, measure
from evenhand.metrics.answers.questions import is_paired
from evenhand.metrics.values.thresholds import tallies
from evenhand.report.drawings import Table
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import cut
from evenhand.serving.viewing.moving import nearest_edge
from evenhand.serving.viewing.shown import Answer

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.metrics import Metric
    from evenhand.report.drawings import Lines
    from evenhand.serving.viewing.asking import Asked

MOST_LINES: Final = 5
MOST_ROWS: Final = 16
FEWEST: Final = 3
"""Thresholds of which a line is drawn."""


def curves(record: AuditRecord, asked: Asked) -> Answer | None:
    """Return the metric of the largest groups at every threshold at which it is defined in all of them."""
    entry, places = METRICS.get(asked.metric), np.asarray(record.provenance.get("score_edges", []))
    part = next((p for p in record.tallies if (p.model, p.columns) == ("scores", asked.by)), None)
    if part is None or entry is None or not entry.counted or is_paired(asked.metric):
        return None
    counts = np.asarray(part.counts, dtype=np.int64)
    values = measure(asked.metric, tallies(counts)).estimate.reshape(-1, len(counts))
    names = [group_name(zip(part.columns, group, strict=True)) for group in part.groups]
    chosen = [at for at, name in enumerate(names) if not asked.groups or name in asked.groups]
    largest = sorted(sorted(chosen, key=lambda at: -int(counts[at].sum()))[:MOST_LINES])
    defined = ~np.isnan(values[:, largest]).any(axis=1)
    if not largest or defined.sum() < FEWEST:
        return None
    lead = [message("Without intervals.")]
    if len(chosen) > len(largest):
        lead.append(message("Of {n} groups, the {shown} largest.", n=len(chosen), shown=len(largest)))
    if not defined.all():
        lead.append(message("Left out are the thresholds at which a group has no value."))
    lines = [(cut(names[at], 30) or message("all rows"), values[defined, at].tolist()) for at in largest]
    wanted = asked.threshold if asked.threshold is not None else record.provenance.get("subject", {}).get("threshold")
    marker = None if wanted is None else float(places[nearest_edge(places.tolist(), wanted)])
    title = message("{metric} at every threshold", metric=describe(asked.metric).label)
    return Answer("thresholds", title, tuple(lead), (_drawn(title, places[defined].tolist(), lines, entry, marker),))


def _drawn(
    title: str, places: list[float], lines: list[tuple[str, list[float]]], entry: Metric, marker: float | None
) -> Lines:
    head = (message("threshold"), *(name for name, _ in lines))
    every = range(0, len(places), max(1, len(places) // MOST_ROWS))
    cells = tuple((f"{places[at]:.4g}", *(f"{each[at]:.3f}" for _, each in lines)) for at in every)
    twin = Table("lines-table", title, head, cells, frozenset(range(1, len(head))))
    ends = (
        message("{line} from {first:.2f} to {last:.2f}", line=name, first=values[0], last=values[-1])
        for name, values in lines
    )
    low, high, said = places[0], places[-1], joined("; ", ends)
    told_ = message("Thresholds from {low:.3g} to {high:.3g}: {lines}.", low=low, high=high, lines=said)
    top = max(max(values) for _, values in lines) if entry.highest is None else entry.highest
    bottom = min(min(values) for _, values in lines) if entry.lowest is None else entry.lowest
    axes = message("threshold"), entry.label
    marked = message("threshold shown above")
    return line_figure(
        "lines", title, told_, places, lines, twin, axes=axes, marker=marker, marked=marked, top=top, bottom=bottom
    )
