"""Lists as rows: the items of a query go through the network together, so that their order can be learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.errors import InputError
from evenhand.training.losses import PADDED

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.data import EvaluationSet
    from evenhand.training.dataset import Dataset, Prepared
    from evenhand.training.loop import Learned
    from evenhand.training.schedule import Schedule

LONGEST: Final = 128
"""Most items of a list that are compared with each other in a step: a longer list is learnt in parts, drawn once."""


def in_lists(columns: Prepared, data: EvaluationSet, weight: NDArray[np.float64], seed: int) -> Dataset:
    """Return a data set whose rows are lists.

    Columns are (lists, M, ...), targets (lists, M), a shorter list filled up with items of its own that count for
    nothing. A list weighs the mean of its items; lists of which nothing is worth more than the rest teach nothing, and
    are left out.

    Raises InputError when no list is left.
    """
    import pandas as pd

    from evenhand.training.dataset import Dataset

    query = pd.factorize(data.table[data.roles.query])[0]
    order = np.random.default_rng(seed).permutation(len(query))
    order = order[np.argsort(query[order], kind="stable")]
    ends = np.flatnonzero(np.diff(query[order])) + 1
    relevance = np.asarray(data.y_true, dtype=np.float32)
    parts = [
        part
        for items in np.split(order, ends)
        for part in np.array_split(items, -(-len(items) // LONGEST))
        if relevance[part].min() < relevance[part].max()
    ]
    if not parts:
        raise InputError(
            f"{data.name}: no list has items of different relevance, so no order can be learnt. Look at "
            f"'{data.roles.query}', which names the lists."
        )
    longest = max(map(len, parts))
    at = np.stack([np.resize(part, longest) for part in parts])
    there = np.arange(longest) < np.array([len(part) for part in parts])[:, None]
    rows = columns[at.ravel()].reshape(*at.shape, *columns.shape[1:])
    worth = np.array([weight[part].mean() for part in parts])
    told = np.where(there, relevance[at], np.float32(PADDED))
    return Dataset(rows, told.astype(np.float32), (worth / worth.mean()).astype(np.float32))


def listed(network: nn.Module) -> Any:
    """Return a network over rows as one over lists of rows: (lists, M, ...) to (lists, M) scores."""
    import torch
    from torch import nn

    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of_items = network

        def forward(self, lists: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.of_items(lists.flatten(0, 1))
            return scores.reshape(lists.shape[:2])

    return Listed()


def learn(network: nn.Module, dataset: Dataset, check: Dataset, schedule: Schedule, **more: Any) -> Learned:
    """Run the training loop, over lists where the target is a ranking; parameters and result are those of `run`."""
    from dataclasses import replace

    from evenhand.training.loop import run

    if schedule.target is None or schedule.target.task != "ranking":
        return run(network, dataset, check, schedule, **more)
    if masks := more.get("masks"):
        more["masks"] = {f"of_items.{name}": mask for name, mask in masks.items()}
    items = dataset.target.shape[1]
    learned = run(
        listed(network), dataset, check, replace(schedule, batch_size=max(1, schedule.batch_size // items)), **more
    )
    return replace(learned, network=cast("nn.Module", learned.network.of_items))
