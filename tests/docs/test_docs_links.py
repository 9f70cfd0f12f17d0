"""Links between the pages, their anchors, their images, and their place in the navigation."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
APART = {DOCS / "design" / "rooms.md"}
"""For who reads the code; no page of the site."""
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("examples/**/*.md"), *DOCS.glob("**/*.md")],
    key=lambda page: str(page.relative_to(ROOT)),
)


def prose(page: Path) -> str:
    """Return a page without its blocks of code and without code within lines."""
    return re.sub(r"`[^`\n]+`", "", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.S | re.M))


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page: its headings as GitHub makes them, and the names that Sphinx describes."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#{1,6} (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M)
    slugs = [re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings]
    again = [f"{slug}-{slugs[:place].count(slug)}" for place, slug in enumerate(slugs) if slug in slugs[:place]]
    return frozenset([*slugs, *again, *re.findall(r"^\.\. (?:auto\w+|py:\w+):: (\S+)$", text, re.M)])


def described() -> frozenset[str]:
    """Return every name that the reference describes; Sphinx finds it from any page."""
    return frozenset().union(*map(anchors, DOCS.glob("reference/*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_their_anchors_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        assert place.exists(), target
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place) or (not file and anchor in described()), target
        if DOCS in page.parents and place.suffix == ".md":
            assert DOCS in place.parents and place not in APART, f"{target} is no page of the site"


def in_toctrees() -> list[Path]:
    found = []
    for page in DOCS.glob("**/*.md"):
        for tree in re.findall(r"^```{toctree}\n(.*?)^```", page.read_text("utf-8"), re.S | re.M):
            entries = [line for line in tree.splitlines() if line and not line.startswith(":")]
            names = [re.sub(r"^.*<(.*)>$", r"\1", entry) for entry in entries]
            found += [page.parent / f"{name}.md" for name in names]
    return found


def test_every_page_is_in_the_navigation_once() -> None:
    there = in_toctrees()
    assert sorted(there) == sorted(set(there))
    assert {page.resolve() for page in there} == set(DOCS.glob("**/*.md")) - APART - {DOCS / "index.md"}


def test_links_of_code_are_not_taken_for_links(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# A *heading*, twice\n\n```text\n# no\n[x](y)\n```\n\n`[x](z)` [a](b)\n# Some name\n# Some name"
    )
    assert prose(tmp_path / "page.md").count("](") == 1
    assert anchors(tmp_path / "page.md") == {"a-heading-twice", "some-name", "some-name-1"}
