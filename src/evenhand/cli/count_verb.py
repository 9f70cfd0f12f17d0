"""``evenhand count``: a table of counts from files larger than memory."""

from __future__ import annotations

from pathlib import Path

import click

from evenhand.cli.flags import file_flag, said, setting_flags
from evenhand.cli.outputs import check_places
from evenhand.data.roles import Roles
from evenhand.output.printing import remark
from evenhand.settings import settings_of

ROLES = {
    name: settings_of(Roles)[name]
    for name in (
        "label", "sensitive_features", "control_features", "sample_weight", "prediction", "score",
        "original_prediction", "original_score",
    )
}  # fmt: skip


@click.command(name="count")
@click.argument("source")
@setting_flags(ROLES)
@click.option("--threshold", type=float, default=0.5, show_default=True, help="A score at or above it is positive.")
@click.option("--bins", type=click.IntRange(2), help="Also count scores in this many bins of [0, 1].")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "polars", "spark"]),
    help="DuckDB or Polars, whichever is there, otherwise.",
)
@file_flag("--output", "-o", default=Path("counts.csv"))
def command(source: str, threshold: float, bins: int | None, engine: str | None, output: Path, **flags: object) -> None:
    """Count SOURCE in the database, for an audit of counts: a Parquet or CSV file, a quoted glob, lake.duckdb::table.

    \b
    Example:
      evenhand count "scored/*.parquet" --label paid --score p --sensitive race -o counts.csv
      evenhand audit counts.csv --label paid --prediction decision --frequency rows --sensitive race
    Of two models on the same rows, with --original-score q; then audit with --original-prediction original_decision.
    """
    from evenhand.evidence.counting import FREQUENCY, count_files
    from evenhand.output.writing import write_text

    check_places([output], (source,))
    roles = Roles().updated(said(flags, ROLES))
    if roles.label is None:
        raise click.UsageError("Name the column with the truth: --label.")
    earlier = {"original_prediction": roles.original_prediction, "original_score": roles.original_score}
    counts = count_files(
        source, label=roles.label, groups=(*roles.sensitive_features, *roles.control_features),
        prediction=roles.prediction, score=roles.score, **earlier, threshold=threshold, bins=bins,
        weight=roles.sample_weight, engine=engine,
    )  # fmt: skip
    write_text(output, counts.to_csv(index=False))
    rows = next(counts[name] for name in counts if str(name).lstrip("_") == FREQUENCY)
    remark(f"Wrote {output}: {int(rows.sum()):,} rows in {len(counts):,} cells")
