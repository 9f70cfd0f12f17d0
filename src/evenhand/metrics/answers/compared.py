"""The groups behind a key: what is compared, with what, and the parts of which a disparity is the worst."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from evenhand.keys import Feature, Key, group_name
from evenhand.messages import message
from evenhand.metrics.answers.answering import Answers
from evenhand.metrics.answers.counts import RecordCounts
from evenhand.metrics.answers.questions import NoAnswerError, Question, question, takes_all_groups
from evenhand.metrics.answers.ways import ALWAYS, USUAL
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.comparisons.references import sides_of
from evenhand.metrics.values.rates import counted_share

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.comparisons.references import Reference
    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.values.rates import Measured


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The values of the groups that a key compares, or of the one that it is about."""

    names: tuple[str, ...]
    """(G,) the groups, as a finding names them; empty for all rows."""
    how: How | None
    """How they are compared; None for a value."""
    values: Measured
    """Their values."""
    counted: Ints | None = None
    """(G,) rows in the numerator; None where rows have weights, and for what is no share of rows."""
    other: Measured | None = None
    """(G,) what each is compared with, independent of it; None for each other."""
    to: str = ""
    """Its name: ``rest``, ``overall``, or a group."""
    weight: Floats | None = None
    """(G,) the share of each in what it is compared with."""


class Behind:
    """What the counts of a record say of the groups behind its keys, at one confidence.

    Parameters
    ----------
    record : AuditRecord
        With counts, or without: then nothing is known.
    level : float
        Two-sided confidence.
    always_valid : bool
        Whether intervals hold at all times.
    """

    def __init__(self, record: AuditRecord, level: float, *, always_valid: bool = False) -> None:
        self._counts, self._level = RecordCounts(record), level
        self._answers = Answers(self._counts, level, always_valid=always_valid)
        self._kept: dict[Question, Compared] = {}
        self._places: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}

    @property
    def level(self) -> float:
        """The confidence."""
        return self._level

    @property
    def always_valid(self) -> bool:
        """Whether intervals hold at all times."""
        return self._answers.always_valid

    @property
    def favourable(self) -> bool | None:
        """Whether the positive outcome is good for the person; None where none was declared."""
        return self._counts.favourable

    def compared(self, key: Key) -> Compared | None:
        """Return the values behind a key; None where counts do not give them."""
        try:
            return None if takes_all_groups(key) else self._compared(key)
        except NoAnswerError:
            return None

    def parts(self, key: Key) -> tuple[Key, ...]:
        """Return the keys of which that of a disparity is the worst: rates, classes, strata; none where it is one."""
        try:
            return () if takes_all_groups(key) else self._parts(key)
        except NoAnswerError:
            return ()

    def _compared(self, key: Key) -> Compared:
        asked = question(key)
        found = self._all_groups(replace(asked, how=None, group=None, to=""))
        if asked.group is not None:
            place = self._places[asked.columns].get(asked.group)
            if place is None:
                raise NoAnswerError(message("No row is of the group {group}.", group=", ".join(asked.group)))
            at = np.array([place])
            counted = None if found.counted is None else found.counted[at]
            return Compared((found.names[place],), None, found.values.at(at), counted)
        if asked.how is None or not asked.to:
            return replace(found, how=asked.how)
        names, (values, tally) = found.names, self._answers.values(asked)
        if tally is None:
            raise NoAnswerError(message("Only the difference or ratio of a rate is taken against something else."))
        to: Reference = "overall" if asked.to == "overall" else "rest" if asked.to == "rest" else names.index(asked.to)
        by = (ALWAYS if self.always_valid else USUAL).measure
        sides = sides_of(asked.metric, values, tally, to, self._level, by)
        return replace(found, how=asked.how, other=sides.other, to=asked.to, weight=sides.weight)

    def _all_groups(self, asked: Question) -> Compared:
        """Return the values of all groups of columns; what was asked once is kept."""
        if asked not in self._kept:
            values, tally = self._answers.values(asked)
            labels = self._counts.groups(asked.columns)
            names = tuple(group_name(zip(asked.columns, part, strict=True)) for part in labels)
            self._places[asked.columns] = {part: at for at, part in enumerate(labels)}
            self._kept[asked] = Compared(names, None, values, rows_counted(asked.metric, tally))
        return self._kept[asked]

    def _parts(self, key: Key) -> tuple[Key, ...]:
        asked = question(key)
        if asked.how is None or asked.paired:
            return ()
        if asked.given is not None and asked.given.group is None:
            values, _ = self._counts.strata(asked.columns, asked.given.column)
            return tuple(_with(key, "given", str(Feature(asked.given.column, value))) for value in values)
        if self._answers.takes_worst_class(asked):
            return tuple(_with(key, "class", str(name)) for name in self._counts.classes)
        if asked.metric == "equalized_odds":
            return tuple(key.renamed(f"{rate}_{asked.how}") for rate in EQUALIZED_ODDS)
        return ()


def _with(key: Key, name: str, value: str) -> Key:
    return Key(key.metric, key.features, tuple({**dict(key.qualifiers), name: value}.items()))


def rows_counted(metric: str, tally: Tally | None) -> Ints | None:
    """Return the rows that a rate counts in each group; None where they have weights, or it is no rate of cells."""
    entry = METRICS.get(metric)
    if tally is None or tally.weights is not None or entry is None or entry.kind != "rate" or not entry.denominator:
        return None
    return np.asarray(counted_share(metric, tally)[0])
