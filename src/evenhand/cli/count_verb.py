"""``evenhand count``: a table of counts from files larger than memory."""

from __future__ import annotations

from pathlib import Path

import click

from evenhand.cli.console import remark
from evenhand.cli.outputs import check_places


@click.command(name="count")
@click.argument("source")
@click.option("--label", required=True, help="Column with the truth.")
@click.option("--sensitive", multiple=True, help="Sensitive feature; may be repeated.")
@click.option("--control", multiple=True, help="Control feature; may be repeated.")
@click.option("--prediction", help="Column with decisions.")
@click.option("--score", help="Column with scores, instead of decisions.")
@click.option("--original-prediction", help="Column with the decisions of the model before compression.")
@click.option("--original-score", help="Column with its scores, instead of decisions.")
@click.option("--threshold", type=float, default=0.5, show_default=True, help="A score at or above it is positive.")
@click.option("--bins", type=click.IntRange(2), help="Count scores in so many bins of [0, 1], too.")
@click.option("--weight", help="Column with sampling weights, which are summed.")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "polars", "spark"]),
    help="DuckDB or Polars, whichever is there, otherwise.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("counts.csv"), show_default=True)
def command(
    source: str,
    label: str,
    sensitive: tuple[str, ...],
    control: tuple[str, ...],
    prediction: str | None,
    score: str | None,
    original_prediction: str | None,
    original_score: str | None,
    threshold: float,
    bins: int | None,
    weight: str | None,
    engine: str | None,
    output: Path,
) -> None:
    """Count SOURCE where it lies, for an audit of counts: a Parquet or CSV file, a quoted glob, lake.duckdb::table.

    \b
    Example:
      evenhand count "scored/*.parquet" --label paid --score p --sensitive race -o counts.csv
      evenhand audit counts.csv --label paid --prediction decision --frequency rows --sensitive race
    Of two models on the same rows, with --original-score q; then audit with --original-prediction original_decision.
    """
    from evenhand.evidence.counting import FREQUENCY, count_files
    from evenhand.writing import write_text

    check_places([output], (source,))
    counts = count_files(
        source,
        label=label,
        groups=(*sensitive, *control),
        prediction=prediction,
        score=score,
        original_prediction=original_prediction,
        original_score=original_score,
        threshold=threshold,
        bins=bins,
        weight=weight,
        engine=engine,
    )
    write_text(output, counts.to_csv(index=False))
    rows = next(counts[name] for name in counts if str(name).lstrip("_") == FREQUENCY)
    remark(f"Wrote {output}: {int(rows.sum()):,} rows in {len(counts):,} cells")
