"""The pages on transcripts and other tasks say what runs: their Python is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.parametrize("page", ["transcripts", "tasks"])
def test_what_a_page_shows_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (HOW_TO / f"{page}.md").read_text("utf-8"), re.S | re.M)
    shared: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), shared)  # noqa: S102 - pages of this repository
    assert capsys.readouterr().out
