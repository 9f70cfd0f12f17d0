"""Rendering a record, and writing it where a person asked for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, did_you_mean
from evenhand.report.catalogue import ENDINGS, FORMATS
from evenhand.writing import write_text

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.catalogue import Format


SPOKEN: Final = ("html", "markdown")
"""Formats of sentences, which can be had in other languages; the others are for machines."""


def render(
    record: AuditRecord,
    verdict: Verdict | None = None,
    format: str = "html",
    lang: str = "en",
    suppress_below: int | None = None,
) -> str:
    """Return a report as text.

    Parameters
    ----------
    record : AuditRecord
    verdict : Verdict, optional
        Put first where it is given.
    format : str
        A name of `FORMATS`: ``html``, ``markdown``, ``json``, ``junit``, ``sarif`` ..., or one that an installed
        package brings.
    lang : str
        ``en`` or ``zh-CN``, for HTML and Markdown.
    suppress_below : int, optional
        Withhold what rests on fewer rows than this, and what would give it away: a copy for publication.

    Raises
    ------
    InputError
        When there is no such format, or it has no words of that language.
    """
    if suppress_below is not None:
        record, verdict = _publication(record, verdict, suppress_below)
    if lang == "en":
        return find_format(format)(record, verdict)
    if format not in SPOKEN:
        raise InputError(
            f"The format {format} is for machines and stays as it is; {' and '.join(SPOKEN)} speak {lang}."
        )
    return find_format(format)(record, verdict, lang)  # type: ignore[call-arg]


def _publication(record: AuditRecord, verdict: Verdict | None, below: int) -> tuple[AuditRecord, Verdict | None]:
    from evenhand.report.suppressing import suppressed, suppressed_verdict

    copy = suppressed(record, below)
    return copy, None if verdict is None else suppressed_verdict(verdict, copy)


def write_report(
    path: str | Path,
    record: AuditRecord,
    verdict: Verdict | None = None,
    *,
    format: str | None = None,
    lang: str = "en",
    suppress_below: int | None = None,
) -> None:
    """Write a report as `render` does; the format is told from the file's ending unless it is named.

    Raises
    ------
    InputError
        When the format is unknown.
    OutputError
        When the place cannot be written to.
    """
    place = Path(path)
    write_text(place, render(record, verdict, format or format_of(place), lang, suppress_below))


def format_of(path: str | Path) -> str:
    """Return the name of the format that a file's ending stands for.

    Raises
    ------
    InputError
        When it stands for none.
    """
    place = Path(path)
    name = ENDINGS.get(place.suffix.lower())
    if name is None:
        known = ", ".join(ENDINGS)
        raise InputError(f"{place}: the ending '{place.suffix}' names no format. Known are {known}; or say format=.")
    return name


def find_format(name: str) -> Format:
    """Return a format by its name; other packages add theirs under the entry point ``evenhand.formats``.

    Raises
    ------
    InputError
        When there is no such format.
    """
    if name in FORMATS:
        return FORMATS[name]
    from importlib.metadata import entry_points

    for point in entry_points(group="evenhand.formats"):
        if point.name == name:
            loaded: Format = point.load()
            return loaded
    raise InputError(f"There is no format '{name}'.{did_you_mean(name, FORMATS)} See: evenhand list formats")
