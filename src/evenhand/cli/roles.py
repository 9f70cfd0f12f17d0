"""The flags that name the roles of columns, and the reading of a table by flags and settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.cli.flags import Command, file_flag, said, setting_flags
from evenhand.cli.settings import Settings, read_settings
from evenhand.data.lm_logs.samples import LogReading
from evenhand.data.roles import Reading, Roles, Scoring
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.data import EvaluationSet

ROLES: Final = {**settings_of(Roles), **settings_of(Reading)}


def role_flags(command: Command) -> Command:
    """Add the flags that name roles, and the one that names the settings file, to a command."""
    config = file_flag("--config", help="Settings file.  [default: evenhand.toml, here or in a folder above]")
    return setting_flags(ROLES)(config(command))


def read_table(source: Path, settings: Settings, flags: dict[str, object], **more: object) -> EvaluationSet:
    """Read a table; flags win over the settings file.

    Parameters
    ----------
    flags : dict
        The values of `role_flags`; what is not given leaves the file's value.
    more : optional
        Further arguments of `read_evaluation_set`.
    """
    from evenhand.data import read_evaluation_set

    return read_evaluation_set(source, **role_values(settings, flags), **more)  # type: ignore[arg-type]


def role_values(settings: Settings, flags: dict[str, object]) -> dict[str, object]:
    """Return what columns are, by the names of `read_evaluation_set`; flags win over the settings file."""
    values = {**settings.data, **said(flags, ROLES)}
    for name in (*settings_of(Scoring), *settings_of(LogReading)):
        values.pop(name, None)
    groups = {*_named(values, "sensitive_features"), *_named(values, "control_features")}
    named = {*_named(settings.data, "sensitive_features"), *_named(settings.data, "control_features")}
    for each in ("bins", "value_labels"):  # of the file: a flag may have taken its column out of the groups
        if isinstance(of := values.get(each), dict):
            values[each] = {column: value for column, value in of.items() if column in groups or column not in named}
    if coded := _named(values, "codes"):
        values["codes"] = tuple(column for column in coded if column in groups or column not in named)
    return values


def _named(values: Mapping[str, object], role: str) -> tuple[str, ...]:
    found = values.get(role)
    return tuple(map(str, found)) if isinstance(found, (list, tuple)) else ()


def file_of(flags: dict[str, object]) -> Settings:
    """Take ``config`` out of the flags and read the settings file it names."""
    config = flags.pop("config", None)
    return read_settings(config if isinstance(config, Path) else None)
