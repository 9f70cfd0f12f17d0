"""Translate messages into a language, by their ids and places. Prose is never parsed.

A language is one standard gettext catalogue, such as ``zh_CN.po``, in `evenhand.words.locale`, or in a package that an
entry point of the group ``evenhand.languages`` names under the language's tag.
"""

from __future__ import annotations

from evenhand.words.language import Language
from evenhand.words.opening import language, languages

__all__ = ["Language", "language", "languages"]
