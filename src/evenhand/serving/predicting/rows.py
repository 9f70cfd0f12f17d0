"""Rows as they come in: checked against what the model knows of its columns, every problem told together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import InputError, did_you_mean, quoted, shorten
from evenhand.training.levels import show_level, spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from evenhand.findings import Plain
    from evenhand.serving.predicting.columns import InputColumn
    from evenhand.training.cells import Cell

KEYS: Final = ("inputs", "id", "groups", "person", "reasons")
"""What a row may have."""
MOST_TOLD: Final = 50
"""Problems of a request that are told; of the others their number is."""
LONGEST: Final = 200
"""Letters of an id, a group, a person."""
MOST_GROUPS: Final = 64
"""Sensitive features of a row."""
MOST_LETTERS: Final = 4_000
"""Letters of a level."""
_ABSENT: Final = object()
_CELLS: Final = frozenset((float, int, str, bool))


@dataclass(slots=True)
class Row:
    """One row that can be predicted."""

    cells: Sequence[Cell]
    """What the model is given, in the order of its columns."""
    inputs: Mapping[str, Plain]
    """The same by name, as it was sent."""
    id: str | None = None
    """The name that the caller gives the prediction; None where the server makes one."""
    groups: Mapping[str, str | None] = field(default_factory=dict)
    """Sensitive features, which are logged and not read."""
    person: str | None = None
    """Whose row it is."""
    reasons: bool = False
    """Whether the reasons are asked for where the decision is adverse."""
    unseen: list[str] = field(default_factory=list)
    """Columns with a level that has no meaning of its own to the model."""
    outside: list[str] = field(default_factory=list)
    """Columns with a number outside the range of training."""
    filled: list[str] = field(default_factory=list)
    """Columns with a missing cell, where no training row had one: what stands for it was never learnt."""


class RowCheck:
    """Checks rows against the columns.

    Parameters
    ----------
    columns : sequence of InputColumn
    strict : bool
        Whether a level never seen, or a missing cell where training rows had none, is refused.

    Examples
    --------
    >>> from evenhand.serving.predicting.columns import InputColumn
    >>> check = RowCheck([InputColumn("age", "number", low=18, high=99), InputColumn("job", "category", ("clerk",))])
    >>> check.rows({"inputs": {"age": 120, "job": "smith"}})[0].outside
    ['age']
    >>> check.rows({"inputs": {"age": "x"}})
    Traceback (most recent call last):
    evenhand.errors.InputError: inputs.age holds the text 'x', and the model reads a number here.
    inputs.job is missing: send null where it is not known.
    """

    def __init__(self, columns: Sequence[InputColumn], strict: bool = False) -> None:
        self._strict = strict
        self._names = frozenset(column.name for column in columns)
        self._plan = [
            (
                column.name,
                column.kind != "category",
                None if column.kind == "number" else frozenset(at for each in column.levels for at in spellings(each)),
                -math.inf if column.low is None else column.low,
                math.inf if column.high is None else column.high,
                column.fills,
                column.text or column.kind == "category",
            )
            for column in columns
        ]

    def rows(self, told: object) -> list[Row]:
        """Return the rows of a request: one object, or a list of them.

        Raises
        ------
        InputError
            With all problems of all rows, up to `MOST_TOLD`.
        """
        given = told if isinstance(told, list) else [told]
        problems: list[str] = []
        several = len(given) > 1
        found = [self._row(each, problems, f"row {at}: " if several else "") for at, each in enumerate(given, 1)]
        if not given:
            problems.append("There is no row: send an object, or a list of them.")
        refuse(problems)
        return cast("list[Row]", found)

    def _row(self, told: object, problems: list[str], where: str) -> Row | None:
        """Return a row; add its problems where it has any."""
        inputs = told.get("inputs", _ABSENT) if isinstance(told, dict) else _ABSENT
        if not isinstance(told, dict) or not isinstance(inputs, dict):
            problems.append(f'{where}a row is an object such as {{"inputs": {{"column": value}}}}.')
            return None
        row = Row([], inputs)
        row.cells = self._cells(inputs, row, problems, where)
        if len(inputs) > len(row.cells) or not self._names.issuperset(inputs):
            problems += self._unknown(inputs, where)
        if len(told) > 1:
            problems += _rest(told, row, where)
        if self._strict:
            problems += _held_back(row, where)
        return row

    def _cells(self, inputs: Mapping[str, object], row: Row, problems: list[str], where: str) -> list[Cell]:
        cells: list[object] = []
        for name, number, levels, low, high, fills, text in self._plan:
            cell = inputs.get(name, _ABSENT)
            cells.append(cell)
            kind = type(cell)
            if kind is int or kind is float:
                if number and not low <= cell <= high:  # type: ignore[operator]
                    row.outside.append(name)
                if levels is not None and cell not in levels:
                    row.unseen.append(name)
            elif cell is None:
                if not fills:
                    row.filled.append(name)
            elif (kind is str and text and len(cell) <= MOST_LETTERS) or kind is bool:  # type: ignore[arg-type]
                if levels is not None and str(cell) not in levels:
                    row.unseen.append(name)
            else:
                problems.append(f"{where}inputs.{_shown(name)} {_wrong(cell, text)}")
        return cast("list[Cell]", cells)

    def _unknown(self, inputs: Mapping[str, object], where: str) -> Iterator[str]:
        for name in inputs:
            if name not in self._names:
                yield f"{where}inputs.{_shown(name)}: the model reads no such column.{did_you_mean(name, self._names)}"


def refuse(problems: Sequence[str]) -> None:
    """Raise InputError with the problems of a request, the first `MOST_TOLD` of them; return where there is none."""
    if problems:
        more = len(problems) - MOST_TOLD
        raise InputError(*problems[:MOST_TOLD], *([f"There are {more:,} more problems."] if more > 0 else []))


def _rest(told: Mapping[str, object], row: Row, where: str) -> Iterator[str]:
    """Take what a row has beside its inputs, and yield what is wrong with it."""
    for name in told:
        if name not in KEYS:
            yield f"{where}'{_shown(name)}' is no part of a row; known are {', '.join(KEYS)}.{did_you_mean(name, KEYS)}"
    for name in ("id", "person"):
        given = told.get(name)
        if name in told and not is_name(given):
            yield f"{where}{name} {_holds(given)}: it is a text of 1 to {LONGEST} printable letters."
    row.id, row.person = cast("str | None", told.get("id")), cast("str | None", told.get("person"))
    row.reasons = told.get("reasons") is True
    if not isinstance(told.get("reasons", False), bool):
        yield f"{where}reasons {_holds(told['reasons'])}: it is true or false."
    groups = told.get("groups", {})
    if not isinstance(groups, dict) or len(groups) > MOST_GROUPS:
        yield f"{where}groups is an object of at most {MOST_GROUPS} sensitive features."
        return
    row.groups = {name: None if value is None else show_level(value) for name, value in groups.items()}
    for name, value in groups.items():
        short = type(value) in _CELLS and len(str(value)) <= LONGEST
        if not is_name(name) or not (value is None or short):
            yield f"{where}groups.{_shown(name)} {_holds(value)}: it is a text of at most {LONGEST} letters, or null."


def _held_back(row: Row, where: str) -> Iterator[str]:
    for name in row.unseen:
        yield f"{where}inputs.{_shown(name)} {_holds(row.inputs[name])}, which is no level that the model has learnt."
    for name in row.filled:
        yield f"{where}inputs.{_shown(name)} is null, and no training row had a missing value here."


def is_name(given: object) -> bool:
    """Return whether a value can be an id, a person or a source: a short text without control characters."""
    return isinstance(given, str) and 0 < len(given) <= LONGEST and given.isprintable()


def _shown(name: str) -> str:
    return shorten(name)


def _wrong(cell: object, text: bool) -> str:
    if cell is _ABSENT:
        return "is missing: send null where it is not known."
    if isinstance(cell, str) and text:
        return f"holds {len(cell):,} letters: {MOST_LETTERS:,} at most."
    if isinstance(cell, str):
        return f"{_holds(cell)}, and the model reads a number here."
    return f"{_holds(cell)}: a cell is a number, a text or null."


def _holds(value: object) -> str:
    if isinstance(value, str):
        return f"holds the text {quoted(value, 40)}"
    kinds = {dict: "an object", list: "a list", bool: str(value).lower(), type(None): "null"}
    return f"holds {kinds.get(type(value)) or quoted(value, 40)}"
