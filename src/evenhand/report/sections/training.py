"""How the model was trained: its curves, how it does on rows it knows beside others, and what it cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evenhand.metrics import describe
from evenhand.report.figures.findings import figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import show
from evenhand.report.view import Block, Part, Table

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.provenance import TrainingFacts
    from evenhand.report.sections.judged import Judged

PARTS = {"train": "training rows", "validation": "validation rows"}
MOST_ROWS = 21


def trained(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about training; nothing where nothing is known of it."""
    found = [f for f in record.findings if f.audit == "training"]
    facts = record.provenance.get("subject", {}).get("training", {})
    blocks: list[Block] = [*_compared(record, found, judged), *_curves(facts), *_costs(found)]
    if not blocks:
        return ()
    sure = [f"{describe(f.key.qualifier('rate') or '').label}: {f.note}" for f in found if "overfitted" in f.note]
    return (Part("training", "How it was trained", tuple(sure), tuple(blocks)),)


def _compared(record: AuditRecord, found: list[Finding], judged: Judged) -> list[Block]:
    rows = []
    for finding in found:
        part = PARTS.get(finding.key.qualifier("of") or "")
        if part is None:
            continue
        label = describe(finding.key.metric).label
        rows.append(judged.row(f"{label}: {part}", finding))
        here = record.get(finding.key.metric)
        if finding.key.qualifier("of") == "validation" and here is not None:
            rows.append(judged.row(f"{label}: evaluation rows", here))
    return [figure("training-parts", "Rows it was fitted on beside others", rows, digits=3)] if rows else []


def _curves(facts: TrainingFacts) -> list[Block]:
    """Draw the losses over the epochs; an upright line marks the epoch that was kept."""
    training, validation = facts.get("train_loss", []), facts.get("validation_loss", [])
    curves = [("training rows", training), ("validation rows", validation)]
    if len(training) < 2 or len(training) != len(validation):
        return []
    epochs = list(range(1, len(training) + 1))
    kept = facts.get("best_epoch")
    top = _round_up(max(max(values) for _, values in curves))
    ends = "; ".join(f"{label} from {values[0]:.3g} to {values[-1]:.3g}" for label, values in curves)
    every = max(1, len(epochs) // MOST_ROWS)
    chosen = [epoch for epoch in epochs if epoch % every == 0 or epoch in (1, kept)]
    rows = tuple((str(epoch), *(f"{values[epoch - 1]:.4f}" for _, values in curves)) for epoch in chosen)
    head = ("epoch", "training rows", "validation rows")
    table = Table("training-curves-table", "Loss by epoch", head, rows, frozenset({1, 2}))
    marker = float(kept) if kept else None
    return [
        line_figure(
            "training-curves",
            "Loss by epoch",
            f"Epochs 1 to {len(epochs)}: {ends}. The upright line marks the epoch that was kept.",
            [float(epoch) for epoch in epochs],
            curves,
            table,
            marker=marker,
            top=top,
        )
    ]


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 4, 6, 8 and their tenfold, at or above a value."""
    if not value > 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(float(f"{step * size:g}") for step in (1, 2, 4, 6, 8, 10) if step * size >= value * (1 - 1e-9))


def _costs(found: list[Finding]) -> list[Block]:
    rows = tuple((describe(f.key.metric).label, show(f.estimate, f.unit), f.note) for f in found if f.volatile)
    if not rows:
        return []
    return [Table("training-costs", "What it costs", ("", "measured", ""), rows, frozenset({1}))]
