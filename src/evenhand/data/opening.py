"""Open inputs given with a table, of any kind, as inputs of as many rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from evenhand.data.batches import as_array
from evenhand.data.datasets import dataset_inputs
from evenhand.data.files import image_files, text_lines
from evenhand.data.inputs import Inputs, as_inputs
from evenhand.data.mapping import map_array
from evenhand.errors import InputError, argument, shorten

if TYPE_CHECKING:
    from evenhand.data.roles import Roles


def open_inputs(table: str, frame: pd.DataFrame, roles: Roles, given: object, folder: Path) -> Inputs | None:
    """Return the model inputs given with a table; None for the table itself.

    `given` is the argument inputs: with a column of images their folder, for which `folder`, that of the
    table's file, is the default.

    Raises
    ------
    InputError
        When it is none of the known kinds, has another number of rows, or texts are missing.
    """
    path = Path(cast("str", given)) if isinstance(given, (str, os.PathLike)) else None
    beside = given is not None and (roles.images is None or path is None)
    if sum((roles.images is not None, roles.texts is not None, beside)) > 1:
        raise InputError(
            f"{table}: {argument('images')}, {argument('texts')} and {argument('inputs')} each say what "
            "the model reads; give one of them."
        )
    if roles.images is not None:
        return image_files(table, frame[roles.images], path or folder)
    if roles.texts is not None:
        return _texts(table, frame[roles.texts])
    if given is None:
        return None
    found = _memory(given, table) if path is None else _file(path)
    if found.kind == "table":
        raise InputError(
            f"{table}: a model that reads a table reads the columns of the rows; leave out {argument('inputs')}."
        )
    if len(found) != len(frame):
        raise InputError(f"{table}: there are {len(found):,} inputs and {len(frame):,} rows; each row needs its own.")
    return found


def _texts(table: str, column: pd.Series) -> Inputs:
    name, absent = shorten(column.name), int(column.isna().sum())
    if absent:
        raise InputError(
            f"{table}: column '{name}' has no text in {absent:,} of {len(column):,} rows: fill them, with \"\" say, or "
            "drop the rows."
        )
    if pd.api.types.infer_dtype(column, skipna=False) != "string":
        raise InputError(f"{table}: column '{name}' holds {column.dtype}, not texts.")
    return as_inputs(column, f"column '{name}'")


def _file(path: Path) -> Inputs:
    if not path.exists():
        raise InputError(f"{path}: there is no such file of inputs.")
    if path.suffix == ".txt":
        return text_lines(path)
    if path.suffix != ".npy":
        what = (
            f"is a folder: name the column of its files by {argument('images')}"
            if path.is_dir()
            else "ends in neither .npy nor .txt"
        )
        raise InputError(f"{path}: {what}. Inputs are an array (.npy), texts one a line (.txt), or images in a folder.")
    return as_inputs(map_array(path))


def _memory(given: Any, table: str) -> Inputs:
    if isinstance(given, np.ma.MaskedArray):
        return as_inputs(as_array(given))
    if isinstance(given, (Inputs, list, tuple, pd.Series, pd.DataFrame, np.ndarray)):
        return as_inputs(given)
    if hasattr(given, "detach"):
        return as_inputs(as_array(given))
    if hasattr(given, "dataset") or (hasattr(given, "__getitem__") and hasattr(given, "__len__")):
        return dataset_inputs(given, table)
    raise InputError(
        f"{table}: inputs are an array, texts, a path, a data set or loader of PyTorch, not a {type(given).__name__}."
    )
