"""Audit a table in the database, by GROUP BY."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenhand.audits.from_predictions import audit_given
from evenhand.data import read_evaluation_set
from evenhand.data.counted import ORIGINAL_DECISION
from evenhand.data.roles import Reading, Roles, by_field
from evenhand.errors import InputError, raise_all
from evenhand.evidence.counting import (
    BIN,
    FREQUENCY,
    SCORE,
    SQUARES,
    USED,
    WEIGHT,
    count_files,
    count_frame,
)
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from evenhand.audits.auditing import Progress
    from evenhand.audits.options import AuditOptions
    from evenhand.findings import AuditRecord


def audit_table(
    source: object,
    *,
    roles: Roles | None = None,
    threshold: float = 0.5,
    score_bins: int | None = 1_000,
    engine: str | None = None,
    name: str | None = None,
    allow_repeated: bool = False,
    options: AuditOptions | None = None,
    audits: str | Iterable[str] | None = None,
    progress: Progress | None = None,
    **settings: object,
) -> AuditRecord:
    """Audit predictions too large to load: one GROUP BY in the database, then an audit of its counts.

    Metrics of counts are exact. Metrics of scores are exact up to the width of a bin: an area under a curve is off by
    at most half the share of pairs in one bin.

    Parameters
    ----------
    source : str or table
        A Parquet or CSV file, a glob of them, a table of a DuckDB database (``"lake.duckdb::scored"``); or a table of
        pandas, Polars, PyArrow, DuckDB, PySpark, Dask or Ibis.
    roles : Roles, optional
        Roles of the columns; single roles given as keywords win. `prediction` or `score` is needed. With
        `original_prediction` or `original_score` the counts are joint, and the changes by compression are stated
        from the same GROUP BY.
    threshold : float
        A score at or above it is predicted positive.
    score_bins : int, optional
        Bins of [0, 1] in which probabilities are counted; None, and always for weighted rows, for
        decisions alone.
    engine : "duckdb", "polars" or "spark", optional
        Engine that counts files; DuckDB where it is installed.
    name : str, optional
        Name of the table in sentences.
    allow_repeated : bool
        Whether files of the same content are counted each.
    options : AuditOptions, optional
        Options of the audit; single options may be given as keywords.
    audits : name or names, optional
        Which audits to run; all of them when absent.
    **settings
        The fields of `Roles`, ``missing`` and ``bins`` as for `read_evaluation_set`, and options of the audit.
    progress : callable, optional
        Called before each audit as ``progress(step, steps, name)``.

    Returns
    -------
    AuditRecord

    Raises
    ------
    InputError
        With all problems of the table.

    Examples
    --------
    >>> import evenhand as eh
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"paid": [1, 0] * 50, "score": [0.9, 0.2] * 50, "sex": ["f", "m"] * 50})
    >>> record = eh.audit_table(rows, label="paid", score="score", sensitive_features=("sex",))
    >>> record["accuracy"].estimate
    1.0
    """
    said = name or (source if isinstance(source, str) else "table")
    reading = {key: settings.pop(key) for key in ("missing", "bins") if key in settings}
    settings = by_field(settings)
    named = {key: settings.pop(key) for key in {**settings_of(Roles), **settings_of(Reading)} if key in settings}
    roles = _used(named, roles)
    counts = _counted(
        source,
        said,
        engine,
        allow_repeated,
        label=roles.label,
        groups=(*roles.sensitive_features, *roles.control_features),
        prediction=roles.prediction,
        score=roles.score,
        original_prediction=roles.original_prediction,
        original_score=roles.original_score,
        threshold=threshold,
        bins=score_bins if roles.score is not None and roles.sample_weight is None else None,
        weight=roles.sample_weight,
        edges=dict(reading.get("bins") or {}),  # type: ignore[call-overload]
    )
    binned = BIN in counts
    counted = replace(
        roles,
        prediction=roles.prediction or _last(counts, "decision"),
        score=SCORE if binned else None,
        original_prediction=roles.original_prediction or _last(counts, ORIGINAL_DECISION),
        original_score=None,
        frequency=_last(counts, FREQUENCY),
        sample_weight=WEIGHT if WEIGHT in counts else None,
        squared_weight=SQUARES if WEIGHT in counts else None,
    )
    rows, missing = counts.drop(columns=[BIN]) if binned else counts, reading.get("missing")
    data = read_evaluation_set(rows, roles=counted, missing=missing, name=said)  # type: ignore[arg-type]
    cut = threshold if roles.prediction is None else None  # decisions that are given are not cut
    return audit_given(data, threshold=cut, options=options, settings=settings, audits=audits, progress=progress)


def _used(named: dict[str, object], roles: Roles | None) -> Roles:
    """Return the roles; roles that counting cannot use are refused."""
    named = {name: value for name, value in named.items() if value not in (None, (), [])}
    chosen = (roles or Roles()).updated({name: value for name, value in named.items() if name in settings_of(Roles)})
    idle = [name for name in settings_of(Roles) if name not in USED and getattr(chosen, name)]
    idle += [name for name in settings_of(Reading) if name in named]
    raise_all(InputError, (f"Rows that are only counted have no use for {name}; leave it out." for name in idle))
    return chosen


def _counted(source: object, name: str, engine: str | None, allow_repeated: bool, **what: object) -> pd.DataFrame:
    if isinstance(source, str):
        return count_files(source, engine=engine, allow_repeated=allow_repeated, **what)
    return count_frame(source, name, **what)


def _last(counts: pd.DataFrame, word: str) -> str | None:
    """Return the column of this name, prefixed with underscores if the name was taken; None without one."""
    return max((str(column) for column in counts if str(column).lstrip("_") == word), key=len, default=None)
