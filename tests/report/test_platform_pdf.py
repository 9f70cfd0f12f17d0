"""The page on paper, drawn by WeasyPrint: every limit is there, in English and Chinese, and in one way only."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.records import write_record
from evenhand.report.rendering import rendered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Made = tuple[AuditRecord, Verdict]
    Failing = tuple[AuditRecord, Verdict, Path]


@pytest.fixture(autouse=True)
def _pango() -> None:
    try:
        pytest.importorskip("weasyprint")
    except OSError as absent:
        pytest.skip(f"WeasyPrint finds no Pango here: {absent}")


def words_of(paper: bytes, folder: Path) -> str:
    """Return the text of a PDF without any white space, since lines break where they will."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not here")
    (folder / "paper.pdf").write_bytes(paper)
    done = subprocess.run(
        ["pdftotext", "-raw", "-enc", "UTF-8", str(folder / "paper.pdf"), "-"], capture_output=True, check=True
    )
    return re.sub(r"\s+", "", done.stdout.decode())


@pytest.fixture(scope="module")
def paper(failing: Failing) -> bytes:
    """A verdict on paper; drawn once, since it takes seconds."""
    with pytest.MonkeyPatch.context() as one:
        one.setenv("SOURCE_DATE_EPOCH", "1795824000")
        return rendered(*failing[:2], "pdf")


def test_every_limit_is_on_paper(tmp_path: Path, failing: Failing, paper: bytes) -> None:
    _, verdict, _ = failing
    words = words_of(paper, tmp_path)
    assert "Auditofapplications" in words
    for judgement in verdict.judgements:
        assert str(judgement.key).replace(" ", "") in words


def test_what_is_folded_on_a_screen_is_on_paper(tmp_path: Path, failing: Failing, paper: bytes) -> None:
    """The glossary, the tables of groups: every term and every number of a table cell in the page's HTML."""
    record, verdict, _ = failing
    words = words_of(paper, tmp_path)
    page = re.sub(r"(?s)<(style|title|svg)\b.*?</\1>", "", eh.render(record, verdict))
    page = re.sub(r"(?s)<figure\b.*?</figure>", "", page)  # a figure's numbers are in its labels
    cells = {cell.strip() for cell in re.findall(r"(?s)<(?:td|dt)\b[^>]*>([^<]+)<", page)}
    assert len(cells) > 50
    absent = [cell for cell in cells if re.sub(r"\s+", "", unescape(cell)) not in words]
    assert not absent


def test_chinese_and_a_copy_for_publication(tmp_path: Path, make_case: Callable[[str], Made]) -> None:
    record, verdict = make_case("undecided")
    words = words_of(rendered(record, verdict, "pdf", lang="zh-CN", suppress_below=50), tmp_path)
    assert "未定" in words and "的审计" in words
    for judgement in verdict.judgements:
        assert str(judgement.key) in words
    assert "少于50个" in words, "it says that figures are withheld"


def test_nothing_is_fetched(tmp_path: Path, make_case: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that names a file or an address gets neither."""
    import urllib.request

    asked: list[str] = []
    opened = urllib.request.OpenerDirector.open

    def watch(self: object, url: object, *more: object, **named: object) -> object:
        asked.append(str(getattr(url, "full_url", url)))
        return opened(self, url, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", watch)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "page.html.j2").write_text(
        f'<html><body><p>Bank</p><img src="file://{tmp_path}/secret.txt"><img src="http://127.0.0.1:9/x"></body></html>'
    )
    words = words_of(rendered(*make_case("passing"), "pdf", template_dir=tmp_path), tmp_path)
    assert words.startswith("Bank")
    assert not [address for address in asked if not address.startswith("data:")]


def test_the_commands(tmp_path: Path, failing: Failing, paper: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes for the same record, from Python and from the command line."""
    record, _, folder = failing
    write_record(tmp_path / "audit.json", record)
    audit, policy = str(tmp_path / "audit.json"), str(folder / "policy.toml")
    assert exit_code(["gate", audit, "-p", policy, "-f", "text", "-f", f"pdf={tmp_path / 'b.pdf'}"]) == 1
    assert paper.startswith(b"%PDF-")
    assert (tmp_path / "b.pdf").read_bytes() == paper
    capsys.readouterr()
    assert exit_code(["report", audit, "-f", "pdf"]) == 2
    assert "is no text; name its file with --format pdf=FILE" in capsys.readouterr().err


def test_text_is_not_made_of_it(make_case: Callable[[str], Made]) -> None:
    with pytest.raises(eh.EvenhandError, match="pdf is no text"):
        eh.render(*make_case("passing"), "pdf")


def test_a_system_without_pango_is_told_so(monkeypatch: pytest.MonkeyPatch, make_case: Callable[[str], Made]) -> None:
    from evenhand.report.formats import pdf

    def absent(module: str, extra: str) -> None:
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(pdf, "need", absent)
    with pytest.raises(eh.EvenhandError, match=r"Pango.*libpango-1\.0-0.*libpangoft2"):
        rendered(*make_case("passing"), "pdf")
