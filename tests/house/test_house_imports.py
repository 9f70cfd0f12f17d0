"""The house drawn from its imports, those for types and those inside functions too: no circle, and no arrow up."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
REST = "*"
"""The row of the modules that are named in no row of their room."""

SUBROOMS = {
    "metrics": (
        ("catalogue",), ("counts",), ("inference",), ("values",), ("comparisons",), ("slices",), ("answers",),
    ),
    "report": (
        (REST,), ("figures",), ("decision",), ("sections",), ("page",), ("formats",),
        ("rendering", "notebook", "planned", "timelines"), ("tracked",), ("mlflow", "wandb", "hub"),
    ),
    "serving": ((REST,), ("journal", "viewing"), ("predicting",)),
    "audits": (
        ("statement", "package_warnings"), ("by_group",), ("lists",), ("quantities",), (REST, "compression"),
        ("catalogue",), ("options",), ("auditing",), ("from_predictions",),
        ("from_bias_sets", "from_logs", "from_rows", "from_tables", "measuring"), ("labelling",),
    ),
}  # fmt: skip
"""The order inside a room, from the ground up: a module imports from the rows below its own and from its own sub-room;
modules of `REST` may import each other, as long as there is no circle."""


@cache
def house() -> dict[str, frozenset[str]]:
    """Return every module with the modules of the house that it imports anywhere; a face is its package."""
    files = {
        ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): file
        for file in SOURCE.rglob("*.py")
    }
    return {module: frozenset(_imported(file, set(files)) - {module}) for module, file in files.items()}


def _imported(file: Path, modules: set[str]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & modules
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports are written in full"
            whole = {f"{node.module}.{alias.name}": node.module for alias in node.names}
            found |= {name if name in modules else face for name, face in whole.items()} & modules
    return found


def test_the_house_has_no_circle() -> None:
    try:
        TopologicalSorter(house()).prepare()
    except CycleError as circle:
        pytest.fail(" <- ".join(circle.args[1]))


def test_a_circle_would_be_found() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({**house(), "evenhand.errors": frozenset({"evenhand.findings"})}).prepare()


ROOMS = sorted({name.split(".")[1] for name in house() if name.count(".") > 1})


def _row(room: str, part: str) -> tuple[int, str]:
    """Return how high a part of a room is, and which sub-room it is."""
    rows = SUBROOMS[room]
    for height, row in enumerate(rows):
        if part in row:
            return height, part
    return next(height for height, row in enumerate(rows) if REST in row), REST


@pytest.mark.parametrize("room", SUBROOMS)
def test_no_arrow_goes_up_inside_a_room(room: str) -> None:
    inside = f"evenhand.{room}."
    wrong = []
    for module, imported in house().items():
        for other in imported:
            if module.startswith(inside) and other.startswith(inside):
                (here, one), (there, another) = (_row(room, name.split(".")[2]) for name in (module, other))
                if there > here or (there == here and one != another):
                    wrong.append(f"{module} imports {other}")
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_does_not_import_its_own_face(room: str) -> None:
    wrong = [
        name for name, there in house().items() if name.startswith(f"evenhand.{room}.") and f"evenhand.{room}" in there
    ]
    assert not wrong


@pytest.mark.parametrize("room", SUBROOMS)
def test_every_part_that_has_a_row_is_there(room: str) -> None:
    parts = {name.split(".")[2] for name in house() if name.startswith(f"evenhand.{room}.")}
    assert {part for row in SUBROOMS[room] for part in row} <= parts | {REST}


@pytest.mark.parametrize(
    "file", sorted((*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "examples").glob("*.py"))), ids=lambda file: file.stem
)
def test_what_benchmarks_and_examples_import_is_there(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("evenhand"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                assert whole in house() or hasattr(importlib.import_module(node.module or ""), alias.name), whole


def test_what_only_tests_reach_is_not_kept() -> None:
    places = (SOURCE.rglob("*.py"), *((ROOT / name).rglob("*.*") for name in ("docs", "examples", "benchmarks")))
    texts = [file.read_text(encoding="utf-8") for found in places for file in found if file.suffix in (".py", ".md")]
    texts.append((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = Counter(word for text in texts for word in re.findall(r"\w+", text))
    alone = [
        f"{file.relative_to(SOURCE)}: {node.name}"
        for file in SOURCE.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and named[node.name] < 2
        # commands are reached by their decorator, hooks by pytest
        if not node.decorator_list and not node.name.startswith("pytest_")
    ]
    assert not alone
