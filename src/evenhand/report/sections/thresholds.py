"""Metrics at other thresholds, from the counts by score in a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.report.drawings import Table
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import cut
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, GroupCounts
    from evenhand.report.drawings import Lines
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Other thresholds")
EMPTY: Final = message("Scores of two classes, not weighted, would fill this.")
MOST_LINES = 5
MOST_ROWS = 16


def swept(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the part about thresholds; none where there are no counts by score."""
    places = record.provenance.get("score_edges", [])
    found = [part for part in record.tallies if part.model == "scores"]
    if not found or len(places) < 3:
        regression = record.provenance.get("data", {}).get("task") == "regression"
        return () if regression else (Part("thresholds", TITLE, (EMPTY,), state="absent"),)
    lines = _lines(record, found)
    today = record.provenance.get("subject", {}).get("threshold")
    lead = [message("Each line is what decisions at that threshold would be, for the same rows and scores.")]
    if today is not None:
        lead.append(message("The upright line shows the threshold in use."))
    return (Part("thresholds", TITLE, tuple(lead), (_drawn(places, lines, today),)),)


def _lines(record: AuditRecord, found: list[GroupCounts]) -> list[tuple[str, list[float]]]:
    """Return accuracy over all rows, then the selection rate of the largest groups of the first feature."""
    import numpy as np

    from evenhand.metrics import measure
    from evenhand.metrics.values.thresholds import tallies

    lines: list[tuple[str, list[float]]] = []
    feature = next(iter(record.provenance.get("data", {}).get("sensitive_features", [])), "")
    first = [part for part in found if part.columns == (feature,)]
    for part in (found[0], *first[:1]):
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


def _drawn(places: list[float], lines: list[tuple[str, list[float]]], today: float | None) -> Lines:
    every = max(1, len(places) // MOST_ROWS)
    chosen = (at for at, place in enumerate(places) if at % every == 0 or place == today)
    rows = ((f"{places[at]:.4g}", *(f"{values[at]:.3f}" for _, values in lines)) for at in chosen)
    head = (message("threshold"), *(label for label, _ in lines))
    title = message("Accuracy, and who is predicted positive, at every threshold")
    ends = (
        message("{line} from {first:.2f} to {last:.2f}", line=label, first=values[0], last=values[-1])
        for label, values in lines
    )
    low, high, said = places[0], places[-1], joined("; ", ends)
    told = message("Thresholds from {low:.3g} to {high:.3g}: {lines}.", low=low, high=high, lines=said)
    twin = Table("thresholds-table", message("Thresholds"), head, tuple(rows), frozenset(range(1, len(head))))
    axes, words = (head[0], message("share")), message("the threshold in use")
    return line_figure("thresholds-figure", title, told, places, lines, twin, axes=axes, marker=today, marked=words)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the threshold with the greatest accuracy, and the one in use."""
    places = record.provenance.get("score_edges", [])
    values = _lines(record, [part for part in record.tallies if part.model == "scores"])[0][1]
    best = max(range(len(values)), key=values.__getitem__)
    said = message(
        "Accuracy is greatest ({accuracy:.3f}) at a threshold of {threshold:.3g}.",
        accuracy=values[best], threshold=places[best],
    )  # fmt: skip
    today = record.provenance.get("subject", {}).get("threshold")
    return Answer(said if today is None else sentences(said, _in_use(record, today)))


def _in_use(record: AuditRecord, threshold: float) -> str:
    """State the threshold in use, with its accuracy."""
    found = record.get("accuracy")
    if found is None or found.estimate is None:
        return message("In use is {threshold:.4g}.", threshold=threshold)
    return message("In use is {threshold:.4g} ({accuracy:.3f}).", threshold=threshold, accuracy=found.estimate)


SECTION: Final = Section("thresholds", TITLE, (), 500, swept, theme=MODEL, answer=answer)
