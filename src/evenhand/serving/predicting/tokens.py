"""Who may ask what: tokens, of which a file holds the hashes only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from evenhand.documents import read_bytes
from evenhand.errors import InputError, argument, did_you_mean, quoted, raise_all
from evenhand.output.writing import write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SCOPES: Final = ("predict", "feedback", "metrics")
"""What a token may be for."""
_NAME: Final = re.compile(r"[\w.-]{1,64}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Token:
    """One line of the file: whom a token is given to, and for what."""

    name: str
    """Whose it is; limits of rate are by name."""
    scopes: frozenset[str]
    """What it is for."""
    hash: str
    """The sha256 of the token, which is 256 random bits: nobody guesses it from its hash."""


class Tokens:
    """The tokens that are known.

    Parameters
    ----------
    known : sequence of Token

    Examples
    --------
    >>> text, token = new_token("shop", ("predict",))
    >>> Tokens([token]).of(f"Bearer {text}").name
    'shop'
    >>> Tokens([token]).of("Bearer another") is None
    True
    """

    def __init__(self, known: Sequence[Token]) -> None:
        self._known = tuple(known)

    def of(self, authorization: str) -> Token | None:
        """Return the token of a header ``Authorization: Bearer ...``; each known one is compared, in constant time."""
        kind, _, given = authorization.partition(" ")
        hashed = sha256(given.strip().encode("utf-8", "replace")).hexdigest()
        found = None
        for token in self._known:
            if compare_digest(token.hash, hashed):
                found = token
        return found if kind.lower() == "bearer" else None


def new_token(name: str, scopes: Sequence[str]) -> tuple[str, Token]:
    """Return a new token, which is kept nowhere, and the line of it.

    Raises
    ------
    InputError
        For a name that a line cannot hold, or an unknown scope.
    """
    raise_all(InputError, _wrong(name, scopes))
    text = token_urlsafe(32)
    return text, Token(name, frozenset(scopes), sha256(text.encode()).hexdigest())


def add_token(place: Path, name: str, scopes: Sequence[str]) -> str:
    """Add a new token to a file, which is made where there is none, and return it.

    Raises
    ------
    InputError
        As `new_token` and `read_tokens`, and for a name that is there already.
    """
    known = read_tokens(place) if place.exists() else ()
    if any(token.name == name for token in known):
        raise InputError(f"{place}: '{name}' has a token already: take its line out first, or choose another name.")
    text, token = new_token(name, scopes)
    held = place.read_bytes() if place.exists() else b"# name scopes sha256\n"
    held += b"" if held.endswith(b"\n") else b"\n"
    line = f"{token.name} {','.join(scope for scope in SCOPES if scope in token.scopes)} {token.hash}\n"
    write_bytes(place, held + line.encode(), private=True)
    return text


def read_tokens(place: Path) -> tuple[Token, ...]:
    """Read a file of tokens: a line each with name, scopes between commas, and the sha256 of the token.

    Raises
    ------
    InputError
        With every line that is none.
    """
    made = "evenhand serve --token-file FILE --new-token NAME=predict,feedback"
    text = read_bytes(place, make=made, most=1 << 20).decode("utf-8", "replace")
    found: list[Token] = []
    problems: list[str] = []
    for at, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        if len(parts) != 3 or not _HASH.fullmatch(parts[2]):
            problems.append(f"{place}:{at}: a line is: name scopes sha256. Make one with: {made}")
            continue
        scopes = parts[1].split(",")
        problems += [f"{place}:{at}: {problem}" for problem in _wrong(parts[0], scopes)]
        found.append(Token(parts[0], frozenset(scopes), parts[2]))
    twice = {token.name for token in found if sum(other.name == token.name for other in found) > 1}
    problems += [f"{place}: there are several tokens of '{name}'; a name is there once." for name in sorted(twice)]
    if not found and not problems:
        problems.append(f"{place}: it holds no token, so nobody could ask anything. Make one with: {made}")
    raise_all(InputError, problems)
    return tuple(found)


def _wrong(name: str, scopes: Sequence[str]) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"{quoted(name)} is no name of a token: it has letters, digits, dots and dashes, at most 64."
    if not scopes:
        yield f"{argument('new_token')} names no scope; there are {', '.join(SCOPES)}."
    for scope in scopes:
        if scope not in SCOPES:
            yield f"there is no scope {quoted(scope)}; there are {', '.join(SCOPES)}.{did_you_mean(scope, SCOPES)}"
