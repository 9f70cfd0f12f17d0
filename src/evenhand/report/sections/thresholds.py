"""What other thresholds would do: lines over the thresholds, from the counts by score that a record keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import cut
from evenhand.report.view import Part, Table

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, GroupCounts
    from evenhand.report.view import Lines

MOST_LINES = 5
MOST_ROWS = 16


def swept(record: AuditRecord) -> Part:
    """Return the part about thresholds; one sentence where there are no counts by score."""
    title = "Other thresholds"
    places = record.provenance.get("score_edges", [])
    found = [part for part in record.tallies if part.model == "scores"]
    if not found or len(places) < 3:
        return Part("thresholds", title, ("Scores of two classes, not weighted, would fill this.",))
    lines = _lines(record, found)
    today = record.provenance.get("subject", {}).get("threshold")
    table = _table(places, lines, today)
    lead = ["Each line is what decisions at that threshold would be, for the same rows and scores."]
    if today is not None:
        lead.append(f"The threshold in use is {today:.4g}; the upright line shows it.")
    return Part("thresholds", title, tuple(lead), (_drawn(places, lines, today, table),))


def _first_feature(record: AuditRecord) -> str:
    """Return the sensitive feature that was named first."""
    return next(iter(record.provenance.get("data", {}).get("sensitive_features", [])), "")


def _lines(record: AuditRecord, found: list[GroupCounts]) -> list[tuple[str, list[float]]]:
    """Return accuracy over all rows, then the selection rate of the largest groups of the first feature."""
    import numpy as np

    from evenhand.metrics import measure
    from evenhand.metrics.values.thresholds import tallies

    lines = []
    first = next((part for part in found if part.columns == (_first_feature(record),)), None)
    for part in (found[0], *((first,) if first is not None else ())):
        counts = np.asarray(part.counts, dtype=np.int64)
        metric = "selection_rate" if part.columns else "accuracy"
        values = measure(metric, tallies(counts)).estimate.reshape(-1, len(counts))
        largest = np.argsort(-counts.sum(axis=(1, 2)), kind="stable")[: MOST_LINES - 1]
        for group in sorted(largest.tolist()):
            who = "=".join((*part.columns, *part.groups[group]))
            label = f"Selection rate: {cut(who, 30)}" if part.columns else "Accuracy, all rows"
            lines.append((label, np.nan_to_num(values[:, group]).tolist()))
    return lines


def _drawn(places: list[float], lines: list[tuple[str, list[float]]], today: float | None, table: Table) -> Lines:
    title = "Accuracy, and who is predicted positive, at every threshold"
    return line_figure("thresholds-figure", title, _describe(places, lines), places, lines, table, marker=today)


def _describe(places: list[float], lines: list[tuple[str, list[float]]]) -> str:
    ends = "; ".join(f"{label} from {values[0]:.2f} to {values[-1]:.2f}" for label, values in lines)
    return f"Thresholds from {places[0]:.3g} to {places[-1]:.3g}: {ends}."


def _table(places: list[float], lines: list[tuple[str, list[float]]], today: float | None) -> Table:
    every = max(1, len(places) // MOST_ROWS)
    chosen = [at for at, place in enumerate(places) if at % every == 0 or place == today]
    rows = tuple((f"{places[at]:.4g}", *(f"{values[at]:.3f}" for _, values in lines)) for at in chosen)
    head = ("threshold", *(label for label, _ in lines))
    return Table("thresholds-table", "Thresholds", head, rows, frozenset(range(1, len(head))))
