"""The reference lists every public name, and what is public says what it takes, raises and does."""

from __future__ import annotations

import re
import runpy
from importlib import import_module
from pathlib import Path

import pytest

from evenhand.compression import RECIPES

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = runpy.run_path(str(DOCS / "_reference.py"))
ANEW = "python docs/_reference.py writes it anew"
MODULES: list[str] = REFERENCE["modules"]()


def test_the_pages_are_made_from_the_code() -> None:
    made = REFERENCE["pages"]()
    assert {page.name for page in DOCS.glob("reference/*.md")} == set(made), (
        "python docs/_reference.py writes them anew"
    )
    for name, text in made.items():
        assert (DOCS / "reference" / name).read_text("utf-8") == text, (
            f"{name}: python docs/_reference.py writes it anew"
        )


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_described_once(module: str) -> None:
    text = (DOCS / "reference" / f"{module}.md").read_text("utf-8")
    front = (DOCS / "reference" / "evenhand.md").read_text("utf-8")
    for name in REFERENCE["public"](module):
        here = len(re.findall(rf"^\.\. (?:auto\w+|py:data):: {re.escape(f'{module}.{name}')}$", text, re.M))
        there = len(re.findall(rf"^\.\. auto\w+:: evenhand\.{name}$", front, re.M))
        assert (here, there) == (1, 1) if module == "evenhand" else here + there == 1 or here == 1, name


def test_the_rooms_are_public_and_so_is_every_recipe() -> None:
    assert len(MODULES) > 20
    assert {"evenhand", "evenhand.data", "evenhand.policy", "evenhand.findings", "evenhand.signing"} <= set(MODULES)
    listed = (DOCS / "reference" / "evenhand.compression.md").read_text("utf-8")
    for recipe in RECIPES.values():
        assert f".. autoclass:: evenhand.compression.{recipe.__name__}\n" in listed
        assert getattr(import_module("evenhand.compression"), recipe.__name__) is recipe
