"""Tables made of rows of a log: a prediction a row, its inputs and groups under their own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from evenhand.monitoring.log.rows import opened, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evenhand.findings import Plain
    from evenhand.monitoring.log.rows import Content
    from evenhand.monitoring.log.sealing import Keyring

PREDICTED: Final = ("prediction_id", "time", "model", "score", "decision")
TOLD: Final = {"label": "label", "appeal": "appeal", "complaint": "complaint", "rating": "rating"}
"""Columns of what was said of a prediction last, by its kind."""
COLUMNS: Final = (*PREDICTED, "label", "label_time", "appeal", "complaint", "rating", "person")
"""The columns of `log_table` before inputs and groups."""
TAKEN: Final = frozenset(COLUMNS) | {"feedback_id", "kind", "value", "feedback_time", "source", "earlier_label"}
"""Names that an input or a group does not get: it is called ``input.score`` or ``group.score`` then."""


def prediction_frame(rows: Sequence[Mapping[str, object]], keyring: Keyring | None) -> pd.DataFrame:
    """Return predictions as a table; ``attrs`` has the columns of its ``inputs`` and ``groups`` by their names."""
    contents = [opened(row, keyring) for row in rows]
    frame = pd.DataFrame(
        {
            "prediction_id": pd.Series([row["id"] for row in rows], dtype=object),
            "time": times(row["time"] for row in rows),
            "model": pd.Series([row["model"] for row in rows], dtype=object),
            "score": pd.Series([content["score"] for content in contents], dtype=float),
            "decision": pd.Series([content["decision"] for content in contents], dtype=object),
            "person": pd.Series([row["person"] for row in rows], dtype=object),
        }
    )
    return _widened(frame, contents)


def times(texts: Iterable[object]) -> pd.Series:
    """Return times of the log as times of pandas, in UTC."""
    held = pd.Series(list(texts), dtype=object)
    return pd.to_datetime(held, utc=True, format="ISO8601").astype("datetime64[us, UTC]")


def _widened(frame: pd.DataFrame, contents: Sequence[Content]) -> pd.DataFrame:
    inputs = {name: [content["inputs"].get(name) for content in contents] for name in _names(contents, "inputs")}
    groups = {name: [content["groups"].get(name) for content in contents] for name in _names(contents, "groups")}
    columns, places = {}, {}
    for name, given in inputs.items():
        places[name] = f"input.{name}" if name in TAKEN else name
        columns[places[name]] = given
    among = {}
    for name, told in groups.items():
        values: list[Plain] = [*told]
        agrees = name in inputs and all(
            one is not None and str(one) == other if other is not None else one is None
            for one, other in zip(inputs[name], values, strict=True)
        )
        among[name] = places[name] if agrees else f"group.{name}" if name in TAKEN or name in inputs else name
        columns.setdefault(among[name], values)
    wide = pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
    wide.attrs.update(inputs=places, groups=among)
    return wide


def _names(contents: Sequence[Content], part: str) -> list[str]:
    return sorted({name for content in contents for name in content[part]})  # type: ignore[literal-required]


def with_feedback(
    frame: pd.DataFrame, events: Sequence[Mapping[str, object]], keyring: Keyring | None
) -> pd.DataFrame:  # fmt: skip
    """Return predictions with what was said of each last; `events` are in the order in which the later one wins."""
    last: dict[tuple[str, object], Mapping[str, object]] = {
        (str(row["kind"]), row["prediction"]): row for row in events
    }
    ids = list(frame["prediction_id"])
    told = {column: [_value(last.get((kind, id)), keyring) for id in ids] for kind, column in TOLD.items()}
    moments = [row["time"] if (row := last.get(("label", id))) else None for id in ids]
    held = frame.assign(
        **{column: pd.Series(values, index=frame.index, dtype=object) for column, values in told.items()},
        label_time=times(moments).set_axis(frame.index),
    )
    held["rating"] = held["rating"].astype(float)
    held["label"] = held["label"].infer_objects()
    rest = [name for name in frame.columns if name not in COLUMNS]
    ordered = held[[*COLUMNS, *rest]]
    ordered.attrs.update(frame.attrs)
    return ordered


def _value(row: Mapping[str, object] | None, keyring: Keyring | None) -> str | float | None:
    return None if row is None else said(row, keyring)


def feedback_frame(events: Sequence[Mapping[str, object]], keyring: Keyring | None) -> pd.DataFrame:
    """Return events as a table, one a row."""
    return pd.DataFrame(
        {
            "feedback_id": pd.Series([row["id"] for row in events], dtype=object),
            "prediction_id": pd.Series([row["prediction"] for row in events], dtype=object),
            "kind": pd.Series([row["kind"] for row in events], dtype=object),
            "value": pd.Series([said(row, keyring) for row in events], dtype=object),
            "feedback_time": times(row["time"] for row in events),
            "source": pd.Series([row["source"] for row in events], dtype=object),
        }
    )
