"""List and open languages."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from importlib.resources import files
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

from evenhand.catalogues import load
from evenhand.errors import InputError
from evenhand.words.language import Language

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

GROUP: Final = "evenhand.languages"
ENGLISH: Final = "en"


def languages() -> tuple[str, ...]:
    """Return the tags of all languages, English first: built-in catalogues, and those of installed packages.

    Examples
    --------
    >>> languages()[0], "zh-CN" in languages()
    ('en', True)
    """
    return (ENGLISH, *sorted({*_own(), *metadata.entry_points(group=GROUP).names}))


@cache
def language(tag: str) -> Language:
    """Return the language of a tag.

    Parameters
    ----------
    tag : str
        Such as ``en`` or ``zh-CN``.

    Returns
    -------
    Language

    Raises
    ------
    InputError
        When there is no catalogue of that language.

    Examples
    --------
    >>> language("en").tag
    'en'
    """
    if tag == ENGLISH:
        return Language(tag)
    places = [*(place for name, place in _own().items() if name == tag), *_added(tag)]
    if not places:
        raise InputError(f"There are no words of '{tag}'; a report is written in {' or '.join(languages())}.")
    found = [opened(tag, place.read_text("utf-8")) for place in places]
    return Language(tag, {id: said for each in found[::-1] for id, said in each.sentences.items()}, found[0].form)


def opened(tag: str, catalogue: str) -> Language:
    """Return the language in the text of a .po file; fuzzy translations are ignored."""
    from gettext import c2py

    import polib

    found = polib.pofile(catalogue)
    rule = found.metadata.get("Plural-Forms", "nplurals=1; plural=0;").partition("plural=")[2].split("plural=")[-1]
    return Language(
        tag,
        {
            entry.msgid: tuple(entry.msgstr_plural[at] for at in sorted(entry.msgstr_plural)) or (entry.msgstr,)
            for entry in found
            if entry.translated()
        },
        c2py(rule.strip().rstrip(";")),
    )


def _own() -> dict[str, Traversable]:
    found = (place for place in files("evenhand.words.locale").iterdir() if place.name.endswith(".po"))
    return {_tag(place.name): place for place in found}


def _added(tag: str) -> Iterator[Traversable]:
    """Yield the packages' .po files for the tag; they may add to an existing language."""
    for point in metadata.entry_points(group=GROUP, name=tag):
        for place in files(cast("ModuleType", load(point, ModuleType))).iterdir():
            if place.name.endswith(".po") and _tag(place.name) == tag:
                yield place


def _tag(name: str) -> str:
    return name.removesuffix(".po").replace("_", "-")
