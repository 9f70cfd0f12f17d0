"""Where live batches come from: files, databases, and the log of a served model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from evenhand.data.tables import AsText, read_table
from evenhand.errors import InputError, need, shorten
from evenhand.monitoring.batches import APPEAL, COMPLAINT, Batch, appeals_of, complaints_of, count_batch, id_of
from evenhand.monitoring.log.schema import APPEALS
from evenhand.monitoring.windows import added

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.log.reading import Events
    from evenhand.monitoring.log.sealing import Keyring
    from evenhand.subjects import Subject

BETWEEN: Final = "::"
"""Between the address of a database and a table or query in it."""
NUMBERS: Final = ("integer", "floating", "mixed-integer", "mixed-integer-float", "decimal", "complex", "boolean")
"""Kinds of values, as pandas names them, that are no times; seconds since 1970 are not told from an age."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that were read."""

    name: str
    """How sentences call them."""
    id: str
    """The hash of their contents."""
    table: pd.DataFrame
    """The rows."""


def read_source(place: str | Path, baseline: Baseline) -> Source:
    """Read a batch from a file, or from a database as ``URL::TABLE`` or ``URL::SELECT ...``.

    Raises
    ------
    InputError
        When there is no such file or table.
    """
    if "://" in str(place):
        return _from_database(str(place))
    roles = baseline.roles
    groups = tuple(column for _, part in baseline.single for column in part.columns)
    texts = tuple(column.name for column in baseline.columns if column.kind == "categories")
    labels = tuple(name for name in (roles.label, roles.prediction) if name is not None)
    table = read_table(place, None, AsText(groups=(*groups, *texts), labels=labels))
    return Source(table.name, str(table.provenance["sha256"]), table.frame)


def _from_database(place: str) -> Source:
    url, sign, wanted = place.partition(BETWEEN)
    name = shorten(wanted or url, 60)
    if not (sign and wanted):
        raise InputError(f"{shorten(place)}: name the table or the query, too: URL{BETWEEN}TABLE.")
    need("sqlalchemy", "serve")
    import sqlalchemy as sa

    _refuse_absent(url, name)
    try:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            query = sa.text(wanted) if " " in wanted.strip() else sa.select(sa.text("*")).select_from(sa.table(wanted))
            table = pd.read_sql(query, connection)
        engine.dispose()
    except (sa.exc.SQLAlchemyError, pd.errors.DatabaseError, ImportError) as wrong:
        raise InputError(f"{name}: the database does not answer: {_reason(wrong)}") from None
    return Source(name, id_of(table), table)


def _refuse_absent(url: str, name: str) -> None:
    """Refuse a file of SQLite that is not there, which to open it would make."""
    import sqlalchemy as sa

    try:
        told = sa.make_url(url)
    except sa.exc.SQLAlchemyError:  # it is told when it is opened
        return
    file = told.database
    if told.get_backend_name() != "sqlite" or not file or file.startswith((":memory:", "file:")):
        return
    if not Path(file).is_file():
        raise InputError(f"{name}: there is no database '{shorten(file)}'.")


def _reason(wrong: BaseException) -> str:
    """Return in one line what a database said; pandas and SQLAlchemy wrap its error in their own."""
    within = wrong.__cause__ if isinstance(wrong, pd.errors.DatabaseError) and wrong.__cause__ else wrong
    return shorten(str(getattr(within, "orig", None) or within).partition("\n")[0], 160)


def time_of(source: Source, column: str | None) -> str | None:
    """Return the latest time of a batch, ISO 8601 in UTC; None without a column of times.

    Raises
    ------
    InputError
        When there is no such column, or it holds no times: texts of ISO 8601, or dates.
    """
    if column is None:
        return None
    if column not in source.table:
        raise InputError(f"{source.name}: there is no column '{shorten(column)}' of times.")
    given = source.table[column].dropna()
    if isinstance(given.dtype, pd.CategoricalDtype):
        given = given.astype(given.cat.categories.dtype)
    if not len(given):
        return None
    try:
        numbers = pd.api.types.infer_dtype(given) in NUMBERS
        last = None if numbers else pd.to_datetime(given, utc=True, format="ISO8601").max()
    except (ValueError, TypeError):
        last = None
    if last is None:
        raise InputError(
            f"{source.name}: column '{shorten(column)}' holds no times, which are texts such as 2027-01-31T12:00, or "
            "dates."
        )
    return None if pd.isna(last) else str(last.isoformat())


def log_batches(
    place: str | Path, cursor: str, baseline: Baseline, *, key: Keyring | None = None
) -> Iterator[tuple[Batch, str]]:
    """Yield what is new in the log of a served model as one batch, if any, with the cursor to go on from.

    Labels count once, when the first one of a prediction is known; one that is corrected later is left out. So are
    rows of another model than the baseline's, as after a release; the name of the batch says how many predictions.

    Parameters
    ----------
    place : path or str
        The log.
    cursor : str
        Where the last batch ended; empty at the start.
    baseline : Baseline
        What it is compared with.
    key : Keyring, optional
        The keys of an encrypted log.

    Raises
    ------
    InputError
        When all that is new is of other models.
    """
    from evenhand.monitoring.log.reading import events

    baseline = _of_log(baseline)
    found = events(place, cursor, encryption_key=key) if cursor else events(place, encryption_key=key)
    after = str(found.cursor)
    first = found.labels[found.labels["earlier_label"].isna()] if len(found.labels) else found.labels
    told = _told(found.feedback)
    own = [_of_model(table, baseline) for table in (found.predictions, first, told)]
    if baseline.model is not None and len(found.predictions) and not any(map(len, own)):
        raise InputError(
            f"{place}: what is new is of another model than the baseline's, {baseline.model[:12]}. Audit the model "
            "that is served, and make its baseline."
        )
    others = len(found.predictions) - len(own[0])
    name = f"log to row {found.cursor.predictions}" + (f" without {others:,} of another model" if others else "")
    id = _id_of_events(found)
    parts = [
        count_batch(_named(table, baseline), baseline, name, id, late=late, time=None)
        for table, late in zip(own, (False, True, True), strict=True)
        if len(table)
    ]
    if parts:
        counts = parts[0].counts
        for part in parts[1:]:
            counts = added(counts, part.counts)
        yield Batch(
            name, id, _last(own[0]), len(own[0]), len(own[1]), counts,
            parts[0].unseen, parts[0].sampled,
        ), after  # fmt: skip


def _of_model(table: pd.DataFrame, baseline: Baseline) -> pd.DataFrame:
    """Return the rows that the baseline's model decided, and those of which nobody says which model did."""
    if baseline.model is None or "model" not in table.columns:
        return table
    return table[table["model"].isna() | (table["model"] == baseline.model)]


def _id_of_events(found: Events) -> str:
    """Return the hash of what was read of a log, wherever the log is: the names of predictions and events."""
    digest = hashlib.sha256(str(found.cursor).encode())
    for table, names in (
        (found.predictions, ("prediction_id",)),
        (found.labels, ("prediction_id", "label")),
        (found.feedback, ("feedback_id",)),
    ):
        told = table[[*names]].astype(str) if len(table) else pd.DataFrame(columns=names)
        digest.update(id_of(told).encode())
    return digest.hexdigest()


def _of_log(baseline: Baseline) -> Baseline:
    """Return a baseline whose decisions and scores are those of a log where the audit asked the model."""
    roles = baseline.roles
    score = roles.score or (None if baseline.score is None else "score")
    return replace(baseline, roles=replace(roles, score=score, prediction=roles.prediction or "decision"))


def _named(table: pd.DataFrame, baseline: Baseline) -> pd.DataFrame:
    """Return rows of a log with the columns called as at the audit."""
    roles = baseline.roles
    names = {"score": roles.score or "score", "decision": roles.prediction or "decision"}
    if roles.label is not None and "label" in table:
        names["label"] = roles.label
    return table.rename(columns=names)


def _told(feedback: pd.DataFrame) -> pd.DataFrame:
    """Return appeals and complaints as columns, without labels."""
    kinds = feedback[feedback["kind"].isin([APPEAL, COMPLAINT])] if len(feedback) else feedback
    if not len(kinds):
        return kinds
    made = {kind: kinds["value"].where(kinds["kind"] == kind) for kind in (APPEAL, COMPLAINT)}
    made[APPEAL] = made[APPEAL].where(made[APPEAL].isin(APPEALS))
    made[COMPLAINT] = made[COMPLAINT].where(kinds["kind"] != COMPLAINT, "yes")
    return kinds.drop(columns=["label"], errors="ignore").assign(label=None, **made)


def _last(predictions: pd.DataFrame) -> str | None:
    if not len(predictions):
        return None
    return str(pd.to_datetime(predictions["time"], utc=True).max().isoformat())


def _tells(table: pd.DataFrame, label: str) -> bool:
    """Return whether any row has a label, an appeal or a complaint."""
    labelled = bool(table[label].notna().any())
    appealed = APPEAL in table and bool(appeals_of(table).notna().any())
    return labelled or appealed or (COMPLAINT in table and bool(complaints_of(table).any()))


def count_source(
    source: Source, baseline: Baseline, *, time_column: str | None = None, subject: Subject | None = None,
    late: bool = False,
) -> Batch:  # fmt: skip
    """Return the counts of rows that were read.

    Raises
    ------
    InputError
        As `count_batch`; and when rows are late and tell neither a label nor feedback.
    """
    label = baseline.roles.label
    if late and len(source.table) and label is not None and label in source.table and not _tells(source.table, label):
        raise InputError(f"{source.name}: no row has a label, an appeal or a complaint, so it tells nothing.")
    time = time_of(source, time_column)
    return count_batch(source.table, baseline, source.name, source.id, time=time, subject=subject, late=late)
