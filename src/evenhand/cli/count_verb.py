"""``evenhand count``: a table of counts from files larger than memory."""

from __future__ import annotations

from pathlib import Path

import click

from evenhand.cli.console import say


@click.command(name="count")
@click.argument("source")
@click.option("--label", required=True, help="Column with the truth.")
@click.option("--sensitive", multiple=True, help="Sensitive feature; may be repeated.")
@click.option("--control", multiple=True, help="Control feature; may be repeated.")
@click.option("--prediction", help="Column with decisions.")
@click.option("--score", help="Column with scores, instead of decisions.")
@click.option("--threshold", type=float, default=0.5, show_default=True, help="A score at or above it is positive.")
@click.option("--engine", type=click.Choice(["duckdb", "polars"]), help="The first that is installed otherwise.")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("counts.csv"), show_default=True)
def command(
    source: str,
    label: str,
    sensitive: tuple[str, ...],
    control: tuple[str, ...],
    prediction: str | None,
    score: str | None,
    threshold: float,
    engine: str | None,
    output: Path,
) -> None:
    """Count SOURCE (a Parquet or CSV file, or a quoted glob) where it lies, for an audit of counts.

    \b
    Example:
      evenhand count "scored/*.parquet" --label paid --score p --sensitive race -o counts.csv
      evenhand audit counts.csv --label paid --prediction decision --frequency rows --sensitive race
    """
    from evenhand.evidence.counting import count_files
    from evenhand.writing import check_writable, write_text

    check_writable(output)
    counts = count_files(
        source,
        label=label,
        groups=(*sensitive, *control),
        prediction=prediction,
        score=score,
        threshold=threshold,
        engine=engine,
    )
    write_text(output, counts.to_csv(index=False))
    say(f"Wrote {output}: {int(counts.iloc[:, -1].sum()):,} rows in {len(counts):,} cells")
