"""Pages in a house's own dress: own blocks, own style, a logo inside the page; and style outside it where hosts ask."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.records import write_record
from evenhand.report.rendering import render

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
OWN = """{% extends "evenhand/page.html.j2" %}
{% block brand %}<p class="brand"><img alt="The Bank" src="{{ inline("logo.png") }}"></p>{% endblock %}
{% block before %}<section id="foreword"><h2>Foreword</h2><p>{{ page.title }}</p></section>{% endblock %}
{% block after %}<section id="sign"><h2>Signed by</h2></section>{% endblock %}
"""


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    return eh.audit_predictions([1, 0, 1, 1] * 50, [1, 0, 0, 1] * 50, sensitive_features={"sex": ["f", "m"] * 100})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "dress"
    place.mkdir()
    (place / "page.html.j2").write_text(OWN)
    (place / "extra.css").write_text(".brand{color:#063}")
    (place / "logo.png").write_bytes(DOT)
    return place


def test_own_blocks_style_and_logo(record: AuditRecord, folder: Path) -> None:
    page = render(record, template_dir=folder)
    assert "data:image/png;base64,iVBOR" in page
    assert page.index("Foreword") < page.index('id="verdict"')
    assert page.index('id="glossary"') < page.index("Signed by")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    assert style.endswith(".brand{color:#063}")
    hashed = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"'sha256-{hashed}'" in page, "the policy allows the added style"
    assert "Foreword" not in render(record)


def test_own_title_and_heading(record: AuditRecord, folder: Path) -> None:
    (folder / "page.html.j2").write_text(
        '{% extends "evenhand/page.html.j2" %}{% block title %}The Bank: {{ page.headline }}{% endblock %}'
        "{% block heading %}<h1>Model review, spring</h1>{% endblock %}"
    )
    page = render(record, template_dir=folder)
    assert "<title>The Bank: Measured, not judged</title>" in page
    assert re.findall("<h1>(.*?)</h1>", page) == ["Model review, spring"]


def test_what_is_wrong_in_a_template_is_told_by_its_place(record: AuditRecord, folder: Path) -> None:
    for text, said in (("{% extends 'evenhand/page.html.j2' %}\n{% block", "line"), ("{{ nothing }}", "nothing")):
        (folder / "page.html.j2").write_text(text)
        with pytest.raises(InputError, match=said):
            render(record, template_dir=folder)
    (folder / "page.html.j2").write_text('{{ inline("../secret.png") }}')
    (folder.parent / "secret.png").write_bytes(DOT)
    with pytest.raises(InputError, match="no such picture"):
        render(record, template_dir=folder)


def test_style_outside_the_page(record: AuditRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_record("audit.json", record)
    assert exit_code(["report", "audit.json", "--assets", "external", "-o", "a page.html"]) == 0
    page, style = (tmp_path / "a page.html").read_text("utf-8"), (tmp_path / "a page.css").read_text("utf-8")
    assert '<link rel="stylesheet" href="a%20page.css">' in page
    assert "<style" not in page and " style=" not in page
    assert "style-src 'self'" in page
    assert f"<style>{style}</style>" in render(record)
    eh.write_report("other.html", record, assets="external")
    assert (tmp_path / "other.css").exists()


def test_sections_without_figures_are_left_out_where_asked(record: AuditRecord) -> None:
    full, short = render(record), render(record, omit_empty=True)
    assert "Nothing was compressed" in full or "No original" in full
    for gone in ('id="compression"', 'id="explanation"'):
        assert gone in full
        assert gone not in short
    for kept in ('id="scope"', 'id="data"', 'id="limitations"', 'id="groups-0"', 'id="sign-off"'):
        assert kept in short
