"""The gallery shows what its examples write: one for each kind of model, from training or loading to the gate."""

from __future__ import annotations

import re
import runpy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

import evenhand as eh

DOCS = Path(__file__).parents[2] / "docs"
GALLERY: dict[str, Any] = runpy.run_path(str(DOCS / "_gallery.py"), run_name="gallery")
NAMES: list[str] = GALLERY["names"]()
KINDS = {"credit", "boosted_trees", "images", "text", "language_model", "regression"}
LINE = re.compile(r"^  (passed|failed|undecided) +(\S+) ", re.M)


def shown(name: str) -> str:
    """The verdict on the page."""
    return dict(GALLERY["SHOWN"].findall(GALLERY["PAGE"].read_text("utf-8")))[name]


def test_every_kind_of_model_has_an_example_with_command_verdict_and_figure() -> None:
    assert set(NAMES) == KINDS
    page = GALLERY["PAGE"].read_text("utf-8")
    for name in NAMES:
        assert f"python examples/{name}.py" in page
        assert re.match(r"(Passed|Failed|Undecided): \d+ of \d+ blocking limits passed", shown(name))
        drawn = (DOCS / "images" / f"gallery-{name}.svg").read_text("utf-8")
        text = " ".join(ET.fromstring(drawn).itertext())
        judged = {key for _, key in LINE.findall(shown(name))}
        assert judged and any(key.partition("[")[0].replace("_", " ") in text.lower() for key in judged), name


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KINDS))
def test_an_example_ends_in_the_verdict_that_is_shown(name: str, tmp_path: Path) -> None:
    """By the limits that are judged: a network that is trained elsewhere may be on another side of one of them."""
    GALLERY["run"](name, tmp_path)
    made = GALLERY["verdict"](tmp_path)
    assert {key for _, key in LINE.findall(made)} == {key for _, key in LINE.findall(shown(name))}
    page = (tmp_path / "report.html").read_text("utf-8")
    assert len(page.encode()) < 350_000 and "<h1" in page
    record = eh.read_record(tmp_path / "audit.json")
    assert record.findings and eh.judge(record, tmp_path / "policy.toml").exit_code in (0, 1, 3)
