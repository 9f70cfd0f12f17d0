"""Findings as rows of a figure, marked with their judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.messages import lowered, message
from evenhand.policy.verdict import WORDS
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut, with_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evenhand.findings import Finding
    from evenhand.keys import Key
    from evenhand.policy import Judgement, Verdict
    from evenhand.report.drawings import Mark

STATUSES: Final[Mapping[str, str]] = {status: lowered(said) for status, said in WORDS.items()}
"""Judgements in words."""
FigureRow: TypeAlias = "tuple[str, Finding, Mark, float | None]"
"""Label, finding, mark, and the limit where one was judged."""


class Judged:
    """The judgement of each finding; empty without a policy."""

    def __init__(self, verdict: Verdict | None) -> None:
        self.verdict = verdict
        """All judgements; None without a policy."""
        found = () if verdict is None else verdict.judgements
        self._by_key: Mapping[Key, tuple[Mark, float]] = {j.key: (j.status, j.limit.bound) for j in found}

    def holds(self, finding: Finding) -> bool:
        """Return whether a limit was judged on it."""
        return finding.key in self._by_key

    def of(self, found: Iterable[Finding]) -> list[Judgement]:
        """Return the judgements of these findings, worst first."""
        keys = {finding.key for finding in found}
        return [] if self.verdict is None else [each for each in self.verdict.judgements if each.key in keys]

    def row(self, label: str, finding: Finding) -> FigureRow:
        """Return the finding as a row of a figure."""
        found = self._by_key.get(finding.key)
        return (label, finding, "plain", None) if found is None else (label, finding, *found)


def table_of(name: str, title: str, rows: list[FigureRow]) -> Table:
    """Return the table of findings without a figure."""
    cells = tuple((cut(label, 80), with_interval(f, 3), f"{f.support:,}") for label, f, _, _ in rows)
    head = ("", message("estimate and interval"), message("rows"))
    return Table(name, title, head, cells, frozenset({1, 2})).bounded(60)
