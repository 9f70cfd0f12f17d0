"""Rows with what a network should answer to them, and how they are handed over in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Rows with what a network should answer to them."""

    columns: NDArray[np.float32]
    """(n, columns) prepared, or (n, ...) images."""
    target: NDArray[np.float32]
    """(n,) the label, or a teacher's probability, in [0, 1]; of several classes (n, C) their probabilities."""
    weight: NDArray[np.float32]
    """(n,) of mean 1."""

    def take(self, rows: NDArray[np.intp]) -> Dataset:
        """Return some of the rows."""
        return Dataset(self.columns[rows], self.target[rows], self.weight[rows])

    def hold_out(self, share: float, seed: int) -> tuple[Dataset, Dataset]:
        """Return the dataset without a random share of its rows, and that share; one row is both."""
        order = np.random.default_rng(seed).permutation(len(self.target))
        held = max(1, round(share * len(order)))
        return (self.take(order[held:]), self.take(order[:held])) if len(order) > 1 else (self, self)

    def answer(self) -> NDArray[np.float32]:
        """Return (n, 2) or (n, C + 1) target and weight, as the loss takes them."""
        return np.column_stack([self.target, self.weight])


def rows_of(dataset: Dataset) -> Any:
    """Return the dataset as torch's data set: a list of positions gives a batch of columns and answers."""
    import torch

    class Rows(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return len(dataset.target)

        def __getitem__(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.from_numpy(dataset.columns[rows]), torch.from_numpy(answers[rows])

    answers = dataset.answer()
    return Rows()


def batches(rows: Any, batch_size: int, shuffle: bool = False) -> Any:
    """Return torch's loader, which takes a whole batch out of the arrays at once, in the order it always had."""
    from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler

    order = RandomSampler(rows) if shuffle else SequentialSampler(rows)
    return DataLoader(rows, sampler=BatchSampler(order, batch_size, drop_last=False), batch_size=None)
