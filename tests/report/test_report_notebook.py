"""What a notebook shows of a record and a verdict, in a real kernel and in IPython that is started late."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

import evenhand as eh

MOST_TEXT = 3_000
MOST_VERDICT = 20_000
SETUP = """
import evenhand as eh
record = eh.audit_predictions([1, 0, 1, 1] * 90, [1, 0, 0, 1] * 90, sensitive_features={"sex": list("fmmf") * 90})
verdict = eh.judge(record, {"accuracy": {"at_least": 0.9}, "recall[sex=*]": {"at_least": 0.6}})
"""


def test_a_kernel_shows_a_page_a_table_and_short_texts() -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [SETUP, "record", "verdict", 'record["recall[sex=f]"]', 'eh.load_policy({"accuracy": {"at_least": 0.9}})']
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    done = nbclient.NotebookClient(book, timeout=120).execute()
    record, verdict, finding, policy = (cell.outputs[0]["data"] for cell in done.cells[1:])
    assert record["text/html"].startswith("<iframe")
    assert 'sandbox=""' in record["text/html"]
    assert "<script" not in record["text/html"]
    assert verdict["text/html"].startswith("<div>")
    assert len(verdict["text/html"]) < MOST_VERDICT
    assert set(finding) == set(policy) == {"text/plain"}
    for shown in (record, verdict, finding, policy):
        assert len(shown["text/plain"]) < MOST_TEXT
        assert len(shown["text/plain"].splitlines()) <= 20


def test_it_does_not_matter_whether_ipython_was_started_before_or_after() -> None:
    pytest.importorskip("IPython")
    late = "from IPython.core.interactiveshell import InteractiveShell as S\nshell = S.instance()\n"
    show = "print(*sorted(shell.display_formatter.format(record)[0]))"
    for program in (f"{SETUP}\n{late}\n{show}", f"{late}\n{SETUP}\n{show}"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["text/html", "text/plain"]


class Cells(HTMLParser):
    """The tags, and the texts of the cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag in ("td", "summary"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def test_a_table_of_judgements_is_worst_first_folded_and_escaped() -> None:
    names = [f"<b>g{at}" for at in range(20)]
    said = [1, 0, 0, 0] * 200
    record = eh.audit_predictions([1, 0, 1, 0] * 200, said, sensitive_features={"g": names * 40})
    verdict = eh.judge(record, {"specificity[g=*]": {"at_least": 0.5}, "accuracy": {"at_least": 0.95}})
    page = Cells()
    page.feed(verdict._repr_html_() or "")
    assert "b" not in page.tags, "a group's name is no markup"
    assert page.tags.count("tr") == len(verdict.judgements) + 2
    assert page.tags.count("details") == 1
    assert page.texts[0] == "✗ failed"
    assert page.texts[1] == "accuracy"
    assert [text for text in page.texts if text.startswith("9 more limits")]
