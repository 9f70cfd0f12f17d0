"""``evenhand merge``: the counts of several shards as one table."""

from __future__ import annotations

from pathlib import Path

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.cli.outputs import check_places
from evenhand.output.printing import remark


@click.command(name="merge")
@click.argument("counts", nargs=-1, required=True, type=PATH)
@click.option("--frequency", default="rows", show_default=True, help="Column of counts.")
@click.option("--allow-repeated", is_flag=True, help="Add tables of the same counts: shards may be alike by chance.")
@file_flag("--output", "-o", default=Path("counts.csv"))
def command(counts: tuple[Path, ...], frequency: str, allow_repeated: bool, output: Path) -> None:
    """Add up tables of COUNTS that ``evenhand count`` made of shards: exactly what one count of all rows would give.

    Shards that were counted otherwise, or are there twice, are refused.

    \b
    Example:
      evenhand merge shard-*.csv -o counts.csv
    """
    from evenhand.evidence.counting import merge_counts
    from evenhand.evidence.shards import counts_text
    from evenhand.output.writing import write_text

    check_places([output], counts)
    whole = merge_counts(counts, frequency, allow_repeated=allow_repeated)
    write_text(output, counts_text(whole))
    remark(f"Wrote {output}: {int(whole[frequency].sum()):,} rows in {len(whole):,} cells of {len(counts)} tables")
