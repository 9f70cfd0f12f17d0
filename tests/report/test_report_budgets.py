"""What a page takes of its reader, held on real audits in a real browser: screens, words, bytes, tab stops, sheets."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
from tests.browsing import (
    AXE,
    BUDGET,
    NAMES,
    NEEDED,
    PHONE,
    WIDE,
    chromium,
    measure,
    opened,
    printed,
    rendered,
    squeezed,
    violations,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = NEEDED
WORDS = {"en": ("undecided", "passed", "failed"), "zh-CN": ("未定", "通过")}
"""Judgements, which are to be read at a glance where they are alone, in a badge or a cell."""
BROKEN = """words => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT), broken = [];
  let met = 0;
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (node.parentElement.closest('svg') || node.data.trim().length > 12) continue;
    for (const word of words) {
      for (let at = node.data.indexOf(word); at >= 0; at = node.data.indexOf(word, at + 1)) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        const tops = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
        if (tops.size) met += 1;
        if (tops.size > 1) broken.push(node.data.slice(Math.max(0, at - 30), at + 30));
      }
    }
  }
  return [met, broken];
}"""
SPLIT = r"""() => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  const broken = [];
  let met = 0;
  for (const cell of document.querySelectorAll('main td.n, main .q td, main .heat td, main thead th')) {
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      for (const word of node.data.matchAll(/[\w.,%\[\]]+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        met += 1;
        if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) broken.push(word[0]);
      }
    }
  }
  const wide = [...document.querySelectorAll('main table')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.id);
  return [met, broken, wide];
}"""
"""Numbers and words of heads that are broken, and tables that are wider than the sheet."""
SHEET = 688
"""Width of an A4 sheet between its margins."""
HIDDEN = """() => {
  const found = [];
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    const goal = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!goal) { found.push(`nowhere: ${link.hash}`); continue; }
    const folds = [];
    for (let fold = goal.closest('details'); fold; fold = fold.parentElement.closest('details')) folds.push(fold);
    if (folds.length) found.push(link.hash);
  }
  return [...new Set(found)];
}"""
EMPTY = """() => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  const found = [];
  for (const figure of document.querySelectorAll('figure.chart')) {
    const region = figure.querySelector('.scroll') || figure;
    const drawn = [...region.querySelectorAll('svg circle, svg path, svg line, svg rect, svg polyline, td[class^=s]')];
    const box = drawn.map(one => one.getBoundingClientRect()).filter(one => one.width || one.height);
    if (drawn.length && !box.some(one => one.left >= -1 && one.left < innerWidth)) found.push(figure.id);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all of these tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """The page of each audit, in English and in Chinese."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name in NAMES:
        for lang in WORDS:
            place = made[name, lang] = folder / f"{name}-{lang}.html"
            place.write_text(rendered(name, lang), "utf-8")
    return made


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_takes_no_more_than_its_budget(
    name: str, lang: str, browser: Browser, pages: dict[tuple[str, str], Path]
) -> None:
    found, most = asdict(measure(browser, pages[name, lang])), asdict(BUDGET)
    assert {what: (value, most[what]) for what, value in found.items() if value > most[what]} == {}


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_phone_shows_it_all(name: str, lang: str, browser: Browser, pages: dict[tuple[str, str], Path]) -> None:
    """Nothing is wider than the window, no word of a judgement is broken, and no figure begins with an empty part."""
    for width in (PHONE, WIDE):
        with opened(browser, pages[name, lang], width=width) as page:
            met, broken = page.evaluate(BROKEN, WORDS[lang])
            assert (bool(met), broken) == (True, [])
            assert page.evaluate(EMPTY) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "all opened, nothing is wider"


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("name", NAMES)
def test_numbers_and_heads_are_whole_on_paper(
    name: str, lang: str, browser: Browser, pages: dict[tuple[str, str], Path]
) -> None:
    """No table is wider than the sheet, for which a browser would shrink the whole document."""
    with opened(browser, pages[name, lang], width=SHEET) as page:
        page.emulate_media(media="print")
        met, broken, wide = page.evaluate(SPLIT)
    assert (met > 100, broken, wide) == (True, [], [])


@pytest.mark.parametrize("name", NAMES)
def test_a_link_opens_what_it_leads_to(name: str, browser: Browser, pages: dict[tuple[str, str], Path]) -> None:
    with opened(browser, pages[name, "en"]) as page:
        folded = page.evaluate(HIDDEN)
        assert [link for link in folded if link.startswith("nowhere")] == []
        for link in folded[:12]:
            page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = false; })")
            page.evaluate("link => { location.hash = ''; location.hash = link; }", link)
            seen = "link => document.getElementById(decodeURIComponent(link.slice(1))).checkVisibility()"
            assert page.evaluate(seen, link), link


@pytest.mark.skipif(not AXE, reason="EVENHAND_AXE names no axe.min.js (npm pack axe-core)")
@pytest.mark.parametrize(
    ("scheme", "width", "lang"),
    [("light", WIDE, "en"), ("dark", WIDE, "en"), ("light", PHONE, "en"), ("dark", PHONE, "zh-CN")],
)
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_no_violation(
    name: str, scheme: str, width: int, lang: str, browser: Browser, pages: dict[tuple[str, str], Path]
) -> None:
    assert violations(browser, pages[name, lang], scheme=scheme, width=width) == []


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext on this machine")
@pytest.mark.parametrize("name", NAMES)
def test_paper_has_the_decision_on_one_sheet_then_what_is_open_then_the_rest(
    name: str, browser: Browser, pages: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    """Everything reaches the paper: what is folded on the screen is in the appendix, after all that is open."""
    place = pages[name, "en"]
    with opened(browser, place) as page:
        opens = page.eval_on_selector_all("section.open", "all => all.map(one => one.querySelector('h3').textContent)")
        headings = page.eval_on_selector_all(
            "main h2, main h3, main h4, main caption:not(figure details *)", "all => all.map(one => one.textContent)"
        )
        appendix = page.text_content("#appendix-h") or ""
    sheets = [squeezed(sheet) for sheet in printed(browser, place, tmp_path / "page.pdf")]
    whole = "".join(sheets)
    assert [sheet[-12:] for at, sheet in enumerate(sheets, 1) if not sheet.endswith(f"{at}/{len(sheets)}")] == []
    assert [each for each in headings if squeezed(each) not in whole] == []
    (begins, *_) = [at for at, sheet in enumerate(sheets) if squeezed(appendix) in sheet]
    for heading in opens:
        (at, *_) = [at for at, sheet in enumerate(sheets) if squeezed(heading) in sheet and at]
        assert 0 < at < begins, f"{heading} is on a sheet between the first and the appendix"
    assert begins == 1 or opens
