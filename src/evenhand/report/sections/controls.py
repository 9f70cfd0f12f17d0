"""Which findings are evidence for which clause of which rule. Evidence, never compliance.

The rules are dated data (``controls/*.toml``): what each clause asks, since when, what took its place, and as of which
day that was looked up. Whether a clause is in force is said for the day on which the page is drawn.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from evenhand.report.numbers import cut
from evenhand.report.view import Part, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

OLD: Final = timedelta(days=180)
"""After so long a file is to be looked up again."""
LEAD: Final = (
    "These findings are evidence for the clauses named; that they are here does not mean that anything complies."
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a rule."""

    id: str
    """Its number, as the rule writes it."""
    text: Mapping[str, str]
    """What it asks, by language."""
    evidence: tuple[str, ...]
    """Audits, ``metric:NAME``, ``declared:ANSWER``, ``policy``, ``provenance``, ``data`` or ``sensitive``."""
    status: str
    """``in_force``, ``voluntary`` or ``proposed``."""
    applies_from: date | None
    """The first day on which it applies; None: since the rule is there."""
    superseded_by: str
    """What took its place; empty where nothing did."""
    superseded_on: date | None
    """Since when it no longer holds."""

    def current(self, day: date) -> bool:
        """Whether nothing has taken its place by that day."""
        return self.superseded_on is None or day < self.superseded_on

    def standing(self, day: date) -> str:
        """Return its state on a day, in a few words."""
        if not self.current(day):
            return f"superseded by {self.superseded_by} since {self.superseded_on}"
        if self.applies_from is not None and day < self.applies_from:
            return f"applies from {self.applies_from}"
        return {"in_force": "in force", "voluntary": "voluntary", "proposed": "proposed"}[self.status]


@dataclass(frozen=True, slots=True)
class Framework:
    """A rule or standard, looked up on a day."""

    id: str
    """Its short name, which a limit's ``controls`` begin with."""
    title: Mapping[str, str]
    """Its name, by language."""
    source: str
    """Where its text is found."""
    as_of: date
    """When it was looked up."""
    clauses: tuple[Clause, ...]
    """Its clauses."""

    def old(self, day: date) -> bool:
        """Whether it is to be looked up again."""
        return day - self.as_of > OLD


@cache
def frameworks() -> tuple[Framework, ...]:
    """Return all rules that come with the package, by name."""
    import tomllib
    from importlib.resources import files

    here = sorted(files("evenhand.report.controls").iterdir(), key=lambda file: file.name)
    return tuple(_framework(tomllib.loads(file.read_text("utf-8"))) for file in here if file.name.endswith(".toml"))


def _framework(content: Mapping[str, Any]) -> Framework:
    return Framework(
        content["id"],
        content["title"],
        content["source"],
        content["as_of"],
        tuple(
            Clause(
                part["id"],
                part["text"],
                tuple(part["evidence"]),
                part.get("status", content["status"]),
                part.get("applies_from"),
                part.get("superseded_by", ""),
                part.get("superseded_on"),
            )
            for part in content["clauses"]
        ),
    )


def controls(record: AuditRecord, verdict: Verdict | None, day: date | None = None) -> tuple[Part, ...]:
    """Return the part about rules: each current clause for which the record holds evidence."""
    day = day or today()
    there = _evidence(record, verdict)
    cited = _cited(verdict)
    clauses = {
        f"{framework.id}:{clause.id}": (framework, clause) for framework in frameworks() for clause in framework.clauses
    }
    rows = [row for name, pair in clauses.items() if (row := _row(*pair, there, cited.get(name, ()), day))]
    rows += [
        (cut(name, 80), "–", "not known here", "–", "; ".join(f"limit {key}" for key in cited[name]))
        for name in sorted(cited.keys() - clauses.keys())
    ]
    if not rows:
        return ()
    old = [f"{framework.title['en']} ({framework.as_of})" for framework in frameworks() if framework.old(day)]
    lead = [LEAD]
    if old:
        lead.append(f"Looked up more than {OLD.days} days ago, and perhaps outdated: {'; '.join(old)}.")
    head = ("rule", "clause", "what it asks", "status", "evidence here")
    table = Table("controls-table", "Clauses that findings here are evidence for", head, tuple(rows)).bounded()
    return (Part("controls", "Rules and standards", tuple(lead), (table,)),)


def _row(
    framework: Framework, clause: Clause, there: set[str], limits: tuple[str, ...], day: date
) -> tuple[str, ...] | None:
    """Return the row of a clause; None where no limit cites it and it is outdated or without evidence here."""
    shown = [name for name in clause.evidence if name in there]
    if not limits and not (shown and clause.current(day)):
        return None
    words = [*(_named(name) for name in shown), *(f"limit {cut(key, 80)}" for key in limits)]
    return framework.title["en"], clause.id, clause.text["en"], clause.standing(day), "; ".join(words)


def today() -> date:
    """Return the day for which the page is drawn: that of ``SOURCE_DATE_EPOCH`` where it is set."""
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
    "policy": "limits set before",
    "provenance": "provenance",
    "data": "what is known of the data",
    "sensitive": "the sensitive features used",
}


def _named(evidence: str) -> str:
    kind, _, name = evidence.partition(":")
    if kind == "metric":
        from evenhand.metrics import describe

        return describe(name).label
    return "declared by people" if kind == "declared" else WORDS.get(kind, kind)


def outdated(day: date) -> Iterator[str]:
    """Yield what is to be looked up again, each in a line."""
    for framework in frameworks():
        if framework.old(day):
            yield f"{framework.id}: looked up on {framework.as_of}, {(day - framework.as_of).days} days ago"
