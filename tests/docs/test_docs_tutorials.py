"""The tutorials are run, and what they show is what comes out; digits may differ as much as processors do."""

from __future__ import annotations

import re
import runpy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TUTORIALS: dict[str, Any] = runpy.run_path(str(DOCS / "_tutorials.py"), run_name="tutorials")
TRAINED = {"gate.md", "circle.md"}
"""Where a network is trained: processors differ by more than rounding, so words and exit codes are compared alone."""
PAGES: list[Path] = TUTORIALS["pages"]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_shows_what_comes_out(page: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    steps = list(TUTORIALS["run"](page, tmp_path))
    assert len(steps) >= 6
    wrong = [TUTORIALS["differences"](step, None if page.name in TRAINED else 0.02) for step in steps]
    assert not any(wrong), "\n".join(["python docs/_tutorials.py writes it anew:", *filter(None, wrong)])
    drawn = TUTORIALS["figures"](page, tmp_path)
    assert drawn, "a figure is shown"
    for name, made in drawn.items():
        kept = (DOCS / "tutorials" / "images" / f"{name}.svg").read_text("utf-8")
        assert page.name in TRAINED or _keys(made) == _keys(kept), "make tutorials writes it anew"
        assert "recall" in kept.lower()


def _keys(svg: str) -> set[str]:
    """Return the keys in a drawing, which must be a file that a browser draws by itself."""
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return set(re.findall(r"[a-z_]+\[[^\]]+\]", " ".join(root.itertext())))


def test_the_tables_are_those_of_their_script() -> None:
    for name, text in runpy.run_path(str(DOCS / "_applications.py"))["tables"]().items():
        assert (DOCS / "tutorials" / name).read_text("utf-8") == text


def test_a_changed_output_is_seen() -> None:
    step, differences = TUTORIALS["Step"], TUTORIALS["differences"]
    assert not differences(step("", "0.80 of 1,000 c29ecea1e1479591", "0.81 of 1,001 0123456789abcdef"), 0.02)
    assert differences(step("", "recall 0.80", "recall 0.84"), 0.02)
    assert differences(step("", "recall 0.80", "precision 0.80"), 0.02)
    assert differences(step("", "", "a new line\n"), 0.02)
    assert not differences(step("", "passed accuracy 0.8\nexit code 0", "exit code 0\npassed accuracy 0.7"), None)
    assert differences(step("", "exit code 0", "exit code 1"), None)
    assert differences(step("", "passed accuracy", "failed accuracy"), None)
