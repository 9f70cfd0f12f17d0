"""A log that somebody else writes as files: Parquet, CSV or another table, with the columns of `log_table`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from evenhand.data.tables import READERS, read_table
from evenhand.errors import InputError, quoted, raise_all
from evenhand.monitoring.log.frames import COLUMNS
from evenhand.monitoring.log.schema import APPEALS

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED: Final = ("prediction_id", "time", "model")
"""Columns that every file has; one of score and decision comes to them, and the others may be absent."""


def is_file_log(place: str | Path) -> bool:
    """Return whether a place is a folder, or is named like a file of a table."""
    named = str(place)
    return "://" not in named and (Path(named).is_dir() or named.lower().endswith(tuple(READERS)))


def file_log(place: str | Path) -> pd.DataFrame:
    """Read a log from one file, or from all tables of a folder in the order of their names.

    Raises
    ------
    InputError
        When there is none, and with all that is against the schema.
    """
    path = Path(place)
    files = sorted(file for file in path.iterdir() if is_file_log(file) and file.is_file()) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{place}: there is no table in this folder.")
    frames = {file.name: read_table(file).frame for file in files}
    raise_all(InputError, (problem for name, frame in frames.items() for problem in _problems(name, frame)))
    whole = pd.concat([_typed(frame) for frame in frames.values()], ignore_index=True)
    again = whole.loc[whole["prediction_id"].duplicated(), "prediction_id"]
    if len(again):
        raise InputError(f"{place}: {len(again):,} predictions are there twice, {quoted(again.iloc[0])} first.")
    named = [name for name in whole.columns if name not in COLUMNS]
    ordered = whole[[*COLUMNS, *named]].sort_values(["time", "prediction_id"], ignore_index=True)
    ordered.attrs = {}
    return ordered


def _problems(name: str, frame: pd.DataFrame) -> Iterator[str]:
    lacking = [column for column in NEEDED if column not in frame]
    yield from (f"{name}: column '{column}' is missing." for column in lacking)
    if not {"score", "decision"} & set(frame.columns):
        yield f"{name}: there is neither column 'score' nor 'decision'."
    for column in (column for column in NEEDED if column in frame):
        empty = int(frame[column].isna().sum())
        if empty:
            yield f"{name}: column '{column}' is empty in {empty:,} of {len(frame):,} rows."
    for column in ("time", "label_time"):
        yield from _unread(name, frame, column, "time as ISO 8601 writes it", lambda part: _times(part).isna())
    for column in ("score", "rating"):
        yield from _unread(name, frame, column, "number", lambda part: ~part.map(_is_finite))
    yield from _unread(name, frame, "appeal", f"one of {', '.join(APPEALS)}", lambda part: ~part.isin(APPEALS))


def _unread(name: str, frame: pd.DataFrame, column: str, wanted: str, wrong) -> Iterator[str]:  # type: ignore[no-untyped-def]
    if column not in frame:
        return
    held = frame[column].dropna()
    found = held[wrong(held).to_numpy(dtype=bool)]
    if len(found):
        yield f"{name}: column '{column}' is no {wanted} in {len(found):,} rows, {quoted(str(found.iloc[0]))} first."


def _is_finite(value: object) -> bool:
    number = pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]
    return bool(number - number == 0)


def _times(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pd.Series(pd.NaT, index=column.index, dtype="datetime64[us, UTC]")
    return pd.to_datetime(column, utc=True, errors="coerce", format=None if column.dtype.kind == "M" else "ISO8601")


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a log with their types; those that are absent are empty."""
    absent = {column: pd.Series(None, index=frame.index, dtype=object) for column in COLUMNS if column not in frame}
    held = frame.assign(**absent)
    for column in ("time", "label_time"):
        held[column] = _times(held[column]).astype("datetime64[us, UTC]")
    for column in ("score", "rating"):
        held[column] = pd.to_numeric(held[column]).astype(float)
    for column in ("prediction_id", "model", "person", "decision"):
        held[column] = held[column].map(str, na_action="ignore").astype(object)
    return held
