"""Writes docs/reference/*.md from the public names of the code: python docs/_reference.py

A module is public when it has ``__all__``; its page lists each name of it, and Sphinx fills in the docstrings.
"""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import evenhand
from evenhand.catalogues import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(evenhand.__file__).parent
FOLDER = Path(__file__).parent / "reference"
WITHIN = {"evenhand.metrics.catalogue", "evenhand.metrics.catalogue.rates"}
"""Modules whose names are listed by the room that they are part of."""


def modules() -> list[str]:
    """Return the public modules, the package first."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(("evenhand", *parts)).removesuffix(".__init__")
        if "\n__all__ = " in path.read_text("utf-8") and name not in WITHIN:
            found.append(name)
    return sorted(found)


def public(module: str) -> list[str]:
    """Return the public names of a module."""
    return [name for name in import_module(module).__all__ if not name.startswith("__")]


def pages() -> dict[str, str]:
    """Return every page by its file's name."""
    return {"index.md": index(), **{f"{name}.md": page(name) for name in modules()}}


def index() -> str:
    """Return the page that lists the modules."""
    lines = ["# Reference", "", "Every public name, by the module that it is imported from.", ""]
    lines += ["| module | what it holds |", "|---|---|"]
    lines += [f"| [`{name}`]({name}.md) | {summary(name)} |" for name in modules()]
    lines += ["", "```{toctree}", ":hidden:", "", *modules(), "```", ""]
    return "\n".join(lines)


def summary(module: str) -> str:
    """Return the first sentence of a module's docstring."""
    told = inspect.cleandoc(import_module(module).__doc__ or "").partition("\n\n")[0]
    return " ".join(told.split()).replace("``", "`")


def page(module: str) -> str:
    """Return the page of a module."""
    front = set(public("evenhand")) if module != "evenhand" else set()
    held = import_module(module)
    names = public(module)
    again = [name for name in names if name in front and getattr(evenhand, name) is getattr(held, name)]
    mine = [name for name in names if name not in again]
    kinds = {name: _kind(getattr(held, name)) for name in mine}
    lines = [f"# {module}", "", summary(module), ""]
    if again:
        told = ", ".join(f"[`{name}`](#evenhand.{name})" for name in again)
        lines += [f"Described with [the package](evenhand.md), from which they can be imported, too: {told}.", ""]
    listed = [name for name in mine if kinds[name] != "data"]
    lines += ["```{eval-rst}", f".. currentmodule:: {module}", ""]
    if listed:
        lines += [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name in listed), ""]
    for name in mine:
        lines += list(_data(module, name) if kinds[name] == "data" else _described(module, name, kinds[name]))
    return "\n".join([*lines, "```", "", *_catalogues(module, mine)])


def _kind(thing: object) -> str:
    if inspect.isclass(thing):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function" if (callable(thing) and hasattr(thing, "__wrapped__")) or inspect.isfunction(thing) else "data"


def _described(module: str, name: str, kind: str) -> Iterator[str]:
    yield f".. auto{kind}:: {module}.{name}"
    if kind == "class":
        yield "   :members:"
    yield ""


def _data(module: str, name: str) -> Iterator[str]:
    """Yield the description of a constant or a type, with the text that is written below it in the code."""
    yield f".. py:data:: {module}.{name}"
    yield ""
    yield from (f"   {line}".rstrip() for line in _text_below(module, name).splitlines())
    yield ""


def _text_below(module: str, name: str) -> str:
    for node, after in _statements(module):
        if isinstance(node, ast.ImportFrom) and node.module and any(alias.name == name for alias in node.names):
            return _text_below(node.module, name)
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == name and isinstance(after, ast.Expr):
            return inspect.cleandoc(ast.literal_eval(after.value))
    raise LookupError(f"{module}.{name} has no text below it that says what it is.")


def _statements(module: str) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    body = ast.parse(Path(import_module(module).__file__ or "").read_text("utf-8")).body
    inner = [line for node in body if isinstance(node, ast.If) for line in node.body]
    flat = [*inner, *body]
    yield from zip(flat, [*flat[1:], None], strict=True)


def _catalogues(module: str, names: list[str]) -> Iterator[str]:
    """Yield a table for each catalogue: the names of its entries, and what they are."""
    for name in names:
        entries = getattr(import_module(module), name)
        if isinstance(entries, Catalogue):
            yield from (f"## Names in {name}", "", "| name | what it is |", "|---|---|")
            yield from (f"| `{key}` | {_entry(module, entries.own[key])} |" for key in entries.own)
            yield ""


def _entry(module: str, place: str) -> str:
    home, _, name = place.partition(":")
    if name in public(module):
        return f"[`{name}`](#{module}.{name})"
    return summary(home)


def write() -> None:
    """Write the pages, and remove those of modules that are gone."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
