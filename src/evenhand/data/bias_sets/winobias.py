"""WinoBias: whom a pronoun refers to, where its gender is that of the stereotype, or is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.data.bias_sets.choices import BiasSet, Choice, read_rows
from evenhand.documents import read_bytes
from evenhand.errors import InputError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import Plain

OCCUPATIONS: Final = (
    "accountant", "analyst", "assistant", "attendant", "auditor", "baker", "carpenter", "cashier", "ceo", "chief",
    "cleaner", "clerk", "construction worker", "cook", "counselor", "designer", "developer", "driver", "editor",
    "farmer", "guard", "hairdresser", "housekeeper", "janitor", "laborer", "lawyer", "librarian", "manager", "mechanic",
    "mover", "nurse", "physician", "receptionist", "salesperson", "secretary", "sheriff", "supervisor", "tailor",
    "teacher", "writer",
)  # fmt: skip
"""The occupations of the set; others are those in brackets."""
_FILE: Final = re.compile(r"(pro|anti)_stereotyped_type([12])\.txt\.(dev|test)")
_BRACKETS: Final = re.compile(r"\[([^\]]+)\]")
_ARTICLE: Final = re.compile(r"^(?:the|an|a)\s+", re.IGNORECASE)


def read_winobias(path: str | Path) -> BiasSet:
    """Read ``pro_stereotyped_type1.txt.dev`` and the like in a folder, or a table of stereotype, type and sentence.

    A row is a sentence, grouped by ``stereotype`` (``pro`` or ``anti``) and ``type`` (2: syntax alone tells);
    sentences about the same occupations are one cluster.

    Notes
    -----
    Zhao, Wang, Yatskar, Ordonez and Chang (2018), NAACL.
    """
    rows, source = _written(Path(path)) if Path(path).is_dir() else _tabled(path)
    marks = [_BRACKETS.findall(sentence) for _, _, sentence in rows]
    name = Path(path).name
    for (_, _, sentence), found in zip(rows, marks, strict=True):
        if len(found) < 2:
            raise InputError(
                f"{name}: '{shorten(sentence, 80)}' has no two parts in [brackets]: whom it is about, and a pronoun."
            )
    whose = _pattern({*OCCUPATIONS, *(_plain(found[0]) for found in marks)})
    choices = [_choice(name, row, found, whose) for row, found in zip(rows, marks, strict=True)]
    return BiasSet("winobias", "accuracy", ("stereotype", "type"), tuple(choices), source=source)


def _tabled(path: str | Path) -> tuple[list[tuple[str, str, str]], dict[str, Plain]]:
    columns = ("stereotype", "type", "sentence")
    frame, source = read_rows(path, columns)
    return [tuple(map(str, row)) for row in frame[list(columns)].itertuples(index=False)], source  # type: ignore[misc]


def _written(folder: Path) -> tuple[list[tuple[str, str, str]], dict[str, Plain]]:
    """Return the sentences of the files as they were published: a number and a sentence a line."""
    files = [(file, found) for file in sorted(folder.iterdir()) if (found := _FILE.fullmatch(file.name))]
    if not files:
        raise InputError(f"{folder}: there is no file such as pro_stereotyped_type1.txt.dev of WinoBias.")
    rows = [
        (found[1], found[2], re.sub(r"^\d+\s+", "", line.strip()))
        for file, found in files
        for line in read_bytes(file).decode("utf-8", "replace").splitlines()
        if line.strip()
    ]
    return rows, {"source": folder.name, "files": [file.name for file, _ in files]}


def _plain(marked: str) -> str:
    """Return an occupation without its article."""
    return _ARTICLE.sub("", marked.strip()).lower()


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    told = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"\b(?:the|an|a)\s+({told})\b", re.IGNORECASE)


def _choice(name: str, row: tuple[str, str, str], found: list[str], whose: re.Pattern[str]) -> Choice:
    stereotype, kind, sentence = row
    right, pronoun = _plain(found[0]), found[1].strip()
    plain = re.sub(r"\s+", " ", _BRACKETS.sub(lambda each: each[1], sentence))
    named = list(dict.fromkeys([right, *(each[1].lower() for each in whose.finditer(plain))]))
    if len(named) < 2:
        raise InputError(
            f"{name}: '{shorten(plain, 80)}' names no second occupation, so there is nothing to choose from."
        )
    beginning = f'{plain} "{pronoun.capitalize()}" refers to'
    texts = tuple(f"{beginning} the {each}." for each in named)
    fields = {"stereotype": stereotype, "type": kind, "occupation": right, "pronoun": pronoun.lower()}
    return Choice(texts, 0, fields, ", ".join(sorted(named)), beginning)
