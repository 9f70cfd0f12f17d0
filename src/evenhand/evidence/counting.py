"""Count a table larger than memory in the database, by one GROUP BY.

What comes back is a table of counts, one row for each group x truth x decision (x bin of the score). An audit of it
gives what an audit of the rows would have given; tables of several shards add up. Of two models on the same
rows the counts are joint ones: group x truth x original's decision x decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from glob import glob
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import pandas as pd

from evenhand.data.counted import ATTRIBUTE, DECISION, ORIGINAL_DECISION, as_texts
from evenhand.data.grouping import bin_labels
from evenhand.data.roles import Scoring
from evenhand.data.written import as_written
from evenhand.errors import InputError, argument, did_you_mean, need, quoted, raise_all, shorten
from evenhand.evidence.scanning import engine_errors, scan
from evenhand.evidence.shards import (
    file_hashes,
    marked,
    merged_origin,
    named_tables,
    refuse_copies,
    shard_problems,
)
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import narwhals as nw

    from evenhand.findings import Plain

    Lazy: TypeAlias = nw.LazyFrame[Any]

FREQUENCY: Final = "rows"
"""The column of counts; with more underscores where the table has a column of that name."""
SCORE: Final = "score"
BIN: Final = "score_bin"
"""The mean score of the rows counted, and its bin, from 0."""
WEIGHT: Final = "weight_sum"
SQUARES: Final = "weight_squares"
"""Sums of sampling weights and of their squares."""

USED: Final = (
    "label", "positive", "favourable", "sensitive_features", "control_features", "sample_weight", "prediction", "score",
    "original_prediction", "original_score", "codes", "value_labels",
)  # fmt: skip
"""The roles that an audit of counts has a use for."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted of a table."""

    label: str
    """The column with the truth."""
    groups: tuple[str, ...] = ()
    """Sensitive and control features."""
    prediction: str | None = None
    """The column with decisions; made from scores when absent."""
    score: str | None = None
    """The column with scores."""
    original_prediction: str | None = None
    """The column with the decisions of the model before compression."""
    original_score: str | None = None
    """The column with its scores, in place of decisions."""
    threshold: float = 0.5
    """A score at or above it is decided positive: 1, else 0."""
    bins: int | None = None
    """Bins of equal width over [0, 1] in which scores are counted, too; None counts decisions alone."""
    weight: str | None = None
    """The column of sampling weights."""
    edges: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Edges that make groups of numeric features, as ``bins`` in `read_evaluation_set`."""


def count_files(source: str, *, engine: str | None = None, allow_repeated: bool = False, **what: Any) -> pd.DataFrame:
    """Return the counts of the rows in a file, a glob of files or a database, without reading them into memory.

    Parameters
    ----------
    source : str
        A Parquet or CSV file, a glob such as ``"scored/*.parquet"``, or ``"lake.duckdb::scored"``.
    engine : "duckdb", "polars" or "spark", optional
        The first that is installed when not given.
    allow_repeated : bool
        Whether files of the same content are counted each.
    **what
        The fields of `Counting`: ``label``, ``groups``, ``prediction`` or ``score``, the same of the original,
        ``threshold``, ``bins``, ``weight``, ``edges``.

    Returns
    -------
    pandas.DataFrame
        One row a combination, with a column ``rows``; for `read_evaluation_set(..., frequency="rows")`.

    Raises
    ------
    InputError
        When columns are absent, scores or weights are missing, neither decisions nor scores are named, or two files
        have the same content.
    MissingExtraError
        When no engine is installed.
    """
    edges, named = what.get("edges") or {}, ("label", "prediction", "original_prediction")
    groups = [column for column in what.get("groups", ()) if column not in edges]
    labels = [what[name] for name in named if what.get(name) is not None]
    table = scan(source, engine, {*groups, *labels})
    files = sorted(glob(source))  # noqa: PTH207 - a pattern may begin at the root
    hashes = file_hashes(files)
    if not allow_repeated:
        refuse_copies(files, hashes)
    found = count_frame(table, source, **what)
    if source.lower().endswith(".csv"):
        found = _as_read(found, groups, labels)
    return marked(found, found.attrs[ATTRIBUTE]["counted"], hashes)


def _as_read(counts: pd.DataFrame, groups: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Return counts of a delimited file with the values, and in the order, that reading the file gives."""
    for column in dict.fromkeys((*groups, *labels)):
        counts[column] = as_written(counts[column], booleans=column in labels)
    return counts


def count_frame(table: object, name: str = "table", **what: Any) -> pd.DataFrame:
    """Count the rows of a table with its engine.

    Parameters
    ----------
    table : DuckDB relation, Polars, PySpark, Dask, PyArrow or pandas table, Ibis table
        Any table that narwhals supports; a cluster engine counts its rows itself.
    name : str
        How sentences call it.
    **what
        The fields of `Counting`.

    Raises
    ------
    InputError
        When columns are absent, scores or weights are missing, or neither decisions nor scores are named.
    """
    import narwhals as nw

    wanted = Counting(**{**what, "groups": tuple(dict.fromkeys(what.get("groups", ())))})
    if wanted.prediction is None and wanted.score is None:
        raise InputError(
            f"{name}: name either the column of decisions ({argument('prediction')}) or that of scores "
            f"({argument('score')})."
        )
    raise_all(InputError, _useless(wanted))
    with engine_errors(name):
        return marked(_counted(nw.from_native(table), name, wanted), _common_settings(wanted))


def _useless(wanted: Counting) -> Iterator[str]:
    """Yield settings that are none, and those that would have no effect."""
    problems = [settings_of(Scoring)["threshold"].problem(wanted.threshold)]
    if wanted.bins is not None and not (isinstance(wanted.bins, int) and wanted.bins >= 2):
        problems.append(f"bins must be a whole number from 2, not {quoted(wanted.bins)}.")
    if wanted.bins is not None and wanted.score is None:
        problems.append(
            f"Scores are counted in bins, and no column of scores is named: add {argument('score')}, or "
            f"leave out {argument('bins')}."
        )
    yield from filter(None, problems)


def _common_settings(wanted: Counting) -> dict[str, Plain]:
    """Return what tables of counts must have in common to be added up."""
    told = {
        "label": wanted.label,
        "groups": sorted(wanted.groups),
        "prediction": wanted.prediction,
        "score": wanted.score,
        "original_prediction": wanted.original_prediction,
        "original_score": wanted.original_score,
        "bins": wanted.bins,
        "weight": wanted.weight,
        "edges": {column: [float(edge) for edge in edges] for column, edges in wanted.edges.items()},
    }
    decided = wanted.prediction is None or wanted.original_score is not None
    return cast("dict[str, Plain]", told | ({"threshold": float(wanted.threshold)} if decided else {}))


def _counted(frame: Lazy, name: str, wanted: Counting) -> pd.DataFrame:
    import narwhals as nw

    columns = frame.collect_schema().names()
    raise_all(InputError, _absent(name, wanted, columns))
    raise_all(InputError, _no_numbers(name, wanted, frame))
    _refuse_broken(frame, name, wanted)
    whole = {column: frame.collect_schema()[column].is_integer() for column in wanted.edges}
    frame, keys, sums = _prepared(frame, wanted, columns)
    rows = _free(FREQUENCY, keys)
    counted = frame.group_by(*keys).agg(nw.len().alias(rows), *(nw.col(part).sum() for part in sums)).sort(*keys)
    held = _collected(counted)
    found = held.to_pandas().reset_index(drop=True)
    for column, kind in held.schema.items():
        if kind.is_integer() and not pd.api.types.is_integer_dtype(found[column].dtype):
            found[column] = found[column].astype("Int64")  # else 7 would be 7.0 where a value is missing
    return _named(_finished(found, rows, sums), wanted.edges, whole)


def _collected(frame: Any) -> Any:
    """Return what an engine counted; a table in memory is already there."""
    import narwhals as nw

    if not isinstance(frame, nw.LazyFrame):
        return frame
    need("pyarrow", "data")
    return frame.collect(backend="pyarrow")


def _prepared(frame: Lazy, wanted: Counting, columns: Sequence[str]) -> tuple[Lazy, list[str], list[str]]:
    """Return the frame with separate columns to count and to sum, and the names of both."""
    import narwhals as nw

    keys, sums = [*wanted.groups, wanted.label], []
    decision = wanted.prediction or _free(DECISION, columns)
    if wanted.prediction is None:
        frame = frame.with_columns((nw.col(wanted.score or "") >= wanted.threshold).cast(nw.Int8).alias(decision))
    for column, edges in wanted.edges.items():
        reached = [(nw.col(column) >= edge).cast(nw.Int64) for edge in edges]
        frame = frame.with_columns(sum(reached[1:], reached[0]).alias(column))
    if wanted.original_score is not None:
        made = (nw.col(wanted.original_score) >= wanted.threshold).cast(nw.Int8)
        frame = frame.with_columns(made.alias(_free(ORIGINAL_DECISION, columns)))
        keys.append(_free(ORIGINAL_DECISION, columns))
    elif wanted.original_prediction is not None:
        keys.append(wanted.original_prediction)
    keys.append(decision)
    if wanted.score is not None and wanted.bins is not None:
        place = (nw.col(wanted.score).cast(nw.Float64) * wanted.bins).floor().clip(0, wanted.bins - 1).cast(nw.Int64)
        frame = frame.with_columns(place.alias(BIN), nw.col(wanted.score).cast(nw.Float64).alias(SCORE))
        keys, sums = [*keys, BIN], [SCORE]
    if wanted.weight is not None:
        weight = nw.col(wanted.weight).cast(nw.Float64)
        frame = frame.with_columns(weight.alias(WEIGHT), (weight * weight).alias(SQUARES))
        sums += [WEIGHT, SQUARES]
    return frame.select(*dict.fromkeys([*keys, *sums])), list(dict.fromkeys(keys)), sums


def _finished(found: pd.DataFrame, rows: str, sums: Sequence[str]) -> pd.DataFrame:
    """Return counts as whole numbers, and the sum of scores as their mean."""
    found[rows] = found[rows].astype("int64")
    for part in sums:
        found[part] = found[part].astype("float64")
    if SCORE in sums:
        found[SCORE] = (found[SCORE] / found[rows]).clip(0, 1)
    return found


def _named(found: pd.DataFrame, edges: Mapping[str, Sequence[float]], whole: Mapping[str, bool]) -> pd.DataFrame:
    """Return counts in which groups between edges have their names, in their order."""
    for column, cuts in edges.items():
        names = bin_labels(cuts, whole[column] and all(float(cut).is_integer() for cut in cuts))
        codes = found[column].fillna(-1).to_numpy(dtype="int64")
        found[column] = pd.Categorical.from_codes(codes, pd.Index(names), ordered=True)
    return found


def _absent(source: str, wanted: Counting, columns: Sequence[str]) -> Iterator[str]:
    earlier = (wanted.original_prediction, wanted.original_score)
    needed = (wanted.label, *wanted.groups, wanted.prediction, wanted.score, *earlier, wanted.weight)
    for column in needed:
        if column is not None and column not in columns:
            yield f"{source}: there is no column '{shorten(column)}'.{did_you_mean(column, columns)}"
    made = ([BIN, SCORE] if wanted.bins else []) + ([WEIGHT, SQUARES] if wanted.weight else [])
    for column in (wanted.label, *wanted.groups, wanted.prediction):
        if column in made:
            yield f"{source}: '{column}' is the name of a column of the counts; rename the one of the table."
    if None not in earlier:
        yield f"{source}: name either the original's decisions or its scores, not both."
    if wanted.bins is not None and wanted.weight is not None:
        yield f"{source}: scores are counted in bins without weights; name one of both."


def _no_numbers(source: str, wanted: Counting, frame: Lazy) -> Iterator[str]:
    schema = frame.collect_schema()
    for column in dict.fromkeys((wanted.score, wanted.original_score, wanted.weight, *wanted.edges)):
        if column is not None and column in schema and not schema[column].is_numeric():
            yield f"{source}: column '{shorten(column)}' is {schema[column]}, and numbers are needed."


def _refuse_broken(frame: Lazy, source: str, wanted: Counting) -> None:
    """Refuse scores and weights without a value, scores outside [0, 1] that are to be binned, and weights below 0."""
    import narwhals as nw

    schema = frame.collect_schema()

    def broken(column: str) -> Any:
        absent = nw.col(column).is_null()
        return absent | nw.col(column).is_nan() if schema[column].is_float() else absent

    checks: list[tuple[Any, str]] = []
    if wanted.score is not None:
        where = f"scores '{shorten(wanted.score)}'"
        checks.append((broken(wanted.score), f"{where} have no value in {{:,}} rows. Fill or drop them."))
        if wanted.bins is not None:
            outside = (nw.col(wanted.score) < 0) | (nw.col(wanted.score) > 1)
            checks.append((outside, f"{where} lie outside [0, 1] in {{:,}} rows: none is binned."))
    if (earlier := wanted.original_score) is not None:
        said = f"scores '{shorten(earlier)}' have no value in {{:,}} rows. Fill or drop them."
        checks.append((broken(earlier), said))
    if (weight := wanted.weight) is not None:
        bad = broken(weight) | (nw.col(weight) < 0)
        checks.append((bad, f"weights '{shorten(weight)}' are no number from 0 in {{:,}} rows."))
    if not checks:
        return
    marks = [mask.cast(nw.Int64).sum().alias(f"check_{at}") for at, (mask, _) in enumerate(checks)]
    counts = _collected(frame.select(*marks)).to_pandas().iloc[0]
    found = zip(counts, (words for _, words in checks), strict=True)
    raise_all(InputError, (f"{source}: {words.format(int(count))}" for count, words in found if count > 0))


def _free(name: str, columns: Sequence[str]) -> str:
    while name in columns:
        name = f"_{name}"
    return name


def merge_counts(tables: Iterable[object], frequency: str = FREQUENCY, *, allow_repeated: bool = False) -> pd.DataFrame:
    """Return the sum of several tables of counts, such as those of shards.

    Rows and weights add up; the mean score of a bin is that of all its rows.

    Parameters
    ----------
    tables : iterable of paths or pandas tables
        Of the same columns, as `count_files` makes them.
    frequency : str
        The column of counts.
    allow_repeated : bool
        Whether tables of the same counts are added: two shards may be alike by chance.

    Raises
    ------
    InputError
        When a table has other columns, no column of counts or negative ones, was counted at another threshold or of
        other columns or classes, or is in the sum twice, alone or inside another one.
    """
    named = named_tables(tables)
    if not named:
        raise InputError("There is no table of counts to add up.")
    raise_all(InputError, shard_problems(named, frequency, allow_repeated))
    frames = list(named.values())
    first = list(frames[0].columns)
    whole = pd.concat([frame[first].astype(object) for frame in frames], ignore_index=True)
    whole = pd.DataFrame({column: _typed(whole[column], column, frequency) for column in first})
    means = [SCORE] if {BIN, SCORE} <= set(first) else []
    sums = [frequency, *means, *((WEIGHT, SQUARES) if {WEIGHT, SQUARES} <= set(first) else ())]
    for column in means:
        whole[column] *= whole[frequency]
    keys = [column for column in first if column not in sums]
    merged = whole.groupby(keys, dropna=False, sort=True)[sums].sum().reset_index()
    for column in means:
        merged[column] = (merged[column] / merged[frequency]).clip(0, 1)
    merged = merged[first]
    merged.attrs[ATTRIBUTE] = merged_origin(frames, merged)
    return merged


def _typed(column: pd.Series, name: str, frequency: str) -> pd.Series:
    """Return sums as numbers, and classes and groups as they would be read from one file of all shards."""
    if name == frequency:
        return pd.to_numeric(column).astype("int64")
    if name in (SCORE, WEIGHT, SQUARES):
        return pd.to_numeric(column)
    if any(isinstance(value, str) for value in column.dropna().unique()):
        return as_written(as_texts(column).where(column.notna(), None))
    return column.infer_objects()
