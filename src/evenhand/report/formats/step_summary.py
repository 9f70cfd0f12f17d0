"""GitHub's step summary: appended once to what earlier commands wrote, within the size that is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import OutputError
from evenhand.output.writing import append_bytes
from evenhand.report.formats.markdown_text import as_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES: Final = 1024 * 1024
"""GitHub drops the whole summary of a step when it is larger."""
CUT: Final = "\n*This summary is cut here: GitHub shows no more than 1 MiB of a step.*\n"


def page_line(page: Path | None, environment: Mapping[str, str]) -> str:
    """Return where the whole page is, with the address of the run that keeps it; empty where no page was written.

    Parameters
    ----------
    page : Path, optional
        The file of the page.
    environment : mapping
        The runner's variables, which name the run.

    Examples
    --------
    >>> page_line(Path("report.html"), {}).strip()
    'The whole page is report.html.'
    """
    if page is None:
        return ""
    parts = [environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    kept = f", among [the files of this run]({parts[0]}/{parts[1]}/actions/runs/{parts[2]}#artifacts)"
    return f"\nThe whole page is {as_markdown(page.name)}{kept if all(parts) else ''}.\n"


def append_summary(path: str | Path, text: str) -> None:
    """Append Markdown to a step's summary, cut at a line where the file would exceed GitHub's limit.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    place = Path(path)
    try:
        held = place.stat().st_size if place.exists() else 0
    except OSError as wrong:
        raise OutputError(f"{place}: the step's summary cannot be read: {wrong.strerror or wrong}.") from None
    data = fitting(text, MOST_BYTES - 1 - held)
    if data:
        append_bytes(place, data)


def fitting(text: str, most: int) -> bytes:
    """Return as many whole lines of `text` as fit in `most` bytes, and a note where some did not.

    Examples
    --------
    >>> fitting("a\\nb\\n", 10), fitting("a\\nb\\n", 0)
    (b'a\\nb\\n', b'')
    """
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= most:
        return data
    room = most - len(CUT)
    end = data.rfind(b"\n", 0, room) + 1 if room > 0 else 0
    return data[:end] + CUT.encode() if end else b""
