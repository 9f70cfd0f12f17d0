"""The corruptions by kind of input and name, in the order in which they are stated."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from evenhand.probing.corruption.images import IMAGES
from evenhand.probing.corruption.tables import TABLES
from evenhand.probing.corruption.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import Reads
    from evenhand.probing.corruption.corruption import Corruption

__all__ = ["CORRUPTIONS", "corruptions_of"]

CORRUPTIONS: Final[Mapping[Reads, Mapping[str, Corruption]]] = MappingProxyType({
    "table": MappingProxyType({each.name: each for each in TABLES}),
    "arrays": MappingProxyType({each.name: each for each in IMAGES}),
    "texts": MappingProxyType({each.name: each for each in TEXTS}),
})  # fmt: skip
"""Every corruption."""


def corruptions_of(kind: Reads) -> tuple[Corruption, ...]:
    """Return the corruptions of a kind of input; none where there are none.

    Parameters
    ----------
    kind : Reads
        ``table``, ``arrays`` or ``texts``; tokens and records have none.

    Examples
    --------
    >>> [each.name for each in corruptions_of("texts")], corruptions_of("tokens")
    (['typos', 'case', 'spacing', 'synonyms'], ())
    """
    return tuple(CORRUPTIONS.get(kind, {}).values())
