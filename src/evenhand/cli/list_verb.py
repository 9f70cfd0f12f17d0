"""``evenhand list``: what evenhand knows."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(name="list")
@click.argument("what", type=click.Choice(["metrics", "audits", "recipes", "formats", "controls"]))
@click.argument("record", required=False, type=click.Path(path_type=Path))
def command(what: str, record: Path | None) -> None:
    """List metrics, audits, recipes, formats or controls, each with its one line.

    With an audit.json, metrics are listed with what it says of each: stated by an audit or computed from its counts,
    or why it cannot be said.

    \b
    Examples:
      evenhand list metrics
      evenhand list metrics audit.json
    """
    tables = {
        "metrics": _metrics if record is None else partial(_answers, record),
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


def _answers(place: Path) -> Iterator[tuple[str, str]]:
    """Yield what a record says of every metric, over all rows and between the groups of each feature."""
    from evenhand.findings import Absent
    from evenhand.metrics import names
    from evenhand.metrics.answers import usual_keys
    from evenhand.records import read_record
    from evenhand.report.numbers import with_interval

    record = read_record(place)
    columns = [part.columns for part in record.tallies if part.model == "subject" and len(part.columns) == 1]
    for key in (key for name in names() for key in usual_keys(name, columns)):
        found = record.find(key)
        yield str(key), str(found.reason) if isinstance(found, Absent) else found.undefined or with_interval(found, 3)


def _audits() -> Iterator[tuple[str, str]]:
    from evenhand.audits import catalogue

    for name, audit in catalogue().items():
        yield name, _first_line(audit)


def _recipes() -> Iterator[tuple[str, str]]:
    from evenhand.compression import RECIPES

    for name, recipe in RECIPES.items():
        yield name, _first_line(recipe)


def _formats() -> Iterator[tuple[str, str]]:
    from evenhand.report import FORMATS

    for name, form in FORMATS.items():
        yield name, _first_line(form)


def _controls() -> Iterator[tuple[str, str]]:
    from evenhand.report.sections.controls import frameworks, today

    for framework in frameworks():
        for clause in framework.clauses:
            told = f"{clause.text['en']} ({clause.standing(today())}; looked up {framework.as_of})"
            yield f"{framework.id}:{clause.id}", told


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]
