"""``evenhand list``: what evenhand knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(name="list")
@click.argument("what", type=click.Choice(["metrics", "audits", "recipes", "formats", "controls"]))
def command(what: str) -> None:
    """List metrics, audits, recipes, formats or controls, each with its one line.

    \b
    Example: evenhand list metrics
    """
    tables = {
        "metrics": _metrics,
        "audits": _audits,
        "recipes": _recipes,
        "formats": _formats,
        "controls": _controls,
    }
    rows = list(tables[what]())
    width = max(len(name) for name, _ in rows)
    for name, meaning in rows:
        click.echo(f"{name:<{width}}  {meaning}".rstrip())


def _metrics() -> Iterator[tuple[str, str]]:
    from evenhand.metrics import describe, names

    for name in names():
        yield name, describe(name).meaning


def _audits() -> Iterator[tuple[str, str]]:
    from evenhand.audits import AUDITS

    for name, audit in AUDITS.items():
        yield name, _first_line(audit.run)


def _recipes() -> Iterator[tuple[str, str]]:
    from evenhand.compression import RECIPES

    for name, recipe in RECIPES.items():
        yield name, _first_line(recipe)


def _formats() -> Iterator[tuple[str, str]]:
    from evenhand.report import FORMATS

    for name, form in FORMATS.items():
        yield name, _first_line(form.write)


def _controls() -> Iterator[tuple[str, str]]:
    from evenhand.report.sections.controls import frameworks, today

    for framework in frameworks():
        for clause in framework.clauses:
            told = f"{clause.text} ({clause.standing(today())}; looked up {framework.as_of})"
            yield f"{framework.id}:{clause.id}", told


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]
