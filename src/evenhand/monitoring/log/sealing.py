"""Encryption of rows (AES-GCM with 256 bits) and keyed hashes of persons (HMAC-SHA256); keys are never stored.

Of an encrypted row the ids, times, the model, the hash of the person and the kind of feedback stay in the clear, for by
them rows are found, joined, pruned and erased; inputs, groups, score, decision and the value of feedback are encrypted.
What is in the clear is authenticated with the rest: a row that was exchanged or edited is not opened.

Sources: NIST SP 800-38D (GCM, 96 random bits a row; one key for at most 2^32 rows); RFC 2104 (HMAC).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.documents import read_bytes
from evenhand.errors import InputError, argument, need, quoted, raise_all

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FROM_ENVIRONMENT: Final = "env:"
"""Before the name of a variable of the environment that holds a key, in place of a file."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by their names; rows are written with the first, and read with the one that they name."""

    keys: Mapping[str, bytes] = field(repr=False)
    """32 bytes each."""

    @property
    def current(self) -> str:
        """The name of the key to write with."""
        return next(iter(self.keys))

    def seal(self, text: str, bound: str) -> bytes:
        """Encrypt a text with the current key; it opens only beside the same `bound` text."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed: bytes = _cipher(self.keys[self.current]).encrypt(nonce, text.encode(), bound.encode())
        return nonce + sealed

    def open(self, sealed: bytes, name: str, bound: str) -> str:
        """Decrypt what `seal` returned.

        Raises
        ------
        InputError
            When the key is not here, is another under the same name, or what is in the clear was changed.
        """
        if name not in self.keys:
            raise InputError(f"it is encrypted with key {quoted(name)}, which is not among the keys given.")
        from cryptography.exceptions import InvalidTag

        try:
            held: bytes = _cipher(self.keys[name]).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound.encode())
            return held.decode()
        except (InvalidTag, ValueError):
            raise InputError(
                f"it does not open with key {quoted(name)}: the key is another of that name, or the row was changed."
            ) from None


def _cipher(key: bytes):  # type: ignore[no-untyped-def]  # its class is known where cryptography is installed
    return need("cryptography.hazmat.primitives.ciphers.aead", "serve").AESGCM(key)


def refuse_without(name: str, keyring: Keyring | None, where: str) -> None:
    """Raise `InputError` where the key of a name is not among those given.

    Parameters
    ----------
    name : str
        The key that the newest rows of a log are encrypted with.
    keyring : Keyring or None
        The keys given.
    where : str
        How sentences call the log.
    """
    if keyring is None:
        raise InputError(f"{where}: it is encrypted with key {quoted(name)}: pass {argument('encryption_key')}.")
    if name not in keyring.keys:
        raise InputError(
            f"{where}: it is encrypted with key {quoted(name)}, which is not among the keys of "
            f"{argument('encryption_key')}."
        )


def new_key_line(name: str) -> str:
    """Return a line with a new key for a file that `read_keyring` reads."""
    return f"{name} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"


def read_keyring(place: str | Path) -> Keyring:
    """Read encryption keys: a line ``NAME KEY`` each, KEY being 32 bytes in base64; rows are written with the first.

    Parameters
    ----------
    place : path or str
        A file, or ``env:NAME`` for a variable of the environment.

    Raises
    ------
    InputError
        When there is no such file or variable, and with all that is wrong in it. Keys are not quoted.

    Examples
    --------
    >>> import os
    >>> os.environ["LOG_KEYS"] = new_key_line("2027") + new_key_line("2026")
    >>> read_keyring("env:LOG_KEYS").current
    '2027'
    """
    lines = [line.split() for line in _text(place).splitlines() if line.strip() and not line.startswith("#")]
    keys: dict[str, bytes] = {}
    problems = [] if lines else [f"{place}: there is no key in it. Make one with: evenhand log key"]
    for number, parts in enumerate(lines, 1):
        key = _decoded(parts[1]) if len(parts) == 2 else b""
        if len(key) != KEY_BYTES:
            problems.append(f"{place}: key {number} is no name and {KEY_BYTES} bytes in base64.")
        elif parts[0] in keys:
            problems.append(f"{place}: two keys are named {quoted(parts[0])}.")
        else:
            keys[parts[0]] = key
    raise_all(InputError, problems)
    return Keyring(keys)


def read_hash_key(place: str | Path) -> bytes:
    """Read the key that persons' ids are hashed with: any text of at least 32 bytes.

    Parameters
    ----------
    place : path or str
        A file, or ``env:NAME`` for a variable of the environment.

    Raises
    ------
    InputError
        When there is no such file or variable, or it is shorter.

    Examples
    --------
    >>> import os
    >>> os.environ["PERSON_KEY"] = "correct horse battery staple, and more"
    >>> keyed_hash("Ann", read_hash_key("env:PERSON_KEY"))[:8]
    'e1b116b3'
    """
    key = _text(place).strip().encode()
    if len(key) < KEY_BYTES:
        raise InputError(f"{place}: the key has {len(key)} bytes; {KEY_BYTES} at least are needed to hash ids with.")
    return key


def keyed_hash(text: str, key: bytes) -> str:
    """Return the HMAC-SHA256 of a text in hexadecimal digits."""
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def hashed_person(person: str | None, key: bytes | None) -> str | None:
    """Return what a log keeps of a person's id.

    Raises
    ------
    InputError
        When there is a person and no key.
    """
    if person is None:
        return None
    if key is None:
        raise InputError(f"a person is named, and there is no key to hash the id with: pass {argument('hash_key')}.")
    return keyed_hash(f"person {person}", key)


def _text(place: str | Path) -> str:
    if (named := str(place)).startswith(FROM_ENVIRONMENT):
        name = named.removeprefix(FROM_ENVIRONMENT)
        if name not in os.environ:
            raise InputError(f"{named}: the environment has no variable '{name}'.")
        return os.environ[name]
    return read_bytes(Path(place), kind=InputError).decode("utf-8", "replace")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
