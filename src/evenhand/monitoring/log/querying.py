"""The queries of `reading`, each in one transaction that sees one moment of the log."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from evenhand.errors import InputError
from evenhand.monitoring.log.cursor import Cursor
from evenhand.monitoring.log.frames import feedback_frame, prediction_frame, times, with_feedback
from evenhand.monitoring.log.places import about, reading
from evenhand.monitoring.log.rows import as_text, said
from evenhand.monitoring.log.since import Events
from evenhand.monitoring.log.tables import FEEDBACK, PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from evenhand.monitoring.log.sealing import Keyring

P, F = PREDICTIONS.c, FEEDBACK.c


def table_between(
    place: str | Path, since: datetime | None, until: datetime | None, keyring: Keyring | None
) -> pd.DataFrame:
    """Return `log_table` of predictions made in a span of time."""
    within: list[sa.ColumnElement[bool]] = [sa.true()]
    within += [] if since is None else [P.time >= as_text(since)]
    within += [] if until is None else [P.time < as_text(until)]
    with reading(place) as connection:
        rows = _rows(connection, sa.select(PREDICTIONS).where(*within).order_by(P.time, P.receipt))
        joined = sa.select(FEEDBACK).join(PREDICTIONS, F.prediction == P.id).where(*within)
        told = _rows(connection, joined.order_by(F.time, F.receipt))
    return with_feedback(prediction_frame(rows, keyring), told, keyring)


def events_since(place: str | Path, cursor: Cursor, most: int | None, keyring: Keyring | None) -> Events:
    """Return `events`."""
    with reading(place) as connection:
        end = _end(connection, cursor, most, place)
        new = sa.select(PREDICTIONS).where(P.receipt > cursor.predictions, P.receipt <= end.predictions)
        predictions = _rows(connection, new.order_by(P.receipt))
        joined = FEEDBACK.join(PREDICTIONS, F.prediction == P.id)
        there = (F.receipt <= end.feedback, P.receipt <= end.predictions)
        arrived = sa.union(
            sa.select(F.receipt).select_from(joined).where(*there, F.receipt > cursor.feedback),
            sa.select(F.receipt).select_from(joined).where(*there, P.receipt > cursor.predictions),
        )
        told = _rows(connection, sa.select(FEEDBACK).where(F.receipt.in_(arrived)).order_by(F.receipt))
        of = sa.select(F.prediction).where(F.receipt.in_(arrived)).scalar_subquery()
        about_them = _rows(connection, sa.select(PREDICTIONS).where(P.id.in_(of)))
        labels = _labels(connection, end, of)
        orphans = sa.select(sa.func.count()).select_from(FEEDBACK).where(F.receipt <= end.feedback)
        known = sa.select(P.id).where(P.id == F.prediction, P.receipt <= end.predictions)
        alone = connection.scalar(orphans.where(~known.exists())) or 0
    frame = prediction_frame(about_them, keyring)
    return Events(
        cursor=end,
        predictions=prediction_frame(predictions, keyring),
        labels=_changed(labels, cursor, keyring, frame),
        feedback=_joined(feedback_frame(told, keyring), frame),
        orphans=alone,
    )


def _end(connection: sa.Connection, cursor: Cursor, most: int | None, place: str | Path) -> Cursor:
    """Return how far is read now."""
    log = hashlib.sha256(about(connection)["salt"].encode()).hexdigest()[:12]
    if cursor.log not in ("", log):
        raise InputError(f"{place}: the cursor {cursor} is of another log. Begin anew for this one.")
    last = [connection.scalar(sa.select(sa.func.max(receipt))) or 0 for receipt in (P.receipt, F.receipt)]
    read = (cursor.predictions, cursor.feedback)
    ends = (max(was, min(now, was + (most or now))) for was, now in zip(read, last, strict=True))
    return Cursor(log, *ends)


def _labels(connection: sa.Connection, end: Cursor, of: sa.ScalarSelect[str]) -> list[Mapping[str, object]]:
    """Return all labels so far of the predictions that got one now, in the order in which the later one wins."""
    chosen = sa.select(FEEDBACK, P.receipt.label("predicted")).join(PREDICTIONS, F.prediction == P.id)
    within = (F.kind == "label", F.receipt <= end.feedback, P.receipt <= end.predictions, F.prediction.in_(of))
    return _rows(connection, chosen.where(*within).order_by(F.time, F.receipt))


def _changed(
    labels: Sequence[Mapping[str, object]], cursor: Cursor, keyring: Keyring | None, frame: pd.DataFrame
) -> pd.DataFrame:
    """Return the predictions whose label is new, or another than the one that was told last time."""
    import pandas as pd

    now = {row["prediction"]: row for row in labels}
    before = {row["prediction"]: row for row in labels if _was_told(row, cursor)}
    values = {id: said(row, keyring) for id, row in now.items()}
    earlier = {id: said(row, keyring) for id, row in before.items()}
    ids = [id for id in now if id not in earlier or values[id] != earlier[id]]
    changed = pd.DataFrame(
        {
            "prediction_id": pd.Series(ids, dtype=object),
            "label": pd.Series([values[id] for id in ids], dtype=object).infer_objects(),
            "label_time": times(now[id]["time"] for id in ids),
            "earlier_label": pd.Series([earlier.get(id) for id in ids], dtype=object),
        }
    )
    return _joined(changed, frame)


def _was_told(row: Mapping[str, object], cursor: Cursor) -> bool:
    told, predicted = row["receipt"], row["predicted"]
    assert isinstance(told, int)
    assert isinstance(predicted, int)
    return told <= cursor.feedback and predicted <= cursor.predictions


def _joined(events: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    whole = events.merge(frame, on="prediction_id", how="left", validate="many_to_one")
    whole.attrs.update(frame.attrs)
    return whole


def _rows(connection: sa.Connection, query: sa.Select) -> list[Mapping[str, object]]:  # type: ignore[type-arg]
    return [row._asdict() for row in connection.execute(query)]
