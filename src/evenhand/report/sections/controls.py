"""Match findings to the clauses of rules that they are evidence for. Evidence, never compliance.

The rules are dated data (``controls/*.toml``): what each clause asks, since when, what replaced it, and when that was
checked. Whether a clause is in force is stated for the day on which the page is rendered.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from evenhand.declarations import declared_frameworks
from evenhand.messages import joined, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.numbers import cut, named
from evenhand.report.sections.reasons import audit_words
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.findings import AuditRecord
    from evenhand.messages import Message
    from evenhand.policy import Verdict
    from evenhand.report.drawings import Table
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Rules and standards")
OLD: Final = timedelta(days=180)
"""The age at which a file is due for another check."""
LEAD: Final = message(
    "These findings are evidence for the clauses named; that they are here does not mean that anything complies."
)
WITH: Final = message("Clauses that findings here are evidence for")
WITHOUT: Final = message("Clauses of declared rules without evidence here")
MOST_NAMED: Final = 6
STATES: Final = {
    "in_force": message("in force"), "voluntary": message("voluntary"), "proposed": message("proposed"),
    "encouraged": message("encouraged"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a rule: its number, as written there, and what it asks."""

    id: str
    text: str
    evidence: tuple[str, ...]
    """Audits, ``metric:NAME``, ``declared:ANSWER``, ``policy``, ``provenance``, ``baseline``, ``data`` or
    ``sensitive``."""
    status: str
    """``in_force``, ``voluntary``, ``encouraged`` or ``proposed``."""
    applies_from: date | None
    """The first day on which it applies; None: since the rule is there."""
    later: date | None
    """The first day on which it applies to `later_for`, where that is another."""
    later_for: str
    superseded_by: str
    """What replaced it; empty where nothing did."""
    superseded_on: date | None
    """The day since when it no longer holds."""
    source: str
    """Where its text and dates were looked up."""
    as_of: date
    """The day on which they were."""
    doubt: str
    """What is arguable in what is said of it; empty where nothing is."""

    def current(self, day: date) -> bool:
        """Return whether nothing has replaced it by that day."""
        return self.superseded_on is None or day < self.superseded_on

    def standing(self, day: date) -> str:
        """Return its state on a day, in a few words."""
        if not self.current(day):
            return message("superseded by {clause} since {day}", clause=self.superseded_by, day=str(self.superseded_on))
        if self.applies_from is not None and day < self.applies_from:
            state = message("applies from {day}", day=str(self.applies_from))
        else:
            state = STATES[self.status]
        if self.later is not None and day < self.later:
            state = message("{state}; for {whom} from {day}", state=state, whom=self.later_for, day=str(self.later))
        return message("{state}; we believe: {doubt}", state=state, doubt=self.doubt) if self.doubt else state


@dataclass(frozen=True, slots=True)
class Framework:
    """A rule or standard: its name, the address of its text, and the day it was last checked."""

    id: str
    """Its short name, which a limit's ``controls`` begin with."""
    title: str
    source: str
    as_of: date
    scope: str
    """Whom or what it is for, where that needs saying, or how it is enforced; empty otherwise."""
    clauses: tuple[Clause, ...]

    def old(self, day: date) -> bool:
        """Return whether one of its clauses is due for another check."""
        return day - self.checked > OLD

    @property
    def checked(self) -> date:
        """The day of the oldest look-up among its clauses."""
        return min(clause.as_of for clause in self.clauses)


@cache
def frameworks() -> tuple[Framework, ...]:
    """Return the built-in rules, by name."""
    import tomllib
    from importlib.resources import files

    here = sorted(files("evenhand.report.controls").iterdir(), key=lambda file: file.name)
    return tuple(_framework(tomllib.loads(file.read_text("utf-8"))) for file in here if file.name.endswith(".toml"))


def _framework(content: Mapping[str, Any]) -> Framework:
    clauses = tuple(
        Clause(
            part["id"], message(part["text"]), tuple(part["evidence"]), part.get("status", content["status"]),
            part.get("applies_from"), part.get("later"), _said(part, "later_for"), part.get("superseded_by", ""),
            part.get("superseded_on"), part.get("source", content["source"]), part.get("as_of", content["as_of"]),
            _said(part, "doubt"),
        )
        for part in content["clauses"]
    )  # fmt: skip
    named = content["id"], message(content["title"]), content["source"], content["as_of"]
    return Framework(*named, _said(content, "scope"), clauses)


def _said(part: Mapping[str, Any], name: str) -> str:
    """Return a text as a message; empty where there is none."""
    return message(part[name]) if name in part else ""


def controls(record: AuditRecord, verdict: Verdict | None, day: date | None = None) -> tuple[Part, ...]:
    """Return the part about rules: the current clauses of those declared, and others that a limit names."""
    day = day or today()
    there, cited, declared = _evidence(record, verdict), _cited(verdict), declared_frameworks(record)
    clauses = {
        f"{framework.id}:{clause.id}": (framework, clause) for framework in frameworks() for clause in framework.clauses
    }
    shown: list[tuple[str, ...]] = []
    missing: list[tuple[str, ...]] = []
    for name, (framework, clause) in clauses.items():
        words = _words(clause, there, cited.get(name, ()))
        row = (framework.title, clause.id, clause.text, clause.standing(day))
        if name in cited or (framework.id in declared and clause.current(day)):
            (shown if words else missing).append((*row, words) if words else row)
    shown += [
        (cut(name, 80), "–", message("not known here"), "–", joined("; ", map(_limit, cited[name])))
        for name in sorted(cited.keys() - clauses.keys())
    ]
    blocks = (*_table("controls-missing", WITHOUT, missing), *_table("controls-table", WITH, shown))
    told = sentences(_counted(shown, missing) if shown or missing else "", _others(declared))
    opened = bool(missing)
    return (
        Part(
            "controls", TITLE, _lead([*missing, *shown], day) if blocks else (), blocks, answer=told,
            state="notable" if opened else "plain", open=opened,
        ),
    )  # fmt: skip


def _table(name: str, title: str, rows: list[tuple[str, ...]]) -> tuple[Table, ...]:
    head = (message("rule"), message("clause"), message("what it asks"), message("status"), message("evidence here"))
    return table(name, title, head[: len(rows[0])] if rows else head, rows, (), 200)


def _counted(shown: list[tuple[str, ...]], missing: list[tuple[str, ...]]) -> str:
    """State how many clauses have evidence here, and name those that have none."""
    said = message("Clauses with evidence here: {n}.", n=len(shown))
    if not missing:
        return said
    names = [joined(" ", row[:2]) for row in missing]
    return sentences(said, message("Without: {clauses}.", clauses=named(names, MOST_NAMED)))


def _others(declared: tuple[str, ...]) -> str:
    """Name the rules that nobody declared, and how to declare them."""
    others = [framework for framework in frameworks() if framework.id not in declared]
    if not others:
        return ""
    return message(
        "Rules not declared: {rules}. Those that apply are declared in responsibility.toml, frameworks = [...], and "
        "then shown here with the evidence for their clauses.",
        rules=joined(", ", (framework.id for framework in others)),
    )  # fmt: skip


def _lead(shown: list[tuple[str, ...]], day: date) -> tuple[str, ...]:
    """State what evidence is not, whom the rules that are shown concern, and which of them were looked up long ago."""
    mine = [f for f in frameworks() if f.title in {row[0] for row in shown}]
    lead = [LEAD, *(message("{rule}: {scope}.", rule=f.title, scope=f.scope) for f in mine if f.scope)]
    if old := [message("{rule} ({day})", rule=f.title, day=str(f.checked)) for f in mine if f.old(day)]:
        days, rules = OLD.days, joined("; ", old)
        lead.append(
            message("Looked up more than {days} days ago, and perhaps outdated: {rules}.", days=days, rules=rules)
        )
    return tuple(lead)


def _words(clause: Clause, there: set[str], limits: tuple[str, ...]) -> str:
    """Return the evidence of a clause in words; empty where there is none."""
    words = [*map(_named, (name for name in clause.evidence if name in there)), *map(_limit, limits)]
    return joined("; ", words) if words else ""


def today() -> date:
    """Return the day for which the page is rendered: that of ``SOURCE_DATE_EPOCH`` where it is set."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (datetime.fromtimestamp(int(said), UTC) if said.isdigit() else datetime.now(UTC)).date()


def _evidence(record: AuditRecord, verdict: Verdict | None) -> set[str]:
    data, declared = record.provenance.get("data", {}), record.provenance.get("declared", {})
    return {
        *(finding.audit for finding in record.findings if finding.defined),
        *(f"metric:{finding.key.metric}" for finding in record.findings if finding.defined),
        *(f"declared:{name}" for name, said in declared.items() if said),
        *(["policy"] if verdict is not None else []),
        *(["data"] if data.get("content_hash") else []),
        *(["sensitive"] if data.get("sensitive_features") else []),
        *(["baseline"] if verdict is not None and any(j.before for j in verdict.judgements) else []),
        "provenance",
    }


def _cited(verdict: Verdict | None) -> dict[str, tuple[str, ...]]:
    """Return the limits of the policy by the controls that they name."""
    cited: dict[str, tuple[str, ...]] = {}
    for judgement in () if verdict is None else verdict.judgements:
        for name in judgement.limit.controls:
            cited[name] = tuple(dict.fromkeys((*cited.get(name, ()), str(judgement.limit.key))))
    return cited


WORDS: Final = {
    "policy": message("limits set before"),
    "provenance": message("provenance"),
    "baseline": message("the comparison with an earlier audit"),
    "data": message("what is known of the data"),
    "sensitive": message("the sensitive features used"),
    "declared": message("declared by people"),
}


def _named(evidence: str) -> str:
    kind, _, name = evidence.partition(":")
    if kind == "metric":
        return describe(name).label
    return WORDS.get(kind) or audit_words(kind)


def _limit(key: str) -> Message:
    return message("limit {key}", key=cut(key, 80))


def outdated(day: date) -> Iterator[str]:
    """Yield one line for each rule that is due for another check."""
    for framework in frameworks():
        if framework.old(day):
            yield f"{framework.id}: looked up on {framework.checked}, {(day - framework.checked).days} days ago"


def _drawn(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the clauses of rules that the record holds evidence for."""
    return controls(record, judged.verdict)


SECTION: Final = Section("controls", TITLE, (), 1500, _drawn)
