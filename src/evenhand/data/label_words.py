"""Find the column of the truth, and which of its values is the positive one and the good one for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.data import vocabulary
from evenhand.data.values import distinct, is_number, order, show
from evenhand.data.vocabulary import begins, holds, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from evenhand.findings import Task

MOST_CLASSES: Final = 10
"""A text of more values is no label that anybody would propose."""
MOST_NUMBERS: Final = 20
"""A column of more numbers holds amounts."""
_LAST: Final = 1.5
"""What it counts that a column is the last one, where 3 says that it has two values."""
_LEAST: Final = 4.0
"""Less than this, and nothing is proposed: two values alone are no label."""


@dataclass(frozen=True, slots=True)
class LabelWords:
    """What a label says about itself."""

    task: Task | None
    """The kind of label, where it has to be said; None for two values."""
    classes: tuple[object, ...]
    """Its values in order; empty for amounts."""
    positive: object = None
    """The value that counts as positive, where its values say it."""
    favourable: object = None
    """The value that is good for a person, where its values or its name say it."""


def find_label(frame: pd.DataFrame) -> str | None:
    """Return the column that is most likely the truth; None where none is likely.

    A name such as ``y`` or ``approved`` speaks for a column, and so do two values, and the last place. Of columns that
    are as likely the later one is taken.
    """
    names = [str(name) for name in frame.columns]
    answers = vocabulary.SCORES | vocabulary.PREDICTIONS
    last = next((name for name in reversed(names) if not holds(name, answers)), None)
    likely = {name: _likely(frame[name], last=name == last) for name in names}
    best = max(reversed(names), key=lambda name: likely[name], default=None)
    return best if best is not None and likely[best] >= _LEAST else None


def is_outcome(name: str) -> bool:
    """Return whether a name is of an outcome, such as ``is_recid`` or ``rejected``."""
    return begins(name, vocabulary.BAD_NEWS) or begins(name, vocabulary.GOOD_NEWS)


def label_words(column: pd.Series) -> LabelWords:
    """Return what a label's values and its name say.

    Examples
    --------
    >>> import pandas as pd
    >>> words = label_words(pd.Series(["no", "yes", "no"], name="denied"))
    >>> words.positive, words.favourable
    ('yes', 'no')
    """
    values = distinct(column)
    if is_number(column) and len(values) > MOST_NUMBERS:
        return LabelWords("regression", ())
    classes = tuple(values[at] for at in order(values))
    if len(classes) != 2:
        return LabelWords("multiclass", classes)
    good = _one(classes, vocabulary.GOOD, vocabulary.BAD)
    yes = _affirming(classes)
    name = str(column.name)
    if good is None and yes is not None:
        news = begins(name, vocabulary.GOOD_NEWS) or (_compares(classes) and holds(name, vocabulary.EARNINGS))
        other = classes[1 - classes.index(yes)]
        good = yes if news else other if begins(name, vocabulary.BAD_NEWS) else None
    return LabelWords(None, classes, good if yes is None else yes, good)


def _likely(column: pd.Series, last: bool) -> float:
    name = str(column.name)
    if whole(name) in vocabulary.SCORES or holds(name, vocabulary.IDS) or vocabulary.protected_by_name(name):
        return 0.0
    values = distinct(column)
    two = len(values) == 2
    few = not is_number(column) and 2 < len(values) <= MOST_CLASSES
    amounts = is_number(column) and len(values) > MOST_NUMBERS
    named, affirms = _named(name), two and _affirming(values) is not None
    if holds(name, vocabulary.PREDICTIONS):  # the truth only where nothing else is
        return _LEAST * (two and holds(name, vocabulary.DECISIONS))
    if not (affirms or (two and named > 0) or ((few or amounts) and named >= 2)) or vocabulary.protected_by_values(
        values
    ):
        return 0.0
    return named + 3.0 * two + 1.0 * few + 0.5 * amounts + _LAST * last + 0.5 * affirms


def _named(name: str) -> float:
    """Return how much a name says that a column is the truth."""
    if whole(name) in vocabulary.TRUTH:
        return 4.0
    if holds(name, vocabulary.TRUTH - {"y"}):
        return 3.5
    if is_outcome(name):
        return 3.0
    return 2.0 if holds(name, vocabulary.OUTCOMES) else 0.0


def _one(classes: Sequence[object], good: frozenset[str], bad: frozenset[str]) -> object:
    """Return the one of two values that is good, by its own word or by that of the other."""
    told = [whole(show(value)) for value in classes]
    if (told[0] in good) != (told[1] in good):
        return classes[0 if told[0] in good else 1]
    if (told[0] in bad) != (told[1] in bad):
        return classes[1 if told[0] in bad else 0]
    return None


def _affirming(classes: Sequence[object]) -> object:
    """Return the one of two values that says yes, or more; None where neither does."""
    told = [show(value).strip().casefold() for value in classes]
    for at, other in ((0, 1), (1, 0)):
        affirms = told[at] in vocabulary.YES and told[other] in vocabulary.NO
        if affirms or (told[at].startswith(">") and told[other].startswith("<")):
            return classes[at]
    return None


def _compares(classes: Sequence[object]) -> bool:
    return any(show(value).strip().startswith(">") for value in classes)
