"""What a check of the rows looks at, and what it states of rows that occur again, and of their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import interval_of
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.comparisons.two_sets import seen_excess
from evenhand.metrics.inference.intervals import clopper_pearson, z_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.data.checks.coding import Told
    from evenhand.data.checks.duplicates import Twins
    from evenhand.evidence import Evidence
    from evenhand.findings import Interval, Unit

NAME: Final = "data_quality"
LEAST_REPEATS: Final = 5
"""Repeated rows that are worth a word."""
WORTH_A_WORD: Final = 0.005
"""Their share of all rows that is."""
COARSE: Final = 0.6
"""From this share of repeated rows on the columns are too coarse to tell people apart."""
DRIFTS: Final = 0.05
"""How far from 0.5 the whole interval of an area is where rows drift."""
FEWEST_COLUMNS: Final = 3
"""Columns below which rows are no people, unless one of them has a value of its own in most rows, as texts do."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at: the rows, and which of their columns are what."""

    evidence: Evidence
    """What the audit looks at."""
    read: tuple[str, ...]
    """Columns of the table that a model reads, or may read."""
    compared: tuple[str, ...]
    """Columns in which equal rows are equal: no ids, weights and predictions."""

    @classmethod
    def at(cls, evidence: Evidence) -> Looked:
        """Return what is looked at."""
        from evenhand.evidence.predictions import columns_read

        data = evidence.data
        given = evidence.subject.facts.get("kind") in ("predictions", "table")
        read = data.features if given else columns_read(evidence.subject, data)
        return cls(evidence, tuple(name for name in read if name in data.table), _compared(data))

    @property
    def data(self) -> EvaluationSet:
        """The rows."""
        return self.evidence.data

    @property
    def table(self) -> pd.DataFrame:
        """All columns."""
        return self.data.table

    @property
    def level(self) -> float:
        """The confidence."""
        return self.evidence.options.level

    @property
    def seed(self) -> int:
        """The seed of halves."""
        return self.evidence.options.seed

    @property
    def of_model(self) -> bool:
        """Whether a model, or what it predicted, is audited; False for rows alone."""
        return self.evidence.subject.facts.get("kind") != "table"

    @property
    def decided(self) -> bool:
        """Whether there are decisions about two classes."""
        return self.data.task == "binary" and self.of_model


def _compared(data: EvaluationSet) -> tuple[str, ...]:
    roles = data.roles
    apart = {getattr(roles, role) for role in (
        "id", "sample_weight", "frequency", "squared_weight", "stratum_share", "cluster", "query", "prediction",
        "score", "original_prediction", "original_score", "images", "texts",
    )}  # fmt: skip
    return tuple(str(name) for name in data.table.columns if name not in apart)


def share(key: Key, events: int, rows: int, level: float, note: str = "", unit: Unit = "share") -> Finding:
    """Return the finding of a share of rows, with its exact interval."""
    if not rows:
        return Finding(key, NAME, None, direction="lower_is_better", undefined=message("There are no such rows."))
    low, high = clopper_pearson(np.array([events]), np.array([rows]), z_of(level))
    ends = interval_of(float(low[0]), float(high[0]), level, "clopper-pearson")
    return Finding(key, NAME, events / rows, ends, rows, "lower_is_better", unit, note=note)


def counted(key: Key, names: list[str], rows: int, note: str = "") -> Finding:
    """Return the finding of how many columns are of a kind, with their names where there are any."""
    return Finding(
        key, NAME, float(len(names)), support=rows, direction="lower_is_better", unit="number",
        note=note if names else "",
    )  # fmt: skip


def area(told: Told, level: float) -> tuple[float, Interval]:
    """Return the area under the ROC curve of counts in order, and its interval."""
    from evenhand.metrics import roc_auc

    size = len(told.counts)
    ranks = np.repeat(np.arange(size), 2)
    found = roc_auc(
        np.tile([0, 1], size), ranks, np.zeros(2 * size, dtype=np.int64), level=level, frequency=told.counts.ravel()
    )
    return float(found.estimate[0]), interval_of(float(found.low[0]), float(found.high[0]), level, found.method)


def _distinct(looked: Looked, name: str) -> int:
    """Return how many values a column has; of groups, which are told apart already, without another look."""
    if name in looked.data.roles.sensitive_features:
        return len(looked.data.grouping(name))
    return int(looked.table[name].nunique())


def duplicates(looked: Looked) -> Iterator[Finding]:
    """State how many rows equal an earlier one, and how many more do than coincidence makes."""
    from evenhand.data.checks import naming_columns, repeats

    data, rows = looked.data, len(looked.data)
    names = list(looked.compared)
    if data.held is not None:
        hashes = data.row_hashes(names)
        again, excess = rows - len(np.unique(hashes)), rows - len(np.unique(hashes))
    else:
        if len(names) < FEWEST_COLUMNS and not any(_distinct(looked, name) > rows / 2 for name in names):
            return
        numbered = set(naming_columns(looked.table, names))
        names = [name for name in names if name not in numbered]
        found = repeats(looked.table, names, least=max(LEAST_REPEATS, round(WORTH_A_WORD * rows)))
        again, excess = found.repeats, 0 if found.repeats > COARSE * rows else found.excess
    yield share(Key.of("duplicate_share"), again, rows, looked.level)
    said = excess >= max(LEAST_REPEATS, WORTH_A_WORD * rows)
    note = message(
        "{n:,} of {rows:,} rows equal an earlier row in every column but ids; different people would make about "
        "{expected:,} such rows.", n=again, rows=rows, expected=again - excess,
    )  # fmt: skip
    key, value = Key.of("duplicate_excess_share"), excess / rows
    why = message("How many coincidence makes is itself estimated.")
    yield Finding(
        key, NAME, value, support=rows, direction="lower_is_better", uncovered="" if not excess else why,
        note=note if said else "",
    )  # fmt: skip


def repeated_people(looked: Looked) -> Iterator[Finding]:
    """State how many rows are of an id that occurred before, of the declared id and of columns called like one."""
    from evenhand.data.checks import repeated_persons

    data = looked.data
    declared = data.roles.id if data.roles.id in looked.table else None
    if declared is not None:
        again = data.repeated_ids or 0
        key = Key.of("repeated_id_share", feature=str(declared))
        yield share(key, again, len(data), looked.level)
    others = [name for name in looked.compared if name not in (declared, data.roles.label)]
    for each in repeated_persons(looked.table, others):
        if each.column in (data.roles.cluster, *data.roles.sensitive_features):
            continue
        note = message(
            "{n:,} of {rows:,} rows are of a value of '{column}' that occurred before. Where it names people, name it "
            "as id: rows of one person are not independent.", n=each.repeats, rows=each.rows, column=each.column,
        )  # fmt: skip
        yield share(Key.of("repeated_id_share", feature=each.column), each.repeats, each.rows, looked.level, note)


def conflicts(looked: Looked) -> Iterator[Finding]:
    """State how many rows have an equal row with another label."""
    from evenhand.data.checks import conflicts as conflicting
    from evenhand.data.hashing import hash_rows

    data = looked.data
    if data.task not in ("binary", "multiclass") or data.held is not None or len(looked.read) < FEWEST_COLUMNS - 1:
        return
    hashes = hash_rows(looked.table, looked.read, np.zeros(len(data), dtype=np.int8))
    found = conflicting(hashes, data.y_true)
    yield share(Key.of("conflicting_label_share"), int(found.sum()), len(data), looked.level)


def seen(looked: Looked, *, near: bool) -> Iterator[Finding]:
    """State how many evaluation rows are among the fitted: equal ones, or nearly equal ones."""
    evidence = looked.evidence
    fitted = evidence.members if evidence.members is not None else evidence.background
    if fitted is None or not looked.read or not set(looked.read) <= set(fitted.table):
        return
    for how, found in _twins(looked, fitted, near):
        told = {"how": how} if how else {}
        yield share(Key.of("seen_share", **told), found.seen, found.rows, looked.level)
        yield _excess(Key.of("seen_excess_share", **told), found, looked.level, how)


def _twins(looked: Looked, fitted: EvaluationSet, near: bool) -> Iterator[tuple[str, Twins]]:
    from evenhand.data.checks import hash_near, near_texts, twins
    from evenhand.data.checks.duplicates import Twins as Counted
    from evenhand.data.hashing import hash_rows

    names, data = list(looked.read), looked.data
    if not near:
        none = [np.zeros(len(table), dtype=np.int8) for table in (data.table, fitted.table)]
        yield "", twins(hash_rows(data.table, names, none[0]), hash_rows(fitted.table, names, none[1]))
        return
    yield "near", twins(hash_near(data.table, names, fitted.table), hash_near(fitted.table, names, fitted.table))
    texts = data.roles.texts
    if texts is not None and texts in fitted.table:
        mine, theirs = (list(table[texts].astype(str)) for table in (data.table, fitted.table))
        again = near_texts(theirs)
        alike = int(again.sum())
        pairs = alike // 2  # at most: they vary most if they come by twos
        yield "texts", Counted(len(mine), int(near_texts(mine, theirs).sum()), len(theirs), alike, pairs)


def _excess(key: Key, found: Twins, level: float, how: str) -> Finding:
    """State how many more evaluation rows than fitted ones have an equal row among the other fitted."""
    value, low, high = seen_excess((found.seen, found.rows), (found.alike, found.others, found.pairs), level)
    said = low > 0 and value * found.rows >= LEAST_REPEATS and value >= WORTH_A_WORD
    words = message(
        "{n:,} of {rows:,} evaluation rows have an equal row among the fitted: {share:.1%} of them, where {alike:.1%} "
        "of the fitted rows have one among each other."
    )
    if how:
        words = message(
            "{n:,} of {rows:,} evaluation rows have a nearly equal row among the fitted: {share:.1%} of them, where "
            "{alike:.1%} of the fitted rows have one among each other."
        )
    told = {"n": found.seen, "rows": found.rows, "share": found.seen / found.rows, "alike": found.alike / found.others}
    note = message(words, **told) if said else ""
    ends = interval_of(low, high, level, "clopper-pearson, esty, mover")
    return Finding(key, NAME, value, ends, found.rows, "lower_is_better", note=note)


def orders(looked: Looked) -> Iterator[Finding]:
    """State whether the order of the rows, or a time, tells the label; and rows evaluated before fitted ones."""
    from evenhand.data.checks import evaluated_before, order_told, telling, time_columns
    from evenhand.data.checks.ordering import times_of

    data, fitted = looked.data, looked.evidence.members
    times = list(time_columns(looked.table, looked.compared))
    if data.task == "binary":
        words = message(
            "The label drifts along the table: the place of a row tells it with an area of {area:.2f}. A split by "
            "place is no random one."
        )
        yield _drift(Key.of("order_auc"), order_told(data.y_true, looked.seed), looked.level, words)
        for name, _ in times:
            found = telling(looked.table[name], data.y_true, looked.seed)
            yield _drift(Key.of("order_auc", feature=name), found, looked.level, "")
    for name, when in times:
        before = None if fitted is None or name not in fitted.table else times_of(fitted.table[name])
        if before is not None:
            early = evaluated_before(when, before)
            yield share(Key.of("earlier_share", feature=name), early.early, early.rows, looked.level)


def _drift(key: Key, told: Told, level: float, words: str) -> Finding:
    value, ends = area(told, level)
    said = bool(words) and ends.low is not None and ends.low > 0.5 + DRIFTS
    note = message(words, area=value) if said else ""
    return Finding(key, NAME, value, ends, int(told.counts.sum()), unit="score", note=note)


def drifts(looked: Looked) -> Iterator[Finding]:
    """State how well each column tells evaluation rows from fitted ones."""
    import pandas as pd

    from evenhand.data.checks import telling

    fitted = looked.evidence.members
    if fitted is None:
        return
    truth: NDArray[np.int64] = np.repeat([0, 1], (len(fitted), len(looked.data)))
    for name in looked.read:
        if name in fitted.table:
            column = pd.concat(
                [fitted.table[name].astype(object), looked.table[name].astype(object)], ignore_index=True
            )
            told = telling(column.infer_objects(), truth, looked.seed)
            value, ends = area(told, looked.level)
            said = ends.low is not None and ends.low > 0.5 + DRIFTS
            note = (
                message(
                    "'{column}' tells evaluation rows from fitted ones, with an area of {area:.2f}.",
                    column=name,
                    area=value,
                )
                if said
                else ""
            )
            key = Key.of("split_auc", feature=name)
            yield Finding(key, NAME, value, ends, len(truth), "lower_is_better", "score", note=note)
