"""Files kept with a model and not in it: fingerprints of its training rows, and what its fit cost."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np

from evenhand.data.mapping import map_array
from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from evenhand.findings import Plain


def rows_path(model: Path) -> Path:
    """Return the path of the fingerprints of a model's training rows."""
    return model.with_name(model.name + ".rows.npy")


def write_rows(model: Path, hashes: NDArray[np.uint64]) -> None:
    """Write (n,) row hashes to the model's folder; an old file is deleted when there are none."""
    from evenhand.output.writing import is_device, write_bytes

    place = rows_path(model)
    if is_device(model):  # nothing can be read again from there
        return
    if not len(hashes):
        place.unlink(missing_ok=True)
        return
    held = io.BytesIO()
    np.save(held, np.unique(hashes).astype("<u8"), allow_pickle=False)
    write_bytes(place, held.getvalue())


def read_rows(model: Path) -> NDArray[np.uint64]:
    """Return the row hashes of a model; none when there is no such file, or it is damaged."""
    try:
        found = map_array(rows_path(model))
    except InputError:
        return np.empty(0, dtype=np.uint64)
    return np.array(found) if found.ndim == 1 and found.dtype == np.uint64 else np.empty(0, dtype=np.uint64)


def write_cost(model: Path, cost: Mapping[str, Plain] | None) -> None:
    """Write what a fit cost to the model's folder; an old file is deleted when the cost is unknown."""
    from evenhand.output.writing import is_device, write_text

    place = model.with_name(model.name + ".cost.json")
    if is_device(model):
        return
    if cost is None:
        place.unlink(missing_ok=True)
    else:
        write_text(place, json.dumps(dict(cost), indent=1, sort_keys=True) + "\n")


def read_cost(model: Path) -> dict[str, Plain] | None:
    """Return what a fit cost; None when there is no such file, or it is damaged."""
    place = model.with_name(model.name + ".cost.json")
    try:
        held = parse_json(read_bytes(place), place, strict=True)
    except InputError:
        return None
    return held if isinstance(held, dict) else None
