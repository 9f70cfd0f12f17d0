"""Data sets and loaders of PyTorch as inputs, without importing torch: items are read by position."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.data.batches import as_array, is_loader
from evenhand.data.inputs import MOST_ROWS, Inputs, Rows, as_inputs, rows_at_once
from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import Batch


def dataset_inputs(source: Any, name: str) -> Inputs:
    """Return a data set, or that of a loader, as inputs. A loader's order is left aside: rows keep their positions.

    An item is an input, or an input followed by what else is known of it. A loader puts the items of a batch together.

    Raises
    ------
    InputError
        When items cannot be read by position.
    """
    loader = is_loader(source)
    dataset = source.dataset if loader else source
    kind = type(dataset).__name__
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise InputError(
            f"{name}: a {kind} gives its items only in turn, and rows are read by position: pass a data set with len "
            "and [position], an array or a file."
        )
    if not len(dataset):
        raise InputError(f"{name}: the {kind} is empty.")
    whole = getattr(dataset, "tensors", None)
    if whole and not loader:  # a TensorDataset, whose items need not be put together again
        return as_inputs(as_array(whole[0]))
    first = dataset[0][0] if _is_followed(dataset[0]) else dataset[0]
    size = rows_at_once(as_array(first).shape, as_array(first).itemsize) if _is_array(first) else MOST_ROWS
    read = partial(_items, dataset, source.collate_fn if loader else None)
    given = source.batch_size if loader else None
    return Inputs(as_inputs(read(slice(0, 1))).kind, len(dataset), read, given or size, {"from": kind})


def _items(dataset: Any, collate: Callable[[list[Any]], Any] | None, rows: Rows) -> Batch:
    items = [dataset[int(at)] for at in np.arange(len(dataset))[rows]]
    followed = bool(items) and _is_followed(items[0])
    if collate is None:
        inputs = [item[0] for item in items] if followed else items
        return np.stack([as_array(one) for one in inputs]) if inputs and _is_array(inputs[0]) else inputs
    made = collate(items)[0] if followed else collate(items)
    if isinstance(made, Mapping):  # columns of a batch, as torch puts mappings together
        parts = {key: as_array(values) for key, values in made.items()}
        return [{key: values[at] for key, values in parts.items()} for at in range(len(items))]
    return as_array(made) if _is_array(made) else list(made)


def _is_followed(item: Any) -> bool:
    """Whether an item is a pair, such as an input and its label; a list of numbers is an input itself."""
    return isinstance(item, (tuple, list)) and len(item) > 0 and not isinstance(item[0], (int, float, np.number))


def _is_array(value: object) -> bool:
    return hasattr(value, "detach") or isinstance(value, np.ndarray)
