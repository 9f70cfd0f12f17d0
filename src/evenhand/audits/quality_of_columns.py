"""What a check of the rows states of single columns: copies of the label, ids, constants, encodings, odd numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.quality_of_rows import NAME, area, counted, share
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import joined, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.audits.quality_of_rows import Looked
    from evenhand.data.checks.leaks import Copies

NEARLY: Final = 0.95
"""A column restates the label where the whole interval of its area is above this."""
NEARLY_ORDERED: Final = 0.99
"""Of a label of numbers, where its rank correlation is above this."""
MOST_NAMED: Final = 8


def label_copies(looked: Looked) -> Iterator[Finding]:
    """State the columns that tell the label nearly by themselves, and how many there are."""
    from evenhand.data.checks import label_copies as copies

    data = looked.data
    if data.task == "multilabel":
        return
    names: list[str] = []
    findings = []
    for copy in copies(looked.table, looked.read, data.y_true, data.task, seed=looked.seed):
        found = _copy(copy, looked.level)
        if found is not None:
            names.append(copy.column)
            findings.append(found)
    yield counted(Key.of("label_copies"), names, len(data))
    yield from findings


def _copy(copy: Copies, level: float) -> Finding | None:
    """Return the finding of a column that tells the label; None of one that does not tell it nearly."""
    if copy.correlation is not None:
        if abs(copy.correlation) < NEARLY_ORDERED:
            return None
        note = message(
            "'{column}' puts the rows in the order of the label (rank correlation {value:.3f}). Where it is made from "
            "the label, or known only after it, every figure here flatters the model.",
            column=copy.column, value=copy.correlation,
        )  # fmt: skip
        why = message("No interval of a rank correlation this near 1 is known to cover.")
        key = Key.of("label_copy_correlation", feature=copy.column)
        return Finding(key, NAME, copy.correlation, support=copy.rows, unit="score", uncovered=why, note=note)
    areas = [
        area(told, level) for told in copy.told if told.counts.min(axis=1).size and (told.counts.sum(axis=0) > 0).all()
    ]
    if not areas:
        return None
    value, ends = min(areas, key=lambda each: each[0])
    if ends.low is None or ends.low <= NEARLY:
        return None
    note = message(
        "'{column}' alone tells the label, with an area under the ROC curve of {value:.3f}. Where it is made from the "
        "label, or known only after it, every figure here flatters the model.", column=copy.column, value=value,
    )  # fmt: skip
    key = Key.of("label_copy_auc", feature=copy.column)
    return Finding(key, NAME, value, ends, copy.rows, "lower_is_better", "score", note=note)


def constant_columns(looked: Looked) -> Iterator[Finding]:
    """State how many columns have one value in nearly all rows."""
    from evenhand.data.checks import constants

    names = [name for name, _ in constants(looked.table, looked.read)]
    yield counted(Key.of("constant_columns"), names, len(looked.data))


def id_columns(looked: Looked) -> Iterator[Finding]:
    """State the model inputs that name rows."""
    from evenhand.data.checks import naming_columns

    names = list(naming_columns(looked.table, looked.read))
    note = message(
        "Columns that a model may read name rows: {names}. A model can only memorize them.",
        names=joined(", ", names[:MOST_NAMED]),
    )
    yield counted(Key.of("id_columns"), names, len(looked.data), note)


def encoded_columns(looked: Looked) -> Iterator[Finding]:
    """State the numbers that are the label's mean by a category."""
    from evenhand.data.checks import target_encodings

    data = looked.data
    if data.task not in ("binary", "regression"):
        return
    others = [name for name in looked.compared if name not in (*looked.read, data.roles.label)]
    for found in target_encodings(looked.table, looked.read, data.y_true, others):
        places = {"column": found.column, "category": found.category}
        note = (
            message("'{column}' is the label's mean by '{category}': it holds the labels of the rows.", **places)
            if found.category
            else message("Each value of '{column}' is the label's mean in its rows: it holds their labels.", **places)
        )
        told = {"feature": found.column, **({"given": found.category} if found.category else {})}
        why = message("What is stated is whether a number was made from the label, not how much of it is.")
        key = Key.of("target_encoding_fit", **told)
        yield Finding(key, NAME, found.fit, support=len(data), direction="lower_is_better", uncovered=why, note=note)


def odd_numbers(looked: Looked) -> Iterator[Finding]:
    """State numbers that are marks, and those in another unit."""
    from evenhand.data.checks import sentinels, unit_slips

    numbers = [name for name in looked.compared if name != looked.data.roles.label]
    for found in sentinels(looked.table, numbers):
        note = message(
            "{n:,} rows have {mark:,.0f} in '{column}', far from all other values: a mark for what is not known?",
            n=found.rows, mark=found.mark or 0.0, column=found.column,
        )  # fmt: skip
        key = Key.of("outlier_share", feature=found.column)
        yield share(key, found.rows, found.of, looked.level, note)
    for found in unit_slips(looked.table, numbers):
        note = message(
            "{n:,} values of '{column}' are apart from all others, about {factor:g} times as large: another unit?",
            n=found.rows, column=found.column, factor=found.factor,
        )  # fmt: skip
        key = Key.of("unit_slip_share", feature=found.column, factor=f"{found.factor:g}")
        yield share(key, found.rows, found.of, looked.level, note)


def lookalike_values(looked: Looked) -> Iterator[Finding]:
    """State columns with values that look alike; groups of sensitive features have an audit of their own."""
    from evenhand.data.checks import lookalike_columns

    names = [name for name in looked.compared if name not in looked.data.roles.sensitive_features]
    for name, values, rows in lookalike_columns(looked.table, names):
        note = message(
            "{n:,} values of '{column}' look like another one, in {rows:,} rows.", n=values, column=name, rows=rows
        )
        key = Key.of("lookalike_values", feature=name)
        yield Finding(key, NAME, float(values), support=rows, direction="lower_is_better", unit="number", note=note)
