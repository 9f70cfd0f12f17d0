"""Rows that a command writes, and how they are read again: their roles, and their inputs where those are no column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from evenhand.cli.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet

OUTSIDE: Final = (".npy", ".txt")
"""Files of inputs with one row for each of the table."""
INPUTS: Final = "--inputs"


def inputs_beside(place: Path | None, inputs: object) -> Path | None:
    """Return the file of the inputs of rows that are written to `place`; None where these name theirs themselves."""
    suffix = Path(str(inputs)).suffix if inputs is not None else ""
    return place.with_suffix(suffix) if place is not None and suffix in OUTSIDE else None


def write_rows(part: EvaluationSet, place: Path, inputs: Path | None = None) -> None:
    """Write the rows of an evaluation set as Parquet or CSV, and their inputs as arrays or lines of text.

    Of rows that were followed in time, those censored before the horizon are written, too.

    Parameters
    ----------
    part : EvaluationSet
        The rows.
    place : Path
        A file ending in .parquet or .csv.
    inputs : Path, optional
        A file ending in .npy or .txt.
    """
    import io

    import numpy as np

    from evenhand.output.writing import write_bytes, write_text

    part = part if part.follow_up is None else part.follow_up.everyone
    held = io.BytesIO()
    if place.suffix == ".parquet":
        part.table.to_parquet(held, index=False)
    else:
        part.table.to_csv(held, index=False)
    write_bytes(place, held.getvalue())
    if inputs is None or part.held is None:
        return
    if inputs.suffix == ".txt":
        write_text(inputs, "".join(f"{text}\n" for batch in part.held.batches() for text in batch))
    else:
        arrays = io.BytesIO()
        np.save(arrays, np.asarray(part.held.whole()))
        write_bytes(inputs, arrays.getvalue())


def role_words(inputs: Path | None = None) -> Iterator[str]:
    """Yield ``--config`` and the roles as the command that runs was given them, for the next command.

    `inputs` are those of the rows that it is about, where the file named here is of other rows.
    """
    context = click.get_current_context(silent=True)
    given = [] if context is None else [str(word) for word in context.find_root().obj or ()]
    flags = {} if context is None else _flags(context.command)
    words = iter(given)
    for word in words:
        name, sign, value = word.partition("=")
        if word == "--":
            return
        if (found := flags.get(name)) is None:
            continue
        behind = value if sign else "" if found.is_flag else next(words, "")
        if name == INPUTS and Path(behind).suffix in OUTSIDE:
            behind = str(inputs) if inputs is not None else f"TEST{Path(behind).suffix}"
        yield from [name] if found.is_flag else [name, behind]


def _flags(command: click.Command) -> dict[str, click.Option]:
    """Return the flags of roles, and the one of the settings file, by how they are written."""
    chosen = [each for each in command.params if isinstance(each, click.Option) and each.name in (*ROLES, "config")]
    return {word: each for each in chosen for word in (*each.opts, *each.secondary_opts)}
