"""The text of a policy as a parameter of an address: deflated, in letters that an address may have."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Final

from evenhand.errors import InputError

MOST_TEXT: Final = 100_000
"""Bytes of a policy's text."""
MOST_PACKED: Final = 12_000
"""Letters of it in an address: browsers and servers have room for them, the cookie and the other parameters."""


def packed(text: str) -> str:
    """Return a text as letters, digits, ``-`` and ``_``; `unpacked` is the inverse.

    Raises
    ------
    InputError
        When it is too long for an address.

    Examples
    --------
    >>> unpacked(packed("schema = 1")) == "schema = 1"
    True
    """
    raw = text.encode("utf-8", "replace")
    made = base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")
    if len(raw) > MOST_TEXT or len(made) > MOST_PACKED:
        raise InputError(
            f"The policy has {len(raw):,} bytes, too many for an address of this page: shorten its notes, or judge the "
            "file by evenhand gate."
        )
    return made


def unpacked(letters: str) -> str:
    """Return the text that was packed.

    Raises
    ------
    InputError
        When it was not made by `packed`, or holds more than a policy may.
    """
    broken = InputError("The policy in this address is damaged: copy the address whole.")
    if len(letters) > MOST_PACKED or not letters.isascii():
        raise broken
    opened = zlib.decompressobj()
    try:
        raw = base64.b64decode(letters + "=" * (-len(letters) % 4), altchars=b"-_", validate=True)
        text = opened.decompress(raw, MOST_TEXT).decode("utf-8")
    except (binascii.Error, zlib.error, ValueError):
        raise broken from None
    if not opened.eof or opened.unused_data:
        raise broken
    return text
