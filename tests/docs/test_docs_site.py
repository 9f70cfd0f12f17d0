"""The site, where Sphinx is installed: it builds without a warning, and fetches nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("pydata_sphinx_theme") is None, reason="needs the extra docs"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    fetched = (
        r"<(?:script|img|iframe|source|audio|video)\b[^>]*\bsrc=\"(?:https?:)?//|<link\b[^>]*\bhref=\"(?:https?:)?//"
    )
    for page in pages:
        text = page.read_text("utf-8")
        assert not re.search(fetched, text), page
        assert "mathjax" not in text.lower()
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text("utf-8")), style


def test_search_works_without_a_server_for_it(site: Path) -> None:
    index = (site / "searchindex.js").read_text("utf-8")
    assert index.startswith("Search.setIndex(")
    assert "reference/evenhand.compression" in index
    assert "searchindex.js" in (site / "search.html").read_text("utf-8")


def test_a_page_of_the_reference_says_what_settings_are(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "evenhand.compression.html").read_text("utf-8"))
    assert re.search(r"calibration_rows.{0,80}rows, default 512", text, re.S)
