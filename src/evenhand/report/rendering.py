"""Render a record, and write it to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from evenhand.errors import InputError, argument, check_kind
from evenhand.output.writing import write_bytes, write_text
from evenhand.report.formats.catalogue import FORMATS
from evenhand.report.theme import Theme, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict


def render(
    record: AuditRecord,
    verdict: Verdict | None = None,
    format: str = "html",
    *,
    suppress_below: int | None = None,
    since: AuditRecord | Sequence[AuditRecord] | None = None,
    lang: str = "en",
    template_dir: str | Path | None = None,
    stylesheet: str = "",
    omit_empty: bool = False,
) -> str:
    """Return a report as text.

    Parameters
    ----------
    record : AuditRecord
    verdict : Verdict, optional
        Shown first where it is given.
    format : str
        A name of `FORMATS`: ``html``, ``markdown``, ``json``, ``junit``, ``sarif`` ..., or one that an installed
        package brings; not ``pdf``, which is no text.
    suppress_below : int, optional
        Withhold what rests on fewer rows than this, and what would reveal it, for publication.
    since : AuditRecord or sequence of AuditRecord, optional
        The copies that were published before, the latest last, so that all together reveal no more.
    lang : str
        ``en``, ``zh-CN`` or another of `evenhand.words.languages`, for HTML and Markdown.
    template_dir : path, optional
        A folder whose ``page.html.j2`` and ``extra.css`` take precedence over evenhand's, for HTML.
    stylesheet : str
        The address of the style, for hosts that forbid style inside a page; empty: inside the page.
    omit_empty : bool
        Whether sections without figures are left out, instead of naming what would fill them.

    Returns
    -------
    str

    Raises
    ------
    InputError
        When there is no such format, it has no words of that language, or a template is wrong.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 50, [1, 0] * 50)
    >>> eh.render(record).startswith("<!doctype html>"), eh.render(record, format="markdown").startswith("# ")
    (True, True)
    """
    form = FORMATS.find(format)
    if form.of:
        raise InputError(f"The format {format} is no text: write it to a file, by write_report or -f {format}=FILE.")
    if suppress_below is not None:
        record, verdict = publication(record, verdict, suppress_below, since)
    theme = Theme(lang, None if template_dir is None else Path(template_dir), stylesheet, omit_empty)
    if form.spoken:
        return cast("str", form.write(record, verdict, theme))
    if lang != "en":
        spoken = ", ".join(name for name, each in FORMATS.items() if each.spoken)
        raise InputError(f"The format {format} is for machines and stays as it is; {spoken} speak {lang}.")
    return cast("str", form.write(record, verdict))


def rendered(record: AuditRecord, verdict: Verdict | None, format: str, **options: Any) -> bytes:
    """Return a report in any format as the bytes of its file; what `render` takes and raises."""
    form = FORMATS.find(format)
    text = render(record, verdict, form.of or format, **options)
    return cast("bytes", form.write(text)) if form.of else text.encode("utf-8", "backslashreplace")


def publication(
    record: AuditRecord,
    verdict: Verdict | None,
    below: int,
    since: AuditRecord | Sequence[AuditRecord] | None = None,
) -> tuple[AuditRecord, Verdict | None]:
    """Return copies of record and verdict for publication, without what rests on fewer than `below` rows."""
    from evenhand.report.publication import suppressed_verdict
    from evenhand.report.suppression import suppressed

    copy = suppressed(record, below, since)
    return copy, None if verdict is None else suppressed_verdict(verdict, copy)


def write_report(
    path: str | Path,
    record: AuditRecord,
    verdict: Verdict | None = None,
    *,
    format: str | None = None,
    assets: str = "inline",
    **options: Any,
) -> None:
    """Write a report; the format follows from the file's ending unless it is named.

    Parameters
    ----------
    assets : {"inline", "external"}
        Whether the style of a page is inside it, or in a file next to it (``report.css``).
    **options
        What `render` takes: ``lang``, ``suppress_below``, ``since``, ``template_dir``, ``omit_empty``.
    path : str or Path
        Where it is written: ``.html``, ``.md``, ``.json``, ``.xml`` ...
    record : AuditRecord
        The record.
    verdict : Verdict, optional
        Shown first where it is given.
    format : str, optional
        A name of `FORMATS`; by the file's ending when absent.

    Raises
    ------
    InputError
        When the format is unknown.
    OutputError
        When the file cannot be written.

    Examples
    --------
    >>> import evenhand as eh
    >>> from pathlib import Path
    >>> record = eh.audit_predictions([1, 0] * 50, [1, 0] * 50)
    >>> eh.write_report("report.html", record)
    >>> Path("report.html").stat().st_size > 10_000
    True
    """
    from evenhand.findings import AuditRecord
    from evenhand.policy.verdict import Verdict

    call = "write_report(path, record, verdict)"
    check_kind(call, record, AuditRecord, "audit and read_record return", path)
    if verdict is not None:
        check_kind(call, verdict, Verdict, "judge(record, policy) returns", record)
    place = Path(path)
    name = format or format_of(place)
    if name == "html" and assets == "external":
        options = {**options, "stylesheet": write_style(place, options.get("template_dir"))}
    write_bytes(place, rendered(record, verdict, name, **options))


def write_style(page: Path, template_dir: str | Path | None = None) -> str:
    """Write the style next to a page, and return its relative address."""
    from urllib.parse import quote

    beside = page.with_suffix(".css")
    write_text(beside, style_file(template_dir))
    return quote(beside.name)


def style_file(template_dir: str | Path | None = None) -> str:
    """Return the style of a page as a file of its own."""
    return style(Theme(template_dir=None if template_dir is None else Path(template_dir)))


def format_of(path: str | Path) -> str:
    """Return the name of the format for a file's ending.

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
    >>> format_of("report.html"), format_of("report.md")
    ('html', 'markdown')
    """
    place = Path(path)
    known: dict[str, str] = {}
    for name, form in FORMATS.items():
        known = {**dict.fromkeys(form.endings, name), **known}
    if place.suffix.lower() not in known:
        raise InputError(
            f"{place}: the ending '{place.suffix}' names no format. Known are {', '.join(known)}; or say "
            f"{argument('format')}."
        )
    return known[place.suffix.lower()]
