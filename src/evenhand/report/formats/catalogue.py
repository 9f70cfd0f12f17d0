"""The formats, by name and by the ending of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.report.formats.csv_format import csv
from evenhand.report.formats.cyclonedx import cyclonedx
from evenhand.report.formats.github import github
from evenhand.report.formats.gitlab import gitlab
from evenhand.report.formats.html import html
from evenhand.report.formats.json_format import json
from evenhand.report.formats.junit import junit
from evenhand.report.formats.ll144 import ll144
from evenhand.report.formats.markdown import markdown
from evenhand.report.formats.model_card import model_card
from evenhand.report.formats.sarif import sarif
from evenhand.report.formats.text import text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

Format: TypeAlias = "Callable[[AuditRecord, Verdict | None], str]"

FORMATS: Final[Mapping[str, Format]] = {
    "html": html,
    "markdown": markdown,
    "json": json,
    "text": text,
    "csv": csv,
    "junit": junit,
    "sarif": sarif,
    "github": github,
    "gitlab": gitlab,
    "model-card": model_card,
    "cyclonedx": cyclonedx,
    "ll144": ll144,
}

ENDINGS: Final = {
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".json": "json",
    ".txt": "text",
    ".csv": "csv",
    ".xml": "junit",
    ".sarif": "sarif",
}
