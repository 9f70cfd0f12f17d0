"""Reading a label of two classes: which values it has, which is the positive one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evenhand.data.values import listed, match, order, plain, show
from evenhand.errors import did_you_mean, shorten

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONVENTIONS = ({"0", "1"}, {"-1", "1"}, {"False", "True"})
"""Pairs whose greater value everybody takes for the positive class."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label that has been understood."""

    y_true: NDArray[np.int8]
    """(n,) 1 = positive."""
    classes: tuple[object, object]
    """The negative and the positive value, as plain Python values."""
    favourable: object
    """The class that is good for the person, None when it was not declared."""


def read_label(
    name: str, column: pd.Series, positive: object = None, favourable: object = None
) -> tuple[Label | None, list[str]]:
    """Return the label, or None and why not.

    Parameters
    ----------
    name : str
        The name of the table, for the sentences.
    column : pd.Series
        (n,) the label, with its name.
    positive, favourable : object, optional
        Values of the label; "1" is understood as 1. Without `positive`, the greater value of {0, 1}, {-1, 1} and
        booleans is the positive class, and the favourable value of any other label.
    """
    where = f"{name}: label '{shorten(column.name)}'"
    codes, found = pd.factorize(column)
    values = [plain(value) for value in found]
    problems = _value_problems(where, values, int((codes < 0).sum()), len(column))
    if len(values) != 2:
        return None, problems
    pair = [values[at] for at in order(values)]
    chosen = {"positive": positive, "favourable": favourable}
    for role, value in chosen.items():
        if value is not None:
            chosen[role] = match(value, pair)
            if chosen[role] is None:
                problems.append(_no_such_value(where, role, value, pair))
    one = chosen["positive"] if chosen["positive"] is not None else _by_convention(pair, chosen["favourable"])
    if one is None and not problems:
        problems.append(
            f"{where} has the values {listed(pair)}, and nothing says which is the positive class. "
            f"Name it, such as positive={pair[-1]!r}."
        )
    if problems or one is None:
        return None, problems
    at = next(index for index, value in enumerate(values) if value is one)
    other = pair[0] if pair[1] is one else pair[1]
    return Label((codes == at).astype(np.int8), (other, one), chosen["favourable"]), []


def _value_problems(where: str, values: list[object], absent: int, rows: int) -> list[str]:
    problems = []
    if absent:
        problems.append(f"{where} has no value in {absent:,} of {rows:,} rows. Fill them or drop the rows.")
    if len(values) == 1:
        problems.append(f"{where} has one class only, {values[0]!r}; an audit needs rows of both classes.")
    if len(values) > 2:
        problems.append(
            f"{where} has {len(values):,} different values ({shorten(listed([values[at] for at in order(values)]))}); "
            "evenhand audits labels of two classes. Make it two, or name another column."
        )
    return problems


def _by_convention(pair: list[object], favourable: object) -> object | None:
    return pair[1] if {show(value) for value in pair} in _CONVENTIONS else favourable


def _no_such_value(where: str, role: str, value: object, pair: list[object]) -> str:
    hint = did_you_mean(str(value), (str(known) for known in pair))
    return f"{where} has the values {listed(pair)}, and {role}={value!r} is none of them.{hint}"
