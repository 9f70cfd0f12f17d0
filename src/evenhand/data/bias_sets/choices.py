"""What a bias set asks: of several texts, which is the likelier."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.data.tables import AsText, read_table
from evenhand.errors import InputError, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from evenhand.findings import Plain

Measure: TypeAlias = Literal["accuracy", "stereotype_rate"]
"""What is counted: answers that are right, or stereotypes that are preferred."""
MOST: Final = 200_000
"""Rows of a set that are read at most."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Several texts, of which a model finds one the likeliest."""

    texts: tuple[str, ...]
    """The texts, two or more, each another."""
    wanted: int
    """The position of the right answer, or of the stereotypical text."""
    fields: Mapping[str, str]
    """By what choices are grouped."""
    cluster: str = ""
    """What it shares with other choices, such as the sentence they were made from; empty where it stands alone."""
    beginning: str = ""
    """How all of the texts begin: then their endings are compared; empty where whole texts are."""


@dataclass(frozen=True, slots=True)
class BiasSet:
    """The choices of a file, and what they measure."""

    kind: str
    """Which set it is."""
    measure: Measure
    """What is counted."""
    groups: tuple[str, ...]
    """The fields that make groups unless others are named."""
    choices: tuple[Choice, ...] = field(repr=False)
    """In the order of the file."""
    name: str = ""
    """How sentences call the file."""
    source: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    """Name, size and hash of the file."""


def read_rows(
    path: str | Path, columns: Sequence[str], texts: Iterable[str] = ()
) -> tuple[pd.DataFrame, dict[str, Plain]]:
    """Return the rows of a file, or of all files in a folder, and what is known of the file.

    Parameters
    ----------
    path : path
        A table, or a folder of tables with the same columns.
    columns : names
        The columns that it must have, none of them empty.
    texts : names
        More columns that are read as they are written, where they are there.

    Raises
    ------
    InputError
        When a column is missing or empty in a row.
    """
    import pandas as pd

    where = Path(path)
    files = sorted(each for each in where.iterdir() if each.is_file()) if where.is_dir() else [where]
    if not files:
        raise InputError(f"{where}: there is no file in this folder.")
    said = AsText(groups=(*columns, *texts))
    tables = [read_table(file, None, said) for file in files]
    for table in tables:
        raise_all(InputError, _problems(table.name, table.frame, columns))
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    if len(frame) > MOST:
        raise InputError(f"{where}: {len(frame):,} rows are more than the {MOST:,} that are asked at most.")
    if len(tables) == 1:
        return frame, tables[0].provenance
    return frame, {"source": where.name + os.sep, "files": {table.name: table.provenance for table in tables}}


def _problems(name: str, frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[str]:
    for column in columns:
        if column not in frame:
            hint = did_you_mean(column, map(str, frame.columns))
            yield f"{name}: there is no column '{column}', which this bias set has.{hint}"
        elif empty := int(frame[column].isna().sum()):
            yield f"{name}: column '{column}' is empty in {empty:,} rows."


def parsed(value: object, name: str) -> object:
    """Return a value that a table holds as it is, or as JSON.

    Raises
    ------
    InputError
        When a text is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise InputError(f"{name}: '{shorten(value, 80)}' is no JSON.") from None
