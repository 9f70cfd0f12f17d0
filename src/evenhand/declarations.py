"""Declarations about a model from ``responsibility.toml``: never measured, never mixed with measurements."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.documents import parse_toml, read_bytes
from evenhand.errors import InputError, did_you_mean, raise_all, shorten
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.findings import AuditRecord

__all__ = ["read_datasheet", "read_declarations", "with_datasheet", "with_declarations"]

QUESTIONS: Final[Mapping[str, str]] = {
    "intended_use": message("What is the model for?"),
    "uses_excluded": message("What must it not be used for?"),
    "decision": message("Which decision does it make or support?"),
    "affected": message("Who is affected by the decision?"),
    "stakes": message("What happens to a person when it is wrong?"),
    "human_oversight": message("Who looks at decisions, and can they overrule them?"),
    "appeal_channel": message("Where can a person object, and who answers?"),
    "legal_basis": message("On which legal basis are personal data used?"),
    "data_origin": message("Where do the training data come from?"),
    "consent": message("What do the people in the data know of their use?"),
    "retention": message("How long are data and decisions kept?"),
    "owner": message("Who answers for the model?"),
    "review_date": message("When is it reviewed next?"),
    "known_limitations": message("Where is it known to do badly?"),
    "license": message("Under which licence may the model be used, as its SPDX identifier?"),
    "language": message("Which languages do its inputs have, as codes such as en or zh?"),
}
"""The questions, by the name of their answer."""

DATASHEET_QUESTIONS: Final[Mapping[str, str]] = {
    "origin": message("Where do the rows come from?"),
    "collected": message("When were they collected, from which day to which?"),
    "collected_by": message("Who collected them, and what for?"),
    "labelled_by": message("Who labelled them, and how?"),
    "consent": message("What do the people in the rows know of their use?"),
    "licence": message("Under which licence may the rows be used?"),
    "retention": message("How long are they kept, and who deletes them?"),
    "known_gaps": message("Who or what is known to be missing?"),
}
"""The questions of a datasheet of rows, by the name of their answer (Gebru et al. 2021, CACM 64)."""

RULES: Final = "frameworks"
"""The name of the list of rules that a model answers to."""
FRAMEWORKS: Final = (
    "ai-verify", "china", "eu-ai-act", "eu-standards", "iso-42001", "nist-ai-rmf", "nyc-ll144", "uniform-guidelines",
    "us-california", "us-colorado", "us-credit", "us-model-risk",
)  # fmt: skip
"""The rules whose clauses the page can show."""


def skeleton() -> str:
    """Return the text of a responsibility.toml to fill in."""
    lines = ["# What only people know of the model. An answer left empty is named on the page as not declared.", ""]
    lines += [f"# Rules that the model answers to, of: {', '.join(FRAMEWORKS)}", f"{RULES} = []", ""]
    for name, question in QUESTIONS.items():
        lines += [f"# {question}", f'{name} = ""', ""]
    return "\n".join(lines)


def read_declarations(path: str | Path) -> dict[str, str]:
    """Read a responsibility.toml; answers left empty are left out.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to str

    Raises
    ------
    InputError
        When the file is missing or not TOML, or has an unknown question or rule, or an answer that is not text.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("responsibility.toml").write_text('owner = "Credit risk"')
    >>> read_declarations("responsibility.toml")
    {'owner': 'Credit risk'}
    """
    place = Path(path)
    content = parse_toml(read_bytes(place, make="evenhand init"), place)
    raise_all(InputError, _problems(str(place), content))
    answers = {name: _text(value) for name, value in content.items()}
    return {name: answer for name, answer in answers.items() if answer}


def read_datasheet(path: str | Path) -> dict[str, str]:
    """Read a datasheet.toml: what only people know of the rows; answers left empty are left out.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to str

    Raises
    ------
    InputError
        When the file is missing or not TOML, or has an unknown question, or an answer that is not text.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("datasheet.toml").write_text('licence = "CC-BY-4.0"')
    >>> read_datasheet("datasheet.toml")
    {'licence': 'CC-BY-4.0'}
    """
    place = Path(path)
    content = parse_toml(read_bytes(place, make="evenhand data --help"), place)
    raise_all(InputError, _problems(str(place), content, DATASHEET_QUESTIONS))
    answers = {name: _text(value) for name, value in content.items()}
    return {name: answer for name, answer in answers.items() if answer}


def with_datasheet(record: AuditRecord, answers: Mapping[str, str | list[str]]) -> AuditRecord:
    """Return the record with what people have said of its rows, in its provenance and so in its digest.

    Parameters
    ----------
    record : AuditRecord
        The record; it stays as it is.
    answers : mapping of str to str or list of str
        Questions of ``datasheet.toml``, such as ``origin`` or ``licence``, and the answers.

    Returns
    -------
    AuditRecord
        The copy that holds the answers.

    Raises
    ------
    InputError
        When a question is unknown, or an answer is not text.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = with_datasheet(eh.audit_predictions([1, 0], [1, 0]), {"licence": "CC-BY-4.0"})
    >>> record.provenance["datasheet"]["licence"]
    'CC-BY-4.0'
    """
    raise_all(InputError, _problems("datasheet", answers, DATASHEET_QUESTIONS))
    told = {name: _text(value) for name, value in answers.items() if _text(value)}
    return replace(record, provenance={**record.provenance, "datasheet": told})


def with_declarations(record: AuditRecord, answers: Mapping[str, str | list[str]]) -> AuditRecord:
    """Return the record with what people declared, in its provenance and so in its digest.

    Parameters
    ----------
    record : AuditRecord
        The record; it stays as it is.
    answers : mapping of str to str or list of str
        Questions of ``responsibility.toml``, such as ``owner`` or ``intended_use``, and the answers; ``frameworks``,
        the names of rules that the model answers to.

    Returns
    -------
    AuditRecord
        The copy that holds the answers.

    Raises
    ------
    InputError
        When a question or a rule is unknown, or an answer is not text.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.with_declarations(eh.audit_predictions([1, 0], [1, 0]), {"owner": "Credit risk"})
    >>> record.provenance["declared"]["owner"]
    'Credit risk'
    """
    raise_all(InputError, _problems("declarations", answers))
    told = {name: _text(value) for name, value in answers.items() if _text(value)}
    return replace(record, provenance={**record.provenance, "declared": told})


def _problems(where: str, content: Mapping[str, object], questions: Mapping[str, str] = QUESTIONS) -> Iterator[str]:
    for name, value in content.items():
        if name == RULES and questions is QUESTIONS:
            yield from _unknown(where, value)
        elif name not in questions:
            yield f"{where}: there is no question '{shorten(name)}'.{did_you_mean(name, questions)}"
        elif isinstance(value, (dict, bool, int, float)):
            yield f"{where}: {name} = {shorten(value)}; an answer is text, a date, or a list of texts."


def declared_frameworks(record: AuditRecord) -> tuple[str, ...]:
    """Return the rules that people declared for the model."""
    return tuple(name for name in record.provenance.get("declared", {}).get(RULES, "").split("; ") if name)


def _unknown(where: str, value: object) -> Iterator[str]:
    names = value if isinstance(value, list) else str(value).split("; ") if isinstance(value, str) else None
    if names is None:
        yield f'{where}: {RULES} = {shorten(value)}; a list of names is needed, such as ["eu-ai-act"].'
    for name in names or ():
        if name and name not in FRAMEWORKS:
            yield f"{where}: {RULES} names no rule '{shorten(name)}'.{did_you_mean(str(name), FRAMEWORKS)}"


def _text(value: object) -> str:
    """Return an answer as one text; a list's parts are joined."""
    return "; ".join(str(part).strip() for part in value) if isinstance(value, list) else str(value).strip()
