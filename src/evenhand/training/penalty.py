"""A differentiable penalty on the gaps between groups: what it is of probabilities, and its slope for each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.training.config import Fairness
    from evenhand.training.schedule import Schedule

BESIDE: Final = 2
"""Columns of a row's membership beside those of its groups: its class, and what it counts in the rates."""
MEMORY: Final = 256
"""Rows of a cell that its running mean is about: a batch that has as many or more is taken as it is."""


def membership(data: EvaluationSet) -> NDArray[np.float32]:
    """Return (n, F + 2) the group of each row in every sensitive feature, its class, and its weight in the rates.

    The weight is that of the row in the population, of mean 1: weights of classes, and of groups, are for the loss.
    """
    groups = [data.grouping(column).codes for column in data.roles.sensitive_features]
    weight = np.ones(len(data)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
    return np.column_stack([*groups, data.y_true, weight / weight.mean()]).astype(np.float32)


def is_penalized(schedule: Schedule) -> bool:
    """Return whether gaps between groups are part of what is made small."""
    return schedule.fairness is not None and schedule.fairness_weight > 0


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Sums over rows of each cell: a group of one feature, of one class where the rate is conditional."""

    told: torch.Tensor
    """(cells, C) weighted sums of probabilities."""
    weight: torch.Tensor
    """(cells,) sums of weights."""

    def means(self) -> torch.Tensor:
        """Return (cells, C) mean probabilities; 0 of cells without rows."""
        return self.told / self.weight.clamp_min(1e-12)[:, None]

    def plus(self, other: Cells) -> Cells:
        """Return the sums over both."""
        return Cells(self.told + other.told, self.weight + other.weight)


class Penalty:
    """The squared gaps of the groups' mean probabilities, over the rows that a data set has.

    Of each sensitive feature it is ``mean over pairs of groups g, h of (m_g - m_h)^2``, where m_g is the mean
    predicted probability of the group's rows: of all of them (`demographic_parity`), of those of the positive class
    (`equal_opportunity`), or of those of each class, the mean over classes (`equalized_odds`). Of two groups it is the
    squared gap. Features are added. Of several classes the probability is that of each class, and of
    `equal_opportunity` that of the row's own. 0 means that the means of all groups are equal.

    Its slope is ``dP/dm_g`` times that of the mean: a step takes the first from pooled means (of all rows at the
    beginning of each epoch, then of the last `MEMORY` rows of the cell) and the second from its batch, so that neither
    rare groups nor small batches bias it. The squared gap of a batch by itself is larger than that of the rows by the
    variance of both means, and making that small would only make scores alike (Wang, Fang and Liu 2017, "Stochastic
    compositional gradient descent").

    Parameters
    ----------
    fairness : str
        Which rates are to be equal.
    members : (n, F + 2) tensor
        What `membership` returns, of all rows.
    classes : int
        Outputs: 1 probability of two classes, else one a class.
    """

    def __init__(self, fairness: Fairness, members: torch.Tensor, classes: int) -> None:
        import torch

        self.features, self.classes = members.shape[1] - BESIDE, classes
        self._given = fairness != "demographic_parity"
        self._conditions = max(2, classes) if self._given else 1
        self._groups = [int(code) + 1 for code in members[:, : self.features].amax(dim=0)]
        counted = torch.ones(self._conditions, classes, device=members.device)
        if fairness == "equal_opportunity":
            counted = torch.eye(classes, device=members.device) if classes > 1 else torch.tensor([[0.0], [1.0]])
        self._counted = counted.to(members.device) / counted.sum()
        starts = np.cumsum([0, *self._groups[:-1]]) * self._conditions
        self._starts = torch.tensor(starts, device=members.device)
        self._count = sum(self._groups) * self._conditions
        share = self.sums(members, torch.zeros(len(members), classes, device=members.device)).weight
        self.there = share > 0
        self._share = (share / members[:, -1].sum().clamp_min(1e-12)).clamp_min(1e-12)

    def _places(self, members: torch.Tensor) -> torch.Tensor:
        """Return (n, F) the cells of each row."""
        groups = members[:, : self.features].long()
        given = members[:, self.features : self.features + 1].long() if self._given else 0
        return self._starts + groups * self._conditions + given

    def sums(self, members: torch.Tensor, told: torch.Tensor) -> Cells:
        """Return the sums over rows, of whom `told` (n, C) is the probability."""
        weight = members[:, -1:]
        empty = told.new_zeros(self._count, self.classes + 1)
        each = (weight * _with_one(told)).repeat_interleave(self.features, dim=0)
        held = empty.index_add_(0, self._places(members).flatten(), each)
        return Cells(held[:, :-1], held[:, -1])

    def value(self, means: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the penalty of means (cells, C), and its slope for each of them."""
        import torch

        total, slopes, at = means.new_zeros(()), [], 0
        for groups in self._groups:
            until = at + groups * self._conditions
            shape = (groups, self._conditions, self.classes)
            there = self.there[at:until].reshape(groups, self._conditions, 1).to(means.dtype)
            mean = means[at:until].reshape(shape)
            known = there.sum(dim=0)
            apart = there * (mean - (there * mean).sum(dim=0) / known.clamp_min(1.0))
            factor = self._counted * 2 / (known - 1).clamp_min(1.0)
            total = total + (factor * (apart**2).sum(dim=0)).sum()
            slopes.append((2 * factor * apart).reshape(-1, self.classes))
            at = until
        return total, torch.cat(slopes)

    def slopes(self, members: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
        """Return (n, C) by how much the penalty rises with the probability of each row, times the number of rows."""
        of_cells = self.value(means)[1] / self._share[:, None]
        return members[:, -1:] * of_cells[self._places(members)].sum(dim=1)


def _with_one(told: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.cat([told, torch.ones_like(told[:, :1])], dim=1)


def renewed(means: torch.Tensor, seen: Cells) -> torch.Tensor:
    """Return running means after the rows of a step: those of the last `MEMORY` rows of each cell."""
    share = (seen.weight / MEMORY).clamp(max=1.0)[:, None]
    return means + share * (seen.means() - means)
