"""The page as one HTML file: no script, no network, nothing to load."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from evenhand.report.page import build_page
from evenhand.report.speaking import Words, translated

if TYPE_CHECKING:
    from jinja2 import Environment

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict


def html(record: AuditRecord, verdict: Verdict | None = None, lang: str = "en") -> str:
    """One self-contained page for people (.html)."""
    style, page = _style(), translated(build_page(record, verdict), record, lang)
    template = _environment().get_template("page.html.j2")
    return template.render(page=page, t=Words(lang).say, style=style, style_hash=_hash(style))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Every name in a record is somebody else's text: it is escaped everywhere, and a misspelt variable is an error.
    environment = Environment(
        loader=PackageLoader("evenhand.report.templates", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = _without_controls
    environment.filters["tight"] = _tight
    return environment


def _style() -> str:
    from importlib.resources import files

    return files("evenhand.report.templates").joinpath("style.css").read_text("utf-8")


def _hash(style: str) -> str:
    """The hash by which the content security policy allows this style and no other."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _tight(text: str) -> str:
    """Return numbers whose interval is not broken over two lines; the line breaks before it."""
    return text.replace(", ", ",\u00a0").replace("= ", "=\u00a0")


def _without_controls(text: str) -> str:
    """Return text without characters that HTML forbids or that turn the direction of writing around them."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)
