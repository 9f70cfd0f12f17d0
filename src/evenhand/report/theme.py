"""The look of a page: its language, templates, and style."""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 200_000
"""Bytes of a picture that is put into the page: the page is to stay small."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The chosen look of a page."""

    lang: str = "en"
    """Its tag: ``en``, ``zh-CN`` or another of `evenhand.words.languages`."""
    template_dir: Path | None = None
    """A folder whose files come before evenhand's own: ``page.html.j2``, which may extend ``evenhand/page.html.j2`` and
    fill its blocks ``title``, ``brand``, ``heading``, ``before`` and ``after``, and ``extra.css``, which is added to
    the style."""
    stylesheet: str = ""
    """The address of the style, for hosts that forbid style inside a page; empty: inside the page."""
    omit_empty: bool = False
    """Whether sections without figures are left out, instead of naming what would fill them."""

    def own(self, name: str) -> str:
        """Return the text of a file of the folder; empty where there is none."""
        place = None if self.template_dir is None else self.template_dir / name
        return place.read_text("utf-8") if place is not None and place.is_file() else ""

    def inline(self, name: str) -> str:
        """Return a picture of the folder as a ``data:`` address, so that the page stays one file.

        Raises
        ------
        InputError
            When there is no such picture in the folder, or it is large.
        """
        folder = self.template_dir
        place = None if folder is None else (folder / name).resolve()
        if place is None or folder is None or not place.is_file() or not place.is_relative_to(folder.resolve()):
            raise InputError(f"{name}: there is no such picture in the folder of templates.")
        kind = mimetypes.guess_type(place.name)[0] or ""
        held = place.read_bytes()
        if not kind.startswith("image/") or len(held) > LARGEST:
            raise InputError(f"{place}: a picture of at most {LARGEST:,} bytes is needed.")
        return f"data:{kind};base64,{base64.b64encode(held).decode()}"


SHEETS: Final = ("style.css", "figures.css", "decision.css", "print.css")
"""The parts of the style, in order: the whole page, its figures, its first layer, paper."""
USUAL: Final = Theme()
"""English, evenhand's own templates, everything in one file."""


def style(theme: Theme) -> str:
    """Return the style of a page: evenhand's, then the folder's."""
    from importlib.resources import files

    sheets = (files("evenhand.report.templates").joinpath(name).read_text("utf-8") for name in SHEETS)
    return "".join((*sheets, theme.own("extra.css")))
