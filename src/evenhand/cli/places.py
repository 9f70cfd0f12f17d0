"""Where settings, limits and declarations are found: in the working folder, or in a folder above it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.cli.summary import is_quiet
from evenhand.output.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETTINGS: Final = "evenhand.toml"
"""The settings file's usual name."""
LIMITS: Final = "policy.toml"
"""The policy's usual name."""
ANSWERS: Final = "responsibility.toml"
"""The usual name of the declarations."""
NEAREST: Final = "policy.toml, here or in a folder above"
"""How the help shows the default of a policy."""
PYPROJECT: Final = "pyproject.toml"
"""Where a policy may be, in the table [tool.evenhand]."""


def usual_file(name: str) -> Path | None:
    """Return the file of that name in the working folder, or in the nearest folder above it that has one.

    The search ends at the root of the repository (a folder with .git), and else at the home folder or at the root. A
    file that is found in a folder above is told.
    """
    return _nearest(lambda folder: folder / name if (folder / name).is_file() else None)


def usual_policy() -> Path:
    """Return the nearest policy.toml, or pyproject.toml with [tool.evenhand]; policy.toml where neither is there."""
    return _nearest(_policy_in) or Path(LIMITS)


def has_policy() -> bool:
    """Return whether there is a policy where `usual_policy` looks."""
    return any(_policy_in(folder) is not None for folder in _upwards(Path.cwd()))


def _policy_in(folder: Path) -> Path | None:
    if (folder / LIMITS).is_file():
        return folder / LIMITS
    return folder / PYPROJECT if _has_policy(folder / PYPROJECT) else None


def _has_policy(place: Path) -> bool:
    from evenhand.documents import parse_toml, read_bytes
    from evenhand.errors import EvenhandError

    if not place.is_file():
        return False
    try:
        tool = parse_toml(read_bytes(place), place).get("tool")
    except EvenhandError:  # another program's file: that it is broken is not for us to say
        return False
    table = tool.get("evenhand") if isinstance(tool, dict) else None
    return isinstance(table, dict)


def _nearest(find: Callable[[Path], Path | None]) -> Path | None:
    here = Path.cwd()
    for folder in _upwards(here):
        found = find(folder)
        if found is None:
            continue
        if folder == here:
            return Path(found.name)
        place = Path(os.path.relpath(found, here))
        if not is_quiet():
            say(f"Using {place}")
        return place
    return None


def _upwards(folder: Path) -> Iterator[Path]:
    """Yield a folder and those above it, as far as a project reaches."""
    home = os.environ.get("HOME") or os.environ.get("USERPROFILE")
    for each in (folder, *folder.parents):
        yield each
        if (each / ".git").exists() or str(each) == home:
            return
