"""Pages from answers: the templates of the report, its figures and its escaping, and this room's own few."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.formats.html import environment
from evenhand.report.numbers import cut
from evenhand.report.publication import withheld_words
from evenhand.report.theme import USUAL, style
from evenhand.report.view import said

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.serving.viewing.asking import Asked
    from evenhand.serving.viewing.session import Session

TABS: Final = {
    "/": message("Groups"),
    "/policy": message("Policy"),
    "/compare": message("Earlier audit"),
    "/slices": message("Subgroups nobody named"),
    "/explanations": message("Explanations"),
}
"""The pages, by path."""
EXPLAINING: Final = ("explanation", "explanation_checks", "dependence", "reliance")
"""The audits of the explanations."""


@cache
def asset(name: str) -> str:
    """Return the style or the script of the pages: the report's style, then what forms and tabs need."""
    own = files("evenhand.report.templates").joinpath("view", name).read_text("utf-8")
    return style(USUAL) + own if name.endswith(".css") else own


def page(session: Session, template: str, path: str, asked: Asked, form_token: str, **parts: object) -> str:
    """Return one page.

    Parameters
    ----------
    session : Session
    template : str
        The file of `reports/templates/view` that draws what is between heading and footer.
    path : str
        That of the page.
    asked : Asked
        The state, which every link keeps.
    form_token : str
        Goes with what is posted.
    **parts
        What the template shows; messages in it are translated.
    """
    words, record = session.words, session.record
    tabs = {place: name for place, name in TABS.items() if _is_there(place, session)}
    return (
        environment(None)
        .get_template(f"view/{template}.html.j2")
        .render(
            _=lambda id, **places: words.say(message(id, **places)),
            lang=words.tag,
            title=words.say(message("Audit of {model}", model=cut(_name(record), 80))),
            subtitle=words.say(_subtitle(record)),
            tabs=[(place, words.say(name), place == path) for place, name in tabs.items()],
            asked=asked,
            path=path,
            form_token=form_token,
            notices=[words.say(notice) for notice in _notices(record)],
            **{name: translated(part, session) for name, part in parts.items()},
        )
    )


def translated(part: object, session: Session) -> object:
    """Return what a template shows in the language of the pages."""
    return said(part, session.words)


def _is_there(place: str, session: Session) -> bool:
    """Return whether a page has anything to show."""
    if place == "/compare":
        return session.earlier is not None
    audits = {"/slices": ("slices",), "/explanations": EXPLAINING}.get(place)
    return audits is None or any(finding.audit in audits for finding in session.record.findings)


def _name(record: AuditRecord) -> str:
    return record.provenance.get("subject", {}).get("name", "model")


def _subtitle(record: AuditRecord) -> str:
    data = record.provenance.get("data", {})
    return message(
        "{model} on {data}, {rows:,} rows", model=cut(_name(record), 80), data=cut(data.get("name", "data"), 80),
        rows=data.get("rows", 0),
    )  # fmt: skip


def _notices(record: AuditRecord) -> list[str]:
    return [withheld_words(record.provenance)] if "suppressed_below" in record.provenance else []
