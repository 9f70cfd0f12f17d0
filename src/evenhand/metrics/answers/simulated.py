"""Answer one key from many simulated tables at once: what a limit would be judged by, table by table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.findings import Absent
from evenhand.messages import message
from evenhand.metrics.answers.answering import Answers
from evenhand.metrics.answers.questions import NO_ORIGINAL, NoCountsError, question, takes_all_groups
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.comparisons.disparities import compare, worst_of
from evenhand.metrics.comparisons.quick import quick_extremes
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.values.rates import Measured, counted_share, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evenhand.keys import Key
    from evenhand.metrics.answers.counts import Columns, Labels
    from evenhand.metrics.answers.questions import Question
    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.comparisons.disparities import Disparity
    from evenhand.metrics.counts.arrays import Floats, Ints, Marks

ENDS: Final = ("low", "high", "unadjusted_low", "unadjusted_high")


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """The ends of a finding in each of S tables; nan where one is open, or there is no value that a limit may use."""

    low: Floats
    """(S,) the low ends that a verdict rests on."""
    high: Floats
    """(S,) the high ends."""
    unadjusted_low: Floats
    """(S,) the low ends without a correction for the number of groups."""
    unadjusted_high: Floats
    """(S,) the high ends without it."""
    incomplete: Marks
    """(S,) whether a group has no value there, so that the finding is open on its side."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Counts that were drawn, by group: of truth and decision, within strata too, or of both models.

    It answers as `evenhand.metrics.answers.counts.Counts` do.
    """

    columns: Columns
    """The columns that make the groups."""
    labels: Labels
    """(G,) the groups."""
    classes: Sequence[str | None]
    """The classes in the order of their codes."""
    cells: Ints
    """(G, C, C) rows of truth and decision; (G, 2, 2, 2) of truth and both decisions; (V, G, C, C) within strata."""
    favourable: bool | None = None
    """Whether the positive outcome is good for the person."""
    kind: str = "subject"
    """Whose decisions they are: ``subject``, ``original``, ``joint`` for both models, ``strata``."""
    values: tuple[str, ...] = ()
    """(V,) the values of the control feature, for strata."""
    truth: bool = True
    """Whether rows have a truth."""
    threshold: float | None = None
    """The probability from which on rows were decided positive."""

    def groups(self, columns: Columns) -> Labels:
        """Return the groups."""
        self._same(columns)
        return self.labels

    def tally(self, columns: Columns, model: str = "subject") -> Tally:
        """Return the counts of truth x decision."""
        self._same(columns)
        if self.kind != model:
            raise NoCountsError(NO_ORIGINAL)
        return Tally(self.cells, threshold=self.threshold)

    def tally_at(self, columns: Columns, threshold: float) -> Tally:
        """Return the counts: a table is of the decisions at one threshold."""
        return self.tally(columns)

    def joint(self, columns: Columns, view: str | int) -> JointTally:
        """Return the joint counts of both models."""
        self._same(columns)
        if self.kind != "joint":
            raise NoCountsError(NO_ORIGINAL)
        joint = JointTally.of_counts(self.cells)
        if view == "decisions":
            return joint
        return joint.agreement() if view == "agreement" else joint.agreement_by_class()

    def strata(self, columns: Columns, control: str) -> tuple[Sequence[str], Sequence[Tally]]:
        """Return the tally within each value of the control feature."""
        self._same(columns)
        if self.kind != "strata":
            raise NoCountsError(message("The record has no counts by {columns}.", columns=(*columns, control)))
        return self.values, [Tally(cells, threshold=self.threshold) for cells in self.cells]

    def _same(self, columns: Columns) -> None:
        if columns != self.columns:
            raise NoCountsError(message("The record has no counts by {columns}.", columns=tuple(columns)))


def simulated_ends(key: Key, table: Table, drawn: Ints, level: float) -> Ends:
    """Return the ends of a key's finding in each of S tables.

    They come from the functions that audits and gates use; rates and their comparisons are measured for all tables in
    one call.

    Parameters
    ----------
    key : Key
        What counts can say.
    table : Table
        One table like those that were drawn.
    drawn : (S, ...) array
        The cells of each.
    level : float
        Two-sided confidence.
    """
    asked = None if takes_all_groups(key) else question(key)
    plain = asked is not None and not (asked.to or asked.given or asked.paired) and asked.metric != "average_odds"
    if asked is None or not plain or (table.kind, len(table.classes)) not in (("subject", 2), ("original", 2)):
        return _one_by_one(key, table, drawn, level)
    if asked.how is None:
        return _values(asked, table, drawn, level)
    names = EQUALIZED_ODDS if asked.metric == "equalized_odds" else (asked.metric,)
    measured = [partial(_measured, replace(asked, metric=name), table, drawn) for name in names]
    return _compared(measured, asked.how, len(drawn), len(table.labels), level)


def quick_ends(key: Key, table: Table, drawn: Ints, level: float) -> Ends | None:
    """Return about the ends of `simulated_ends`, for all tables at once; None where there is no quick way.

    There is one for differences and ratios of rates. Each pair is compared by square-and-add over Wilson's limits
    (Newcombe 1998), all of them at once by the studentised range. Some of the tables are judged in full besides, and
    what they say otherwise corrects the rest.
    """
    if takes_all_groups(key):
        return None
    asked = question(key)
    names = EQUALIZED_ODDS if asked.metric == "equalized_odds" else (asked.metric,)
    plain = asked.how in ("difference", "ratio") and not (asked.to or asked.given or asked.paired)
    rates = all(METRICS[name].kind == "rate" for name in names if name in METRICS) and set(names) <= set(METRICS)
    if not plain or not rates or (table.kind, len(table.classes)) not in (("subject", 2), ("original", 2)):
        return None
    many, strict = len(table.labels), 1 - (1 - level) / len(names)
    parts = []
    for name in names:
        tally = Answers(_whole(asked, table, drawn), level).counted(replace(asked, metric=name))
        events, rows = (part.reshape(-1, many) for part in counted_share(name, tally))
        parts.append(quick_extremes(events, rows, asked.how == "ratio", level, strict))
    undefined = np.any([part[2] for part in parts], axis=0)
    if asked.how == "ratio":
        low, high = np.min([part[0] for part in parts], axis=0), np.min([part[1] for part in parts], axis=0)
    else:
        low, high = np.max([part[0] for part in parts], axis=0), np.max([part[1] for part in parts], axis=0)
    return Ends(low, high, low, high, undefined)


def _whole(asked: Question, table: Table, drawn: Ints) -> Table:
    """Return all tables as one, the groups of a table after each other."""
    cells = drawn.reshape(-1, *drawn.shape[2:])
    return replace(table, columns=asked.columns, labels=(), cells=cells, values=())


def _measured(asked: Question, table: Table, drawn: Ints, level: float) -> Measured:
    """Return the values of all groups of all tables, the groups of a table after each other."""
    tally = Answers(_whole(asked, table, drawn), level).counted(asked)
    found = measure(asked.metric, tally, level)
    return replace(found, ends=cache(found.ends))


def _values(asked: Question, table: Table, drawn: Ints, level: float) -> Ends:
    found = _measured(asked, table, drawn, level)
    at = table.labels.index(asked.group or ())
    covered = np.array([not why for why in found.uncovered]) if found.uncovered else np.ones(len(found.low), dtype=bool)
    good = found.defined & covered
    low, high = (np.where(good, end, np.nan)[at :: len(table.labels)] for end in (found.low, found.high))
    return Ends(low, high, low, high, np.zeros(len(low), dtype=bool))


def _compared(
    measured: Sequence[Callable[[float], Measured]], how: How, tables: int, groups: int, level: float
) -> Ends:
    kept = [cache(values) for values in measured]

    def part(values: Callable[[float], Measured], at: slice, confidence: float) -> Disparity:
        return compare(values(confidence).at(at), how, confidence)

    found = []
    for table in range(tables):
        at = slice(table * groups, (table + 1) * groups)
        found.append(worst_of([partial(part, values, at) for values in kept], how, level))
    ends = {name: np.array([_end(one, name) for one in found]) for name in ENDS}
    return Ends(**ends, incomplete=np.array([bool(one.undefined) for one in found]))


def _end(found: Disparity, name: str) -> float:
    end = cast("float | None", getattr(found, name))
    return np.nan if end is None or found.estimate is None or found.uncovered else end


def _one_by_one(key: Key, table: Table, drawn: Ints, level: float) -> Ends:
    """Return the ends where each table must be answered on its own."""
    rows = [_finding_ends(key, replace(table, cells=cells), level) for cells in drawn]
    found = np.array(rows, dtype=float).reshape(-1, 5).T
    return Ends(found[0], found[1], found[2], found[3], found[4] > 0)


def _finding_ends(key: Key, table: Table, level: float) -> tuple[float | None, ...]:
    found = Answers(table, level)(key)
    if isinstance(found, Absent) or found.estimate is None or found.uncovered:
        return (None, None, None, None, False)
    interval = found.interval
    ends = (found.estimate, found.estimate) if interval is None else (interval.low, interval.high)
    plain = ends if found.unadjusted is None else (found.unadjusted.low, found.unadjusted.high)
    return (*ends, *plain, bool(found.undefined_groups))
