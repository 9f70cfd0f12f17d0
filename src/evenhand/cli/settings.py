"""evenhand.toml: the roles of the columns and the settings of every verb; flags win over it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from evenhand.cli.places import SETTINGS, usual_file
from evenhand.documents import parse_toml, read_bytes
from evenhand.errors import InputError, did_you_mean, raise_all, worded
from evenhand.settings import coerced, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from evenhand.settings import Declared, Setting

PATHS: Final = ("inputs", "synonyms")
"""Settings that name files."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The file, table by table; empty where there is none."""

    data: Mapping[str, object] = field(default_factory=dict)
    """Roles of the columns."""
    split: Mapping[str, object] = field(default_factory=dict)
    """Shares of training, validation and test rows."""
    train: Mapping[str, object] = field(default_factory=dict)
    """Settings of the fit."""
    audit: Mapping[str, object] = field(default_factory=dict)
    """Settings of the audit."""


def read_settings(path: Path | None) -> Settings:
    """Read a settings file: the named one, else the nearest evenhand.toml in the working folder or above it.

    Paths in it are relative to its folder.

    Raises
    ------
    InputError
        All unknown tables and keys and wrong types together, or the line that is not TOML.
    """
    place = path or usual_file(SETTINGS)
    if place is None:
        return Settings()
    content = parse_toml(read_bytes(place, make="evenhand init"), place)
    raise_all(InputError, _problems(str(place), content))
    found = cast("dict[str, dict[str, object]]", content)
    names = {table: {key: name for key, (name, _) in known(table).items()} for table in found}
    tables = {table: {names[table].get(key, key): value for key, value in found[table].items()} for table in found}
    for table in {"data", "audit"} & set(tables):
        tables[table] = {name: _from(place.parent, name, value) for name, value in tables[table].items()}
    return Settings(**tables)


def _from(folder: Path, name: str, value: object) -> object:
    return str(folder / value) if name in PATHS and isinstance(value, str) else value


TABLES: Final = tuple(Settings.__dataclass_fields__)


def known(table: str) -> dict[str, tuple[str, Setting]]:
    """Return the keys of a table of the file, each with the name that it has in Python and its setting.

    ``audit.slices`` is the table of the options that the audit of slices declares.
    """
    table, _, audit = table.partition(".")
    if table == "audit":
        from evenhand.audits.options import options

        found = {name: (name, declared) for name, (_, declared) in options().items()}
        own = {declared.name: (declared.name, declared) for by, declared in options().values() if by == audit != ""}
        return {name: about for name, about in (own if audit else found).items() if not about[1].only}
    if table == "train":
        from evenhand.training.config import TrainingConfig

        records: tuple[type[Declared], ...] = (TrainingConfig,)
    else:
        from evenhand.data.lm_logs.samples import LogReading
        from evenhand.data.roles import Reading, Roles, Scoring, Shares

        records = (Shares,) if table == "split" else (Roles, Reading, Scoring, LogReading)
    return {s.key: (name, s) for record in records for name, s in settings_of(record).items()}


def _problems(place: str, content: Mapping[str, object]) -> Iterator[str]:
    for table, values in content.items():
        if table not in TABLES:
            yield f"{place}: there is no table [{table}].{did_you_mean(table, TABLES)}"
        elif isinstance(values, dict):
            yield from _table_problems(place, table, values)
        else:
            yield f"{place}: '{table}' must be a table: [{table}]"


def _table_problems(place: str, table: str, values: Mapping[str, object]) -> Iterator[str]:
    keys = known(table)
    for key, value in values.items():
        if key in keys:
            problem = keys[key][1].problem(coerced(keys[key][1].type, value))
            yield from [] if problem is None else [f"{place}: [{table}] {worded(problem)}"]
        elif table == "audit" and isinstance(value, dict) and known(f"audit.{key}"):
            yield from _table_problems(place, f"audit.{key}", value)
        else:
            yield f"{place}: [{table}] knows no '{key}'.{did_you_mean(key, keys)}"
