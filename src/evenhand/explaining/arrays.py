"""Arrays as tables: images and token rows, each cell a column, and maps of the cells of each player."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from evenhand.errors import InputError
from evenhand.explaining.scores import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    Array = NDArray[np.generic]


def array_table(X: Array) -> pd.DataFrame:
    """Return an array (n, ...) as a table with one column a cell, named by its place in a flattened row."""
    flat = X.reshape(len(X), -1)
    return pd.DataFrame(flat, columns=[str(place) for place in range(flat.shape[1])], copy=False)


class ArrayModel:
    """A model of arrays as a model of tables.

    `predict`: from an array (rows, ...) to one score a row, or a subject; a torch module is called with a tensor;
    `shape`: the shape of one row; `dtype`: the type of the array.
    """

    def __init__(self, predict: Callable[[Array], object], shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
        self.name = str(getattr(predict, "name", getattr(predict, "__name__", type(predict).__name__)))
        self.shape, self._dtype = shape, dtype
        self._module = cast("nn.Module", predict) if hasattr(predict, "named_modules") else None
        self._call = getattr(predict, "predict", predict)
        self._whole = predict
        self.estimator: object = getattr(predict, "estimator", None)
        self.positive: object = getattr(predict, "positive", None)
        self.network = self._module
        if self._module is not None and len(shape) > 1:
            from torch import nn

            self.network = nn.Sequential(nn.Unflatten(1, shape), self._module)

    @property
    def score_kind(self) -> str:
        """What the scores are, as the subject says; probabilities of a bare function."""
        return str(getattr(self._whole, "score_kind", "probability"))

    def prepare(self, X: pd.DataFrame) -> Array:
        """Return the flattened rows."""
        return X.to_numpy(dtype=self._dtype)

    def predict_prepared(self, rows: Array) -> object:
        """Return the answer for flattened rows."""
        given = rows.reshape(len(rows), *self.shape)
        if self._module is None:
            return self._call(given)
        import torch

        with torch.inference_mode():
            answer: object = self._module(torch.from_numpy(np.array(given)))
        return answer

    def predict(self, X: pd.DataFrame) -> object:
        """Return the answer for a table of cells."""
        return self.predict_prepared(self.prepare(X))


def patch_players(shape: tuple[int, ...], patch: int, channels_last: bool = False) -> NDArray[np.int64]:
    """Return a player map of an image: all cells of a square of `patch` by `patch` pixels are one player.

    Parameters
    ----------
    shape : tuple of int
        (height, width), (channels, height, width), or (height, width, channels) with `channels_last`.
    patch : int
        Pixels along one side; squares at the lower and the right edge may be smaller.
    channels_last : bool
        The axis of the channels.

    Returns
    -------
    array of `shape`
        The number of each cell's player, row by row of squares.

    Raises
    ------
    InputError
        When the shape is none of an image, or the patch is below 1.

    Examples
    --------
    >>> patch_players((4, 4), 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """
    if len(shape) not in (2, 3) or patch < 1:
        raise InputError(f"An image has two or three axes and a patch at least one pixel; shape is {shape}, {patch=}.")
    height, width = shape if len(shape) == 2 else shape[:2] if channels_last else shape[1:]
    across = -(-width // patch)
    squares = (np.arange(height) // patch)[:, None] * across + (np.arange(width) // patch)[None, :]
    if len(shape) == 2:
        return squares
    return np.array(np.broadcast_to(squares[:, :, None] if channels_last else squares[None], shape))


def mapped_players(players: Array, shape: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
    """Return a player map as the columns of each player.

    Raises InputError when the map has not the shape of a row.
    """
    if players.shape != shape:
        raise InputError(f"The player map has shape {players.shape} and a row has shape {shape}.")
    flat = players.reshape(-1)
    names = [str(value) for value in np.unique(flat)]
    return {
        f"player {name}" if name.lstrip("-").isdigit() else name: tuple(map(str, np.flatnonzero(flat == value)))
        for name, value in zip(names, np.unique(flat), strict=True)
    }


def as_tables(
    model: object, X: Array, background: object, players: Mapping[str, Sequence[str]] | Array | None
) -> tuple[object, pd.DataFrame, pd.DataFrame, Mapping[str, Sequence[str]] | None]:
    """Return a model of arrays, its rows, its background and its players as those of tables.

    Raises InputError when rows and background are not of one shape.
    """
    other = np.asarray(background)
    if X.ndim < 2 or X.shape[1:] != other.shape[1:]:
        raise InputError(
            f"Rows to explain have shape {X.shape} and the background has shape {other.shape}: both are (rows, ...), "
            "with rows of one shape."
        )
    shape = X.shape[1:]
    named = mapped_players(players, shape) if isinstance(players, np.ndarray) else players
    return ArrayModel(opened(model), shape, X.dtype), array_table(X), array_table(other.astype(X.dtype)), named  # type: ignore[arg-type]
