"""Arrays as a network takes them: one shape, channels first, about mean 0 and deviation 1."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from evenhand.data import as_inputs
from evenhand.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data import Inputs
    from evenhand.findings import Batch, Plain, Reads


@dataclass(frozen=True, slots=True)
class Normalization:
    """Preparing for networks over arrays: (number - mean) / scale, in the shape that the network takes.

    Arrays come in that shape, with channels last where it has them first, or flat. `fit` learns mean and scale.

    Examples
    --------
    >>> import numpy as np
    >>> Normalization((3, 2, 2), scale=255.0).transform(np.full((5, 2, 2, 3), 255, dtype=np.uint8)).shape
    (5, 3, 2, 2)
    """

    reads: ClassVar[Reads] = "arrays"
    """Arrays."""
    features: ClassVar[tuple[str, ...]] = ()
    """The columns of a table that are read: none."""
    left_out: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Columns that the network cannot read: none."""
    shape: tuple[int, ...]
    """Of one row, channels first for images."""
    mean: float | tuple[float, ...] = 0.0
    """What is taken away from each number; of images also one number a channel."""
    scale: float | tuple[float, ...] = 1.0
    """What it is divided by then; of images also one number a channel."""
    rows: int = 0
    """Rows it was fitted on."""

    def __post_init__(self) -> None:
        for name in ("mean", "scale"):
            value = getattr(self, name)
            if isinstance(value, tuple) and (not self.shape or len(value) != self.shape[0]):
                channels = self.shape[0] if self.shape else 0
                raise InputError(f"{name} has {len(value)} numbers, and the images have {channels} channels.")

    @classmethod
    def fit(cls, arrays: Inputs | Batch, shape: tuple[int, ...] | None = None) -> Normalization:
        """Learn mean and deviation over all numbers of training rows, batch by batch.

        `shape` is that of the network's inputs, by default that of the arrays.

        Raises
        ------
        InputError
            When rows are of another size, or hold something else than finite numbers.
        """
        held = as_inputs(arrays)
        if held.kind != "arrays":
            raise InputError(f"Numbers are normalized of arrays (n, ...), and these inputs are {held.kind}.")
        bare, count, mean, squares = cls(tuple(shape or ())), 0, 0.0, 0.0
        try:
            for batch in held.batches():
                bare = bare if bare.shape else cls(channels_first(np.shape(batch)[1:]))
                values = bare.transform(batch).astype(np.float64)
                ahead, both = float(values.mean()) - mean, count + values.size
                mean += ahead * values.size / both
                squares += float(values.var()) * values.size + ahead**2 * count * values.size / both
                count = both
        except ModelError as wrong:
            raise InputError(str(wrong)) from None
        return cls(bare.shape, mean, math.sqrt(squares / count) or 1.0, len(held))

    def transform(self, batch: Batch) -> NDArray[np.float32]:
        """Return ``(n, *shape)`` finite numbers.

        Raises
        ------
        ModelError
            When rows are of another size, or hold something else than finite numbers.
        """
        try:
            values = np.asarray(batch, dtype=np.float32)
        except (TypeError, ValueError):
            raise ModelError(f"The model reads arrays of numbers, not a {type(batch).__name__}.") from None
        values = self._shaped(values)
        if not np.isfinite(values).all():
            wrong = int((~np.isfinite(values)).sum())
            raise ModelError(f"The arrays hold {wrong:,} missing or infinite numbers; the model takes none.")
        return np.ascontiguousarray((values - self._each(self.mean)) / self._each(self.scale), dtype=np.float32)

    def _each(self, value: float | tuple[float, ...]) -> NDArray[np.float32]:
        """Return a number, or one a channel in the shape that goes with rows."""
        numbers = np.asarray(value, dtype=np.float32)
        return numbers.reshape(-1, *[1] * (len(self.shape) - 1)) if numbers.ndim else numbers

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        found = values.shape[1:]
        if found == self.shape:
            return values
        if len(found) == len(self.shape) > 1 and (found[-1], *found[:-1]) == self.shape:
            return np.moveaxis(values, -1, 1)
        if math.prod(found) == math.prod(self.shape) and len(found) != len(self.shape):
            return values.reshape(len(values), *self.shape)
        raise ModelError(f"The model reads arrays of shape {self.shape}, and these are of shape {found}.")

    def describe(self) -> list[Plain]:
        """Return the steps, as plain records for a report."""
        return [{name: value for name, value in self.to_plain().items() if name != "rows"}]

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {"kind": "normalization", **plain}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Normalization:
        """Invert `to_plain`; for a model saved when pixels were columns, return the same over arrays.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        shape = tuple(int(cast("int", size)) for size in cast("list[Plain]", plain["shape"]))
        mean, scale = (_numbers(plain[name]) for name in ("mean", "scale"))
        return cls(shape, mean, scale, int(cast("int", plain["rows"])))


def _numbers(value: Plain) -> float | tuple[float, ...]:
    return (
        tuple(float(cast("float", each)) for each in value) if isinstance(value, list) else float(cast("float", value))
    )


def channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape in which a network takes images: gray ones get a channel, and the last axis goes first.

    Examples
    --------
    >>> channels_first((28, 28)), channels_first((64, 64, 3)), channels_first((3, 64, 64)), channels_first((12,))
    ((1, 28, 28), (3, 64, 64), (3, 64, 64), (12,))
    """
    if len(shape) == 2:
        return (1, *shape)
    return (shape[2], *shape[:2]) if len(shape) == 3 and shape[2] in (1, 3, 4) and shape[0] not in (1, 3) else shape
