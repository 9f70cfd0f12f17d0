"""What the first line of a table of counts says, and what follows from it for whoever reads the table."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pandas as pd

from evenhand.documents import parse_json
from evenhand.errors import InputError, argument, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

    from evenhand.data.roles import Roles

COUNTS_MARK: Final = "# evenhand counts: "
"""How the first line of a table of counts begins, which says what was counted."""
ATTRIBUTE: Final = "evenhand_counts"
"""Where a table in memory has it: ``frame.attrs``."""
DECISION: Final = "decision"
"""The column of the decisions that were made from scores: 1 is the positive class, whatever its name."""
ORIGINAL_DECISION: Final = "original_decision"
"""The same of the model before compression."""
MOST_SAID: Final = 1 << 24
"""Bytes of a first line that are read."""


def said_of(file: IO[bytes], name: str) -> Mapping[str, object]:
    """Return what the first line of a file says was counted; nothing where it is no table of counts.

    Raises
    ------
    InputError
        When the line is no JSON.
    """
    line = file.readline(MOST_SAID)
    if not line.startswith(COUNTS_MARK.encode()):
        return {}
    said = parse_json(line[len(COUNTS_MARK) :], f"{name}: its first line")
    if not isinstance(said, dict) or not isinstance(said.get("counted"), dict):
        raise InputError(f"{name}: its first line does not say what was counted. Count again.")
    return said


def cells_hash(frame: pd.DataFrame) -> str:
    """Return a hash of counts, whatever the order of their rows and columns and in memory or read from a file."""
    columns = sorted(map(str, frame.columns))
    texts = pd.DataFrame({column: as_texts(frame[column]) for column in columns})
    told = texts.sort_values(columns, ignore_index=True).to_csv(index=False)
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:24]


def as_texts(column: pd.Series) -> pd.Series:
    """Return values as a file has them; a missing one is empty."""
    return column.astype(object).where(column.notna(), "").astype(str)


def threshold_of(said: Mapping[str, object]) -> float | None:
    """Return the threshold at which scores were made decisions; None where decisions were counted."""
    counted = said.get("counted")
    found = counted.get("threshold") if isinstance(counted, dict) else None
    return float(found) if isinstance(found, (int, float)) else None


def uncounted(name: str, said: Mapping[str, object], frame: pd.DataFrame, roles: Roles) -> Iterator[str]:
    """Yield the complaint about a table of counts that is to be read as if each of its cells was one row."""
    if said and roles.frequency is None and said.get("cells") == cells_hash(frame):
        yield f"{name}: this is a table of counts; name the column of the counts, {argument('frequency')}."


def name_decisions(
    said: Mapping[str, object], frame: pd.DataFrame, roles: Roles, classes: tuple[object, ...]
) -> pd.DataFrame:
    """Return a table of counts in which decisions that were made from scores are values of the label."""
    counted = said.get("counted")
    if not isinstance(counted, dict) or len(classes) != 2:
        return frame
    made = {
        roles.prediction: ("prediction", DECISION),
        roles.original_prediction: ("original_prediction", ORIGINAL_DECISION),
    }
    values = dict(zip(("0", "1"), classes, strict=True))
    for column, (role, usual) in made.items():
        if column in frame and counted.get(role) is None and str(column).lstrip("_") == usual:
            found = as_texts(frame[column])
            if found.isin(values).all():
                frame = frame.assign(**{str(column): found.map(values).astype(object).infer_objects()})
    return frame


def refuse_changed(name: str, said: Mapping[str, object], texts: pd.DataFrame) -> None:
    """Refuse a table of counts that is not the one that was counted; `texts` as they are written.

    Raises
    ------
    InputError
    """
    if said and said.get("cells") != cells_hash(texts):
        raise InputError(
            f"{shorten(name)}: changed since it was counted, as its first line says otherwise. Count again."
        )
