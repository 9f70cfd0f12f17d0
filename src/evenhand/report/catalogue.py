"""The formats, by name and by the ending of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.report.html import html
from evenhand.report.json_format import json
from evenhand.report.markdown import markdown
from evenhand.report.text import text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

Format: TypeAlias = "Callable[[AuditRecord, Verdict | None], str]"

FORMATS: Final[Mapping[str, Format]] = {"html": html, "markdown": markdown, "json": json, "text": text}

ENDINGS: Final = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".txt": "text"}
