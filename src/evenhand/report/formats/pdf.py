"""The page on paper: PDF, drawn by WeasyPrint from the page's own HTML. What is folded on a screen is on paper, too."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from evenhand.errors import MissingExtraError, need
from evenhand.report.formats.format import Format

OLDEST: Final = 68
"""The first version of WeasyPrint that may be told to fetch nothing."""


def pdf(page: str) -> bytes:
    """The page as PDF (.pdf): the same bytes for the same record where SOURCE_DATE_EPOCH is set.

    Parameters
    ----------
    page : str
        The page as HTML.

    Raises
    ------
    MissingExtraError
        When WeasyPrint or the system's Pango, by which it draws, is absent.
    """
    drawing = _weasyprint()
    # A record's page asks for nothing; a template of somebody else's might, and gets its inlined pictures only.
    fetcher = drawing.urls.URLFetcher(allowed_protocols=("data",))
    paper = drawing.CSS(string=files("evenhand.report.templates").joinpath("paper.css").read_text("utf-8"))
    made: bytes = drawing.HTML(string=page, url_fetcher=fetcher).write_pdf(stylesheets=[paper])
    return made


def _weasyprint() -> Any:
    try:
        drawing: Any = need("weasyprint", "pdf")
    except OSError as absent:  # the package is there, a library of the system is not
        raise MissingExtraError(
            f"PDF is drawn by Pango, which this system lacks ({absent.args[0] if absent.args else absent}): install "
            "libpango (Debian: libpangoft2-1.0-0), or write HTML and print it from a browser."
        ) from None
    if int(drawing.__version__.split(".")[0]) < OLDEST:
        raise MissingExtraError(
            f'PDF needs WeasyPrint {OLDEST} or newer, not {drawing.__version__}: pip install -U "weasyprint>={OLDEST}"'
        )
    return drawing


FORMAT: Final = Format(pdf, (".pdf",), spoken=True, of="html")
