"""Terms of the glossary that open their definition where they first stand on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.report.view import Entry


POINTS: Final = (*".,;:?!)", *"。，；：？！）、")
"""Signs that close the text before them."""


class Found(NamedTuple):
    """A text around the term in it, and the anchor of the term's definition."""

    before: str
    term: str
    after: str
    """What follows, without a sign that belongs to the term's line."""
    anchor: str
    point: str = ""
    """The sign after the term, which never begins a line."""


class Terms:
    """The terms of one page, each found once: a template asks for them in the order in which it writes.

    Examples
    --------
    >>> from evenhand.report.view import Entry
    >>> terms = Terms([Entry("recall", "Recall", "", "", "", "")])
    >>> terms.first("The recall of groups")
    Found(before='The ', term='recall', after=' of groups', anchor='term-0', point='')
    >>> terms.first("Recall") is None
    True
    >>> scores = Terms([Entry(name, name, "", "", "", "") for name in ("mean score", "gap in mean score")])
    >>> scores.first("the gap in mean score").term, scores.first("the gap in mean score") is None
    ('gap in mean score', True)
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        listed = [(entry, f"term-{at}") for at, entry in enumerate(entries)]
        self._left = sorted(listed, key=lambda pair: -len(pair[0].label))
        self.shown: list[tuple[Entry, str]] = []
        """The terms that were found, with their anchors."""

    @property
    def others(self) -> list[Entry]:
        """The terms that nothing on the page names, by label."""
        return sorted((entry for entry, _ in self._left), key=lambda entry: entry.label.lower())

    def first(self, text: str) -> Found | None:
        """Return the longest term in a text that did not stand anywhere before; None where there is none.

        A word of a longer term that was found before is no term of its own: it would open another definition.
        """
        labels = [entry.label for entry, _ in self.shown]
        within = [(at, at + len(label)) for label in labels if (at := _place(label, text)) is not None]
        for at, (entry, anchor) in enumerate(self._left):
            place = _place(entry.label, text)
            if place is not None and not any(begin <= place < end for begin, end in within):
                self.shown.append(self._left.pop(at))
                end = place + len(entry.label)
                point = next((sign for sign in POINTS if text.startswith(sign, end)), "")
                return Found(text[:place], text[place:end], text[end + len(point) :], anchor, point)
        return None


def _place(label: str, text: str) -> int | None:
    """Return where a term begins in a text, as whole words; its first letter may be small."""
    for form in (label, label[:1].lower() + label[1:]):
        place = text.find(form)
        while place >= 0:
            before, after = text[:place][-1:], text[place + len(form) :][:1]
            if not (_joins(before, form[0]) or _joins(form[-1], after)):
                return place
            place = text.find(form, place + 1)
    return None


def _joins(one: str, other: str) -> bool:
    """Return whether two letters belong to one word; Chinese has no spaces between words."""
    return bool(one and other) and all(char.isascii() and (char.isalnum() or char in "_-") for char in (one, other))
