"""The gallery shows what its examples write: one page each, with verdict, figure, what it shows and what it cannot."""

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
LINE = re.compile(r"^  (passed|failed|undecided) +(\S+) ", re.M)


def page_of(name: str) -> str:
    return GALLERY["page_of"](name).read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_field_command_verdicts_figures_and_what_it_cannot_show(name: str) -> None:
    page = page_of(name)
    (field,) = GALLERY["FIELD"].findall(page)
    assert field in GALLERY["FIELDS"]
    assert f"python examples/{name}.py" in page
    for heading in ("## The verdict", "## What it shows", "## What it cannot"):
        assert re.search(rf"^{heading}\n\n[^#\s]", page, re.M), heading
    verdicts = GALLERY["shown"](page)
    assert verdicts
    for said in verdicts.values():
        assert re.match(r"(Passed|Failed|Undecided): \d+ of \d+ blocking limits passed", said)
    for _, said in GALLERY["PRINTED"].findall(page):
        assert said.strip()


@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_of_a_page_are_there_and_show_its_limits(name: str) -> None:
    page = page_of(name)
    figures = GALLERY["FIGURE"].findall(page)
    assert len({image for _, image, _, _ in figures}) == len(figures) >= len(GALLERY["shown"](page))
    judged = {key.partition("[")[0][:12] for said in GALLERY["shown"](page).values() for _, key in LINE.findall(said)}
    for text, image, _, figure in figures:
        drawn = " ".join(ET.parse(DOCS / "images" / f"{image}.svg").getroot().itertext()).lower()
        assert text
        assert figure or any(metric in drawn for metric in judged), image


def test_the_index_lists_every_page_by_field() -> None:
    index = GALLERY["INDEX"].read_text("utf-8")
    assert GALLERY["LISTED"].search(index)[0] == GALLERY["listed"](), "python docs/_gallery.py writes it anew"
    for name in NAMES:
        assert f"({name}.md)" in index


def test_examples_that_end_in_a_verdict_have_a_page() -> None:
    examples = DOCS.parent / "examples"
    judged = {place.stem for place in examples.glob("*.py") if '"policy.toml"' in place.read_text("utf-8")}
    assert judged <= set(NAMES), sorted(judged - set(NAMES))


def test_what_is_left_out_keeps_its_block_and_the_output_is_that_of_a_whole_run(tmp_path: Path) -> None:
    page = "".join(f"<!-- {what} -->\n```text\nold\n```\n" for what in ("verdict: a", "verdict: a/b", "output: a"))
    record = eh.audit_predictions([0, 1] * 20, [0, 1] * 20)
    eh.write_record(tmp_path / "audit.json", record)
    (tmp_path / "policy.toml").write_text("[limits]\naccuracy = { at_least = 0.5 }\n", "utf-8")
    partly = GALLERY["Run"]("a", tmp_path, "figures\nLeft out: b wants data\n", 1.0)
    assert partly.left_out == ["b wants data"]
    said = GALLERY["written"](page, partly)
    assert GALLERY["shown"](said)[""].startswith("Passed: 1 of 1")
    assert GALLERY["shown"](said)["b"] == "old\n" == GALLERY["PRINTED"].search(said)[2]
    whole = GALLERY["written"](page, GALLERY["Run"]("a", tmp_path, "figures\n", 1.0))
    assert GALLERY["PRINTED"].search(whole)[2] == "figures\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_example_ends_in_the_verdicts_that_are_shown(name: str, tmp_path: Path) -> None:
    """By the limits that are judged: a network that is trained elsewhere may be on another side of one of them."""
    made = GALLERY["run"](name, tmp_path)
    on_page = GALLERY["shown"](page_of(name))
    assert made.verdicts or made.left_out
    assert set(made.verdicts) == set(on_page) or (made.left_out and set(made.verdicts) < set(on_page))
    for part, said in made.verdicts.items():
        assert _number(said) == _number(on_page[part])
        page = (tmp_path / part / "report.html").read_text("utf-8")
        assert len(page.encode()) < 400_000 and "<h1" in page
        record = eh.read_record(tmp_path / part / "audit.json")
        assert record.findings and eh.judge(record, tmp_path / part / "policy.toml").exit_code in (0, 1, 3)


def _number(said: str) -> str:
    """Return how many blocking limits there are."""
    return re.match(r"\w+: \d+ of (\d+) blocking", said)[1]  # type: ignore[index]
