"""The guide to model files lists every adapter and every kind of file, as the catalogue has them."""

from __future__ import annotations

import runpy
from pathlib import Path

from evenhand.subjects import ADAPTERS
from evenhand.subjects.loading import model_files

DOCS = Path(__file__).parents[2] / "docs"
MADE = runpy.run_path(str(DOCS / "_adapters.py"))


def test_the_tables_are_made_from_the_catalogue() -> None:
    text = (DOCS / "how-to" / "models.md").read_text("utf-8")
    assert MADE["page"](text) == text, "python docs/_adapters.py writes them anew"
    assert all(f"| `{name}` |" in text for name in ADAPTERS.own)
    assert all(f"`{ending}`" in text for file in model_files().values() for ending in file.endings)


def test_every_kind_of_file_says_what_makes_it_safe() -> None:
    for file in model_files().values():
        assert file.safety.startswith("Code." if file.runs_code else "Data."), file.kind
