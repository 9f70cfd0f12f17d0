"""``evenhand list``: what evenhand knows, and what installed packages add."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOGUES: Final = {
    "audits": ("evenhand.audits", "AUDITS", "run"),
    "recipes": ("evenhand.compression", "RECIPES", "__call__"),
    "formats": ("evenhand.report", "FORMATS", "write"),
    "sections": ("evenhand.report.sections.catalogue", "SECTIONS", "draw"),
    "adapters": ("evenhand.subjects", "ADAPTERS", "build"),
}
"""Where each catalogue is, and which part of an entry has the docstring that says what it is."""


@click.command(name="list")
@click.argument("what", type=click.Choice(["metrics", *CATALOGUES, "languages", "controls"]))
def command(what: str) -> None:
    """List metrics, audits, recipes, formats and the like, each with its one line.

    \b
    Example: evenhand list metrics
    """
    tables = {"metrics": _metrics, "languages": _languages, "controls": _controls}
    rows = list(tables[what]() if what in tables else _entries(*CATALOGUES[what]))
    width = max(len(name) for name, _ in rows)
    for name, meaning in rows:
        click.echo(f"{name:<{width}}  {meaning}".rstrip())


def _metrics() -> Iterator[tuple[str, str]]:
    from evenhand.metrics import describe, names

    for name in names():
        yield name, describe(name).meaning


def _entries(module: str, catalogue: str, act: str) -> Iterator[tuple[str, str]]:
    for name, entry in getattr(import_module(module), catalogue).items():
        told = entry if isinstance(entry, type) else getattr(entry, act)
        yield name, (told.__doc__ or "").strip().split("\n")[0]


def _languages() -> Iterator[tuple[str, str]]:
    from evenhand.words import languages

    return ((tag, "") for tag in languages())


def _controls() -> Iterator[tuple[str, str]]:
    from evenhand.report.sections.controls import frameworks, today

    for framework in frameworks():
        for clause in framework.clauses:
            told = f"{clause.text} ({clause.standing(today())}; looked up {framework.as_of})"
            yield f"{framework.id}:{clause.id}", told
