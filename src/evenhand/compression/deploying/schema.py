"""What an exported model takes and gives, column by column, as its schema.json says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenhand.compression.deploying.columns import MISSING
from evenhand.training.codes import CodeColumn
from evenhand.training.columns import CategoryColumn, NumberColumn
from evenhand.training.trees.columns import TreeColumn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.compression.deploying.answers import Outputs
    from evenhand.findings import Plain


def input_kinds(columns: Sequence[object]) -> list[tuple[str, str]]:
    """Return each column with its kind: ``number``, ``number in text`` where text was read as numbers, or ``text``."""
    return [(_name(column), _kind(column)) for column in columns]


def kinds_of_table(X: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the same of the columns of a table, for a model that learnt nothing of them that is known here."""
    return [(str(name), "number" if pd.api.types.is_numeric_dtype(X[name].dtype) else "text") for name in X.columns]


def inputs_schema(
    kinds: Sequence[tuple[str, str]], columns: Sequence[object], train: pd.DataFrame | None, encoded: bool
) -> list[Plain]:
    """Return what each input is.

    Parameters
    ----------
    kinds : sequence of (name, kind)
    columns : sequence
        What the model learnt of each column; empty where nothing is known.
    train : DataFrame, optional
        Training rows, whose ranges and levels are stated.
    encoded : bool
        Whether categories are given as places of their levels, in one array of all columns.
    """
    learnt = {_name(column): column for column in columns}
    return [_input(name, kind, learnt.get(name), train, encoded) for name, kind in kinds]


def _input(name: str, kind: str, column: object, train: pd.DataFrame | None, encoded: bool) -> dict[str, Plain]:
    text = kind == "text"
    told: dict[str, Plain] = {
        "name": name,
        "type": "float64" if encoded or not text else "string",
        "missing": "NaN" if encoded or not text else MISSING,
        "missing_seen_in_training": _missing(column),
    }
    if (levels := _levels(column)) is not None:
        told["levels"] = [*levels]
    if encoded and text:
        told["meaning"] = "place of the level in `levels`, from 0; -1 for any other"
    if not text and (found := _range(name, column, train)) is not None:
        told["range_seen_in_training"] = found
    return told


def outputs_schema(outputs: Outputs | None, task: str, threshold: float, classes: Sequence[object]) -> list[Plain]:
    """Return what each output is."""
    numbers = task not in ("binary", "multiclass")
    score: dict[str, Plain] = {
        "name": "score" if outputs is None else outputs.score,
        "type": "float64",
        "meaning": "the predicted number" if numbers else "probability of the positive class"
        if task == "binary" else "probability of each class",
    }  # fmt: skip
    if classes and not numbers:
        score["classes"] = [str(each) for each in classes]
    if numbers or outputs is None or outputs.decision is None:
        return [score | ({} if task != "binary" else {"threshold": threshold})]
    told = (
        f"1 where the score is at or above {threshold!r}, else 0"
        if task == "binary"
        else "place of the most probable class"
    )
    return [score, {"name": outputs.decision, "type": "int64", "meaning": told}]


def _name(column: Any) -> str:
    return str(column.name)


def _kind(column: object) -> str:
    if isinstance(column, CategoryColumn) or (isinstance(column, TreeColumn) and column.levels is not None):
        return "text"
    number = column.number if isinstance(column, CodeColumn) else column
    return "number in text" if getattr(number, "converted", 0) else "number"


def _levels(column: object) -> tuple[str, ...] | None:
    if isinstance(column, CodeColumn):
        return column.category.levels
    return column.levels if isinstance(column, (CategoryColumn, TreeColumn)) else None


def _missing(column: object) -> bool | None:
    number = column.number if isinstance(column, CodeColumn) else column
    cells = getattr(number, "missing", None)
    return None if cells is None else bool(cells)


def _range(name: str, column: object, train: pd.DataFrame | None) -> list[Plain] | None:
    """Return the least and the greatest number of the training rows: of the table given, or as the model keeps them."""
    if train is not None and name in train.columns:
        numbers = pd.to_numeric(train[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        known = numbers[np.isfinite(numbers)]
        return [float(known.min()), float(known.max())] if len(known) else None
    number = column.number if isinstance(column, CodeColumn) else column
    if isinstance(number, NumberColumn) and number.edges:
        low, high = (number.mean + number.scale * edge for edge in (number.edges[0], number.edges[-1]))
        return [float(f"{low:.12g}"), float(f"{high:.12g}")]  # as they were, before they were scaled
    return None
