"""What other thresholds would do: lines over the thresholds, from the counts by score that a record keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.messages import joined, message
from evenhand.report.drawings import Table
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import cut
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, GroupCounts
    from evenhand.report.drawings import Lines

MOST_LINES = 5
MOST_ROWS = 16


def swept(record: AuditRecord) -> Part:
    """Return the part about thresholds; one sentence where there are no counts by score."""
    title = message("Other thresholds")
    edges = record.provenance.get("score_edges")
    found = [part for part in record.tallies if part.model == "scores"]
    if not isinstance(edges, list) or not found or len(edges) < 3:
        return Part("thresholds", title, (message("Scores of two classes, not weighted, would fill this."),))
    places = [float(edge) for edge in edges]  # type: ignore[arg-type]
    lines = _lines(record, found)
    today = _in_use(record)
    table = _table(places, lines, today)
    lead = [message("Each line is what decisions at that threshold would be, for the same rows and scores.")]
    if today is not None:
        lead.append(message("The threshold in use is {threshold:.4g}; the upright line shows it.", threshold=today))
    return Part("thresholds", title, tuple(lead), (_drawn(places, lines, today, table),))


def _first_feature(record: AuditRecord) -> str:
    """Return the sensitive feature that was named first."""
    data = record.provenance.get("data")
    named = data.get("sensitive_features") if isinstance(data, dict) else None
    return str(named[0]) if isinstance(named, list) and named else ""


def _lines(record: AuditRecord, found: list[GroupCounts]) -> list[tuple[str, list[float]]]:
    """Return accuracy over all rows, then the selection rate of the largest groups of the first feature."""
    import numpy as np

    from evenhand.metrics import measure
    from evenhand.metrics.values.thresholds import tallies

    lines: list[tuple[str, list[float]]] = []
    first = next((part for part in found if part.columns == (_first_feature(record),)), None)
    for part in (found[0], *((first,) if first is not None else ())):
        counts = np.asarray(part.counts, dtype=np.int64)
        metric = "selection_rate" if part.columns else "accuracy"
        values = measure(metric, tallies(counts)).estimate.reshape(-1, len(counts))
        largest = np.argsort(-counts.sum(axis=(1, 2)), kind="stable")[: MOST_LINES - 1]
        for group in sorted(largest.tolist()):
            who = "=".join((*part.columns, *part.groups[group]))
            named = message("Selection rate: {group}", group=cut(who, 30))
            label = named if part.columns else message("Accuracy, all rows")
            lines.append((label, np.nan_to_num(values[:, group]).tolist()))
    return lines


def _in_use(record: AuditRecord) -> float | None:
    subject = record.provenance.get("subject")
    value = subject.get("threshold") if isinstance(subject, dict) else None
    return float(value) if isinstance(value, (int, float)) else None


def _drawn(places: list[float], lines: list[tuple[str, list[float]]], today: float | None, table: Table) -> Lines:
    title = message("Accuracy, and who is predicted positive, at every threshold")
    return line_figure("thresholds-figure", title, _describe(places, lines), places, lines, table, marker=today)


def _describe(places: list[float], lines: list[tuple[str, list[float]]]) -> str:
    ends = (
        message("{line} from {first:.2f} to {last:.2f}", line=label, first=values[0], last=values[-1])
        for label, values in lines
    )
    return message(
        "Thresholds from {low:.3g} to {high:.3g}: {lines}.", low=places[0], high=places[-1], lines=joined("; ", ends)
    )


def _table(places: list[float], lines: list[tuple[str, list[float]]], today: float | None) -> Table:
    every = max(1, len(places) // MOST_ROWS)
    chosen = [at for at, place in enumerate(places) if at % every == 0 or place == today]
    rows = tuple((f"{places[at]:.4g}", *(f"{values[at]:.3f}" for _, values in lines)) for at in chosen)
    head = (message("threshold"), *(label for label, _ in lines))
    return Table("thresholds-table", message("Thresholds"), head, rows, frozenset(range(1, len(head))))
