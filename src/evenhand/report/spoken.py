"""What files keep as messages and keys, in words; a file may come from anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.keys import Key, KeySyntaxError
from evenhand.messages import Message, message_from_plain
from evenhand.policy.naming import named
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from evenhand.messages import PlainMessage

MOST: Final = 600
"""Characters of a sentence from a file."""
MOST_KEY: Final = 120
"""Characters of a key in words."""


def spoken(plain: object, otherwise: str = "") -> str:
    """Return a message of a file; `otherwise` where there is none, or none that can be read.

    Examples
    --------
    >>> spoken({"id": "{n} rows", "places": {"n": 3}}), spoken({"id": "{n.x} rows"}), spoken(None, "not known")
    ('3 rows', '{n.x} rows', 'not known')
    """
    if plain is None:
        return cut(otherwise, MOST)
    try:
        found = message_from_plain(cast("PlainMessage", plain))
    except (ValueError, KeyError, TypeError, AttributeError):
        return cut(otherwise, MOST)
    return cut(found if isinstance(found, Message) else str(found), MOST)


def key_of(text: str) -> Key | None:
    """Return a key; None where a file has something else in its place."""
    try:
        return Key.parse(text)
    except KeySyntaxError:
        return None


def in_words(text: str) -> str:
    """Return a key in words; as it is where it is none.

    Examples
    --------
    >>> print(in_words("recall[sex=F]"), in_words("recall["), sep="; ")
    Recall, sex=F; recall[
    """
    key = key_of(text)
    return cut(text if key is None else named(key), MOST_KEY)
