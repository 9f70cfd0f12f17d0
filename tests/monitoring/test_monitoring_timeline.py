"""Timelines come back as they were written, and a file that was changed is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.monitoring.example_timeline import example_timeline

from evenhand.errors import RecordError
from evenhand.timelines import read_timeline, said_of, write_timeline

GOLDEN = Path(__file__).parent / "timeline.json"


def test_a_timeline_comes_back_as_it_was(tmp_path: Path) -> None:
    written = tmp_path / "monitor.json"
    write_timeline(written, example_timeline())
    assert read_timeline(written) == example_timeline()
    assert str(said_of(example_timeline().notes[0])).startswith("An estimate without labels")


def test_the_example_is_what_its_code_makes() -> None:
    assert read_timeline(GOLDEN) == example_timeline()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: whole["series"][0].update(at_most=0.5), "its digest differs"),
        (lambda whole: whole["series"][0].update(kind="other"), "breaks the schema"),
        (lambda whole: whole.update(schema="evenhand-audit"), "no timeline"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, change, said: str) -> None:
    document = json.loads(GOLDEN.read_text("utf-8"))
    change(document)
    (tmp_path / "monitor.json").write_text(json.dumps(document), "utf-8")
    with pytest.raises(RecordError, match=said):
        read_timeline(tmp_path / "monitor.json")
