"""Tables of counts as files: what was counted is in the first line, so that no shard is added twice or to others.

The line names what all shards must have in common (label, groups, columns, threshold), and by a hash each table of
counts and each file of rows that is in the sum. A table without the line, from another tool, has its own hash alone.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, cast

import pandas as pd

from evenhand.data.counted import ATTRIBUTE, COUNTS_MARK, as_texts, cells_hash, refuse_changed
from evenhand.data.roles import Roles
from evenhand.data.validating import frequency_problems
from evenhand.data.values import listed, match
from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, argument, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from evenhand.findings import Plain

SUMS: Final = frozenset({"rows", "score", "score_bin", "weight_sum", "weight_squares"})
"""Columns of counts that name no class and no group."""
LOOKED_AT: Final = 1 << 20
"""Bytes of the beginning and of the end of a large file that its hash is made of."""


class Origin(TypedDict):
    """What a table of counts was made from."""

    counted: Mapping[str, Plain]
    """The fields of `Counting`: the same for all tables of a sum."""
    cells: str
    """Hash of the counts."""
    parts: list[str]
    """Hashes of all counts in the sum, one of its own for a shard."""
    files: list[str]
    """Hashes of the files that were counted, where they are known."""


def origin_of(frame: pd.DataFrame) -> Origin:
    """Return what a table of counts was made from; what nobody wrote down is empty."""
    known = frame.attrs.get(ATTRIBUTE)
    if known is not None:
        return cast("Origin", known)
    cells = cells_hash(frame)
    return {"counted": {}, "cells": cells, "parts": [cells], "files": []}


def marked(frame: pd.DataFrame, counted: Mapping[str, Plain], files: Sequence[str] = ()) -> pd.DataFrame:
    """Return the table of a shard with what it was made from."""
    cells = cells_hash(frame)
    frame.attrs[ATTRIBUTE] = {"counted": dict(counted), "cells": cells, "parts": [cells], "files": list(files)}
    return frame


def file_hashes(files: Iterable[str]) -> list[str]:
    """Return a hash of each file: of its size, its beginning and its end."""
    found = []
    for name in files:
        place = Path(name)
        size = place.stat().st_size
        with place.open("rb") as file:
            held = file.read(LOOKED_AT)
            file.seek(max(size - LOOKED_AT, 0))
            held += file.read(LOOKED_AT)
        found.append(hashlib.sha256(size.to_bytes(8, "little") + held).hexdigest()[:24])
    return found


def refuse_copies(files: Sequence[str], hashes: Sequence[str]) -> None:
    """Refuse to count two files of the same content.

    Raises
    ------
    InputError
    """
    first: dict[str, str] = {}
    for file, mark in zip(files, hashes, strict=True):
        if mark in first:
            raise InputError(
                f"{file}: has the same content as {first[mark]}, so its rows would count twice. Leave one out; or, "
                f"where both hold different rows, pass {argument('allow_repeated', True)}."
            )
        first[mark] = file


def counts_text(frame: pd.DataFrame) -> str:
    """Return a table of counts as the text of its file."""
    return COUNTS_MARK + json.dumps(origin_of(frame), sort_keys=True) + "\n" + str(frame.to_csv(index=False))


def read_counts(path: Path) -> pd.DataFrame:
    """Read a file of counts; groups and labels are texts, and only the empty field is missing.

    Raises
    ------
    InputError
        When it is no table, or was changed since it was counted.
    """
    content = read_bytes(path)
    head, _, rest = content.partition(b"\n")
    known: object = None
    if head.startswith(COUNTS_MARK.encode()):
        known, content = parse_json(head[len(COUNTS_MARK) :], f"{path}: its first line"), rest
    try:
        frame = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""], dtype=str, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError) as wrong:
        raise InputError(f"{path}: this is no table of counts that can be read: {shorten(wrong)}.") from None
    if known is not None:
        if not isinstance(known, dict) or not Origin.__annotations__.keys() <= known.keys():
            raise InputError(f"{path}: its first line does not say what was counted. Count again.")
        refuse_changed(str(path), known, frame)
        frame.attrs[ATTRIBUTE] = known
    return frame


def shard_problems(tables: Mapping[str, pd.DataFrame], frequency: str, allow_repeated: bool) -> Iterator[str]:
    """Yield what forbids to add up tables of counts: other columns, no counts, other settings or classes, repeats."""
    first_name, first = next(iter(tables.items()))
    for name, frame in tables.items():
        if frequency not in frame.columns:
            yield f"{name}: there is no column '{shorten(frequency)}' of counts; name it with {argument('frequency')}."
        elif set(frame.columns) != set(first.columns):
            differ = sorted(set(map(str, frame.columns)) ^ set(map(str, first.columns)))
            yield f"{name}: has other columns than {first_name}: {listed(differ)}. Count all shards alike."
        else:
            numbers = pd.to_numeric(frame[frequency], errors="coerce").rename(frequency)
            yield from frequency_problems(name, Roles(), numbers)
            yield from _other_settings(name, frame, first_name, first)
            yield from _other_values(name, frame, first_name, first)
    if not allow_repeated:
        yield from _repeated(tables)


def _other_settings(name: str, frame: pd.DataFrame, first_name: str, first: pd.DataFrame) -> Iterator[str]:
    here, there = origin_of(frame)["counted"], origin_of(first)["counted"]
    for setting in sorted(here.keys() & there.keys()):
        if here[setting] != there[setting]:
            yield (
                f"{name}: was counted with {setting} = {here[setting]!r}, and {first_name} with {there[setting]!r}. "
                "Count all shards alike."
            )


def _other_values(name: str, frame: pd.DataFrame, first_name: str, first: pd.DataFrame) -> Iterator[str]:
    """Yield values that mean the same and are written otherwise, and labels that have nothing in common."""
    about = origin_of(first)["counted"]
    label = about.get("label")
    for column in map(str, frame.columns):
        if not (here := _names(frame[column])) or not (there := _names(first[column])):
            continue
        alone, other = [part for part in here if part not in there], [part for part in there if part not in here]
        pair = next(((one, two) for one in alone if (two := match(one, other)) is not None), None)
        if pair is not None:
            said = f"{pair[0]!r}, and in {first_name} {pair[1]!r}"
            yield f"{name}: '{shorten(column)}' is {said}, which means the same. Write both alike, and count again."
        elif column == label:
            both = {*here, *there}
            apart = len(here) > 1 and len(there) > 1 and not {*here} & {*there}
            if apart or (about.get("score") is not None and len(both) > 2):
                said = f"{listed(here)}, and in {first_name} {listed(there)}"
                yield f"{name}: the classes of '{shorten(column)}' are {said}. Count shards of one label."


def _names(column: pd.Series) -> list[str]:
    """Return the texts of a column that names classes or groups; none of one that holds sums."""
    return [] if str(column.name).lstrip("_") in SUMS else sorted(set(as_texts(column)) - {""})


def _repeated(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, frame in tables.items():
        origin = origin_of(frame)
        marks = [origin["cells"], *origin["parts"], *origin["files"]]
        if again := next((seen[mark] for mark in marks if mark in seen), None):
            yield (
                f"{name}: holds counts of rows that are in {again}, too, and would count twice. Leave it out; or, "
                f"where two shards are alike by chance, pass {argument('allow_repeated', True)}."
            )
        seen |= dict.fromkeys(marks, name)


def named_tables(tables: Iterable[object]) -> dict[str, pd.DataFrame]:
    """Return tables, or read them from files, by name."""
    found: dict[str, pd.DataFrame] = {}
    for at, table in enumerate(tables, 1):
        name = f"table {at}" if isinstance(table, pd.DataFrame) else str(table)
        times = Counter(key.partition(" (again")[0] for key in found)[name]
        key = name if not times else f"{name} (again, {times + 1})"
        found[key] = table if isinstance(table, pd.DataFrame) else read_counts(Path(name))
    return found


def merged_origin(tables: Iterable[pd.DataFrame], whole: pd.DataFrame) -> Origin:
    """Return what a sum was made from."""
    origins = [origin_of(table) for table in tables]
    return {
        "counted": next((origin["counted"] for origin in origins if origin["counted"]), {}),
        "cells": cells_hash(whole),
        "parts": [part for origin in origins for part in origin["parts"]],
        "files": [file for origin in origins for file in origin["files"]],
    }
