"""Audit a table in the database that holds it, by GROUP BY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.audits.from_predictions import audit_given
from evenhand.data import read_evaluation_set
from evenhand.evidence.counting import (
    BIN,
    FREQUENCY,
    ORIGINAL_DECISION,
    SCORE,
    SQUARES,
    WEIGHT,
    count_files,
    count_frame,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from evenhand.audits.auditing import Progress
    from evenhand.data.validating import Missing
    from evenhand.findings import AuditRecord


def audit_table(
    source: object,
    *,
    label: str,
    sensitive_features: Sequence[str] = (),
    control_features: Sequence[str] = (),
    prediction: str | None = None,
    score: str | None = None,
    original_prediction: str | None = None,
    original_score: str | None = None,
    threshold: float = 0.5,
    score_bins: int | None = 1_000,
    sample_weight: str | None = None,
    bins: Mapping[str, Sequence[float]] | None = None,
    positive: object = None,
    favourable: object = None,
    missing: Missing = "error",
    engine: str | None = None,
    name: str | None = None,
    progress: Progress | None = None,
    **settings: object,
) -> AuditRecord:
    """Audit predictions that are too many to be read: one GROUP BY in the database, then an audit of its counts.

    What counts say is exact. Of scores it is exact up to the width of a bin: an area under a curve lies within half the
    share of pairs in one bin of the exact one.

    Parameters
    ----------
    source : str or table
        A Parquet or CSV file, a glob of them, a table of a DuckDB database (``"lake.duckdb::scored"``); or a table of
        pandas, Polars, PyArrow, DuckDB, PySpark, Dask or Ibis.
    label, sensitive_features, control_features, prediction, score, threshold
        As for `read_evaluation_set` and `audit_predictions`; `prediction` or `score` is needed.
    original_prediction, original_score : str, optional
        Columns of what the model before compression said: the counts are then joint ones, and what compression changed
        is stated from the same GROUP BY.
    score_bins : int, optional
        Bins of [0, 1] in which probabilities are counted; None for decisions alone. Weighted rows are counted by
        decisions alone.
    sample_weight : str, optional
        The column of sampling weights.
    bins : mapping of column to edges, optional
        Makes groups of a numeric feature.
    engine : "duckdb", "polars" or "spark", optional
        What counts files; DuckDB where it is installed.
    **settings
        Options of `evenhand.audit`.

    Raises
    ------
    InputError
        With every complaint about the table.
    """
    said = name or (source if isinstance(source, str) else "table")
    counts = _counted(
        source,
        said,
        engine,
        label=label,
        groups=(*sensitive_features, *control_features),
        prediction=prediction,
        score=score,
        original_prediction=original_prediction,
        original_score=original_score,
        threshold=threshold,
        bins=score_bins if score is not None and sample_weight is None else None,
        weight=sample_weight,
        edges=dict(bins or {}),
    )
    binned = BIN in counts
    data = read_evaluation_set(
        counts.drop(columns=[BIN]) if binned else counts,
        label=label,
        sensitive_features=tuple(sensitive_features),
        control_features=tuple(control_features),
        prediction=prediction or _last(counts, "decision"),
        score=SCORE if binned else None,
        original_prediction=original_prediction or _last(counts, ORIGINAL_DECISION),
        frequency=_last(counts, FREQUENCY),
        positive=positive,
        favourable=favourable,
        missing=missing,
        sample_weight=WEIGHT if WEIGHT in counts else None,
        squared_weight=SQUARES if WEIGHT in counts else None,
        name=said,
    )
    return audit_given(data, threshold=threshold, settings=settings, progress=progress)


def _counted(source: object, name: str, engine: str | None, **what: object) -> pd.DataFrame:
    if isinstance(source, str):
        return count_files(source, engine=engine, **what)
    return count_frame(source, name, **what)


def _last(counts: pd.DataFrame, word: str) -> str | None:
    """Return the column of this name, or that with underscores before it where the table had one; None without it."""
    return max((str(column) for column in counts if str(column).lstrip("_") == word), key=len, default=None)
