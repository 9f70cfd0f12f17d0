"""``evenhand count``: a table of counts from files larger than memory."""

from __future__ import annotations

from pathlib import Path

import click

from evenhand.cli.flags import file_flag, refuse_idle, said, setting_flags
from evenhand.cli.outputs import check_places
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.data.roles import Roles, Scoring
from evenhand.settings import settings_of

ROLES = {
    name: settings_of(Roles)[name]
    for name in (
        "label", "sensitive_features", "control_features", "sample_weight", "prediction", "score",
        "original_prediction", "original_score",
    )
}  # fmt: skip

THRESHOLD = {"threshold": settings_of(Scoring)["threshold"]}


@click.command(name="count")
@click.argument("source")
@setting_flags(ROLES)
@setting_flags(THRESHOLD)
@click.option("--bins", type=click.IntRange(2), help="Also count scores in this many bins of [0, 1].")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "polars", "spark"]),
    help="DuckDB or Polars, whichever is there, otherwise.",
)
@click.option("--allow-repeated", is_flag=True, help="Count files of the same content each.")
@file_flag("--output", "-o", default=Path("counts.csv"))
@quiet_flag
def command(
    source: str, bins: int | None, engine: str | None, allow_repeated: bool, output: Path, **flags: object
) -> None:
    """Count SOURCE in the database, for an audit of counts: a Parquet or CSV file, a quoted glob, lake.duckdb::table.

    \b
    Example:
      evenhand count "scored/*.parquet" --label paid --score p --sensitive race -o counts.csv
      evenhand audit counts.csv --label paid --prediction decision --frequency rows --sensitive race
    Of two models on the same rows, with --original-score q; then audit with --original-prediction original_decision.
    """
    from evenhand.evidence.counting import FREQUENCY, count_files
    from evenhand.evidence.shards import counts_text
    from evenhand.output.writing import write_text

    check_places([output], (source,))
    scoring, roles = said(flags, THRESHOLD), Roles().updated(said(flags, ROLES))
    if roles.label is None:
        raise click.UsageError("Name the column with the truth: --label.")
    refuse_idle("--score", roles.score is not None, "bins")
    refuse_idle("--score or --original-score", (roles.score or roles.original_score) is not None, "threshold")
    earlier = {"original_prediction": roles.original_prediction, "original_score": roles.original_score}
    counts = count_files(
        source, label=roles.label, groups=(*roles.sensitive_features, *roles.control_features),
        prediction=roles.prediction, score=roles.score, **earlier, **scoring, bins=bins,
        weight=roles.sample_weight, engine=engine, allow_repeated=allow_repeated,
    )  # fmt: skip
    write_text(output, counts_text(counts))
    rows = next(counts[name] for name in counts if str(name).lstrip("_") == FREQUENCY)
    summarize(
        [f"Wrote {output}: {int(rows.sum()):,} rows in {len(counts):,} cells"],
        ["evenhand", "audit", output, *_roles_of(roles, [*map(str, counts)], str(rows.name))],
    )


def _roles_of(roles: Roles, columns: list[str], frequency: str) -> list[str]:
    """Return the flags that audit the counts: those of the roles, with decisions in place of scores."""
    from evenhand.data.counted import DECISION

    decision = roles.prediction if roles.prediction in columns else DECISION
    named = [["--label", str(roles.label)], ["--prediction", str(decision)], ["--frequency", frequency]]
    groups = {"--sensitive": roles.sensitive_features, "--control": roles.control_features}
    named += [[flag, column] for flag, columns in groups.items() for column in columns]
    return [word for words in named for word in words]
