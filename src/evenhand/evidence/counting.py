"""Counting where the rows lie: one group-by over files larger than memory, by DuckDB or Polars.

What comes back is a table of counts, one row for each group x truth x decision. An audit of it says what an audit of
the rows would have said from counts; tables of several shards are simply put one under the other.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from evenhand.errors import InputError, MissingExtraError, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import narwhals as nw
    import pandas as pd

    Lazy: TypeAlias = nw.LazyFrame[Any]

ENGINES: Final = ("duckdb", "polars")
"""What can count files, in the order in which they are tried."""
FREQUENCY: Final = "rows"
"""The column of counts; more underscores stand before it where the table has a column of that name."""
DECISION: Final = "decision"
"""The column of decisions made from scores; likewise."""
READERS: Final = {".parquet": "scan_parquet", ".pq": "scan_parquet", ".csv": "scan_csv"}


def count_files(
    source: str,
    *,
    label: str,
    groups: Sequence[str] = (),
    prediction: str | None = None,
    score: str | None = None,
    threshold: float = 0.5,
    engine: str | None = None,
) -> pd.DataFrame:
    """Return the counts of the rows in a file or a glob of files, without reading them into memory.

    Parameters
    ----------
    source : str
        A Parquet or CSV file, or a glob such as ``"scored/*.parquet"``.
    label : str
        The column with the truth.
    groups : sequence of str
        Sensitive and control features.
    prediction, score : str, optional
        The column with decisions, or the one with scores; one of both.
    threshold : float
        A score at or above it is decided positive: 1, else 0.
    engine : "duckdb" or "polars", optional
        The first that is installed when not given.

    Returns
    -------
    pandas.DataFrame
        One row a combination, with a column ``rows``; for `read_evaluation_set(..., frequency="rows")`.

    Raises
    ------
    InputError
        When columns are absent, scores are missing, or neither decisions nor scores are named.
    MissingExtraError
        When neither engine is installed.
    """
    return count_frame(
        _scan(source, engine), source, label=label, groups=groups, prediction=prediction, score=score,
        threshold=threshold,
    )  # fmt: skip


def count_frame(
    table: object,
    name: str = "table",
    *,
    label: str,
    groups: Sequence[str] = (),
    prediction: str | None = None,
    score: str | None = None,
    threshold: float = 0.5,
) -> pd.DataFrame:
    """Return the counts of the rows of a lazy table, counted by its own engine.

    Parameters
    ----------
    table : DuckDB relation, Polars LazyFrame, PySpark or Dask DataFrame, Ibis table
        Whatever narwhals takes as a lazy frame; a cluster counts its own rows.
    name : str
        How sentences call it.
    label, groups, prediction, score, threshold
        As in `count_files`.

    Raises
    ------
    InputError
        When columns are absent, scores are missing, or neither decisions nor scores are named.
    """
    import narwhals as nw

    source = name
    if (prediction is None) == (score is None):
        raise InputError(f"{source}: name either the column of decisions (prediction=) or that of scores (score=).")
    frame: Lazy = nw.from_native(table).lazy()  # type: ignore[call-overload]
    columns = frame.collect_schema().names()
    wanted = [label, *dict.fromkeys(groups), prediction or score or ""]
    raise_all(InputError, _absent(source, wanted, columns))
    decision = prediction or _free(DECISION, columns)
    if score is not None:
        _refuse_missing(frame, source, score)
        frame = frame.with_columns((nw.col(score) >= threshold).cast(nw.Int8).alias(decision))
    keys = list(dict.fromkeys([*groups, label, decision]))
    counted = frame.group_by(*keys).agg(nw.len().alias(_free(FREQUENCY, keys))).sort(*keys)
    return counted.collect(backend="pyarrow").to_pandas()


def merge_counts(tables: Iterable[object], frequency: str = FREQUENCY) -> pd.DataFrame:
    """Return the sum of several tables of counts: of the shards of one table, say.

    Parameters
    ----------
    tables : iterable of paths or pandas tables
        Of the same columns, as `count_files` makes them.
    frequency : str
        The column of counts.

    Raises
    ------
    InputError
        When a table has other columns, or no column of counts.
    """
    from pathlib import Path

    import pandas as pd

    frames = [table if isinstance(table, pd.DataFrame) else _counts_file(Path(str(table))) for table in tables]
    first = list(frames[0].columns)
    for frame in frames:
        if frequency not in frame.columns or set(frame.columns) != set(first):
            raise InputError(f"The tables of counts differ in their columns, or lack '{shorten(frequency)}'.")
    keys = [column for column in first if column != frequency]
    whole = pd.concat([frame[first] for frame in frames], ignore_index=True)
    return whole.groupby(keys, dropna=False, sort=True)[[frequency]].sum().reset_index()


def _counts_file(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.exists():
        raise InputError(f"{path}: there is no such file.")
    # texts stay what they are, so that equal groups of two shards are equal; only the empty field is missing
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _scan(source: str, engine: str | None) -> Lazy:
    """Open the files without reading them."""
    from glob import glob

    import narwhals as nw

    if not glob(source):  # noqa: PTH207 - a pattern may begin at the root
        raise InputError(f"{source}: there is no such file.")
    reader = READERS.get(source[source.rfind(".") :].lower())
    if reader is None:
        raise InputError(f"{source}: files of the endings {', '.join(READERS)} can be counted where they lie.")
    chosen = engine or next((name for name in ENGINES if importlib.util.find_spec(name)), None)
    if chosen not in ENGINES:
        known = " or ".join(ENGINES)
        if engine is not None:
            raise InputError(f"There is no engine '{engine}'; counting is done by {known}.")
        raise MissingExtraError(f'Counting files needs {known}, of which none is there: pip install "evenhand[duckdb]"')
    try:
        frame: Lazy = getattr(nw, reader)(source, backend=chosen)
    except Exception as wrong:  # each engine has errors of its own
        raise InputError(f"{source}: cannot be read by {chosen}: {shorten(wrong, 200)}") from None
    return frame


def _absent(source: str, wanted: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    for column in wanted:
        if column not in columns:
            yield f"{source}: there is no column '{shorten(column)}'.{did_you_mean(column, columns)}"


def _refuse_missing(frame: Lazy, source: str, score: str) -> None:
    import narwhals as nw

    absent = frame.filter(nw.col(score).is_null()).select(nw.len()).collect(backend="pyarrow").item()
    if absent:
        raise InputError(f"{source}: scores '{shorten(score)}' have no value in {absent:,} rows. Fill or drop them.")


def _free(name: str, columns: Sequence[str]) -> str:
    while name in columns:
        name = f"_{name}"
    return name
