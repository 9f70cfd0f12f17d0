"""Personal data in plain sight: what looks like a name, a mail address, a number of a person.

Where a number has a check digit, it is checked; where it has none, its form alone must tell it from amounts and ids.
What is found is counted by column and kind; no value leaves this module.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.data.disclosure.checks import card, iban, resident

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

__all__ = ["KINDS", "Kind", "in_column", "in_text"]

MOST_VALUES: Final = 100_000
"""Distinct values of a column that are searched."""
LONGEST: Final = 10_000
"""Characters of a value that are searched."""
BY_NAME: Final[Mapping[str, frozenset[str]]] = {
    "name": frozenset({
        "name", "names", "fullname", "firstname", "lastname", "surname", "forename", "givenname", "familyname",
        "middlename", "maidenname", "patientname", "customername", "applicantname", "employeename", "clientname",
        "studentname", "personname", "contactname", "username", "nachname", "vorname", "nom", "prenom",
        "apellido", "nombre",
        "姓名", "名字", "姓", "名", "客户姓名", "患者姓名", "学生姓名", "用户名",
    }),
    "address": frozenset({
        "address", "homeaddress", "streetaddress", "street", "postaladdress", "mailingaddress",
        "地址", "住址", "家庭住址",
    }),
    "birth date": frozenset({"birthdate", "dateofbirth", "dob", "birthday", "出生日期", "生日"}),
}  # fmt: skip
"""Names of columns that say what their values are, without blanks and signs."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of personal data that its form tells.

    Examples
    --------
    >>> KINDS["email"].of("write to ann@example.org")
    1
    """

    shape: re.Pattern[str]
    """Its form."""
    holds: Callable[[str], bool] = lambda _: True
    """Checks what has the form."""
    least: float = 0.0
    """The share of what has its form that must pass the check: one in ten ids passes a check digit by chance."""

    def of(self, text: str) -> int:
        """Return how often it occurs in a text; 0 where too few pass the check."""
        shaped = [found.group() for found in self.shape.finditer(text)]
        passed = sum(map(self.holds, shaped))
        return passed if passed > self.least * len(shaped) or (passed and passed == len(shaped)) else 0


def _ip(text: str) -> bool:
    parts = [int(part) for part in text.split(".")]
    return all(part < 256 for part in parts) and parts[0] > 0 and max(parts) > 20  # what is less is often a version


def _social(text: str) -> bool:
    area, middle, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and middle != "00" and serial != "0000"


KINDS: Final[Mapping[str, Kind]] = {
    "email": Kind(re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![\w-])")),
    "phone": Kind(
        re.compile(
            r"(?<![\w+.-])(?:\+[1-9]\d{0,2}[ -]?(?:\(\d{1,4}\)[ -]?)?\d{2,4}(?:[ -]?\d{2,4}){1,4}|"
            r"\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}|(?:86-?)?1[3-9]\d{9}|1[3-9]\d-\d{4}-\d{4})(?![\w-])"
        ),
        lambda text: 9 <= sum(map(str.isdigit, text)) <= 15,
    ),
    "resident id": Kind(re.compile(r"(?<!\w)[1-8]\d{16}[\dXx](?!\w)"), resident),
    "card": Kind(re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?!\w|\.\d)"), card, least=0.5),
    "iban": Kind(re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"), iban),
    "social security number": Kind(re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), _social),
    "ip address": Kind(re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)"), _ip),
}
"""What is looked for in values."""
OF_NUMBERS: Final = {"phone": 0.9, "resident id": 0.5, "card": 0.5}
"""What a column of numbers can hold, with the least share of its values: amounts and ids have such forms by chance."""
FEWEST: Final = 3
"""Distinct values that a column of numbers must have of a kind."""


def in_text(text: str) -> Counter[str]:
    """Return how often each kind of personal data occurs in a text, such as a record or a page.

    Parameters
    ----------
    text : str
        The text.

    Examples
    --------
    >>> in_text("ann@example.org, order 4111 of 13800000")
    Counter({'email': 1})
    """
    found = {name: kind.of(text) for name, kind in KINDS.items()}
    return Counter({name: times for name, times in found.items() if times})


def in_column(name: str, column: pd.Series) -> Counter[str]:
    """Return in how many rows of a column each kind of personal data stands.

    Parameters
    ----------
    name : str
        The column's name, which may say that its values are names, addresses or dates of birth.
    column : pd.Series
        (n,) its values. Of more than 100,000 distinct values the first are searched.

    Examples
    --------
    >>> import pandas as pd
    >>> in_column("contact", pd.Series(["ann@example.org", "none", "bo@example.org"]))
    Counter({'email': 2})
    >>> in_column("amount", pd.Series([13_800_000_001, 15, 27_000_000]))
    Counter()
    """
    import pandas as pd

    values = column.dropna()
    numbers = pd.api.types.is_numeric_dtype(values.dtype)
    if pd.api.types.is_bool_dtype(values.dtype) or (numbers and not _may_be_ids(values)):
        return Counter()
    counts = values.value_counts(sort=False).head(MOST_VALUES)
    found: Counter[str] = Counter()
    different: Counter[str] = Counter()
    bare = numbers or all(str(value)[:-1].isdigit() for value in counts.index)  # no signs that would tell a form
    for value, rows in counts.items():
        text = str(int(value)) if numbers else str(value)[:LONGEST]  # type: ignore[call-overload]
        for kind in in_text(text):
            found[kind] += int(rows)
            different[kind] += 1
    kept = Counter({kind: n for kind, n in found.items() if _enough(kind, different[kind], len(counts), bare)})
    return kept or _by_name(name, values, len(counts))


def _may_be_ids(values: pd.Series) -> bool:
    """Return whether numbers are whole and long enough to be those of people."""
    return bool(len(values)) and float(values.max()) >= 1e10 and bool((values == values.round()).all())


def _enough(kind: str, different: int, of: int, bare: bool) -> bool:
    if bare:
        return different >= FEWEST and different >= OF_NUMBERS.get(kind, 2.0) * of
    return KINDS[kind].least == 0 or different >= FEWEST or different == of


def _by_name(name: str, values: pd.Series, different: int) -> Counter[str]:
    """Return what a column's name says that it holds; few values are no names of many people."""
    plain = re.sub(r"[\W_]+", "", name).lower()
    for kind, names in BY_NAME.items():
        if plain in names and different > min(FEWEST, len(values) // 2) and _told(kind, values):
            return Counter({kind: len(values)})
    return Counter()


def _told(kind: str, values: pd.Series) -> bool:
    if kind == "birth date":
        return True
    first = [str(value) for value in values.head(100)]
    return sum(any(map(str.isalpha, text)) for text in first) > len(first) / 2
