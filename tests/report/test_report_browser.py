"""The page in a browser: no requests, no errors, nothing clipped on a phone or on paper, accessible to all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.report.theme import SHEETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Make = Callable[[str], tuple[AuditRecord, Verdict]]

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
AXE = os.environ.get("EVENHAND_AXE")
JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
"""What a Jenkins controller sends with a page that a build left behind."""
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


def browse(folder: Path, place: str, *flags: str, width: int = 1280) -> subprocess.CompletedProcess[str]:
    """Run headless Chromium on a page."""
    return subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", *flags, place,
        ],
        capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip


def asked(folder: Path, page: str, script: str, *flags: str, width: int = 1280) -> str:
    """Return what a script, put into a copy of the page without its content policy, leaves as the title."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    place = folder / "asked.html"
    place.write_text(page.replace("</body>", f"{script}</body>"), encoding="utf-8")
    done = browse(folder, place.as_uri(), "--virtual-time-budget=60000", "--dump-dom", *flags, width=width)
    found = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_shown_without_errors_or_requests(width: int, make_case: Make, tmp_path: Path) -> None:
    record, verdict = make_case("hostile")
    place = tmp_path / "page.html"
    eh.write_report(place, record, verdict)
    # A proxy that does not exist: whatever the page wanted from a network would be an error on stderr.
    done = browse(tmp_path, place.as_uri(), "--dump-dom", "--proxy-server=127.0.0.1:9", width=width)
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line or "Refused" in line] == []
    assert "<script" not in done.stdout
    assert "Every limit" in done.stdout


WIDE = """<script>
const wide = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && !e.closest('.skip')
  && e.getBoundingClientRect().right > innerWidth + 1 && e.getBoundingClientRect().width > 0);
document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth,
  wide.slice(0, 5).map(e => e.tagName + '.' + e.className)]);
</script>"""


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("name", ["undecided", "hostile"])
def test_nothing_is_wider_than_a_phone(name: str, lang: str, make_case: Make, tmp_path: Path) -> None:
    """Headless windows are at least 500 wide, so the page stands in a frame of 360."""
    page = eh.render(*make_case(name), lang=lang)
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    inner = tmp_path / "inner.html"
    inner.write_text(
        page.replace("</body>", f"{WIDE.replace('document.title', 'parent.document.title')}</body>"), "utf-8"
    )
    outer = tmp_path / "outer.html"
    outer.write_text('<!doctype html><title>-</title><iframe src="inner.html" width="360" height="640"></iframe>')
    done = browse(
        tmp_path, outer.as_uri(), "--allow-file-access-from-files", "--virtual-time-budget=60000", "--dump-dom"
    )
    found = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
    assert found is not None
    scrolled, shown, wide = json.loads(found[1].replace("&amp;", "&"))
    assert (shown, wide) == (360, [])
    assert scrolled <= shown


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext on this machine")
def test_paper_holds_everything(make_case: Make, tmp_path: Path) -> None:
    """Every limit, every group and every section reaches the paper, and folded tables that are no twins are open."""
    record, verdict = make_case("undecided")
    eh.write_report(tmp_path / "page.html", record, verdict)
    paper = tmp_path / "page.pdf"
    browse(tmp_path, (tmp_path / "page.html").as_uri(), "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    joined = re.sub(r"\s+", "", text)
    for judgement in verdict.judgements:
        assert str(judgement.key).replace(" ", "") in joined
    for word in ("black", "hispanic", "white", "Provenance", "Glossary", "Sign-off", "Signature"):
        assert word in joined
    sizes = subprocess.run(["pdfinfo", paper], capture_output=True, text=True, check=True).stdout
    assert "A4" in sizes


def test_headings_stay_with_what_they_head() -> None:
    """Chromium honours these; whether a page of paper is pleasant is for people to look at."""
    from importlib.resources import files

    style = "".join(files("evenhand.report.templates").joinpath(name).read_text("utf-8") for name in SHEETS)
    paper = style.rpartition("@media print")[2]
    assert re.search(r"h2,h3,h4,caption,figcaption,dt,summary,thead\{break-after:avoid\}", paper)
    assert re.search(
        r"figure,\.verdict,\.reasons li,summary,dd,\[popover\],#sign-off-lines\{break-inside:avoid\}", paper
    )
    assert "table-header-group" in paper
    assert "size:A4" in style


@pytest.fixture
def jenkins(tmp_path: Path) -> Iterator[str]:
    """The address of a folder that is served as Jenkins serves what a build left behind."""

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", JENKINS)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext on this machine")
@pytest.mark.parametrize("assets", ["inline", "external"])
def test_a_host_that_forbids_style_and_scripts_shows_it_all_the_same(
    assets: str, jenkins: str, make_case: Make, tmp_path: Path
) -> None:
    record, verdict = make_case("failing")
    eh.write_report(tmp_path / "page.html", record, verdict, assets=assets)
    paper = tmp_path / "page.pdf"
    done = browse(tmp_path, f"{jenkins}/page.html", f"--print-to-pdf={paper}")
    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    for word in ("Do not release", "Every limit", "Selection rate", "Provenance"):
        assert word in text
    refused = [line for line in done.stderr.splitlines() if "CONSOLE" in line and "favicon" not in line]
    if assets == "external":
        assert refused == [], "a style of its own file is allowed"


@pytest.mark.skipif(not AXE, reason="EVENHAND_AXE names no axe.min.js (npm pack axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_where_nearly_everything_is_drawn(
    scheme: str, rich: tuple[AuditRecord, Verdict], tmp_path: Path
) -> None:
    assert violations(eh.render(*rich), scheme, tmp_path) == "[]"


@pytest.mark.skipif(not AXE, reason="EVENHAND_AXE names no axe.min.js (npm pack axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["failing", "undecided", "hostile"])
def test_axe_finds_no_violation(name: str, scheme: str, make_case: Make, tmp_path: Path) -> None:
    assert violations(eh.render(*make_case(name)), scheme, tmp_path) == "[]"


def violations(page: str, scheme: str, folder: Path) -> str:
    """Return what axe-core finds wrong, as JSON."""
    ask = "axe.run().then(r => document.title = JSON.stringify(r.violations.map(v => [v.id, v.nodes[0].html])))"
    axe = Path(str(AXE)).read_text(encoding="utf-8")
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    return asked(folder, page, f"<script>{axe}</script><script>{ask}</script>", *dark)
