"""Findings by group: those of all groups of a metric are derived together, and those that were left out told."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.metrics.answers import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import Absent
    from evenhand.metrics.answers.answering import Answers

    Family: TypeAlias = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]
    Group: TypeAlias = tuple[str, ...]


class ByGroup:
    """Answers the keys of a record, each group's as one of its metric's, so that the cost is that of their number.

    Parameters
    ----------
    answers : Answers
        From the counts of the record.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._made: dict[Family, dict[Group, Finding]] = {}
        self._asked: dict[Family, set[Group]] = {}

    def __call__(self, key: Key) -> Finding | Absent:
        """Return the finding of a key, or why counts do not give it."""
        group = tuple([feature.group for feature in key.features if feature.group is not None])
        if not group or len(group) < len(key.features):
            return self._answers(key)
        family = key.metric, key.columns, key.qualifiers
        if family not in self._made:
            self._made[family], self._asked[family] = self._all_of(family), set()
        self._asked[family].add(group)
        return self._made[family].get(group) or self._answers(key)

    def left_out(self) -> Iterator[Finding]:
        """Yield the findings of groups that were not asked for where those of other groups were."""
        for family, asked in sorted(self._asked.items(), key=itemgetter(0)):
            metric, columns, qualifiers = family
            for group in self._groups(columns):
                if group not in asked:
                    key = Key.of(metric, dict(zip(columns, group, strict=True)), **dict(qualifiers))
                    found = self._made[family].get(group) or self._answers(key)
                    if isinstance(found, Finding):
                        yield found

    def _all_of(self, family: Family) -> dict[Group, Finding]:
        """Return the findings of all groups; none where counts do not give them together."""
        metric, columns, qualifiers = family
        found = self._answers.of_groups(metric, columns, **dict(qualifiers)) if self._groups(columns) else ()
        return dict(zip(self._groups(columns), found, strict=False))

    def _groups(self, columns: tuple[str, ...]) -> tuple[Group, ...]:
        try:
            return self._answers.counts.groups(columns)
        except NoAnswerError:
            return ()
