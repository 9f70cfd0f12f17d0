"""Reading a label: of two classes, of several, or a number; which values it has, which is the positive one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.columns import is_text
from evenhand.data.lookalikes import lookalikes
from evenhand.data.transcripts import spelled, transcript_problems, words_of
from evenhand.data.values import absence, distinct, listed, match, order, plain, show
from evenhand.errors import argument, did_you_mean, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data.roles import Reading, Roles
    from evenhand.data.transcripts import Spelling
    from evenhand.findings import Task

_CONVENTIONS = ({"0", "1"}, {"-1", "1"}, {"false", "true"}, {"no", "yes"})
"""Pairs whose greater value everybody takes for the positive class."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label that has been understood."""

    y_true: NDArray[np.generic]
    """(n,) int8, 1 = positive; of several classes int32, the position in `classes`; of numbers float64, and of
    transcripts the number of words."""
    classes: tuple[object, ...]
    """The negative and the positive value, or all classes in order, as plain Python values; empty for numbers."""
    favourable: object
    """The class that is good for the person, None when it was not declared."""
    task: Task = "binary"
    """What the label is."""


MOST_CLASSES: Final = 200
"""A label of more classes than this makes no table anybody can read."""


def label_of(name: str, frame: pd.DataFrame, roles: Roles, reading: Reading) -> tuple[Label | None, list[str]]:
    """Return the label of a table, or None and why not; a column that is absent is told elsewhere."""
    if reading.task == "clustering":
        return read_clusters(name, frame[roles.prediction]) if roles.prediction in frame else (None, [])
    if roles.labels:
        return read_labels(name, frame[list(roles.labels)])
    if roles.label is None or roles.label not in frame:
        return None, []
    column = frame[roles.label]
    return read_label(name, column, roles.positive, roles.favourable, reading.task, reading.spelling)


def read_label(
    name: str, column: pd.Series, positive: object = None, favourable: object = None, task: Task | None = None,
    spelling: Spelling = "plain",
) -> tuple[Label | None, list[str]]:  # fmt: skip
    """Return the label, or None and why not.

    Parameters
    ----------
    name : str
        The name of the table, for the sentences.
    column : pd.Series
        (n,) the label, with its name.
    positive, favourable : object, optional
        Values of the label; "1" is understood as 1. Without `positive`, the greater value of {0, 1}, {-1, 1}, {no,
        yes} and booleans is the positive class, and the favourable value of any other label.
    spelling : "plain" or "given"
        How transcripts are compared.
    task : "binary", "multiclass", "regression", "ranking" or "transcription", optional
        What the label is. When not given, two values are two classes and more than two texts are several; more than two
        numbers could be classes or amounts, and are refused.
    """
    if task in ("regression", "ranking"):
        return _read_numbers(name, column, task)
    if task == "transcription":
        return _read_transcripts(name, column, spelling)
    if task == "multiclass":
        return _read_classes(name, column)
    if problems := _alike(f"{name}: label '{shorten(column.name)}'", column):
        return None, problems
    if task is None and _is_of_several_texts(column):
        return _read_classes(name, column)
    return _read_two(name, column, positive, favourable, declared=task == "binary")


def read_labels(name: str, columns: pd.DataFrame) -> tuple[Label | None, list[str]]:
    """Return several labels that a row carries at once, each of 0 and 1, or None and why not."""
    problems = [
        f"{name}: label '{shorten(column)}' is neither 0 nor 1 in {strange:,} of {len(columns):,} rows; of several "
        "labels each is there (1) or not (0)."
        for column in columns
        if (strange := int((~columns[column].isin([0, 1])).sum()))
    ]
    if problems:
        return None, problems
    return Label(columns.to_numpy(dtype=np.int8), tuple(map(str, columns)), None, "multilabel"), []


def _alike(where: str, column: pd.Series) -> list[str]:
    """Return the complaint about classes that are written in two ways, such as yes and Yes."""
    if column.dtype.kind in "biufM":
        return []
    values = column.dropna().unique()
    if strange := next((value for value in values[: MOST_CLASSES + 1] if not is_text(value)), None):
        return [f"{where} holds {ascii(strange)[:80]}, which is no Unicode text."]
    if len(values) > MOST_CLASSES or not (found := lookalikes(column)):
        return []
    told = f"{where} holds {' and '.join(found[0])}, which look alike. Write each class in one way"
    return [f"{told}, or, if they are different ones, pass {argument('task', 'multiclass')}."]


def _is_of_several_texts(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return False
    kinds = column.dropna().unique()
    return 2 < len(kinds) <= MOST_CLASSES and all(isinstance(value, str) for value in kinds)


def _read_numbers(name: str, column: pd.Series, task: Task) -> tuple[Label | None, list[str]]:
    where = f"{name}: label '{shorten(column.name)}'"
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return None, [f"{where} holds {listed(column.dropna().unique()[:3])}, which is no number."]
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    problems = []
    if broken := int((~np.isfinite(values)).sum()):
        problems.append(f"{where} is no finite number in {broken:,} of {len(values):,} rows. Fill or drop the rows.")
    if task == "ranking" and (below := int((values < 0).sum())):
        problems.append(f"{where} is below 0 in {below:,} of {len(values):,} rows; relevance is a number from 0.")
    return (None, problems) if problems else (Label(values, (), None, task), [])


def read_clusters(name: str, column: pd.Series) -> tuple[Label | None, list[str]]:
    """Return a clustering as a label without a truth, which is 0 in every row; its classes are the clusters."""
    found, problems = _read_classes(name, column, f"clusters '{shorten(column.name)}'")
    if found is None:
        return None, problems
    return replace(found, y_true=np.zeros_like(found.y_true), task="clustering"), []


def _read_transcripts(name: str, column: pd.Series, spelling: Spelling) -> tuple[Label | None, list[str]]:
    problems = [*transcript_problems(f"{name}: label '{shorten(column.name)}'", column)]
    if problems:
        return None, problems
    words = np.array(words_of(spelled(text, spelling) for text in column), dtype=np.int64)
    return Label(words, (), None, "transcription"), []


def _read_classes(name: str, column: pd.Series, what: str = "") -> tuple[Label | None, list[str]]:
    told = what or f"label '{shorten(column.name)}'"
    where = f"{name}: {told}"
    if absent := [*absence(f"{where} has", column)]:
        return None, absent
    codes, found = pd.factorize(column)
    values = [plain(value) for value in found]
    if not 2 <= len(values) <= MOST_CLASSES:
        return None, [f"{where} has {len(values):,} different values; 2 to {MOST_CLASSES} can be audited as classes."]
    positions = order(values)
    rank = np.empty(len(values), dtype=np.int32)
    rank[positions] = np.arange(len(values), dtype=np.int32)
    return Label(rank[codes], tuple(values[at] for at in positions), None, "multiclass"), []


def _read_two(
    name: str, column: pd.Series, positive: object = None, favourable: object = None, declared: bool = False
) -> tuple[Label | None, list[str]]:
    """Return the label of two classes, or None and why not."""
    where = f"{name}: label '{shorten(column.name)}'"
    values = distinct(column)
    if declared and len(values) == 1:
        values += _other(values[0])
    problems = [*absence(f"{where} has", column), *_value_problems(where, values)]
    if len(values) != 2:
        return None, problems
    pair = [values[at] for at in order(values)]
    chosen = {"pos_label": positive, "favourable": favourable}
    for role, value in chosen.items():
        if value is not None:
            chosen[role] = match(value, pair)
            if chosen[role] is None:
                hint = did_you_mean(str(value), map(str, pair))
                problems.append(
                    f"{where} has the values {listed(pair)}, and {argument(role, value)} is none of them.{hint}"
                )
    usual = pair[1] if {show(value).casefold() for value in pair} in _CONVENTIONS else chosen["favourable"]
    one = usual if chosen["pos_label"] is None else chosen["pos_label"]
    if one is None and not problems:
        problems.append(
            f"{where} has the values {listed(pair)}, and nothing says which is the positive class. "
            f"Name it, such as {argument('pos_label', pair[-1])}."
        )
    if problems or one is None:
        return None, problems
    other = pair[0] if pair[1] is one else pair[1]
    y_true = (column == one).to_numpy(dtype=bool, na_value=False).astype(np.int8)
    return Label(y_true, (other, one), chosen["favourable"]), []


def _other(value: object) -> list[object]:
    """Return the other of 0 and 1, or of False and True: no row may have it, as where all there is was to be found."""
    return [type(value)(not value)] if isinstance(value, (bool, int)) and value in (0, 1) else []


def _value_problems(where: str, values: list[object]) -> Iterator[str]:
    if len(values) == 1:
        yield f"{where} has one class only, {values[0]!r}; an audit needs rows of both classes."
    if len(values) > 2:
        yield (
            f"{where} has {len(values):,} different values ({shorten(listed([values[at] for at in order(values)]))}); "
            f"nothing says whether these are classes or amounts. Name the task ({argument('task')}): "
            "multiclass, regression or ranking."
        )
