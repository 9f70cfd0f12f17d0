"""From a file or another library's table to a pandas table, with one sentence for whatever is wrong with it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import warnings
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

import pandas as pd

from evenhand.data.aligning import common_index, join_columns, refuse_misaligned
from evenhand.data.batches import columns_of, is_loader
from evenhand.data.columns import refuse_repeats
from evenhand.data.counted import ATTRIBUTE, COUNTS_MARK, refuse_changed, said_of
from evenhand.data.written import as_written
from evenhand.documents import refuse_halves
from evenhand.errors import InputError, need, shorten

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from evenhand.findings import Plain

_ABSENT_WORDS: Final = (
    "",
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""Missing values in a delimited file's feature columns (pandas' default list)."""

_EXACTLY: Final[Mapping[str, Any]] = (
    {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
)
"""Before 3.1 pandas reads many numbers of 16 digits wrong in the last place by default; then a row of a CSV
file would be another than the same row of a Parquet file."""

_NO_GZIP: Final = "{}: the name ends in .gz, but the file is no whole gzip file."


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was read, and where from."""

    name: str
    """How sentences call it."""
    frame: pd.DataFrame
    """Its rows, numbered from 0, with text column names, none of them twice."""
    provenance: dict[str, Plain]
    """File name, size and sha256 for a file; the library for a table in memory."""
    index: pd.Index | None = None
    """The index that a table of pandas had."""
    said: Mapping[str, object] = field(default_factory=dict)
    """What a table of counts says was counted; empty of other tables."""


@dataclass(frozen=True, slots=True)
class AsText:
    """Columns of a delimited file that are read as they are written; see `as_written`."""

    groups: tuple[str, ...] = ()
    """Columns that make groups: only the empty field is missing, and texts such as "NA" and "None" are values."""
    labels: tuple[str, ...] = ()
    """Labels and decisions, in which TRUE and FALSE are booleans."""
    keys: tuple[str, ...] = ()
    """Columns that name rows, persons, clusters and lists."""
    transcripts: tuple[str, ...] = ()
    """Columns of transcripts: texts as they are, and an empty field is an empty one."""
    most: int | None = None
    """Rows that are read at most; None for all."""


def read_table(source: object, name: str | None = None, texts: AsText | None = None) -> Table:
    """Read a table from a path or take one from memory.

    Parameters
    ----------
    source : path, pandas, Polars or PyArrow table, mapping of column names to arrays
        A path ends in one of .csv, .tsv, .jsonl, .ndjson (each also with .gz), .parquet, .pq, .feather, .arrow.
    name : str, optional
        How sentences call the table; the file's name by default.
    texts : AsText
        Columns of a delimited file that stay text unless they are plainly numbers. In columns that make no groups the
        words that pandas takes for missing are missing.

    Raises
    ------
    InputError
        When there is no file, or it is empty, is not a table, has a column name twice, or has no rows.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        frame = _read_file(path, texts or AsText())
        table = Table(name or path.name, frame, _file_facts(path), said=frame.attrs.get(ATTRIBUTE, {}))
    else:
        frame = _from_memory(source, name or "data")
        kind = type(source).__module__.split(".")[0]
        index, said = common_index({"table": source}), frame.attrs.get(ATTRIBUTE, {})
        table = Table(name or "data", frame, {"source": kind}, index, said)
    if not len(frame):
        raise InputError(f"{table.name}: there are {len(frame.columns):,} columns but no rows.")
    return table


def first_rows(path: str | os.PathLike[str], most: int) -> pd.DataFrame:
    """Read the first rows of a file, to know its columns; the rest is neither read nor checked.

    Parameters
    ----------
    path : path
        A file of a kind that `read_table` reads.
    most : int
        Rows that are read at most.

    Raises
    ------
    InputError
        As `read_table` does.
    """
    frame = _read_file(Path(path), AsText(most=most))
    if not len(frame):
        raise InputError(f"{Path(path).name}: there are {len(frame.columns):,} columns but no rows.")
    return frame


def _read_file(path: Path, texts: AsText) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"{path}: there is no such file.")
    if not path.is_file():
        raise InputError(f"{path}: this is no file but a directory; name the file in it.")
    suffix = next((ending for ending in READERS if path.name.lower().endswith(ending)), None)
    if suffix is None:
        raise InputError(f"{path.name}: a table's file name ends in one of {', '.join(READERS)}.")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path.name}: the file is empty.")
        return READERS[suffix](path, texts)
    except PermissionError:
        raise InputError(f"{path}: there is no permission to read this file.") from None


def _read_delimited(path: Path, texts: AsText, separator: str | None = None) -> pd.DataFrame:
    line = _first_record(path)
    separator = separator or next((mark for mark in (",", ";", "\t", "|") if mark in line), ",")
    try:
        header = next(csv.reader(io.StringIO(line, newline=""), delimiter=separator))
    except csv.Error:
        most = csv.field_size_limit()
        raise InputError(f"{path.name}: a name in the header has more than {most:,} characters.") from None
    refuse_repeats(path.name, header)
    absent = {column: [""] if column in texts.groups else list(_ABSENT_WORDS) for column in header}
    absent |= {column: [] for column in header if column in texts.transcripts}
    kept = [column for column in header if column in (*texts.groups, *texts.labels, *texts.keys)]
    with _opened(path) as file:
        said = said_of(file, path.name)
    try:
        with warnings.catch_warnings():
            # without this a row of more fields than the header loses them with no more than a warning
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, sep=separator, encoding="utf-8-sig", keep_default_na=False, na_values=absent, index_col=False,
                skiprows=int(bool(said)), nrows=texts.most, low_memory=False,
                dtype=dict.fromkeys((*kept, *texts.transcripts), str), **_EXACTLY,
            )  # fmt: skip
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: the file is not UTF-8 text; save it as UTF-8.") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as wrong:
        reason = shorten(str(wrong).removeprefix("Error tokenizing data. C error: "))
        raise InputError(f"{path.name}: the rows do not fit the header of {len(header):,} columns: {reason}.") from None
    if said:
        if texts.most is None:
            refuse_changed(path.name, said, read_texts(_opened(path)))
        frame.attrs[ATTRIBUTE] = said
    for column in kept:
        frame[column] = as_written(frame[column], booleans=column in texts.labels)
    return _named(path.name, frame)


def _first_record(path: Path) -> str:
    """Return the header, which may run over lines inside quotes, or the reason why this is not text."""
    try:
        with _opened(path) as file:
            start = file.read(1 << 20)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(_NO_GZIP.format(path.name)) from None
    if b"\0" in start:
        raise InputError(f"{path.name}: the file is no table of UTF-8 text: it holds binary data.")
    try:
        text = start.decode("utf-8-sig") if len(start) < 1 << 20 else start.decode("utf-8-sig", "ignore")
    except UnicodeDecodeError as wrong:
        raise InputError(f"{path.name}: the file is not UTF-8 text (byte {wrong.start + 1:,}); save it so.") from None
    text = text.partition("\n")[2] if text.startswith(COUNTS_MARK) else text
    text = text.lstrip("\r\n")
    if not text.strip():
        raise InputError(f"{path.name}: the file is empty.")
    lines = io.StringIO(text, newline="")
    record = lines.readline()
    while record.count('"') % 2 and (more := lines.readline()):
        record += more
    return record


def read_texts(file: IO[bytes]) -> pd.DataFrame:
    """Return a table of counts as it is written: texts, of which only the empty field is missing."""
    with file:
        return pd.read_csv(file, keep_default_na=False, na_values=[""], dtype=str, encoding="utf-8-sig", skiprows=1)


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def _read_json_lines(path: Path, texts: AsText) -> pd.DataFrame:
    records = []
    try:
        with _opened(path) as file:
            for number, line in enumerate(islice(file, texts.most), 1):
                if line.strip():
                    records.append(_record(path.name, number, line))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(_NO_GZIP.format(path.name)) from None
    if not records:
        raise InputError(f"{path.name}: the file is empty.")
    try:
        return _named(path.name, pd.DataFrame.from_records(records))
    except UnicodeEncodeError as wrong:  # half of a surrogate pair
        raise InputError(f"{path.name}: {ascii(wrong.object)[:80]} is no Unicode text. Mend the rows.") from None


def _record(name: str, number: int, line: bytes) -> dict[str, object]:
    def paired(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(found := dict(pairs)) < len(pairs):
            refuse_repeats(f"{name}, line {number:,}", [key for key, _ in pairs])
        return found

    try:
        record = json.loads(line, object_pairs_hook=paired, parse_int=_whole if _LONG.search(line) else None)
        refuse_halves(record, line)
    except UnicodeEncodeError:
        raise InputError(f"{name}: line {number:,} holds what is no Unicode text. Mend the rows.") from None
    except (ValueError, RecursionError) as wrong:
        raise InputError(f"{name}: line {number:,} is no JSON: {shorten(wrong)}.") from None
    if not isinstance(record, dict):
        raise InputError(f"{name}: line {number:,} is no JSON object of column names and values.")
    return record


_LONG: Final = re.compile(rb"\d{19}")


def _whole(digits: str) -> int:
    """Return a whole number of a JSON line, which has 64 bits: longer ones are names, and lose digits in any table."""
    if len(digits) > 20 or not -(1 << 63) <= int(digits) < 1 << 64:
        raise ValueError(f"the whole number {shorten(digits, 24)} has {len(digits):,} digits; write it in quotes")
    return int(digits)


def _read_arrow(path: Path, texts: AsText, kind: str) -> pd.DataFrame:
    module, arrow = need(f"pyarrow.{kind.lower()}", "data"), need("pyarrow", "data")
    try:
        if kind == "Feather":
            held = module.read_table(path)
            return _from_arrow(path.name, held if texts.most is None else held.slice(0, texts.most))
        with module.ParquetFile(path) as file:
            return _from_arrow(path.name, file.read() if texts.most is None else _first_batch(file, texts.most))
    except (arrow.ArrowException, OSError) as wrong:
        raise InputError(f"{path.name}: this is no {kind} file that can be read: {shorten(wrong)}.") from None


def _first_batch(file: pq.ParquetFile, most: int) -> pa.Table:
    """Return the first rows of a Parquet file, without the row groups that come later."""
    arrow = need("pyarrow", "data")
    batch = next(file.iter_batches(most), None)
    return file.schema_arrow.empty_table() if batch is None else arrow.Table.from_batches([batch])


READERS: Final[dict[str, Callable[[Path, AsText], pd.DataFrame]]] = {
    **dict.fromkeys((".csv", ".csv.gz"), _read_delimited),
    **dict.fromkeys((".tsv", ".tsv.gz"), partial(_read_delimited, separator="\t")),
    **dict.fromkeys((".parquet", ".pq"), partial(_read_arrow, kind="Parquet")),
    **dict.fromkeys((".feather", ".arrow"), partial(_read_arrow, kind="Feather")),
    **dict.fromkeys((".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"), _read_json_lines),
}
"""What reads a file, by the end of its name."""


_TABLES: Final = "pass a path, a pandas, Polars or PyArrow table, or a mapping of column names to arrays."


def _from_memory(source: object, name: str) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return _named(name, source.reset_index(drop=True))
    if isinstance(source, Mapping):
        refuse_misaligned(name, source)
        return join_columns(name, {str(column): values for column, values in source.items()})
    if is_loader(source):
        return join_columns(name, columns_of(cast("Iterable[object]", source)))
    import narwhals as nw

    wrapped = nw.from_native(source, pass_through=True)
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect()
    if not isinstance(wrapped, nw.DataFrame):
        raise InputError(f"{name}: a {type(source).__name__} is no table; {_TABLES}")
    need("pyarrow", "data")
    return _from_arrow(name, wrapped.to_arrow())


def _from_arrow(name: str, table: pa.Table) -> pd.DataFrame:
    refuse_repeats(name, table.column_names)
    # a pandas index that was written is not a feature; a named one is a column like any other
    kept = [column for column in table.column_names if not column.startswith("__index_level_")]
    return _named(name, table.select(kept).to_pandas(ignore_metadata=True))


def _named(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    columns = [str(column) for column in frame.columns]
    refuse_repeats(name, columns)
    frame.columns = pd.Index(columns)
    return frame


def _file_facts(path: Path) -> dict[str, Plain]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "sha256": digest, "bytes": path.stat().st_size}
