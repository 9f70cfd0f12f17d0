"""The pages of timelines and mitigations in a browser: whole on a phone and on paper, small, accessible to all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.browsing import AXE, BUDGET, NEEDED, PHONE, WIDE, chromium, measure, opened, printed, squeezed, violations
from tests.report.conftest import CASES as AUDITS
from tests.report.conftest import record_of, verdict_of
from tests.report.mitigated_cases import facts, mitigated
from tests.report.timeline_cases import CASES, large

import evenhand as eh
from evenhand.report.timelines.rendering import write_timeline_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = NEEDED
NAMES = (*CASES, "large", "mitigated")
CONTRAST = """
() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.closest('.skip, title, desc')) continue;
    const style = getComputedStyle(e), ink = parse(e.closest('svg') ? style.fill : style.color);
    const [a, b] = [luminance(ink), luminance(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push(e.tagName + ': ' + e.textContent.trim().slice(0, 40));
  }
  return low;
}"""
"""Texts with less contrast than WCAG 2.2 AA asks for."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    pytest.importorskip("playwright.sync_api")
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each page as a file."""
    folder = tmp_path_factory.mktemp("pages")
    made = {name: folder / f"{name}.html" for name in NAMES}
    for name, case in {**CASES, "large": large}.items():
        write_timeline_report(made[name], case())
    record = record_of(AUDITS["passing"])
    verdict = verdict_of(record, folder)
    eh.write_report(made["mitigated"], mitigated(record, facts(verdict.policy_sha256)), verdict)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_page_takes_no_more_than_its_budget(name: str, browser: Browser, pages: dict[str, Path]) -> None:
    found = measure(browser, pages[name])
    assert found.overflow == 0
    assert found.bytes <= BUDGET.bytes
    assert found.screens <= BUDGET.screens
    assert found.phone_screens <= BUDGET.phone_screens
    assert found.words <= BUDGET.words
    assert found.tab_stops <= BUDGET.tab_stops


@pytest.mark.parametrize("width", [PHONE, WIDE])
@pytest.mark.parametrize("name", ["alarmed", "hostile", "mitigated"])
def test_nothing_is_cut_off_when_all_is_open(name: str, width: int, browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages[name], width=width) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
        wide = page.evaluate(
            "() => [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .skip, svg') && "
            "e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility()).map(e => e.outerHTML)"
        )
        clipped = page.evaluate(
            "() => [...document.querySelectorAll('svg[role=img] text')].filter(t => { const s = "
            "t.closest('svg').getBoundingClientRect(), r = t.getBoundingClientRect(); return r.width && "
            "(r.left < s.left - 1 || r.right > s.right + 1 || r.bottom > s.bottom + 1); }).map(t => t.textContent)"
        )
    assert wide == []
    assert clipped == []
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["alarmed", "undecided", "mitigated"])
def test_every_text_has_contrast(name: str, scheme: str, browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages[name], scheme=scheme) as page:
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert page.evaluate(CONTRAST) == []


def test_paper_has_the_verdict_first_and_every_figure(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    sheets = [squeezed(sheet) for sheet in printed(browser, pages["alarmed"], tmp_path / "page.pdf")]
    assert "Alarmon2026-03-26" in sheets[0]
    assert "Whomittouches:female,male." in sheets[0]
    whole = "".join(sheets)
    for told in ("Recalldifference,sex", "Driftofage", "Shareofsex=female", "Appealswon,sex=male", "c" * 64):
        assert told in whole


def test_a_figure_is_read_without_colour_and_by_a_screen_reader(browser: Browser, pages: dict[str, Path]) -> None:
    """What is an estimate, a limit or an alarm is told by its dash, its shape and in words."""
    with opened(browser, pages["alarmed"]) as page:
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
        named = page.evaluate(
            "() => [...document.querySelectorAll('svg[role=img]')].map(s => s.getAttribute('aria-labelledby')"
            ".split(' ').map(id => document.getElementById(id)?.textContent ?? '').join(' '))"
        )
        dashes = page.evaluate(
            "() => ['.limit', '.base', '.band.guess', '.line0'].map(kind => document.querySelector("
            "`#estimates ${kind}, #limits ${kind}`)?.getAttribute('stroke-dasharray'))"
        )
    assert len(named) == 12  # eleven series, and the coverage of labels
    assert all(len(text) > 40 for text in named)
    assert len(set(dashes)) == 4


@pytest.mark.skipif(AXE is None, reason="EVENHAND_AXE names no axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["alarmed", "undecided", "hostile", "mitigated"])
def test_axe_finds_no_violation(name: str, scheme: str, browser: Browser, pages: dict[str, Path]) -> None:
    for width in (WIDE, PHONE):
        assert violations(browser, pages[name], scheme=scheme, width=width) == []
