"""A release: a folder with a model, its audit, the policy that judged it, and the decision."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.findings import Plain

RELEASES: Final = "releases"
"""The folder of releases, beside the link."""
AUDIT: Final = "audit.json"
"""The record of the model's audit."""
POLICY: Final = "policy.toml"
"""The policy that it was judged by."""
DECISION: Final = "decision.json"
"""The decision that made the release."""
MODEL: Final = "model"
"""What the model's file is called, before its ending."""
NAMED: Final = 12
"""Characters of a model's sha256 by which its release is called."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is on the disk, whole.

    See Also
    --------
    evenhand.monitoring.releasing.promote : Makes one.
    """

    folder: Path
    """Where it is, behind all links."""
    model: Path
    """The model's file."""
    sha256: str
    """The hash of that file."""

    @property
    def audit(self) -> Path:
        """The record of its audit."""
        return self.folder / AUDIT


def read_release(place: str | Path) -> Release:
    """Return the release that a folder is, or that a link names, after its model has been compared with its hash.

    Parameters
    ----------
    place : str or Path
        The folder of a release, or the link to the current one.

    Raises
    ------
    InputError
        When there is none: the link is broken, the folder is no release, or the model was changed.

    Examples
    --------
    >>> Path("empty").mkdir()
    >>> read_release("empty")
    Traceback (most recent call last):
    ...
    evenhand.errors.InputError: empty: this folder is no release: it has no decision.json. evenhand promote makes one.
    """
    from evenhand.subjects.model_file import file_facts

    given = Path(place)
    if given.is_symlink() and not given.exists():
        raise InputError(f"{place}: the link names '{given.readlink()}', which is not there.")
    if not given.is_dir():
        raise InputError(f"{place}: there is no such release. evenhand promote makes one.")
    folder = Path(os.path.realpath(given))
    said = _said(folder, place)
    name, wanted = str(said.get("file")), str(said.get("model"))
    model = folder / Path(name).name
    found = str(file_facts(model)["sha256"]) if model.is_file() else "no file"
    if found != wanted:
        raise InputError(
            f"{place}: its model was released as {wanted[:NAMED]}, and is {found[:NAMED]} now. Promote the model "
            "again, or roll back."
        )
    return Release(folder, model, found)


def _said(folder: Path, place: str | Path) -> dict[str, Plain]:
    from evenhand.documents import parse_json, read_bytes

    if not (folder / DECISION).is_file():
        raise InputError(f"{place}: this folder is no release: it has no {DECISION}. evenhand promote makes one.")
    said = parse_json(read_bytes(folder / DECISION), folder / DECISION)
    if not isinstance(said, dict):
        raise InputError(f"{folder / DECISION}: this is no decision, which is an object of JSON.")
    return said


def as_line(told: dict[str, Plain]) -> str:
    """Return a decision as one line of JSON."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True, allow_nan=False)
