"""What `evenhand report` does with the monitor.json of `evenhand monitor`: the page of a timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from pathlib import Path

MARK: Final = b"evenhand-timeline"
FOR_TIMELINES: Final = ("audit", "output", "forms", "lang", "quiet")
"""The flags of `evenhand report` that a timeline knows."""


def is_timeline(place: Path) -> bool:
    """Return whether a file says that it is a timeline of monitoring; what cannot be read is none.

    Raises
    ------
    RecordError
        When it is no JSON that is read here.
    """
    from evenhand.documents import parse_json, read_bytes
    from evenhand.errors import RecordError

    held = read_bytes(place, kind=RecordError, make="evenhand audit")
    if MARK not in held:
        return False
    document = parse_json(held, place, kind=RecordError)
    return isinstance(document, dict) and document.get("schema") == MARK.decode()


def refuse_flags_of_audits(known: tuple[str, ...] = FOR_TIMELINES) -> None:
    """Refuse flags that were given and mean nothing for a timeline."""
    context = click.get_current_context()
    flags = {each.name: max(each.opts, key=len) for each in context.command.params if isinstance(each, click.Option)}
    given = [
        flag
        for name, flag in flags.items()
        if name and name not in known and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"{', '.join(given)}: this file is a timeline of evenhand monitor, which was judged when it was made. "
            "Leave it out."
        )


def report_timeline(place: Path, wanted: dict[str, Path | None], lang: str) -> list[str]:
    """Draw a timeline in every format, write the files, then stdout, and return what was done in words."""
    from evenhand.output.printing import put_document
    from evenhand.output.writing import write_bytes
    from evenhand.report.timelines.first import headline
    from evenhand.report.timelines.rendering import SPOKEN, render_timeline
    from evenhand.timelines import read_timeline

    timeline = read_timeline(place)
    speaks = {name: lang if name in SPOKEN or len(wanted) == 1 else "en" for name in wanted}
    made = {name: render_timeline(timeline, name, lang=speaks[name]) for name in wanted}
    for name, file in wanted.items():
        if file is not None:
            write_bytes(file, made[name].encode("utf-8", "backslashreplace"))
    for name, file in wanted.items():
        if file is None:
            put_document(made[name])
    return [f"{headline(timeline)}.", *(f"Wrote {file}" for file in wanted.values() if file is not None)]
