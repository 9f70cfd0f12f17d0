"""Older audit.json read by a newer evenhand: one step for each version that the format has left behind.

A step takes the document of one version and returns that of the next. Steps are never changed once a version is out; a
record is checked against its digest before the first, and against the present schema after the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.findings import Plain

Step: TypeAlias = "Callable[[dict[str, Plain]], dict[str, Plain]]"

STEPS: Final[Mapping[int, Step]] = {}
"""By the version they start from. The format is at its first version, so there is none yet."""


def migrated(document: Mapping[str, Plain], version: int, steps: Mapping[int, Step] = STEPS) -> Mapping[str, Plain]:
    """Return a document as the present version of the format says it.

    Parameters
    ----------
    document : mapping
        An audit.json of any version up to `version`.
    version : int
        The present version.
    steps : mapping of version to function
        Each makes a document of the next version.

    Raises
    ------
    RecordError
        When no step leads on from the document's version.
    """
    held = dict(document)
    while isinstance(now := held.get("schema_version"), int) and now < version:
        if now not in steps:
            raise RecordError(f"There is no way from schema {now} of audit.json to schema {now + 1}. Audit again.")
        held = {**steps[now](held), "schema_version": now + 1}
    return held
