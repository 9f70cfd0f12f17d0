"""The formats, by name."""

from __future__ import annotations

from typing import Final

from evenhand.catalogues import Catalogue
from evenhand.report.formats.format import Format

FILES: Final = {"json": "json_format", "csv": "csv_format", "model-card": "model_card"}
"""The files whose name is not the format's."""
FORMATS: Final[Catalogue[Format]] = Catalogue(
    "evenhand.formats",
    Format,
    {
        name: f"evenhand.report.formats.{FILES.get(name, name)}:FORMAT"
        for name in (
            "html", "pdf", "markdown", "summary", "json", "text", "csv", "junit", "sarif", "github", "gitlab",
            "model-card", "cyclonedx", "ll144",
        )
    },
)  # fmt: skip
"""Every format."""
