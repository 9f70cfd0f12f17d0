"""What is public says what it takes and raises, and has an example; that examples run is a test of examples."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import sys
import textwrap
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

from evenhand.settings import Declared, settings_of

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = runpy.run_path(str(DOCS / "_reference.py"))
NAMES = [(module, name) for module in REFERENCE["modules"]() for name in REFERENCE["public"](module)]

SERVICES = {"log_to_mlflow", "log_to_wandb", "push_to_hub"}
"""What talks to a service, so that an example would need one; tests of report run them offline."""


def sections(thing: object) -> dict[str, str]:
    """Return the sections of a docstring in numpydoc's form, by title; the text before the first has none."""
    parts = re.split(r"^(\w[\w ]+)\n-{3,}$", inspect.getdoc(thing) or "", flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def told(thing: object) -> set[str]:
    """Return the parameters that a docstring tells, or that are the fields of a record it names."""
    found = re.findall(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: :.*)?$", sections(thing).get("Parameters", ""), re.M)
    names = {name.strip().lstrip("*") for names in found for name in names.split(",")}
    for record in re.findall(r"[Ff]ields of `(\w+)`", sections(thing).get("Parameters", "")):
        declared = getattr(sys.modules[thing.__module__], record, None)
        names |= set(settings_of(declared)) if inspect.isclass(declared) else set()
    return names


def fields_told(record: type) -> set[str]:
    """Return the fields of a record that have a text below them, or a declaration that says what they are."""
    found = set(settings_of(record)) if issubclass(record, Declared) else set()
    for base in record.__mro__:
        if base.__module__.startswith("evenhand"):
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body  # type: ignore[attr-defined]
            for line, after in pairwise(body):
                if (
                    isinstance(line, ast.AnnAssign)
                    and isinstance(after, ast.Expr)
                    and isinstance(line.target, ast.Name)
                ):
                    found.add(line.target.id)
    return found


def taken(thing: object) -> set[str]:
    """Return what a function or a class takes."""
    if inspect.isclass(thing) and (getattr(thing, "_is_protocol", False) or issubclass(thing, (BaseException, dict))):
        return set()
    return {name for name in inspect.signature(thing).parameters if not name.startswith("_")}  # type: ignore[arg-type]


def raises(thing: object) -> bool:
    """Return whether the code of a function raises errors itself."""
    if inspect.isclass(thing):
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing))))  # type: ignore[arg-type]
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    collected = any(isinstance(call, ast.Name) and call.id == "raise_all" for call in calls)
    return collected or any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(tree))


def has_example(thing: object) -> bool:
    """Return whether there is an example, in the docstring; for a record, in that of what makes it."""
    there = sections(thing)
    if ">>> " in there.get("Examples", ""):
        return True
    if not inspect.isclass(thing):
        return False
    if issubclass(thing, Exception) and thing.__base__ is not Exception:
        return has_example(thing.__base__)
    makers = re.findall(r"^(evenhand[\w.]*)\.(\w+)", there.get("See Also", ""), re.M)
    return any(">>> " in sections(getattr(import_module(home), name)).get("Examples", "") for home, name in makers)


def wanting(thing: object) -> list[str]:
    """Return what the docstring of a public name lacks."""
    known = told(thing) | (fields_told(thing) if inspect.isclass(thing) else set())
    lacks = [f"parameter {name}" for name in sorted(taken(thing) - known)]
    lacks += ["a first line"] if not sections(thing)[""].strip() else []
    lacks += ["Raises"] if raises(thing) and "Raises" not in sections(thing) else []
    return lacks + ([] if has_example(thing) or thing.__name__ in SERVICES else ["Examples"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{module}.{name}" for module, name in NAMES])
def test_what_is_public_is_described(module: str, name: str) -> None:
    thing = getattr(import_module(module), name)
    if REFERENCE["_kind"](thing) != "data":
        assert not wanting(thing)
