"""Groups whose names look alike: in case, blanks, composed accents, letters of other scripts, spelling of a number."""

from __future__ import annotations

import re
import unicodedata
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final

import pandas as pd

from evenhand.data.values import is_number, show
from evenhand.output.sanitising import is_shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_TWINS: Final = str.maketrans(
    "аеорсухіјѕԁһӏԛԝѵɑαονικρτυχγωʟǀ" + "вмнткз" + "‐‑‒–—−ʹʻʼ’‘",
    "aeopcyxijsdhlqwvaaovikptuxywll" + "bmhtk3" + "------'''''",
)
"""Letters and signs that are drawn like a Latin one (lower case)."""
_VARIANTS: Final = "\ufe0e\ufe0f"
"""Ask for an emoji in black or in colour."""
_WRITTEN: Final = re.compile(r"[+-]?\d{1,40}(\.\d{0,40})?(e[+-]?\d{1,3})?").fullmatch
_EXACT: Final = Context(prec=90)
_KINDS: Final = frozenset({"mixed", "mixed-integer", "unknown-array"})


def skeleton(name: str) -> str:
    """Return what a name looks like: equal for two names that a reader takes for one.

    Compatible forms of Unicode are made one, case and blanks at the ends are dropped, invisible signs too, and a number
    is written one way; "true" is 1 and "false" is 0.

    Examples
    --------
    >>> skeleton("Ａ ") == skeleton("a"), skeleton("01") == skeleton("1.0"), skeleton("b") == skeleton("a")
    (True, True, False)
    """
    text = name if name.isascii() else unicodedata.normalize("NFKC", name)
    text = " ".join(text.casefold().split())
    if not (text.isascii() and text.isprintable()):
        text = "".join(each for each in text if is_shown(each) and each not in _VARIANTS).translate(_TWINS)
        text = " ".join(unicodedata.normalize("NFC", text).split())
    text = {"true": "1", "false": "0"}.get(text, text)
    return str(abs(number) if not (number := Decimal(text).normalize(_EXACT)) else number) if _WRITTEN(text) else text


def kinds_and_names(column: pd.Series) -> list[tuple[str, str]]:
    """Return the distinct values of a column, each as its kind (number or text) and how it is shown."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = pd.Series(column.cat.categories[sorted(set(column.cat.codes.unique()) - {-1})])
    if is_mixed(column):
        return list(dict.fromkeys((_kind(value), show(value)) for value in column.dropna()))
    return [(_kind(value), show(value)) for value in column.dropna().unique()]


def is_mixed(column: pd.Series) -> bool:
    """Whether a column holds values of several kinds."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = pd.Series(column.cat.categories)
    return column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) in _KINDS


def lookalikes(column: pd.Series, names: Iterable[str] | None = None) -> tuple[tuple[str, ...], ...]:
    """Return the values of a column that look like one another, as written in Python, one tuple for each look.

    `names` are the distinct values as they are shown, where they are known already.

    Examples
    --------
    >>> lookalikes(pd.Series(["A", "B", "a ", "C"])), lookalikes(pd.Series([1, "1", "2"], dtype=object))
    ((("'A'", "'a '"),), (('1', "'1'"),))
    """
    if is_number(column) or pd.api.types.is_bool_dtype(column.dtype):
        return ()
    if names is not None and not is_mixed(column):
        return alike(("text", name) for name in names)
    return alike(kinds_and_names(column))


def alike(values: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return those of distinct (kind, name) whose names look alike."""
    looks: dict[str, list[str]] = {}
    for kind, name in values:
        looks.setdefault(skeleton(name), []).append(name if kind == "number" else spelled(name))
    return tuple(tuple(names) for names in looks.values() if len(names) > 1)


def spelled(name: str) -> str:
    """Return a name in quotes with invisible and foreign signs written out, so that a difference is seen."""
    return repr(name) if name.isascii() else ascii(name)


def _kind(value: object) -> str:
    return "text" if isinstance(value, str) else "number"
