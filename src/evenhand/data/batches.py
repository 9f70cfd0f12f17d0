"""Rows that come in batches, as a DataLoader of PyTorch gives them: gathered into columns, without importing torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.errors import InputError, argument

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_array(values: object) -> NDArray[Any]:
    """Return values as an array; a tensor is taken off its graph and device, without a copy where it is in memory.

    Masked entries are missing: NaN, or None where values are no numbers.
    """
    if hasattr(values, "detach"):
        values = values.detach()
        values = values.cpu() if hasattr(values, "cpu") else values
        values = values.float() if str(getattr(values, "dtype", "")) == "torch.bfloat16" else values  # type: ignore[union-attr]
    return _unmasked(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)


def _unmasked(values: np.ma.MaskedArray[Any, Any]) -> NDArray[Any]:
    mask = np.ma.getmaskarray(values)
    if not mask.any():
        return np.asarray(values.data)
    small = values.dtype.kind in "iu" and np.abs(values.filled(0).astype(np.float64)).max(initial=0) < _EXACT
    held = values.data.astype(np.float64 if small else values.dtype if values.dtype.kind == "f" else object)
    held[mask] = np.nan if held.dtype.kind == "f" else None
    return np.asarray(held)


_EXACT = 2.0**53
"""Up to here a double holds every whole number."""


def is_loader(source: object) -> bool:
    """Whether something is a DataLoader or similar: it gives batches of a dataset."""
    return hasattr(source, "dataset") and hasattr(source, "__iter__")


def columns_of(batches: Iterable[object], names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Gather batches into one array a column.

    Parameters
    ----------
    batches : iterable of mappings, or of sequences
        Each batch holds columns of equal length: ``{"age": tensor, "sex": [...]}``, or in a fixed order.
    names : sequence of str, optional
        The names of unnamed columns: ``("x", "y", "sex")``. A part of two dimensions makes the columns
        ``x_0``, ``x_1`` and so on.

    Returns
    -------
    dict of name to (n,) array
        For `read_evaluation_set` and `audit_predictions`.

    Raises
    ------
    InputError
        When there is no batch, a column has more dimensions, or names are needed and not given.

    Examples
    --------
    >>> found = columns_of([([[1, 2], [3, 4]], [0, 1]), ([[5, 6]], [1])], names=("x", "y"))
    >>> sorted(found), found["x_1"].tolist(), found["y"].tolist()
    (['x_0', 'x_1', 'y'], [2, 4, 6], [0, 1, 1])
    """
    parts: dict[str, list[NDArray[Any]]] = {}
    for batch in batches:
        for name, values in _named(batch, names).items():
            parts.setdefault(name, []).append(values)
    if not parts:
        raise InputError("There is no batch: nothing was given to audit.")
    return {name: np.concatenate(pieces) for name, pieces in parts.items()}


def _named(batch: object, names: Sequence[str] | None) -> dict[str, NDArray[Any]]:
    if isinstance(batch, Mapping):
        given = {str(name): values for name, values in batch.items()}
    elif isinstance(batch, (list, tuple)):
        if names is None or len(names) != len(batch):
            said = "no names were given" if names is None else f"{len(names)} names were given"
            raise InputError(
                f"A batch holds {len(batch)} parts without names, and {said}: "
                'gather it by evenhand.data.columns_of(loader, names=("x", "y", "sex")).'
            )
        given = dict(zip(names, batch, strict=True))
    else:
        raise InputError(f"A batch is a {type(batch).__name__}; a mapping or a sequence of columns is needed.")
    found: dict[str, NDArray[Any]] = {}
    for name, values in given.items():
        array = as_array(values)
        if array.ndim == 2:
            found |= {f"{name}_{at}": array[:, at] for at in range(array.shape[1])}
        elif array.ndim == 1:
            found[name] = array
        else:
            raise InputError(
                f"'{name}' of a batch has the shape {array.shape}; a column has one dimension, a part two. Images and "
                f"the like go beside the table: {argument('inputs')}."
            )
    return found
