"""Where live batches come from: files, databases, and the log of a served model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from evenhand.data.tables import AsText, read_table
from evenhand.errors import InputError, need, shorten
from evenhand.monitoring.batches import APPEAL, COMPLAINT, Batch, count_batch, id_of
from evenhand.monitoring.windows import added

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.log.sealing import Keyring
    from evenhand.subjects import Subject

BETWEEN: Final = "::"
"""Between the address of a database and a table or query in it."""


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

    try:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            query = sa.text(wanted) if " " in wanted.strip() else sa.select(sa.text("*")).select_from(sa.table(wanted))
            table = pd.read_sql(query, connection)
        engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError) as wrong:
        reason = shorten(str(getattr(wrong, "orig", None) or wrong).splitlines()[0], 160)
        raise InputError(f"{name}: the database does not answer: {reason}") from None
    return Source(name, id_of(table), table)


def time_of(source: Source, column: str | None) -> str | None:
    """Return the latest time of a batch, ISO 8601 in UTC; None without a column of times.

    Raises
    ------
    InputError
        When there is no such column, or it holds no times.
    """
    if column is None:
        return None
    if column not in source.table:
        raise InputError(f"{source.name}: there is no column '{shorten(column)}' of times.")
    try:
        times = pd.to_datetime(source.table[column], utc=True)
    except (ValueError, TypeError):
        raise InputError(f"{source.name}: column '{shorten(column)}' holds no times.") from None
    last = times.max()
    return None if pd.isna(last) else str(last.isoformat())


def log_batches(
    place: str | Path, cursor: str, baseline: Baseline, *, key: Keyring | None = None
) -> Iterator[tuple[Batch, str]]:
    """Yield what is new in the log of a served model as one batch, if any, with the cursor to go on from.

    Labels count once, when the first one of a prediction is known; one that is corrected later is left out.

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
    """
    from evenhand.monitoring.log.reading import events

    baseline = _of_log(baseline)
    found = events(place, cursor, encryption_key=key) if cursor else events(place, encryption_key=key)
    after = str(found.cursor)
    first = found.labels[found.labels["earlier_label"].isna()] if len(found.labels) else found.labels
    told = _told(found.feedback)
    name, id = f"log to row {found.cursor.predictions}", id_of(pd.DataFrame({"cursor": [f"{place} {after}"]}))
    parts = [
        count_batch(_named(table, baseline), baseline, name, id, late=late, time=None)
        for table, late in ((found.predictions, False), (first, True), (told, True))
        if len(table)
    ]
    if parts:
        counts = parts[0].counts
        for part in parts[1:]:
            counts = added(counts, part.counts)
        yield Batch(
            name, id, _last(found.predictions), len(found.predictions), len(first), counts,
            parts[0].unseen, parts[0].sampled,
        ), after  # fmt: skip


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
    made[COMPLAINT] = made[COMPLAINT].where(kinds["kind"] != COMPLAINT, "yes")
    return kinds.drop(columns=["label"], errors="ignore").assign(label=None, **made)


def _last(predictions: pd.DataFrame) -> str | None:
    if not len(predictions):
        return None
    return str(pd.to_datetime(predictions["time"], utc=True).max().isoformat())


def count_source(
    source: Source, baseline: Baseline, *, time_column: str | None = None, subject: Subject | None = None,
    late: bool = False,
) -> Batch:  # fmt: skip
    """Return the counts of rows that were read."""
    time = time_of(source, time_column)
    return count_batch(source.table, baseline, source.name, source.id, time=time, subject=subject, late=late)
