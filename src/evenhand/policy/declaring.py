"""Declarations: what only people can say of a model, and a policy can ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import nearest, shorten
from evenhand.findings import Finding
from evenhand.messages import message, sentences
from evenhand.policy.limits import DECLARED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord
    from evenhand.keys import Key


def declared(record: AuditRecord) -> Mapping[str, str]:
    """Return what people declared, by name, without what is blank; a record keeps it in its provenance."""
    return {name: text for name, value in record.provenance.get(DECLARED, {}).items() if (text := value.strip())}


def declaration(record: AuditRecord, key: Key) -> Finding | None:
    """Return the declaration that a key asks for; it has no estimate, since nothing was measured."""
    said = declared(record).get(key.columns[0])
    if said is None:
        return None
    return Finding(key, DECLARED, None, unit="number", undefined=message("It is declared, not measured."), note=said)


def undeclared(record: AuditRecord, key: Key) -> str:
    """Return the sentence for a declaration that is not there."""
    name = key.columns[0]
    near = nearest(name, declared(record))
    hint = message("Did you mean '{name}'?", name=near) if near else ""
    return sentences(message("Nobody has declared '{name}'.", name=shorten(name)), hint)
