"""``evenhand label``: which rows to label, so that an audit can tell what compression changed."""

from __future__ import annotations

import io
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.cli.console import progress
from evenhand.cli.flags import PATH, file_flag, opening, opening_flags, refuse_idle, said, setting_flags
from evenhand.cli.outputs import check_places
from evenhand.cli.roles import file_of, role_flags, role_values
from evenhand.data.roles import Scoring
from evenhand.output.printing import put
from evenhand.settings import settings_of

if TYPE_CHECKING:
    import pandas as pd


@click.command(name="label")
@click.argument("data", type=PATH)
@file_flag("--model", "-m", help="The compressed model; without it the table has both models' decisions or scores.")
@file_flag("--original", help="The model before compression.")
@click.option("--most", type=click.IntRange(1), help="Most new labels.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the sample.")
@setting_flags(settings_of(Scoring))
@role_flags
@opening_flags
@file_flag("--output", "-o", default=Path("rows_to_label.csv"))
def command(
    data: Path,
    model: Path | None,
    original: Path | None,
    most: int | None,
    seed: int,
    output: Path,
    **flags: object,
) -> None:
    """Write the rows of DATA to label: those on which two models differ, and a sample of the others.

    The label of DATA may be absent, or there in some rows. Fill it in the rows that were written, then audit them.

    \b
    Examples:
      evenhand label rows.csv --model small.onnx --original credit.onnx --label paid --sensitive race
      evenhand audit rows_to_label.csv --model small.onnx --original credit.onnx --label paid --sensitive race
          --weight weight --stratum-share share --exclude row --exclude why
    """
    from evenhand.audits.labelling import rows_to_label
    from evenhand.compression import open_model

    check_places([output], [data, model, original, flags.get("config")])
    refuse_idle("--model", model, "original", "trust_pickle", "trusted_types", "isolate", "model_signers")
    settings, how = file_of(flags), opening(flags)
    scoring = {name: settings.data[name] for name in settings_of(Scoring) if name in settings.data}
    scoring |= said(flags, settings_of(Scoring))
    roles = role_values(settings, flags)
    small, full = (None if file is None else open_model(file, **how) for file in (model, original))  # type: ignore[arg-type]
    more: dict[str, Any] = {"most": most, "seed": seed, **scoring, **roles}  # checked there
    with progress("Choosing"):
        table = rows_to_label(data, small, full, **more)
    write(table, output)
    _tell(table, str(roles["label"]), output)


def write(table: pd.DataFrame, place: Path) -> None:
    """Write a table as Parquet or CSV."""
    from evenhand.output.writing import write_bytes

    held = io.BytesIO()
    if place.suffix == ".parquet":
        table.to_parquet(held, index=False)
    else:
        table.to_csv(held, index=False)
    write_bytes(place, held.getvalue())


def _tell(table: pd.DataFrame, label: str, output: Path) -> None:
    """Say how many rows are to be labelled and why, and how they are audited."""
    new = table[table[label].isna()]
    for why, rows in new["why"].value_counts().items():
        put(f"{rows:,} rows to label: {why}")
    kept = len(table) - len(new)
    fill = f"fill '{label}', then" if len(new) else "then"
    put(f"{len(new):,} rows to label and {kept:,} with a label in {output}: {fill}")
    roles = "--weight weight --stratum-share share --exclude row --exclude why"
    put(f"evenhand audit {shlex.quote(str(output))} ... {roles}")
