"""Render a timeline, and write it to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evenhand.errors import InputError, argument, check_kind
from evenhand.output.sanitising import plain_json
from evenhand.output.writing import write_bytes
from evenhand.report.timelines.html import html
from evenhand.report.timelines.markdown import markdown
from evenhand.report.timelines.text import text
from evenhand.timelines import Timeline, timeline_to_plain

FORMATS: Final = {"html": (".html", ".htm"), "markdown": (".md",), "text": (".txt",), "json": (".json",)}
"""The formats of a timeline, with the endings of their files."""
SPOKEN: Final = ("html", "markdown")
"""Those that speak other languages."""


def render_timeline(timeline: Timeline, format: str = "html", *, lang: str = "en") -> str:
    """Return a timeline of `evenhand monitor` as text.

    Parameters
    ----------
    timeline : Timeline
        What monitoring says.
    format : {"html", "markdown", "text", "json"}
        ``html`` is one page that loads and runs nothing; ``json`` is the timeline itself.
    lang : str
        ``en``, ``zh-CN`` or another of `evenhand.words.languages`, for HTML and Markdown.

    Returns
    -------
    str

    Raises
    ------
    InputError
        When there is no such format, or it has no words of that language.

    Examples
    --------
    >>> from evenhand.timelines import Moment, Timeline
    >>> timeline = Timeline((Moment("monday", None, 100, 0),), ())
    >>> render_timeline(timeline, "text").splitlines()[0]
    '□ No alarm; not every limit is shown to hold yet.'
    """
    check_kind("render_timeline(timeline)", timeline, Timeline, "monitor and read_timeline return")
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(f"A timeline is not drawn as {format}. Say {argument('format')} with one of {known}.")
    if lang != "en" and format not in SPOKEN:
        raise InputError(f"The format {format} stays as it is; {' and '.join(SPOKEN)} speak {lang}.")
    if format == "html":
        return html(timeline, lang)
    if format == "markdown":
        return markdown(timeline, lang)
    return text(timeline) if format == "text" else _json(timeline)


def write_timeline_report(path: str | Path, timeline: Timeline, *, format: str | None = None, lang: str = "en") -> None:
    """Write a timeline of `evenhand monitor` as a page; the format follows from the file's ending unless it is named.

    Parameters
    ----------
    path : str or Path
        Where it is written: ``.html``, ``.md``, ``.txt``, ``.json``.
    timeline : Timeline
        What monitoring says.
    format : str, optional
        What `render_timeline` takes; by the file's ending when absent.
    lang : str
        What `render_timeline` takes.

    Raises
    ------
    InputError
        When the format is unknown.
    OutputError
        When the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evenhand.timelines import Moment, Timeline
    >>> write_timeline_report("monitor.html", Timeline((Moment("monday", None, 100, 0),), ()))
    >>> Path("monitor.html").read_text().startswith("<!doctype html>")
    True
    """
    place = Path(path)
    made = render_timeline(timeline, format or timeline_format(place), lang=lang)
    write_bytes(place, made.encode("utf-8", "backslashreplace"))


def timeline_format(path: str | Path) -> str:
    """Return the format of a timeline for a file's ending.

    Parameters
    ----------
    path : str or Path
        A file, which need not exist.

    Raises
    ------
    InputError
        When there is none.

    Examples
    --------
    >>> timeline_format("monitor.html"), timeline_format("monitor.md")
    ('html', 'markdown')
    """
    ending = Path(path).suffix.lower()
    found = next((name for name, endings in FORMATS.items() if ending in endings), None)
    if found is None:
        known = ", ".join(ending for endings in FORMATS.values() for ending in endings)
        raise InputError(f"{path}: the ending '{ending}' names no format of a timeline. Known are {known}.")
    return found


def _json(timeline: Timeline) -> str:
    import json

    return plain_json(json.dumps(timeline_to_plain(timeline), sort_keys=True, ensure_ascii=False, indent=1)) + "\n"
