"""Ask a person on a terminal about what was proposed; Enter takes the proposal."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import click

from evenhand.data.values import listed, show
from evenhand.errors import InputError
from evenhand.output.printing import on_terminal, say
from evenhand.output.sanitising import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.data.proposing import Proposal

NOTHING: Final = "none"
"""What a person writes where something is proposed, and nothing is meant."""


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    """The keyword of `propose` that takes the answer."""
    text: Callable[[Proposal], str]
    """The question; empty where there is nothing to ask."""
    usual: Callable[[Proposal], object]
    """The answer that is proposed."""
    read: Callable[[str], object]
    """From the answer to the keyword's value."""


def can_ask() -> bool:
    """Return whether a person sees what is asked, and can answer."""
    return on_terminal() and sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def ask_about(propose: Callable[..., Proposal], given: Mapping[str, object]) -> Proposal:
    """Ask for what the command line leaves open, each with the proposal as the default.

    Parameters
    ----------
    propose : callable
        Proposes roles, by the keywords of `evenhand.data.proposing.propose`; it is called again after each answer,
        as another label has other values.
    given : mapping
        The keywords that the command line says, which are not asked for.
    """
    chosen, known = propose(**given), dict(given)
    say(f"{chosen.name}: {chosen.rows:,} rows looked at. Enter takes what is in brackets; '{NOTHING}' takes nothing.")
    dropped: dict[str, object] = {}
    for question in _QUESTIONS:
        if given.get(question.name) or not (text := question.text(chosen)):
            continue
        answer = _answer(text, question.usual(chosen), lambda said: propose(**{**known, **_said(question, said)}))  # noqa: B023
        known |= _said(question, answer)
        dropped |= {question.name: None} if answer == NOTHING and question.name in ("positive", "favourable") else {}
        chosen = propose(**known)
    return _numbers(replace(chosen, **dropped))  # type: ignore[arg-type]


def _said(question: _Question, answer: str) -> dict[str, object]:
    if answer == NOTHING:
        return {"sensitive": ()} if question.name == "sensitive" else {}
    return {question.name: question.read(answer)}


def _answer(text: str, usual: object, check: Callable[[str], object]) -> str:
    """Ask until an answer fits."""
    shown = NOTHING if usual is None or usual == "" else show(usual)
    while True:
        said = str(click.prompt(plain(text), default=plain(shown), err=True)).strip()
        try:
            check(shown if said == plain(shown) else said)
        except InputError as wrong:
            for problem in wrong.problems:
                say(problem)
        else:
            return shown if said == plain(shown) else said


def _numbers(chosen: Proposal) -> Proposal:
    """Ask for edges and for the threshold of scores that are no probabilities."""
    bins = dict(chosen.bins)
    for column, edges in chosen.bins.items():
        said = _answer(f"Edges that make groups of {column}", ",".join(map(show, edges)), _edges)
        bins[column] = _edges(said)
    score = chosen.one("score")
    if score is not None and chosen.threshold is None and chosen.task is None and chosen.one("prediction") is None:
        said = _answer(f"Threshold: a '{score}' at or above it is predicted positive", None, _number)
        return replace(chosen, bins=bins, threshold=_number(said))
    return replace(chosen, bins=bins)


def _edges(text: str) -> tuple[float, ...]:
    edges = tuple(number for part in text.split(",") if (number := _number(part)) is not None)
    if not edges or any(low >= high for low, high in itertools.pairwise(edges)):
        raise InputError(f"'{text}' are no edges; write increasing numbers with commas between, such as 25,45,65.")
    return edges


def _number(text: str) -> float | None:
    if text == NOTHING:
        return None
    try:
        found = float(text)
    except ValueError:
        raise InputError(f"'{text}' is no number.") from None
    return int(found) if found.is_integer() else found


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _of_values(meaning: str) -> Callable[[Proposal], str]:
    def text(chosen: Proposal) -> str:
        two = chosen.task is None and chosen.classes
        return f"Value of '{chosen.label}' that {meaning} ({listed(chosen.classes)})" if two else ""

    return text


def _sensitive_text(chosen: Proposal) -> str:
    for column in chosen.columns:
        if column.kind or column.part == "area":
            say(f"  {column.name}: {column.reason}")
    return "Sensitive features, whose groups are compared"


_QUESTIONS: Final = (
    _Question("label", lambda _: "Column with the truth", lambda chosen: chosen.label, str),
    _Question("positive", _of_values("counts as positive"), lambda chosen: chosen.positive, str),
    _Question("favourable", _of_values("is good for a person"), lambda chosen: chosen.favourable, str),
    _Question("sensitive", _sensitive_text, lambda chosen: ",".join(chosen.named("sensitive")), _names),
)
