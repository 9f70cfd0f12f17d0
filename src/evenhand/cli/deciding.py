"""The flags of verbs that decide about releases: which link, and who decides."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from evenhand.cli.flags import Command, file_flag

if TYPE_CHECKING:
    from collections.abc import Callable

BY: Final = "EVENHAND_BY"
"""The variable of the environment that says who decides."""
CURRENT: Final = Path("deployed/current")
"""The usual link to the current release."""


def link_flag(*names: str) -> Callable[[Command], Command]:
    """Return the flag that names the link to the current release."""
    return file_flag(*names, "link", default=CURRENT, help="Link to the current release; releases are beside it.")


def by_flag(command: Command) -> Command:
    """Add the flag that says who decides."""
    return click.option("--by", help=f"Who decides, for the record.  [default: {BY}, or the name of the user]")(command)


def who(by: str | None) -> str:
    """Return who decides: as said, by the environment, or the user's name."""
    named = by if by is not None else os.environ.get(BY)
    if named is not None:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in a container
        return ""
