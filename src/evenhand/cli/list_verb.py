"""``evenhand list``: list metrics, audits, recipes and formats, those of installed packages included."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from evenhand.cli.flags import PATH
from evenhand.output.printing import put
from evenhand.output.sanitising import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CATALOGUES: Final = {
    "audits": ("evenhand.audits", "AUDITS", "run"),
    "recipes": ("evenhand.compression", "RECIPES", "__call__"),
    "formats": ("evenhand.report", "FORMATS", "write"),
    "sections": ("evenhand.report.sections.catalogue", "SECTIONS", "draw"),
    "adapters": ("evenhand.subjects", "ADAPTERS", "build"),
    "mitigations": ("evenhand.mitigation", "MITIGATIONS", "propose"),
}
"""Where each catalogue is, and which part of an entry has its docstring."""


@click.command(name="list")
@click.argument("what", type=click.Choice(["metrics", *CATALOGUES, "languages", "controls"]))
@click.argument("record", required=False, type=PATH)
def command(what: str, record: Path | None) -> None:
    """List metrics, audits, recipes, formats and more, one line each.

    With an audit.json, show its value of each metric, stated by an audit or computed from its counts,
    or why it has none.

    \b
    Examples:
      evenhand list metrics
      evenhand list metrics audit.json
    """
    from evenhand.words import languages

    if record is not None and what != "metrics":
        raise click.UsageError(f"An audit.json has values of metrics: evenhand list metrics {record}")

    metrics = _metrics if record is None else partial(_answers, record)
    tables = {"metrics": metrics, "languages": lambda: ((tag, "") for tag in languages()), "controls": _controls}
    found = tables[what]() if what in tables else _entries(*CATALOGUES[what])
    rows = [(plain(name), meaning) for name, meaning in found]
    width = max(len(name) for name, _ in rows)
    for name, meaning in rows:
        put(f"{name:<{width}}  {meaning}".rstrip())


def _metrics() -> Iterator[tuple[str, str]]:
    from evenhand.metrics import describe, names

    for name in names():
        yield name, describe(name).meaning


def _answers(place: Path) -> Iterator[tuple[str, str]]:
    """Yield a record's value of every metric, over all rows and between the groups of each feature."""
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


def _entries(module: str, catalogue: str, act: str) -> Iterator[tuple[str, str]]:
    for name, entry in getattr(import_module(module), catalogue).items():
        told = entry if isinstance(entry, type) else getattr(entry, act)
        yield name, (told.__doc__ or "").strip().split("\n")[0]


def _controls() -> Iterator[tuple[str, str]]:
    from evenhand.report.sections.controls import frameworks, today

    for framework in frameworks():
        for clause in framework.clauses:
            told = f"{clause.text} ({clause.standing(today())}; looked up {clause.as_of} in {clause.source})"
            yield f"{framework.id}:{clause.id}", told
