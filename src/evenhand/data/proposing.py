"""Propose what the columns of a table are to an audit, each with a reason, from their names and their values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from evenhand.data.column_parts import Part, ProposedColumn, part_of
from evenhand.data.columns import plain_values
from evenhand.data.label_words import LabelWords, find_label, label_words
from evenhand.data.validating import MOST_NUMBERS, suggested_edges
from evenhand.data.values import distinct, is_number, listed, match, order
from evenhand.errors import InputError, argument, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from evenhand.findings import Task

__all__ = ["Part", "Proposal", "ProposedColumn", "propose"]

_SINGLE: Final = ("score", "prediction", "weight", "id")
AGES: Final = (25, 45, 65)
"""Edges of ages in years."""
OLDEST: Final = 120
"""What is above it is no age in years."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The roles that are proposed for a table.

    See Also
    --------
    evenhand.data.proposing.propose : Makes one.
    """

    name: str
    """The table."""
    rows: int
    """The rows that were looked at."""
    columns: tuple[ProposedColumn, ...] = ()
    """Every column, in the order of the table."""
    label: str | None = None
    """The column with the truth; None where none is found."""
    task: Task | None = None
    """The kind of label, where it has to be said."""
    classes: tuple[object, ...] = ()
    """The values of a label of classes."""
    positive: object = None
    """The value that counts as positive; None where nothing says it."""
    favourable: object = None
    """The value that is good for a person; None where nothing says it."""
    bins: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """Edges of numeric sensitive features."""
    codes: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """Sensitive features whose values are codes, with the codes."""
    gaps: tuple[str, ...] = ()
    """Sensitive features that have no value in some rows."""
    probabilities: bool = True
    """Whether the scores, where there are any, are in [0, 1]."""
    threshold: float | None = None
    """Where scores are decided at; None where nothing says it."""

    def named(self, *parts: Part) -> tuple[str, ...]:
        """Return the columns that seem to be one of `parts`."""
        return tuple(column.name for column in self.columns if column.part in parts)

    def one(self, part: Part) -> str | None:
        """Return the first column that seems to be `part`."""
        return next(iter(self.named(part)), None)


def propose(
    frame: pd.DataFrame,
    name: str = "data",
    *,
    label: str | None = None,
    positive: object = None,
    favourable: object = None,
    sensitive: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
) -> Proposal:
    """Propose roles for the columns of a table; what is given is kept, and the rest follows from it.

    Parameters
    ----------
    frame : pandas.DataFrame
        (n, k) rows of the table; as many as are needed to know it.
    name : str
        How sentences call it.
    label : str, optional
        The column with the truth.
    positive, favourable : object, optional
        Values of the label; "1" is understood as 1.
    sensitive, exclude : sequence of str, optional
        The sensitive features, and columns that are never model inputs.

    Raises
    ------
    InputError
        When a column or a value that is given is not in the table.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"gender": ["F", "M"] * 20, "debt": range(40), "approved": ["yes", "no"] * 20}
    >>> found = propose(pd.DataFrame(rows))
    >>> found.label, found.positive, found.favourable, found.named("sensitive")
    ('approved', 'yes', 'yes', ('gender',))
    """
    given = [*([label] if label else []), *(sensitive or ()), *exclude]
    nested = [column for column in map(str, frame.columns) if plain_values(frame[column], column)[1]]
    raise_all(InputError, _absent(name, frame, given, nested))
    order_of, frame = [*map(str, frame.columns)], frame.drop(columns=nested)
    label = label or find_label(frame)
    words = LabelWords(None, ()) if label is None else label_words(frame[label])
    good = _value(name, label, "favourable", favourable, words, words.favourable)
    usual = words.positive if words.positive is not None else good
    seen = [
        ProposedColumn(column, "exclude", "holds lists or records")
        if column in nested
        else _column(frame[column], label, words, sensitive, exclude)
        for column in order_of
    ]
    bins = {
        part.name: edges for part in seen if part.part == "sensitive" and (edges := _edges(frame[part.name], part.kind))
    }
    columns = tuple(_one_each(seen, bins))
    groups = [column.name for column in columns if column.part == "sensitive"]
    scores = [column.name for column in columns if column.part == "score"]
    chances = all(frame[column].dropna().between(0, 1).all() for column in scores)
    decided = any(column.part == "prediction" for column in columns)
    return Proposal(
        name, len(frame), columns, label, words.task, words.classes,
        positive=_value(name, label, "positive", positive, words, usual),
        favourable=good,
        bins={column: bins[column] for column in groups if column in bins},
        codes={column: codes for column in groups if (codes := _codes(frame[column]))},
        gaps=tuple(column for column in groups if frame[column].hasnans),
        probabilities=chances,
        threshold=0.5 if scores and chances and not decided and words.task is None else None,
    )  # fmt: skip


def _absent(name: str, frame: pd.DataFrame, given: Sequence[str], nested: Sequence[str]) -> Iterator[str]:
    known = [str(column) for column in frame.columns]
    for column in given:
        if column not in known:
            yield f"{name}: there is no column '{shorten(column)}'.{did_you_mean(column, known)}"
        elif column in nested:
            yield f"{name}: column '{shorten(column)}' holds lists or records, and a column holds single values."


def _value(name: str, label: str | None, role: str, value: object, words: LabelWords, usual: object) -> object:
    """Return the value of the label that is given, or the usual one."""
    if value is None or not words.classes:
        return usual if value is None else value
    found = match(value, words.classes)
    if found is None:
        told = f"label '{shorten(label)}' has the values {listed(words.classes)}"
        raise InputError(f"{name}: {told}, and {argument(role, value)} is none of them.")
    return found


def _column(
    column: pd.Series, label: str | None, words: LabelWords, sensitive: Sequence[str] | None, exclude: Sequence[str]
) -> ProposedColumn:
    """Return what a column is: as given, else as it seems to be."""
    name = str(column.name)
    if name == label:
        return ProposedColumn(name, "label", _label_reason(words))
    found = part_of(column, words.classes)
    if name in exclude:
        return replace(found, part="exclude", reason="named by you")
    if sensitive is None:
        return found
    if (name in sensitive) == (found.part == "sensitive"):
        return found
    if name in sensitive:
        return replace(found, part="sensitive", reason="named by you")
    return replace(found, part="possible")


def _label_reason(words: LabelWords) -> str:
    return f"values {shorten(listed(words.classes))}" if words.classes else "amounts"


def _one_each(columns: Sequence[ProposedColumn], bins: Mapping[str, tuple[object, ...]]) -> Iterator[ProposedColumn]:
    """Yield the columns with one score, decision, weight and id, and ages once: as groups, where a column has them."""
    taken: dict[str, str] = {}
    aged = [column.name for column in columns if column.part == "sensitive" and column.kind == "age"]
    grouped = next((name for name in aged if name not in bins), None)
    for column in columns:
        first = taken.setdefault(column.part, column.name)
        if column.part in _SINGLE and first != column.name:
            yield replace(column, part="exclude", reason=f"{column.reason}; {first} is taken")
        elif grouped is not None and column.name in aged and column.name in bins:
            yield replace(column, part="possible", reason=f"age by its name; {grouped} has groups already")
        else:
            yield column


def _edges(values: pd.Series, kind: str) -> tuple[object, ...]:
    """Return edges of a feature of numbers; none where its values are groups already."""
    if not is_number(values) or len(distinct(values)) <= MOST_NUMBERS:
        return ()
    low, high = values.min(), values.max()
    ages = tuple(edge for edge in AGES if low < edge <= high)
    return ages if kind == "age" and ages and high <= OLDEST else tuple(suggested_edges(values))


def _codes(values: pd.Series) -> tuple[object, ...]:
    """Return the values of a feature of whole numbers; none where they are 0 and 1, or many."""
    found = distinct(values) if is_number(values) else []
    coded = 0 < len(found) <= MOST_NUMBERS and all(isinstance(value, int) for value in found)
    return tuple(found[at] for at in order(found)) if coded and not set(found) <= {0, 1} else ()
