"""Pages in headless Chromium through Playwright: what a reader sees of them, in numbers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import evenhand as eh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
AXE = os.environ.get("EVENHAND_AXE")
NEEDED = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
AUDITS = Path(__file__).parent / "golden" / "audits"
"""Real audits, each a folder with audit.json and policy.toml."""
NAMES = ("demo", "compas", "adult", "countries", "states", "study")
WIDE, PHONE, TALL = 1200, 360, 900
"""The windows that pages are measured in."""

SEEN = """
const chinese = /[\\u3400-\\u9fff\\uf900-\\ufaff]/gu;
const words = text => text.replace(chinese, ' ').split(/\\s+/).filter(word => /[\\p{L}\\p{N}]/u.test(word)).length
  + Math.ceil((text.match(chinese) || []).length / 2);
const shown = (root, until) => {
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let found = [];
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (until && !(node.compareDocumentPosition(until) & Node.DOCUMENT_POSITION_FOLLOWING)) break;
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('.skip, style, title, desc')) continue;
    if (parent.checkVisibility()) found.push(node.data);
  }
  return found.join(' ');
};
const first = ['limits', 'acts', 'reasons', 'verdict'].map(id => document.getElementById(id)).find(one => one);
const after = (() => {
  const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_ELEMENT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const later = first && (first.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (later && !first.contains(node)) return node;
  }
  return null;
})();
"""
"""Words are runs of letters and digits; of Chinese, two characters count as one. Layer one ends with the limits."""
ASK = (
    "() => {"
    + SEEN
    + """
  return {
    height: document.documentElement.scrollHeight,
    first_height: first.getBoundingClientRect().bottom + scrollY,
    words: words(shown(document.body)),
    first_words: words(shown(document.body, after)),
    scrolled: document.documentElement.scrollWidth, window: innerWidth,
  };
}"""
)
"""What `Measured` says of a window."""
PARTS = (
    "() => {"
    + SEEN
    + """
  return [...document.querySelectorAll('main > *')].map(e => [
    e.id || e.className || e.tagName, e.outerHTML.length, words(shown(e)),
    Math.round(e.getBoundingClientRect().height)]);
}"""
)
"""The parts of a page: name, bytes, words that are seen, height in pixels."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a page takes of its reader."""

    bytes: int
    screens: float
    """At 1200 x 900."""
    phone_screens: float
    """At 360 x 900."""
    words: int
    """That are seen before anything is opened."""
    first_screens: float
    """Of layer one, at 1200 x 900."""
    first_words: int
    """Of layer one, from the top of the page."""
    tab_stops: int
    overflow: int
    """Pixels by which the page is wider than a phone."""


BUDGET = Measured(300_000, 8, 15, 2_000, 2, 400, 40, 0)
"""The most that a page may take."""


def rendered(name: str, lang: str = "en") -> str:
    """Return the page of one of the audits; a study holds the verdicts of its models itself."""
    record = eh.read_record(AUDITS / name / "audit.json")
    verdict = None if name == "study" else eh.judge(record, eh.load_policy(AUDITS / name / "policy.toml"))
    return eh.render(record, verdict, lang=lang)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start headless Chromium, which reaches no network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--proxy-server=127.0.0.1:9"]
        )
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, place: Path, *, width: int = WIDE, scheme: str = "light", scripts: bool = False
) -> Iterator[Page]:
    """Open a page in a window; `scripts` lets axe past the page's content policy."""
    context = browser.new_context(
        viewport={"width": width, "height": TALL}, color_scheme=scheme, bypass_csp=scripts  # type: ignore[arg-type]
    )  # fmt: skip
    try:
        page = context.new_page()
        page.goto(place.as_uri())
        yield page
    finally:
        context.close()


def measure(browser: Browser, place: Path) -> Measured:
    """Return what a page takes of its reader."""
    with opened(browser, place) as page:
        wide = page.evaluate(ASK)
        stops = tab_stops(page)
    with opened(browser, place, width=PHONE) as page:
        phone = page.evaluate(ASK)
    return Measured(
        place.stat().st_size, round(wide["height"] / TALL, 1), round(phone["height"] / TALL, 1), wide["words"],
        round(wide["first_height"] / TALL, 2), wide["first_words"], stops, phone["scrolled"] - phone["window"],
    )  # fmt: skip


def tab_stops(page: Page, most: int = 400) -> int:
    """Press Tab until the focus leaves the page or begins again, and return at how many places it stopped."""
    page.evaluate("() => { window.seen = new Set(); document.activeElement.blur(); }")
    again = """() => { const at = document.activeElement; const end = at === document.body || window.seen.has(at);
        window.seen.add(at); return end; }"""
    for stops in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(again):
            return stops
    return most


def violations(browser: Browser, place: Path, *, scheme: str = "light", width: int = WIDE) -> list[list[str]]:
    """Return what axe-core finds wrong with a page."""
    with opened(browser, place, width=width, scheme=scheme, scripts=True) as page:
        page.add_script_tag(path=str(AXE))
        found: list[list[str]] = page.evaluate(
            "async () => (await axe.run()).violations.map(v => [v.id, v.nodes[0].html])"
        )
    return found


def printed(browser: Browser, place: Path, paper: Path) -> list[str]:
    """Print a page to PDF, and return the text of each sheet."""
    with opened(browser, place) as page:
        page.pdf(path=str(paper), prefer_css_page_size=True)
    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    return text.split("\f")[:-1]


def squeezed(text: str) -> str:
    """Return a text without blanks, as lines on paper break anywhere."""
    return re.sub(r"\s+", "", text)
