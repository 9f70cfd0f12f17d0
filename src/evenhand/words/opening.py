"""The languages there are, and the opening of one."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError
from evenhand.words.language import Language

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

GROUP: Final = "evenhand.languages"
ENGLISH: Final = "en"


def languages() -> tuple[str, ...]:
    """Return the tags of all languages, English first: catalogues in the folder, and those of installed packages."""
    return (ENGLISH, *sorted({*_own(), *(point.name for point in entry_points(group=GROUP))}))


@cache
def language(tag: str) -> Language:
    """Return the language of a tag.

    Raises
    ------
    InputError
        When there is no catalogue of that language.
    """
    if tag == ENGLISH:
        return Language(tag)
    place = _own().get(tag) or _brought(tag)
    if place is None:
        raise InputError(f"There are no words of '{tag}'; a report is written in {' or '.join(languages())}.")
    return opened(tag, place.read_text("utf-8"))


def opened(tag: str, catalogue: str) -> Language:
    """Return the language that the text of a .po file holds; a fuzzy translation is none."""
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


def _brought(tag: str) -> Traversable | None:
    """Return the catalogue of an entry point: of the package it names, the .po file of the tag."""
    for point in entry_points(group=GROUP, name=tag):
        for place in files(point.value).iterdir():
            if place.name.endswith(".po") and _tag(place.name) == tag:
                return place
    return None


def _tag(name: str) -> str:
    return name.removesuffix(".po").replace("_", "-")
