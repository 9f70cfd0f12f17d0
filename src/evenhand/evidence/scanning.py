"""Open files, globs and databases that are too large to read as lazy tables, by the installed engine."""

from __future__ import annotations

import csv
import importlib.util
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from evenhand.errors import EvenhandError, InputError, MissingExtraError, need, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import narwhals as nw

    Lazy: TypeAlias = nw.LazyFrame[Any]

ENGINES: Final = ("duckdb", "polars", "spark")
"""What can count files; the first two are tried in this order where none is named."""
READERS: Final = {".parquet": "scan_parquet", ".pq": "scan_parquet", ".csv": "scan_csv"}
DATABASES: Final = (".duckdb", ".db")


def scan(source: str, engine: str | None = None, texts: Collection[str] = ()) -> Lazy:
    """Open a Parquet or CSV file, a glob of them, or a table of a DuckDB database, without reading it.

    Parameters
    ----------
    source : str
        ``"scored/*.parquet"``, or ``"lake.duckdb::scored"`` for a table (or view, or SELECT) of a database.
    engine : "duckdb", "polars" or "spark", optional
        DuckDB where it is installed, else Polars.
    texts : collection of str
        Columns of CSV files that are read as text, whatever they hold; names that are no columns are left aside.

    Raises
    ------
    InputError
        When there is no such file, or it cannot be read.
    MissingExtraError
        When no engine is installed.
    """
    file, _, table = source.partition("::")
    if table:
        if engine not in (None, "duckdb"):
            raise InputError(f"{source}: a database is counted by DuckDB itself; leave out engine={engine}.")
        return _of_database(source, file, table)
    if "://" not in source and not glob(source):  # noqa: PTH207 - a pattern may begin at the root
        raise InputError(f"{source}: there is no such file.")
    reader = READERS.get(source[source.rfind(".") :].lower())
    if reader is None:
        endings = ", ".join((*READERS, *(f"{ending}::TABLE" for ending in DATABASES)))
        raise InputError(f"{source}: files of the endings {endings} can be counted where they lie.")
    chosen = _engine(engine)
    with engine_errors(source, chosen):
        if reader != "scan_csv" or not texts:
            return _opened(reader, source, chosen)
        files = sorted(glob(source))  # noqa: PTH207 - a pattern may begin at the root
        names = _header(files[0], reader) if files else _opened(reader, source, chosen).collect_schema().names()
        return _opened(reader, source, chosen, [column for column in names if column in texts])


@contextmanager
def engine_errors(source: str, engine: str = "its engine") -> Iterator[None]:
    """Tell what an engine raises, of which each has other kinds, in one sentence."""
    try:
        yield
    except EvenhandError:
        raise
    except Exception as wrong:
        raise InputError(f"{source}: cannot be read by {engine}: {shorten(wrong, 200)}") from None


def _engine(named: str | None) -> str:
    chosen = named or next((name for name in ENGINES[:2] if importlib.util.find_spec(name)), None)
    known = " or ".join(ENGINES)
    if chosen is None:
        raise MissingExtraError(f'Counting files needs {known}, of which none is there: pip install "evenhand[duckdb]"')
    if chosen not in ENGINES:
        raise InputError(f"There is no engine '{chosen}'; counting is done by {known}.")
    return chosen


def _opened(reader: str, source: str, engine: str, texts: Sequence[str] = ()) -> Lazy:
    import narwhals as nw

    if engine != "spark":
        more: dict[str, Any] = {}
        if texts and engine == "duckdb":
            more = {"dtype": dict.fromkeys(texts, "VARCHAR")}
        elif texts:
            more = {"schema_overrides": dict.fromkeys(texts, need("polars", "data").String)}
        files = sorted(glob(source))  # noqa: PTH207 - a pattern may begin at the root
        opened = getattr(nw, reader)
        if len(files) < 2 or (common := _common(files, reader)) is None:
            found: Lazy = opened(source, backend=engine, **more)
            return found
        # matched by name: an engine that matches by place would exchange columns
        parts: list[Lazy] = [opened(file, backend=engine, **more).select(*common) for file in files]
        _refuse_other_kinds(parts, files, common)
        joined: Lazy = nw.concat(parts, how="vertical")
        return joined
    session = need("pyspark.sql", "spark").SparkSession.builder.appName("evenhand").getOrCreate()
    frames = session.read
    table = frames.parquet(source) if reader == "scan_parquet" else frames.csv(source, header=True, inferSchema=True)
    if texts:
        kinds = ", ".join(f"`{name}` {'string' if name in texts else kind}" for name, kind in table.dtypes)
        table = frames.csv(source, header=True, schema=kinds)
    spark: Lazy = nw.from_native(table)
    return spark


def _common(files: Sequence[str], reader: str) -> list[str] | None:
    """Return the columns that all files have, where their headers differ; None where they are alike."""
    headers = [_header(file, reader) for file in files]
    if all(header == headers[0] for header in headers):
        return None
    return [column for column in headers[0] if all(column in header for header in headers)]


def _header(file: str, reader: str) -> list[str]:
    if reader == "scan_parquet":
        return [str(name) for name in need("pyarrow.parquet", "data").read_schema(file).names]
    with Path(file).open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        line = lines.readline()
    separator = next((mark for mark in (",", ";", "\t", "|") if mark in line), ",")
    return next(csv.reader([line], delimiter=separator), [])


def _refuse_other_kinds(parts: Sequence[Lazy], files: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse files in which a column is text here and a number there: their values would not be the same groups."""
    first = parts[0].collect_schema()
    for part, file in zip(parts[1:], files[1:], strict=True):
        schema = part.collect_schema()
        for column in columns:
            if _kind(schema[column]) != _kind(first[column]):
                raise InputError(
                    f"{file}: column '{shorten(column)}' is {_kind(schema[column])}, and in {files[0]} "
                    f"{_kind(first[column])}. Write both alike."
                )


def _kind(dtype: Any) -> str:
    return "a number" if dtype.is_numeric() else "text" if str(dtype) == "String" else str(dtype)


def _of_database(source: str, file: str, table: str) -> Lazy:
    import narwhals as nw

    duckdb = need("duckdb", "duckdb")
    if not file.lower().endswith(DATABASES) or not Path(file).exists():
        raise InputError(
            f"{source}: there is no database '{shorten(file)}'; its name ends in {' or '.join(DATABASES)}."
        )
    query = table if table.lower().lstrip().startswith("select") else f'FROM "{table.replace(chr(34), chr(34) * 2)}"'
    try:
        relation = duckdb.connect(file, read_only=True).sql(query)
        found: Lazy = nw.from_native(relation)
    except duckdb.Error as wrong:
        raise InputError(f"{source}: cannot be read by duckdb: {shorten(wrong, 200)}") from None
    return found
