"""Reading a log: as a table of predictions with their labels, or as what is new since the last time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from evenhand.errors import InputError, need, quoted
from evenhand.monitoring.log.cursor import BEGINNING, Cursor
from evenhand.monitoring.log.since import Events

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from evenhand.monitoring.log.sealing import Keyring

__all__ = ["Events", "events", "log_table"]


def log_table(
    place: str | Path,
    *,
    after: datetime | str | None = None,
    before: datetime | str | None = None,
    encryption_key: Keyring | None = None,
) -> pd.DataFrame:
    """Read predictions with what was said of them since, a prediction a row.

    Parameters
    ----------
    place : path or str
        An SQLite file, ``postgresql://USER@HOST/DATABASE``, or a table of the same columns: a file or a folder.
    after : datetime or str, optional
        Only predictions made at this time or later; a text as ISO 8601, in UTC where it names no time zone.
    before : datetime or str, optional
        Only predictions made earlier than this.
    encryption_key : Keyring, optional
        The keys of an encrypted log.

    Returns
    -------
    pandas.DataFrame
        The columns prediction_id, time, model, score, decision, label, label_time, appeal, complaint, rating and
        person, then inputs and groups under their own names, by time. Of several labels the one of the latest event
        counts, of one time that received last; likewise of appeals, complaints and ratings. An input that has the name
        of a column is called ``input.NAME``, a group ``group.NAME``; so is a group that says otherwise than the input
        of its name. ``attrs["inputs"]`` and ``attrs["groups"]`` say which column is which.

    Raises
    ------
    InputError
        When there is no log, it is damaged, encrypted with another key, or against the schema.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from evenhand.monitoring.log.schema import Entry, Feedback
    >>> from evenhand.serving.journal.opening import open_journal
    >>> place, noon = Path(mkdtemp()) / "log.db", datetime(2027, 1, 1, 12, tzinfo=UTC)
    >>> journal = open_journal(place)
    >>> stored = journal.record([Entry("a", noon, "0" * 64, {"income": 31}, {"sex": "F"}, 0.7, "yes")])
    >>> told = journal.tell([Feedback("1", "a", "label", "no", noon)])
    >>> log_table(place)[["prediction_id", "decision", "label", "income", "sex"]].values.tolist()
    [['a', 'yes', 'no', 31, 'F']]
    """
    from evenhand.monitoring.log.files import file_log, is_file_log

    since, until = moment(after), moment(before)
    if is_file_log(place):
        frame = file_log(place)
        frame = frame if since is None else frame[frame["time"] >= since]
        return (frame if until is None else frame[frame["time"] < until]).reset_index(drop=True)
    need("sqlalchemy", "serve")
    from evenhand.monitoring.log.querying import table_between

    return table_between(place, since, until, encryption_key)


def events(
    place: str | Path,
    cursor: Cursor | str = BEGINNING,
    *,
    most: int | None = None,
    encryption_key: Keyring | None = None,
) -> Events:
    """Read what is new in a log, each prediction and each event once, late labels with their predictions.

    Parameters
    ----------
    place : path or str
        An SQLite file, or ``postgresql://USER@HOST/DATABASE``. Files of a table have no order of receipt.
    cursor : Cursor or str
        Where the last call ended; the start by default.
    most : int, optional
        Predictions, and events, that are read at most; call again with the new cursor for the rest.
    encryption_key : Keyring, optional
        The keys of an encrypted log.

    Returns
    -------
    Events

    Raises
    ------
    InputError
        As `log_table`; when the cursor is of another log.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from evenhand.monitoring.log.schema import Entry, Feedback
    >>> from evenhand.serving.journal.opening import open_journal
    >>> place, noon = Path(mkdtemp()) / "log.db", datetime(2027, 1, 1, 12, tzinfo=UTC)
    >>> journal = open_journal(place)
    >>> stored = journal.record([Entry("a", noon, "0" * 64, {"income": 31}, {"sex": "F"}, 0.7, "yes")])
    >>> new = events(place)
    >>> len(new.predictions), len(new.labels)
    (1, 0)
    >>> told = journal.tell([Feedback("1", "a", "label", "no", noon)])
    >>> later = events(place, new.cursor)
    >>> len(later.predictions), later.labels[["label", "decision", "sex"]].values.tolist()
    (0, [['no', 'yes', 'F']])
    """
    from evenhand.monitoring.log.files import is_file_log

    if is_file_log(place):
        raise InputError(f"{place}: a file of a table has no order of receipt; read it whole, with log_table.")
    need("sqlalchemy", "serve")
    from evenhand.monitoring.log.querying import events_since

    return events_since(place, Cursor.parse(cursor) if isinstance(cursor, str) else cursor, most, encryption_key)


def moment(time: datetime | str | None) -> datetime | None:
    """Return a time in UTC; a text without a time zone is of UTC.

    Raises
    ------
    InputError
        When a text is no time.
    """
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            raise InputError(f"{quoted(time)} is no time; write 2027-01-31 or 2027-01-31T12:00:00+00:00.") from None
    return time if time is None or time.tzinfo is not None else time.replace(tzinfo=UTC)
