"""``evenhand score``: a model's scores of a table larger than memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress
from evenhand.cli.flags import file_flag, opening, opening_flags
from evenhand.output.printing import remark

if TYPE_CHECKING:
    from evenhand.subjects.target import DeclaredKind


@click.command(name="score")
@click.argument("source")
@file_flag("--model", "-m", required=True, help="Model file.")
@click.option("--keep", multiple=True, help="Column copied with the score; may be repeated.")
@click.option("--batch", type=click.IntRange(1), default=100_000, show_default=True, help="Rows scored at a time.")
@click.option("--column", default="score", show_default=True, help="Name of the scores.")
@click.option("--pos-label", help="Class of the model whose scores are wanted, where it is not 1.")
@click.option("--score-kind", type=click.Choice(["probability", "logit", "ranking", "label"]), help="Kind of output.")
@click.option("--texts", help="Column of the texts, for a model that reads texts.")
@opening_flags
@file_flag("--output", "-o", default=Path("scored"))
def command(
    source: str,
    model: Path,
    keep: tuple[str, ...],
    batch: int,
    column: str,
    pos_label: str | None,
    score_kind: DeclaredKind | None,
    texts: str | None,
    output: Path,
    **flags: object,
) -> None:
    """Score SOURCE (a Parquet file, or a quoted glob) batch by batch into the folder OUTPUT.

    After a kill the same command resumes.

    \b
    Example:
      evenhand score "rows/*.parquet" --model credit.onnx --keep paid --keep race -o scored
      evenhand count "scored/*.parquet" --label paid --score score --sensitive race
    """
    from evenhand.compression import open_model
    from evenhand.evidence.scoring import score_files
    from evenhand.subjects import as_subject

    opened = open_model(model, **opening(flags))  # type: ignore[arg-type]  # checked by click
    subject = as_subject(opened, positive=pos_label, score_kind=score_kind)
    usual = subject.threshold
    with progress("Scoring") as step:
        parts = score_files(
            subject, source, output, keep=keep, batch=batch, column=column, texts=texts,
            progress=lambda done, total: step(done, total, f"{done:,} of {total:,} rows"),
        )  # fmt: skip
    remark(f"Scored into {output}: {len(parts):,} parts")
    if subject.threshold != usual:
        remark(f"The model's own decisions change at {subject.threshold:g}: count them with --threshold.")
