"""Convert a batch to the inputs of a model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from evenhand.errors import ModelError, argument, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Reads


def is_table(batch: Batch) -> bool:
    """Whether a batch is a pandas table."""
    return hasattr(batch, "columns") and hasattr(batch, "iloc")


def as_table(batch: Batch, name: str) -> pd.DataFrame:
    """Return a batch as the table it is.

    Raises ModelError when it is something else.
    """
    if not is_table(batch):
        raise ModelError(f"Model '{name}' reads a table and was given a {type(batch).__name__}.")
    return cast("pd.DataFrame", batch)


def select(batch: Batch, features: Sequence[str] | None, name: str) -> Batch:
    """Return the columns that the model takes, in its order; all of the batch when it names none, or is not a table.

    Raises ModelError when columns are absent; all of them are named.
    """
    if features is None or not is_table(batch):
        return batch
    X = as_table(batch, name)
    present = set(X.columns)
    raise_all(
        ModelError,
        (
            f"Model '{name}' needs column '{shorten(feature)}', which the table does not have."
            f"{did_you_mean(feature, X.columns)}"
            for feature in features
            if feature not in present
        ),
    )
    return X.loc[:, list(features)]


def as_numbers(batch: Batch, dtype: str, name: str) -> NDArray[np.generic]:
    """Return arrays, or token ids of one length, as an array of the type that a network takes.

    Raises ModelError when the batch is not such an array, or whole numbers would become fractions: only the author
    of the model knows how.
    """
    import numpy as np

    lengths = {len(row) for row in batch} if isinstance(batch, list) else {1}
    found = np.asarray(batch) if len(lengths) < 2 else np.empty(0, dtype=object)
    if isinstance(batch, list) and any(isinstance(row, str) for row in batch[:1]):
        raise ModelError(f"Model '{name}' takes an array of numbers, and these are texts: pass inputs= or images=.")
    if found.dtype.kind not in "biuf":
        raise ModelError(f"Model '{name}' takes an array of numbers: pad lists of token ids to one length beforehand.")
    if found.dtype.kind in "iu" and dtype.startswith("float"):
        raise ModelError(
            f"Model '{name}' takes {dtype}, and the inputs are whole numbers ({found.dtype}), bytes of images say. "
            "Whether and by what they are scaled is not guessed: pass fractions, or prepare=, a function of a batch."
        )
    with np.errstate(invalid="ignore"):  # what a type cannot hold is compared below
        made = found.astype(dtype, copy=False)
    if made.dtype.kind in "biu" and not np.array_equal(made, found):
        raise ModelError(f"Model '{name}' takes {dtype}, which cannot hold the inputs ({found.dtype}).")
    return made


def read_by(estimator: object) -> Reads | None:
    """Return "texts" where the first step of a pipeline splits texts into words; None where nothing tells."""
    steps: list[tuple[str, object]] = getattr(estimator, "steps", [])
    return "texts" if steps and hasattr(steps[0][1], "build_analyzer") else None


def flat(batch: Batch, count: int | None) -> Batch:
    """Return arrays (n, ...) as (n, count) where an estimator was fitted on rows of so many numbers."""
    import numpy as np

    if isinstance(batch, np.ndarray) and batch.ndim > 2 and batch.size == len(batch) * (count or 0):
        return batch.reshape(len(batch), -1)
    return batch


def numeric_matrix(batch: Batch, name: str, dtype: str = "float32") -> NDArray[np.generic]:
    """Return the columns as a matrix of numbers, shape (n, features).

    Raises ModelError when columns are not numeric, or hold what the type cannot; all of them are named.
    """
    import pandas as pd

    X = as_table(batch, name)
    raise_all(
        ModelError,
        (
            f"Model '{name}' takes numbers only, but column '{shorten(column)}' holds {dtype}. "
            f"Encode it beforehand, or pass {argument('features')} with the numeric columns."
            for column, dtype in X.dtypes.items()
            if not pd.api.types.is_numeric_dtype(dtype)
        ),
    )
    if not dtype.startswith("float"):
        return as_numbers(X.to_numpy(dtype="float64", na_value=float("nan")), dtype, name)
    return X.to_numpy(dtype=dtype, na_value=float("nan"))


def shaped(given: NDArray[np.generic], wanted: Sequence[object], name: str) -> NDArray[np.generic]:
    """Return rows (n, ...) in the shape that a network takes behind its first axis.

    Axes of size 1 are added or left out, and rows of numbers are folded or unfolded in their order; nothing else is, as
    it would mix what stands where.

    Parameters
    ----------
    given : array, shape (n, ...)
    wanted : sequence
        The size of each axis; anything but a whole number where it is free.
    name : str
        The model's name, for the sentences.

    Raises
    ------
    ModelError
        When the shape is another one.
    """
    sizes = [size if isinstance(size, int) else None for size in wanted]
    have = given.shape[1:]
    if len(have) == len(sizes) and all(size in (None, there) for size, there in zip(sizes, have, strict=True)):
        return given
    kept, needed = [size for size in have if size != 1], [size for size in sizes if size != 1]
    if len(kept) == len(needed) and all(size in (None, there) for size, there in zip(needed, kept, strict=True)):
        rest = iter(kept)
        return given.reshape(len(given), *(1 if size == 1 else next(rest) for size in sizes))
    known = [size for size in sizes if size is not None]
    if (len(have) == 1 or len(sizes) == 1) and len(known) == len(sizes) and math.prod(known) == math.prod(have):
        return given.reshape(len(given), *known)
    told, needs = (
        " x ".join(["n", *("any" if size is None else str(size) for size in each)]) for each in (have, sizes)
    )
    way = f"{argument('prepare')}, a function of a batch"
    if sorted(have) == sorted(known) and len(have) == len(sizes):
        left = dict(enumerate(have, 1))
        order = [0]
        for size in known:
            order.append(next(at for at, there in left.items() if there == size))
            del left[order[-1]]
        way += f", such as lambda X: X.transpose{tuple(order)}"
    raise ModelError(f"Model '{name}' takes the shape {needs}, and the inputs have {told}. Pass {way}.")
