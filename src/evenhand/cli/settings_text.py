"""The text of an evenhand.toml: the roles that were chosen, each with its reason."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from evenhand.data.column_parts import FREE_TEXT
from evenhand.data.values import listed
from evenhand.errors import shorten
from evenhand.output.sanitising import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from evenhand.data.proposing import Part, Proposal

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_REST: Final = """\
[split]
train = 0.55
validation = 0.15
test = 0.30
seed = 0

[audit]
level = 0.95
seed = 0
intersections = 2        # how many sensitive features are crossed at most
"""
_NOTES: Final[Mapping[Part, str]] = {
    "possible": "They look protected, and make no groups as they are; to compare groups, add them above:",
    "area": "They may stand for a protected feature: the audit says how well they tell it (proxies).",
}
"""What is said of columns that get no role."""


def settings_text(chosen: Proposal) -> str:
    """Return the text of the settings file for the roles that were chosen.

    Columns and values are written as TOML writes texts; in comments each stays on one line.
    """
    told = f" from {plain(chosen.name)} ({chosen.rows:,} rows looked at)" if chosen.rows else ""
    head = [
        f"# Written by evenhand init{told}.",
        "# The roles of the columns, for every verb. Flags win over this file.",
    ]
    tables = [text for text in (_bins(chosen), _codes(chosen)) if text]
    return "\n".join([*head, "[data]", *_data(chosen), "", *tables, _REST])


def toml(value: object) -> str:
    """Return a value as TOML writes it.

    Examples
    --------
    >>> toml("a"), toml(True), toml(25.0), toml(["a", 1])
    ('"a"', 'true', '25.0', '["a", 1]')
    """
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _data(chosen: Proposal) -> Iterator[str]:
    yield from _label(chosen)
    yield from _columns("sensitive_features", chosen, "sensitive")
    for part in _NOTES:
        yield from _noted(chosen, part)
    for key in ("id", "prediction", "score"):
        yield from _single(chosen, key)
    yield from _scoring(chosen)
    if (weights := chosen.one("weight")) is not None:
        yield f"# sample_weight = {toml(weights)}   # for figures about the population that the rows were drawn from"
    yield from _columns("exclude", chosen, "exclude", "weight")
    for column in chosen.columns:
        if column.reason == FREE_TEXT:
            yield f"# texts = {toml(column.name)}   # decide: whether the model reads these texts, not columns"
    if chosen.gaps:
        yield f'missing = "group"        # rows without {plain(", ".join(chosen.gaps))} are a group of their own'
    else:
        yield 'missing = "error"        # or "group": rows without a sensitive value are a group of their own'


def _label(chosen: Proposal) -> Iterator[str]:
    if chosen.label is None:
        yield '# label = "..."          # decide: the column with the truth'
    else:
        values = f"   # values {plain(shorten(listed(chosen.classes), 60))}" if chosen.classes else ""
        yield f"label = {toml(chosen.label)}{values}"
    if chosen.task is not None:
        yield f"task = {toml(chosen.task)}"
        return
    example = toml(chosen.classes[-1]) if chosen.classes else "1"
    for key, value, meaning in (
        ("pos_label", chosen.positive, "the value that counts as positive"),
        ("favourable", chosen.favourable, "the value that is good for the person; the four-fifths rule needs it"),
    ):
        yield f"# {key} = {example}   # decide: {meaning}" if value is None else f"{key} = {toml(value)}   # {meaning}"


def _columns(key: str, chosen: Proposal, *parts: Part) -> Iterator[str]:
    """Yield a list of columns, one a line with its reason."""
    columns = [column for column in chosen.columns if column.part in parts]
    if not columns:
        yield f"{key} = []"
        return
    yield f"{key} = ["
    for column in columns:
        yield f"    {toml(column.name)},".ljust(28) + _comment(column.reason)
    yield "]"


def _noted(chosen: Proposal, part: Part) -> Iterator[str]:
    columns = [column for column in chosen.columns if column.part == part]
    if columns:
        yield f"# {_NOTES[part]}"
        yield from (f"#   {plain(shorten(column.name))}: {plain(column.reason)}" for column in columns)


def _single(chosen: Proposal, key: Part) -> Iterator[str]:
    column = next((column for column in chosen.columns if column.part == key), None)
    if column is not None:
        yield f"{key} = {toml(column.name)}{_comment(column.reason)}"


def _scoring(chosen: Proposal) -> Iterator[str]:
    if chosen.one("score") is None or chosen.task is not None:
        return
    if chosen.threshold is not None:
        yield f"threshold = {toml(chosen.threshold)}          # a score at or above it is predicted positive"
    elif chosen.one("prediction") is None:
        yield "# threshold = 5          # decide: a score at or above it is predicted positive"
    if not chosen.probabilities:
        yield 'score_kind = "ranking"'


def _bins(chosen: Proposal) -> str:
    if not chosen.bins:
        return ""
    edges = (f"{_key(column)} = {toml(edges)}" for column, edges in chosen.bins.items())
    return _table("[data.bins]              # edges of groups: 25 and 45 give <25, 25-44, >=45", edges)


def _codes(chosen: Proposal) -> str:
    """Return tables of the names of codes, as comments to fill in."""
    told = []
    for column, codes in chosen.codes.items():
        lines = (f'# {_key(str(code))} = "..."' for code in codes)
        told.append(
            _table(
                f"# The page shows codes as they are; give each a name:\n# [data.value_labels.{_key(column)}]", lines
            )
        )
    return "\n".join(told)


def _table(head: str, lines: Iterable[str]) -> str:
    return "\n".join([head, *lines, ""])


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else toml(name)


def _comment(reason: str) -> str:
    return f"  # {plain(reason)}" if reason else ""
