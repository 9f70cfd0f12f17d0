"""What a model that is served knows of its inputs: the columns, their kinds, levels and ranges, as of training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, ModelError, argument, quoted, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from evenhand.subjects import Subject

Kind: TypeAlias = Literal["number", "category", "code"]
"""A number; a level among known ones; or a whole number that may be either."""
KINDS: Final = ("number", "category", "code")
MOST_LEVELS: Final = 2048
"""Levels that a table is asked for; a column of more is one of names or free text."""


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One column that the model reads."""

    name: str
    """Its name in `inputs`."""
    kind: Kind
    """What a cell is."""
    levels: tuple[str, ...] = ()
    """The levels of a category or code that have a meaning of their own to the model, as text."""
    low: float | None = None
    """The least number that it can tell from lesser ones, or that training rows had; None where that is not known."""
    high: float | None = None
    """The same of the greatest."""
    fills: bool = True
    """Whether training rows had missing cells here, so that the model has learnt what they mean."""
    text: bool = False
    """Whether it is a number that training rows held as text, which may be sent as text, too."""


def columns_of(subject: Subject) -> tuple[InputColumn, ...]:
    """Return what a model says of its columns; empty where it says nothing, as models of others do.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit
    >>> model = fit(eh.load_loanapp(), config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> [(column.name, column.kind) for column in columns_of(model)][:2]
    [('occ', 'code'), ('loanamt', 'number')]
    """
    from evenhand.training.preprocessing import Preprocessing
    from evenhand.training.trees.columns import TreeColumns

    known = getattr(subject, "preprocessing", None)
    if isinstance(known, Preprocessing):
        return tuple(map(_prepared, known.columns))
    if isinstance(known, TreeColumns):
        return tuple(
            InputColumn(
                column.name, "number" if column.levels is None else "category", column.levels or (),
                fills=column.missing > 0, text=column.converted > 0,
            )
            for column in known.columns
        )  # fmt: skip
    return ()


def columns_of_table(table: pd.DataFrame) -> tuple[InputColumn, ...]:
    """Return the columns of a table of training rows: a number has a range, everything else levels.

    Raises
    ------
    InputError
        When a column can be no input; all such are named.

    Examples
    --------
    >>> import pandas as pd
    >>> columns_of_table(pd.DataFrame({"age": [30, 50]}))[0].high
    50.0
    """
    import pandas as pd

    from evenhand.training.levels import count_levels

    found, problems = [], []
    for name, values in table.items():
        fills = bool(values.isna().any())
        if pd.api.types.is_numeric_dtype(values.dtype) and values.notna().any():
            low, high = float(values.min()), float(values.max())
            found.append(InputColumn(str(name), "number", low=low, high=high, fills=fills))
            continue
        levels = count_levels(values)
        if len(levels) > MOST_LEVELS or pd.api.types.is_datetime64_any_dtype(values.dtype):
            problems.append(
                f"Column '{shorten(name)}' holds dates, names or free text, which no row is checked against."
            )
        found.append(InputColumn(str(name), "category", tuple(sorted(levels)), fills=fills))
    raise_all(InputError, problems)
    return tuple(found)


def read_columns(place: Path) -> tuple[InputColumn, ...]:
    """Read a file of a schema.

    Parameters
    ----------
    place : Path
        JSON: ``{"columns": [{"name": "age", "kind": "number", "low": 18, "high": 99}, ...]}``, each with the fields
        of `InputColumn`; or the ``schema.json`` that ``evenhand export`` writes, whose ``inputs`` say the same.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    told = parse_json(read_bytes(place, most=1 << 26), place, strict=True)
    listed: object = told
    for key in ("inputs", "columns"):
        if isinstance(listed, dict) and key in listed:
            listed = listed[key]
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise InputError(f'{place}: this is no schema: it holds no list of columns, {{"columns": [{{"name": ...}}]}}.')
    given = [_of_export(each) for each in cast("list[dict[str, object]]", listed)]
    raise_all(InputError, (f"{place}: {problem}" for at, each in enumerate(given) for problem in _wrong(each, at)))
    return tuple(map(_from_plain, given))


def refuse_unknown(name: str) -> ModelError:
    """Return the error of a model that does not say what it reads."""
    return ModelError(
        f"Model '{name}' does not say which columns it reads, so no row can be checked: pass {argument('schema')} "
        f"with a file that does, or {argument('adverse')} and {argument('reasons_background')} together, with training "
        "rows."
    )


def _prepared(column: object) -> InputColumn:
    from evenhand.training.codes import CodeColumn
    from evenhand.training.columns import CategoryColumn, NumberColumn

    if isinstance(column, CodeColumn):
        low, high = _range(column.number)
        return InputColumn(
            column.name, "code", column.category.levels, low, high, column.number.missing > 0,
            column.number.converted > 0,
        )  # fmt: skip
    if isinstance(column, CategoryColumn):
        return InputColumn(column.name, "category", column.levels, fills=column.missing > 0)
    number = cast("NumberColumn", column)
    return InputColumn(number.name, "number", (), *_range(number), number.missing > 0, number.converted > 0)


def _range(number: object) -> tuple[float | None, float | None]:
    """Return the range of training rows where pieces say it, else that beyond which a number is held."""
    from evenhand.training.columns import FURTHEST, NumberColumn

    column = cast("NumberColumn", number)
    ends = (column.edges[0], column.edges[-1]) if column.edges else (-FURTHEST, FURTHEST)
    low, high = (column.mean + end * column.scale for end in ends)
    room = 1e-9 * max(abs(low), abs(high))  # the ends are kept in scaled units, and come back rounded
    return (low - room, high + room) if math.isfinite(low) and math.isfinite(high) else (None, None)


def _of_export(given: dict[str, object]) -> dict[str, object]:
    """Return a column as `InputColumn` has it, of one that an export's schema describes by its type."""
    if "kind" in given or "type" not in given:
        return given
    ends = given.get("range_seen_in_training")
    low, high = ends if isinstance(ends, list) and len(ends) == 2 else (None, None)
    number = "code" if given.get("levels") else "number"
    return {
        "name": given.get("name"), "kind": "category" if given["type"] == "string" else number,
        "levels": given.get("levels", []), "low": low, "high": high,
        "fills": given.get("missing_seen_in_training") is not False,
    }  # fmt: skip


def _wrong(given: Mapping[str, object], at: int) -> Iterator[str]:
    name = given.get("name")
    if not isinstance(name, str) or not name:
        yield f"column {at + 1} has no name."
        return
    where = f"column '{shorten(name)}'"
    if given.get("kind") not in KINDS:
        yield f"{where}: kind is {quoted(given.get('kind'))}; it is one of {', '.join(KINDS)}."
    levels = given.get("levels", [])
    if not isinstance(levels, list) or not all(isinstance(level, (str, int, float)) for level in levels):
        yield f"{where}: levels is a list of texts or numbers."
    for end in ("low", "high"):
        if not isinstance(given.get(end, 0.0), (int, float, type(None))):
            yield f"{where}: {end} is {quoted(given.get(end))}; it is a number, or null."


def _from_plain(given: Mapping[str, object]) -> InputColumn:
    from evenhand.training.levels import show_level

    levels = tuple(show_level(level) for level in cast("list[object]", given.get("levels", [])))
    low, high = (None if given.get(end) is None else float(cast("float", given[end])) for end in ("low", "high"))
    return InputColumn(
        str(given["name"]), cast("Kind", given["kind"]), levels, low, high,
        bool(given.get("fills", True)), bool(given.get("text", False)),
    )  # fmt: skip
