"""Rows for the network, step by step: shuffled, read a few megabytes at a time, each process its share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from numpy.typing import NDArray

    from evenhand.training.dataset import Dataset

AT_ONCE: Final = 1 << 20
"""Cells of prepared rows that are read at once, where a batch has not more: 4 MB of float32."""
CHECKED_AT_ONCE: Final = 4096
"""Rows that go through the network in one piece where nothing is learnt, at most."""
CHECKED_CELLS: Final = 1 << 22
"""Cells that go through it in one piece there."""
LEAST: Final = 2
"""Rows of a process's share, as one row has no deviation."""

Batch: TypeAlias = "tuple[torch.Tensor, torch.Tensor]"
"""Columns (b, ...) and answers (b, k + 1), the last column of which is the weight."""


@dataclass(frozen=True, slots=True)
class Step:
    """The rows after which weights move once."""

    batches: list[Batch]
    """What goes through the network in turn: this process's share of each batch."""
    rows: int
    """Rows of all batches, of all processes."""
    weight: float
    """The sum of their weights."""


class Feed:
    """A dataset on a device, as batches.

    Parameters
    ----------
    dataset : Dataset
        The rows; in memory they go to the device as a whole, else as they are read.
    device : torch.device
        Where the network is.
    part : tuple of int
        Which share of each batch, of how many, as ``(rank, processes)``. Of several processes each has two rows at
        least, those of others without weight where there are too few: all ask the network, or none.
    """

    def __init__(self, dataset: Dataset, device: torch.device, part: tuple[int, int] = (0, 1)) -> None:
        import torch

        self.device, (self._rank, self._processes) = device, part
        columns, self._weight = dataset.columns, dataset.weight.astype(np.float64)
        self._columns = torch.from_numpy(columns).to(device) if isinstance(columns, np.ndarray) else columns
        self._answers = torch.from_numpy(dataset.answer()).to(device)
        self._cells = max(1, math.prod(dataset.columns.shape[1:]))

    def __len__(self) -> int:
        """Return the number of rows, of all processes."""
        return len(self._answers)

    def steps(self, order: NDArray[np.intp], batch: int, accumulate: int = 1) -> Iterator[Step]:
        """Yield the rows in this order, `accumulate` batches a step; one row that is left goes with the last batch.

        Columns and answers are copies, and may be changed.
        """
        sizes = batch_sizes(len(order), batch)
        parts = np.split(order, np.cumsum(sizes)[:-1])
        weights = np.add.reduceat(self._weight[order], np.cumsum([0, *sizes[:-1]]))
        batches = self._read(parts)
        for at in range(0, len(parts), accumulate):
            until = min(at + accumulate, len(parts))
            held = [next(batches) for _ in range(at, until)]
            yield Step(held, sum(sizes[at:until]), float(weights[at:until].sum()))

    def checked(self) -> Iterator[Batch]:
        """Yield all rows in order, in large pieces."""
        size = max(1, min(CHECKED_AT_ONCE, CHECKED_CELLS // self._cells))
        if self._processes == 1:
            for at in range(0, len(self), size):
                yield self._take(slice(at, at + size)), self._answers[at : at + size]
            return
        yield from self._read([np.arange(at, min(at + size, len(self))) for at in range(0, len(self), size)])

    def _read(self, parts: list[NDArray[np.intp]]) -> Iterator[Batch]:
        """Yield this process's share of each batch; several are read together, a few megabytes of them."""
        import torch

        each = max(1, AT_ONCE // self._cells // max(1, len(parts[0])))
        for at in range(0, len(parts), each):
            held = parts[at : at + each]
            shares = held if self._processes == 1 else [self._share(part) for part in held]
            rows = np.concatenate(shares)
            sizes = [len(share) for share in shares]
            columns, answers = self._take(rows), self._answers[torch.from_numpy(rows).to(self.device)]
            batches = zip(torch.split(columns, sizes), torch.split(answers, sizes), strict=True)
            for part, (x, answer) in zip(held, batches, strict=True):
                answer[len(self._own(part)) :, -1] = 0
                yield x, answer

    def _own(self, part: NDArray[np.intp]) -> NDArray[np.intp]:
        return part[self._rank :: self._processes]

    def _share(self, part: NDArray[np.intp]) -> NDArray[np.intp]:
        own = self._own(part)
        return own if len(own) >= LEAST else np.concatenate([own, np.resize(part, LEAST - len(own))])

    def _take(self, rows: NDArray[np.intp] | slice) -> torch.Tensor:
        import torch

        if isinstance(self._columns, torch.Tensor):
            at = rows if isinstance(rows, slice) else torch.from_numpy(rows).to(self.device)
            return self._columns[at]
        return torch.from_numpy(self._columns[rows]).to(self.device)


def batch_sizes(rows: int, batch: int) -> list[int]:
    """Return how many rows each batch has; one row that is left goes with the last, as it has no deviation.

    Examples
    --------
    >>> batch_sizes(9, 4), batch_sizes(10, 4), batch_sizes(1, 4)
    ([4, 5], [4, 4, 2], [1])
    """
    whole, left = divmod(rows, batch)
    if not left:
        return [batch] * whole
    if left == 1 and whole and batch > 1:
        return [batch] * (whole - 1) + [batch + 1]
    return [batch] * whole + [left]
