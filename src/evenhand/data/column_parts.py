"""Say what a column seems to be: one rule after another, each with its reason, and the first that fits decides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.data import vocabulary
from evenhand.data.label_words import is_outcome
from evenhand.data.validating import MOST_NUMBERS
from evenhand.data.values import distinct, is_number, listed, match
from evenhand.data.vocabulary import holds, protected_by_name, protected_by_values, whole, words_of
from evenhand.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

Part: TypeAlias = Literal[
    "label", "sensitive", "possible", "area", "score", "prediction", "weight", "id", "exclude", "input"
]
"""What a column may be: ``possible`` ones look protected and make no groups as they are; an ``area`` may be a proxy."""

MOST_GROUPS: Final = 12
"""A feature of more groups is named, and left to a person to group."""
_DATE: Final = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ].*)?\s*")
FREE_TEXT: Final = "free text"
"""Why a column of written texts is no input: a model of columns cannot read it."""
_WRITTEN: Final = 40
"""Characters of a text, in the mean, from which on it is one that somebody wrote."""
_LOOKED_AT: Final = 200
"""Values that are enough to know a date or a written text."""


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """A column and what it seems to be.

    See Also
    --------
    evenhand.data.proposing.propose : Proposes roles for columns.
    """

    name: str
    """The column."""
    part: Part
    """What it seems to be."""
    reason: str
    """Why, in a few words."""
    kind: str = ""
    """The protected characteristic, of a column that looks protected."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A column as the rules see it."""

    values: pd.Series
    """(n,) its values, with its name."""
    found: list[object]
    """Its distinct values, without missing ones."""
    classes: tuple[object, ...]
    """The values of the label of the table."""

    @property
    def name(self) -> str:
        """The column's name."""
        return str(self.values.name)

    @property
    def number(self) -> bool:
        """Whether it holds numbers."""
        return is_number(self.values)

    @property
    def mostly_own(self) -> bool:
        """Whether most rows have a value that few others have."""
        return len(self.found) > max(20, 0.3 * len(self.values))


Rule: TypeAlias = "Callable[[Seen], tuple[Part, str] | tuple[Part, str, str] | None]"


def part_of(column: pd.Series, classes: tuple[object, ...]) -> ProposedColumn:
    """Return what a column that is not the label seems to be.

    Parameters
    ----------
    column : pandas.Series
        (n,) values, with the column's name.
    classes : tuple
        The values of the label, which decisions share.

    Examples
    --------
    >>> import pandas as pd
    >>> part_of(pd.Series([0.1, 0.7, 0.4], name="score"), ("no", "yes")).part
    'score'
    """
    seen = Seen(column, distinct(column), classes)
    told = next((found for rule in _RULES if (found := rule(seen)) is not None), ("input", ""))
    return ProposedColumn(seen.name, *told)


def _constant(seen: Seen) -> tuple[Part, str] | None:
    if len(seen.found) > 1:
        return None
    return "exclude", "has no value" if not seen.found else f"has one value only, {listed(seen.found)}"


def _protected(seen: Seen) -> tuple[Part, str, str] | None:
    """Return a column whose name, or whose values, are of a protected characteristic."""
    named = protected_by_name(seen.name)
    kind = named or ("" if seen.number else protected_by_values(seen.found[:100]))
    if _is_date(seen):
        return None
    if not kind:
        letters = {str(value).casefold() for value in seen.found} == {"f", "m"}
        return ("possible", "perhaps sex, by its values 'F' and 'M'", "sex") if letters else None
    groups = len(seen.found)
    by = "by its name" if named else f"by its values, {shorten(listed(seen.found, 3))}"
    if seen.number and groups > MOST_NUMBERS and kind == "age" and seen.values.max() > MOST_NUMBERS:
        return "sensitive", f"{kind} {by}; numbers, grouped by the edges in bins", kind
    if seen.number and groups > MOST_NUMBERS:
        return "possible", f"{kind} {by}; numbers: name it with edges in bins to compare groups", kind
    if groups > MOST_GROUPS:
        return "possible", f"{kind} {by}; {groups:,} values are too many to compare: group them in a new column", kind
    smallest = int(seen.values.value_counts().min())
    return "sensitive", f"{kind} {by}; {groups:,} groups, the smallest of {smallest:,} rows", kind


def _weight(seen: Seen) -> tuple[Part, str] | None:
    if not seen.number or whole(seen.name) not in vocabulary.WEIGHTS:
        return None
    return "weight", "sampling weights by its name"


def _score(seen: Seen) -> tuple[Part, str] | None:
    joined = whole(seen.name)
    named = joined in vocabulary.SCORES or (holds(seen.name, vocabulary.PREDICTIONS) and len(seen.found) > 2)
    if not seen.number or not named or len(seen.found) < 3:
        return None
    low, high = seen.values.min(), seen.values.max()
    inside = low >= 0 and high <= 1
    return "score", f"scores by its name, {low:g} to {high:g}" + ("" if inside else "; no probability")


def _prediction(seen: Seen) -> tuple[Part, str] | None:
    if not seen.classes or not holds(seen.name, vocabulary.PREDICTIONS):
        return None
    same = all(match(value, seen.classes) is not None for value in seen.found)
    return ("prediction", "decisions by its name, in the values of the label") if same else None


def _outcome(seen: Seen) -> tuple[Part, str] | None:
    if len(seen.found) != 2 or not (is_outcome(seen.name) or whole(seen.name) in vocabulary.TRUTH):
        return None
    return "exclude", "looks like another outcome, which a model could read the answer from"


def _id(seen: Seen) -> tuple[Part, str] | None:
    if whole(seen.name) in vocabulary.NAMES:
        return "exclude", "names a person"
    fractions = seen.number and not (seen.values.dropna() % 1 == 0).all()
    if not seen.mostly_own or fractions:
        return None
    if holds(seen.name, vocabulary.IDS) or words_of(seen.name)[-1:] == ("id",):
        times = int(seen.values.value_counts().max())
        often = "each row its own" if times == 1 else f"one occurs {times:,} times: its rows are one cluster"
        return "id", f"names a row or a person; {often}"
    counted = seen.number and seen.found in (list(range(len(seen.values))), list(range(1, len(seen.values) + 1)))
    return ("exclude", "counts the rows") if counted else None


def _date(seen: Seen) -> tuple[Part, str] | None:
    return ("exclude", "holds dates") if _is_date(seen) else None


def _is_date(seen: Seen) -> bool:
    if seen.values.dtype.kind == "M":
        return True
    texts = seen.found[:_LOOKED_AT]
    return bool(texts) and all(isinstance(text, str) and _DATE.fullmatch(text) for text in texts)


def _area(seen: Seen) -> tuple[Part, str] | None:
    if not holds(seen.name, vocabulary.AREAS):
        return None
    return "area", "where people live, which may stand for race or origin"


def _text(seen: Seen) -> tuple[Part, str] | None:
    texts = [text for text in seen.found[:_LOOKED_AT] if isinstance(text, str)]
    if seen.number or not texts:
        return None
    mean = sum(map(len, texts)) / len(texts)
    if seen.mostly_own and mean >= _WRITTEN:
        return "exclude", FREE_TEXT
    if len(seen.found) > max(50, 0.8 * len(seen.values)):
        return "exclude", "nearly every row has a text of its own"
    return None


_RULES: Final[tuple[Rule, ...]] = (
    _constant, _protected, _weight, _score, _prediction, _outcome, _date, _area, _id, _text,
)  # fmt: skip
