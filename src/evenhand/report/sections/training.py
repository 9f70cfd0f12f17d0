"""Training: loss curves, the generalization gap, and the cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import Table, table
from evenhand.report.figures.findings import figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import show
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord, Finding
    from evenhand.messages import Place
    from evenhand.provenance import TrainingFacts
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("How it was trained")
COST: Final = message("What it costs")
"""The title where nothing else is known of it."""
PARTS = {"train": message("training rows"), "validation": message("validation rows")}
PINBALL: Final = message("Pinball loss")
"""What networks of quantiles are compared with trees by."""
MOST_ROWS = 21


def trained(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about training; nothing where it is unknown."""
    found = record.of_audit("training")
    facts = record.provenance.get("subject", {}).get("training", {})
    fitted: list[Block] = [*_compared(record, found, judged), *_beside_trees(found, judged), *_curves(facts)]
    blocks = (*fitted, *_costs(found))
    return (Part("training", TITLE if fitted else COST, (), blocks),) if blocks else ()


def _compared(record: AuditRecord, found: Iterable[Finding], judged: Judged) -> list[Block]:
    rows = []
    for finding in found:
        part = PARTS.get(finding.key.qualifier("of") or "")
        if part is None:
            continue
        label = describe(finding.key.metric).label
        rows.append(judged.row(joined(": ", (label, part)), finding))
        here = record.get(finding.key.metric)
        if finding.key.qualifier("of") == "validation" and here is not None:
            rows.append(judged.row(joined(": ", (label, message("evaluation rows"))), here))
    title = message("Rows it was fitted on and others")
    return [figure("training-parts", title, rows, digits=3)] if rows else []


def _beside_trees(found: Iterable[Finding], judged: Judged) -> list[Block]:
    """Show how much better the network is than boosted trees of the same rows."""
    gains = [finding for finding in found if finding.key.metric == "network_gain"]
    rows = [judged.row(_compared_by(finding), finding) for finding in gains]
    return [figure("training-trees", message("Network less boosted trees"), rows, digits=3)] if rows else []


def _compared_by(finding: Finding) -> str:
    """Return the name of what a finding compares."""
    rate = finding.key.qualifier("rate") or ""
    return PINBALL if rate == "pinball_loss" else describe(rate).label


def _curves(facts: TrainingFacts) -> list[Block]:
    """Draw the losses over the epochs; a vertical line marks the epoch that was kept."""
    training, validation = facts.get("train_loss", []), facts.get("validation_loss", [])
    if len(training) < 2 or len(training) != len(validation):
        return []
    curves = [(PARTS["train"], training), (PARTS["validation"], validation)]
    epochs = list(range(1, len(training) + 1))
    kept = facts.get("best_epoch")
    top = _round_up(max(max(values) for _, values in curves))
    ends = (
        message("{line} from {first:.3g} to {last:.3g}", line=label, first=values[0], last=values[-1])
        for label, values in curves
    )
    said: dict[str, Place] = {"epochs": len(epochs), "lines": joined("; ", ends)}
    told = message("Epochs 1 to {epochs}: {lines}. The upright line marks the epoch that was kept.", **said)
    every = max(1, len(epochs) // MOST_ROWS)
    chosen = [epoch for epoch in epochs if epoch % every == 0 or epoch in (1, kept)]
    rows = tuple((str(epoch), *(f"{values[epoch - 1]:.4f}" for _, values in curves)) for epoch in chosen)
    title, head = message("Loss by epoch"), (message("epoch"), *PARTS.values())
    twin = Table("training-curves-table", title, head, rows, frozenset({1, 2}))
    places, marker = [float(epoch) for epoch in epochs], float(kept) if kept else None
    axes, words = (head[0], message("loss")), message("the epoch that was kept")
    return [
        line_figure(
            "training-curves", title, told, places, curves, twin, axes=axes, marker=marker, marked=words, top=top
        )
    ]  # fmt: skip


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 4, 6, 8 and their tenfold, at or above a value."""
    if not value > 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(float(f"{step * size:g}") for step in (1, 2, 4, 6, 8, 10) if step * size >= value * (1 - 1e-9))


def _costs(found: Iterable[Finding]) -> tuple[Table, ...]:
    rows = ((describe(f.key.metric).label, show(f.estimate, f.unit), f.note) for f in found if f.volatile)
    return table("training-costs", COST, (message("metric"), message("measured"), message("note")), rows, {1})


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the gaps between training and other rows that are noted; else whether the losses are shown."""
    found = record.of_audit("training")
    gaps = [f for f in found if f.key.metric == "generalization_gap"]
    made = answered(judged, found, "")
    checked = bool(gaps)
    gaps += [f for f in found if f.key.metric == "network_gain"]
    sure = [joined(": ", (_compared_by(f), f.note)) for f in gaps if f.note]
    if sure:
        return Answer(sentences(made.sentence, *sure), made.state)
    none = message("No gap between training and validation rows is beyond what chance shows.")
    costs = [joined(": ", (describe(f.key.metric).label, show(f.estimate, f.unit))) for f in found if f.volatile]
    return Answer(sentences(made.sentence, none if checked else joined("; ", costs[:2]) if costs else ""), made.state)


SECTION: Final = Section("training", TITLE, ("training",), 1200, trained, theme=MODEL, answer=answer)
