"""Every table of docs/benchmarks.md is written by `make bench`, and says what it times and on what processor."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("benchmarks", "fits")}
PLACES = {page: re.findall(r"^<!-- (?!end of )(\w+) -->$", text, re.M) for page, text in PAGES.items()}


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The program that runs the benchmarks."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import run

    yield run
    for name in ("run", "goals", "measuring"):
        sys.modules.pop(name, None)


def test_the_page_has_a_place_for_each_benchmark_in_their_order(runner: Any) -> None:
    assert tuple(PLACES["benchmarks"]) == ("goals", *runner.NAMES)
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nfits:")[2].partition("\n\n")[0]
    assert recipe.split("run.py ")[1].split() == PLACES["fits"]


@pytest.mark.parametrize("page", PAGES)
def test_every_table_is_between_markers(page: str) -> None:
    outside = re.sub(r"<!-- (\w+) -->.*?<!-- end of \1 -->", "", PAGES[page], flags=re.S)
    assert not re.findall(r"^\|.*", outside, re.M)


@pytest.mark.parametrize("name", PLACES["benchmarks"][1:])
def test_every_table_says_what_it_times_and_where(name: str) -> None:
    figures = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))
    table = re.search(rf"<!-- {name} -->(.*)<!-- end of {name} -->", PAGES["benchmarks"], re.S)
    assert table is not None
    assert f"*{figures['timed']} {figures['machine']}" in table[1]
    assert figures["timed"].split()[0] in ("Times", "Measures")
    assert figures["took"]["cpu"] > 0


def test_the_goals_are_those_of_the_figures(runner: Any) -> None:
    table = PAGES["benchmarks"].partition("<!-- goals -->")[2].partition("<!-- end of goals -->")[0]
    for what, goal, reached, met in runner.goals.goals():
        assert f"| {what} | {goal} | {reached} | {'' if met else 'missed'} |" in table


PROGRAMS = {
    "good": "from pathlib import Path\nPath(r'{results}/good.json').write_text('1')",
    "silent": "",
    "broken": "raise SystemExit(3)",
    "wanting": "import measuring\nmeasuring.needed('nowhere', 'no.csv')",
}


def test_a_benchmark_that_fails_or_lacks_data_does_not_stop_the_others(
    runner: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(text.format(results=tmp_path.as_posix()))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "benchmarks"))
    monkeypatch.setattr(runner, "HERE", tmp_path)
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    ended = {name: runner.one(name) for name in PROGRAMS}
    assert re.fullmatch(r"\d+ s", ended["good"])
    assert ended["silent"].startswith("failed: silent.json was not written")
    assert ended["broken"].startswith("failed with status 3")
    assert ended["wanting"] == "skipped"
