"""The formats, by name."""

from __future__ import annotations

from typing import Final

from evenhand.catalogues import Catalogue
from evenhand.report.formats.format import Format

FORMATS: Final[Catalogue[Format]] = Catalogue(
    "evenhand.formats",
    Format,
    {
        "html": "evenhand.report.formats.html:FORMAT",
        "markdown": "evenhand.report.formats.markdown:FORMAT",
        "json": "evenhand.report.formats.json_format:FORMAT",
        "text": "evenhand.report.formats.text:FORMAT",
        "csv": "evenhand.report.formats.csv_format:FORMAT",
        "junit": "evenhand.report.formats.junit:FORMAT",
        "sarif": "evenhand.report.formats.sarif:FORMAT",
        "github": "evenhand.report.formats.github:FORMAT",
        "gitlab": "evenhand.report.formats.gitlab:FORMAT",
        "model-card": "evenhand.report.formats.model_card:FORMAT",
        "cyclonedx": "evenhand.report.formats.cyclonedx:FORMAT",
        "ll144": "evenhand.report.formats.ll144:FORMAT",
    },
)
"""Every format."""
