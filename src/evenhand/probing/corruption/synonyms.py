"""A table of words that say the same, from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from evenhand.documents import parse_json, parse_toml, read_bytes
from evenhand.errors import InputError, quoted

__all__ = ["read_synonyms", "table_problems"]

FORM: Final = 'film = ["movie", "picture"]'
"""A line of such a table."""


def read_synonyms(path: str) -> dict[str, tuple[str, ...]]:
    """Return the table of a TOML or JSON file.

    Parameters
    ----------
    path : str
        A ``.toml`` file of lines such as ``film = ["movie", "picture"]``, or a ``.json`` file of one object.

    Returns
    -------
    dict of str to tuple of str

    Raises
    ------
    InputError
        In one sentence: when there is no such file, it is not read, or is no such table.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder) / "words.toml"
    ...     _ = place.write_text('film = ["movie", "picture"]')
    ...     read_synonyms(str(place))
    {'film': ('movie', 'picture')}
    """
    place = Path(path)
    ending = place.suffix.lower()
    if ending not in (".toml", ".json"):
        raise InputError(f"synonyms: '{path}' is neither a .toml nor a .json file.")
    content = read_bytes(place)
    found = parse_toml(content, place) if ending == ".toml" else parse_json(content, place)
    if not isinstance(found, Mapping):
        raise InputError(f"{place}: must be a table of words, each with a list of others: {FORM}")
    words = {word: (others,) if isinstance(others, str) else others for word, others in found.items()}
    if problem := table_problems(words, str(place)):
        raise InputError(problem)
    return {word: tuple(others) for word, others in words.items()}


def table_problems(words: Mapping[str, object], where: str = "synonyms") -> str:
    """Return what is wrong with a table of synonyms, as a sentence; empty when nothing is.

    Parameters
    ----------
    words : mapping
        Words, each with what else says it.
    where : str
        What the sentence begins with.

    Examples
    --------
    >>> table_problems({"film": ("movie",)})
    ''
    >>> print(table_problems({"film": 3}, "words.toml"))
    words.toml: 'film' must have a list of words that say the same, such as film = ["movie", "picture"], not 3.
    """
    for word, others in words.items():
        if isinstance(others, (list, tuple)) and all(isinstance(other, str) for other in others):
            continue
        told = f"'{word[:60]}' must have a list of words that say the same, such as {FORM}"
        return f"{where}: {told}, not {quoted(others, 60)}."
    return ""
