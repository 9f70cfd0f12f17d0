"""Older audit.json read by a newer evenhand: one step for each version that the format has left behind.

A step takes the document of one version and returns that of the next. Steps are never changed once a version is out; a
record is checked against its digest before the first, and against the present schema after the last.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.findings import Plain

Step: TypeAlias = "Callable[[dict[str, Plain]], dict[str, Plain]]"

_REACH: Final = re.compile(r" to ([0-9.e+-]+)$")


def _facts_typed(held: dict[str, Plain]) -> dict[str, Plain]:
    """From 1 to 2: facts that version 1 had in prose only get separate fields; its sentences stay plain texts."""
    measured, provenance = held.get("measurements"), held.get("provenance")
    volatile = measured.get("findings") if isinstance(measured, dict) else None
    for part in (*_parts(held.get("findings")), *_parts(volatile), *_parts(held.get("sections"))):
        if part.get("audit") == "proxied":
            part["audit"] = "unobserved_groups"
        if str(part.get("undefined", "")).startswith("withheld"):
            part["withheld"] = True
    for part in _parts(held.get("tallies")):
        axes = part.get("axes")
        reach = _REACH.search(str(axes[-1])) if part.get("model") == "attributions" and isinstance(axes, list) else None
        if reach is not None and isinstance(provenance, dict):
            provenance.setdefault("attribution_reach", float(reach[1]))
    return held


def _parts(value: Plain) -> list[dict[str, Plain]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


STEPS: Final[Mapping[int, Step]] = {1: _facts_typed}
"""By the version they start from."""


def migrated(document: Mapping[str, Plain], version: int, steps: Mapping[int, Step] = STEPS) -> Mapping[str, Plain]:
    """Return a document in the present version of the format.

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
    held = deepcopy(dict(document)) if document.get("schema_version") != version else dict(document)
    while isinstance(now := held.get("schema_version"), int) and now < version:
        if now not in steps:
            raise RecordError(f"There is no way from schema {now} of audit.json to schema {now + 1}. Audit again.")
        held = {**steps[now](held), "schema_version": now + 1}
    return held
