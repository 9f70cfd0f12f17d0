"""Declarations: what only people can say of a model, and a policy can ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import did_you_mean, shorten
from evenhand.findings import Finding
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
    return Finding(key, DECLARED, None, unit="number", undefined="It is declared, not measured.", note=said)


def undeclared(record: AuditRecord, key: Key) -> str:
    """Return the sentence for a declaration that is not there."""
    name = key.columns[0]
    return f"Nobody has declared '{shorten(name)}'.{did_you_mean(name, declared(record))}"
