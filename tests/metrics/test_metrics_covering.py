"""No interval errs more than it may in any cell of `make coverage`, unless the finding says that it is not covered."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FIGURES: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "covering.json").read_text(encoding="utf-8"))
CELLS = [(topic, cell) for topic, found in FIGURES.items() for cell in found["cells"]]


@pytest.fixture(scope="module")
def covering() -> Iterator[Any]:
    """The modules of the simulation, and their catalogue."""
    sys.path.insert(0, str(ROOT / "benchmarks" / "covering"))
    import catalogue
    import cells

    yield catalogue, cells
    sys.path.pop(0)
    for name in [name for name in sys.modules if name in ("catalogue", "cells") or name.startswith("topic_")]:
        del sys.modules[name]


def test_every_cell_is_in_the_committed_figures(covering: Any) -> None:
    catalogue, _ = covering
    wanted = {name: {cell.name for cell in make().cells} for name, make in catalogue.TOPICS.items()}
    assert {name: set(found["cells"]) for name, found in FIGURES.items()} == wanted, "make coverage"


@pytest.mark.parametrize("topic", sorted(FIGURES))
def test_the_figures_are_of_the_methods_that_are_used(topic: str, covering: Any) -> None:
    catalogue, cells = covering
    methods = catalogue.TOPICS[topic]().methods
    assert FIGURES[topic]["methods"] == cells.hashes(methods), f"python benchmarks/covering {topic}"


def test_the_figures_of_advice_are_of_the_methods_that_are_used(covering: Any) -> None:
    _, cells = covering
    kept = json.loads((ROOT / "benchmarks" / "results" / "advice.json").read_text(encoding="utf-8"))["methods"]
    assert kept == cells.hashes(tuple(kept)), "python benchmarks/advice.py"


@pytest.mark.parametrize(("topic", "cell"), CELLS)
def test_no_end_errs_more_than_it_may(topic: str, cell: str, covering: Any) -> None:
    _, cells = covering
    kept = {name: value for name, value in FIGURES[topic]["cells"][cell].items() if name != "met"}
    assert cells.Outcome(**kept).met, kept


def test_a_cell_that_errs_is_told_from_one_that_does_not(covering: Any) -> None:
    _, cells = covering
    assert cells.Outcome(0.035, 0.035).met
    assert not cells.Outcome(0.036, 0.0).met
    assert not cells.Outcome(0.034, 0.037).met
    assert cells.Outcome(0.2, 0.0, marked=0.5).met, "no limit rests on it"
    assert not cells.Outcome(0.2, 0.0, marked=0.4).met


def test_a_check_at_another_seed_allows_for_two_standard_errors(covering: Any) -> None:
    catalogue, cells = covering
    assert cells.Outcome(0.04, 0.0, rounds=2_000).near
    assert not cells.Outcome(0.04, 0.0, rounds=2_000).met
    assert not cells.Outcome(0.045, 0.0, rounds=2_000).near
    assert not cells.Outcome(0.036, 0.0, rounds=0).near, "every outcome was listed"
    topic = catalogue.TOPICS["gates"]()
    first, again, other = (topic.seeded(topic.cells[0], seed).random() for seed in (0, 0, 1))
    assert first == again
    assert first != other
