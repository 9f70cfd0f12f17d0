"""Data sets and loaders of PyTorch as inputs, without importing torch: items are asked for by position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.data.batches import as_array, is_loader
from evenhand.data.hashing import hash_batch
from evenhand.data.inputs import MOST_ROWS, Arrays, Inputs, StoredInputs, as_inputs, rows_at_once
from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """What a data set holds at each position: an input, or an input followed by what else is known of it."""

    dataset: Any
    """With len and [position]."""
    collate: Callable[[list[Any]], Any] | None
    """What a loader makes of the items of a batch."""
    at_once: int
    """Rows of a batch: as the loader has it, or as memory bears."""

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.dataset)

    def read(self, rows: NDArray[np.intp] | slice) -> Batch:
        """Return the inputs at these positions."""
        items = [self.dataset[int(at)] for at in np.arange(len(self.dataset))[rows]]
        if self.collate is not None:
            made = self.collate(items)
            return _batch(made[0] if _is_followed(items[0]) else made)
        inputs = [_first(item) for item in items]
        return np.stack([as_array(one) for one in inputs]) if _is_array(inputs[0]) else inputs

    def hashes(self, rows: NDArray[np.intp] | slice) -> NDArray[np.uint64]:
        """Return one hash for each of these items."""
        return hash_batch(self.read(rows))  # type: ignore[arg-type]

    def describe(self) -> dict[str, Plain]:
        """Return the data set's class."""
        return {"from": type(self.dataset).__name__}


def dataset_inputs(source: Any, name: str) -> Inputs:
    """Return a data set, or that of a loader, as inputs. A loader's order is left aside: rows keep their positions.

    Raises
    ------
    InputError
        When items cannot be asked for by position.
    """
    loader = is_loader(source)
    dataset = source.dataset if loader else source
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise InputError(
            f"{name}: a {type(dataset).__name__} gives its items only in turn, and rows are read by position: pass a "
            "data set with len and [position], an array or a file."
        )
    if not len(dataset):
        raise InputError(f"{name}: the {type(dataset).__name__} is empty.")
    whole = getattr(dataset, "tensors", None)
    if whole and not loader:  # a TensorDataset, whose items need not be put together again
        return StoredInputs("arrays", Arrays(as_array(whole[0])))
    one = _first(dataset[0])
    size = rows_at_once(as_array(one).shape, as_array(one).itemsize) if _is_array(one) else MOST_ROWS
    collate, given = (source.collate_fn, source.batch_size) if loader else (None, None)
    items = Items(dataset, collate, given or size)
    return StoredInputs(as_inputs(items.read(slice(0, 1))).kind, items)


def _first(item: Any) -> Any:
    return item[0] if _is_followed(item) else item


def _is_followed(item: Any) -> bool:
    """Whether an item is an input followed by its label, say; a list of numbers is an input itself."""
    return isinstance(item, (tuple, list)) and len(item) > 0 and not isinstance(item[0], (int, float, np.number))


def _batch(found: Any) -> Batch:
    if isinstance(found, Mapping):  # columns of a batch, as torch puts mappings together
        parts = {key: as_array(values) for key, values in found.items()}
        return [{key: values[at] for key, values in parts.items()} for at in range(len(next(iter(parts.values()))))]
    return as_array(found) if _is_array(found) else list(found)


def _is_array(value: object) -> bool:
    return hasattr(value, "detach") or isinstance(value, np.ndarray)
