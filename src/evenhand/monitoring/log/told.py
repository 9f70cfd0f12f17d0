"""Feedback in a file, for a log: labels that arrive late, from another system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

import pandas as pd

from evenhand.data.tables import AsText, read_table
from evenhand.errors import InputError, did_you_mean, quoted, raise_all
from evenhand.monitoring.log.reading import moment
from evenhand.monitoring.log.schema import Feedback, FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEEDED: Final = ("id", "prediction", "kind", "value", "time")


def read_feedback(place: str | Path) -> list[Feedback]:
    """Read events from a table, CSV, JSON lines or Parquet, with the columns id, prediction, kind, value, time, source.

    Parameters
    ----------
    place : path
        The file; ``source`` may be absent. A label of a delimited file that is written as a number is one.

    Returns
    -------
    list of Feedback

    Raises
    ------
    InputError
        When there is no such file, and with all that is wrong in it.
    """
    texts = AsText(groups=("id", "prediction", "kind", "source", "time"), labels=("value",))
    table = read_table(place, texts=texts)
    frame = table.frame
    lacking = [name for name in NEEDED if name not in frame]
    raise_all(InputError, (f"{table.name}: column '{name}' is missing.{did_you_mean(name, frame)}" for name in lacking))
    raise_all(InputError, _problems(table.name, frame))
    return [_event(row) for row in frame.to_dict("records")]


def _problems(name: str, frame: pd.DataFrame) -> Iterator[str]:
    for column in ("id", "prediction", "kind", "time"):
        empty = int(frame[column].isna().sum())
        if empty:
            yield f"{name}: column '{column}' is empty in {empty:,} of {len(frame):,} rows."
    unknown = [kind for kind in frame["kind"].dropna().unique() if kind not in get_args(FeedbackKind)]
    if unknown:
        known = get_args(FeedbackKind)
        said = ", ".join(quoted(kind) for kind in unknown[:3])
        yield f"{name}: kinds {said} are not known; known are {', '.join(known)}."
    for time in frame["time"].dropna().unique():
        try:
            moment(time if isinstance(time, pd.Timestamp) else str(time))
        except InputError as wrong:
            yield f"{name}: {wrong}"
            return


def _event(row: dict[object, object]) -> Feedback:
    value, time, source = row["value"], row["time"], row.get("source")
    when = moment(time.to_pydatetime() if isinstance(time, pd.Timestamp) else str(time))
    assert when is not None
    return Feedback(
        id=str(row["id"]),
        prediction=str(row["prediction"]),
        kind=cast("FeedbackKind", row["kind"]),
        value=_value(value),
        time=when,
        source="" if source is None or pd.isna(source) else str(source),  # type: ignore[call-overload]
    )


def _value(value: object) -> str | float | None:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  # a missing number
        return None
    held = value.item() if hasattr(value, "item") else value
    return held if isinstance(held, (str, float, int)) else str(held)
