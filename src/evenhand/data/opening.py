"""The door for inputs: whatever was given beside a table becomes inputs of as many rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from evenhand.data.batches import as_array, is_loader
from evenhand.data.datasets import dataset_inputs
from evenhand.data.files import image_files, text_lines
from evenhand.data.inputs import Inputs, Listed, StoredInputs, as_inputs
from evenhand.errors import InputError, shorten

if TYPE_CHECKING:
    from evenhand.data.roles import Roles


def open_inputs(table: str, frame: pd.DataFrame, roles: Roles, given: object, folder: Path) -> Inputs | None:
    """Return what a model reads beside the table; None for the table itself.

    Parameters
    ----------
    table : str
        How sentences call it.
    frame : DataFrame
        Its rows.
    roles : Roles
        May name a column of images, or of texts.
    given : object
        What was passed as inputs; beside a column of images, their folder.
    folder : Path
        That of the table's file, where paths begin when no folder was given.

    Raises
    ------
    InputError
        When it is none of the known kinds, has another number of rows, or texts are missing.
    """
    found: Inputs | None = None
    path = Path(cast("str", given)) if isinstance(given, (str, os.PathLike)) else None
    _refuse_two(table, roles, given, path)
    if roles.images is not None:
        found = image_files(table, frame[roles.images], path or folder)
    elif roles.texts is not None:
        found = _texts(table, frame[roles.texts])
    elif path is not None:
        found = _file(path)
    elif given is not None:
        found = _memory(given, table)
    if found is not None and len(found) != len(frame):
        raise InputError(f"{table}: there are {len(found):,} inputs and {len(frame):,} rows; each row needs its own.")
    return found


def _refuse_two(table: str, roles: Roles, given: object, path: Path | None) -> None:
    named = [role for role in ("images", "texts") if getattr(roles, role) is not None]
    if len(named) + (given is not None and (path is None or "images" not in named)) > 1:
        raise InputError(f"{table}: images=, texts= and inputs= each say what the model reads; give one of them.")


def _texts(table: str, column: pd.Series) -> Inputs:
    absent = int(column.isna().sum())
    if absent:
        raise InputError(
            f"{table}: column '{shorten(column.name)}' has no text in {absent:,} of {len(column):,} rows: fill them, "
            'with "" say, or drop the rows.'
        )
    if pd.api.types.infer_dtype(column, skipna=False) != "string":
        raise InputError(f"{table}: column '{shorten(column.name)}' holds {column.dtype}, not texts.")
    return StoredInputs("texts", Listed(column, f"column '{column.name}'"))


def _file(path: Path) -> Inputs:
    if not path.exists():
        raise InputError(f"{path}: there is no such file of inputs.")
    if path.suffix == ".npy":
        try:
            return as_inputs(np.load(path, mmap_mode="r", allow_pickle=False))
        except (ValueError, EOFError) as wrong:
            raise InputError(f"{path}: this is no array that can be read: {shorten(wrong)}.") from None
    if path.suffix == ".txt":
        return text_lines(path)
    what = "is a folder: name the column of its files by images=" if path.is_dir() else "ends in neither .npy nor .txt"
    raise InputError(f"{path}: {what}. Inputs are an array (.npy), texts one a line (.txt), or images in a folder.")


def _memory(given: Any, table: str) -> Inputs:
    if isinstance(given, (list, tuple, pd.Series, pd.DataFrame, np.ndarray)):
        return as_inputs(given.reset_index(drop=True) if isinstance(given, pd.Series) else given)
    if hasattr(given, "detach"):
        return as_inputs(as_array(given))
    if isinstance(given, Inputs):
        return given
    if is_loader(given) or (hasattr(given, "__getitem__") and hasattr(given, "__len__")):
        return dataset_inputs(given, table)
    raise InputError(
        f"{table}: inputs are an array, texts, a path, or a data set or loader of PyTorch, not a "
        f"{type(given).__name__}."
    )
