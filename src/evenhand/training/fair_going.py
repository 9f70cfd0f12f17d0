"""A network on its way with a penalty on the gaps between groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.training.going import Going
from evenhand.training.penalty import Cells, Penalty, renewed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import torch
    from torch import nn

    from evenhand.training.dataset import Dataset
    from evenhand.training.feeding import Batch, Step
    from evenhand.training.placing import Place
    from evenhand.training.schedule import Schedule


class FairGoing(Going):
    """As `Going`, and the loss is that of the rows and `fairness_weight` times the penalty; see `Penalty`.

    The rows to choose by have it as a whole, so the state that is kept is best by both.
    """

    def __init__(
        self,
        network: nn.Module,
        dataset: Dataset,
        check: Dataset,
        schedule: Schedule,
        place: Place,
        masks: Mapping[str, torch.Tensor],
    ) -> None:
        import torch

        super().__init__(network, dataset, check, schedule, place, masks)
        assert schedule.fairness is not None and dataset.members is not None and check.members is not None
        self._classes = 1 if dataset.target.ndim == 1 else dataset.target.shape[1] - schedule.matched
        self._width = dataset.members.shape[1]
        self._penalty, self._penalty_of_check = (
            Penalty(schedule.fairness, torch.from_numpy(part.members).to(place.device), self._classes)
            for part in (dataset, check)
        )

    def learn(self, epoch: int) -> float:
        """Go once through the rows; return the mean loss and the penalty of the means that the epoch ends with."""
        self._means = self._pooled(self._penalty, self._rows.checked()).means()
        loss = super().learn(epoch)
        return loss + self._schedule.fairness_weight * float(self._penalty.value(self._means)[0])

    def check(self) -> float:
        """Return the mean loss on the check rows and their penalty, dropout off."""
        found = self._pooled(self._penalty_of_check, self._checked.checked())
        told = float(self._penalty_of_check.value(found.means())[0])
        return super().check() + self._schedule.fairness_weight * told

    def _pooled(self, penalty: Penalty, batches: Iterable[Batch]) -> Cells:
        """Return the sums over all rows of all processes, dropout off."""
        import torch

        self._called.eval()
        with torch.no_grad():
            each = [
                penalty.sums(self._members(answer), self._told(self._called(columns))) for columns, answer in batches
            ]
        return self._together(each)

    def _together(self, each: list[Cells]) -> Cells:
        held = each[0]
        for more in each[1:]:
            held = held.plus(more)
        return Cells(self._place.summed(held.told), self._place.summed(held.weight))

    def _members(self, answer: torch.Tensor) -> torch.Tensor:
        """Return the membership of rows; one that fills up a process's share counts for nothing."""
        members = answer[:, : self._width].clone()
        members[:, -1] *= answer[:, -1] != 0
        return members

    def _told(self, logits: torch.Tensor) -> torch.Tensor:
        """Return (n, C) probabilities."""
        import torch

        logits = logits.float().reshape(len(logits), -1)[:, : self._classes]
        return torch.sigmoid(logits) if logits.shape[1] == 1 else torch.softmax(logits, dim=1)

    def _step(self, step: Step) -> torch.Tensor:
        self._seen: list[Cells] = []
        self._each = step.rows / self._place.size
        lost = super()._step(step)
        self._means = renewed(self._means, self._together(self._seen))
        return lost

    def _loss_of(self, logits: torch.Tensor, answer: torch.Tensor, weight: float) -> torch.Tensor:
        """Return the loss of the rows, with the slope of the penalty in its gradient."""
        members, told = self._members(answer), self._told(logits)
        self._seen.append(self._penalty.sums(members, told.detach()))
        pull = self._schedule.fairness_weight * (self._penalty.slopes(members, self._means) * told).sum() / self._each
        return self._lost(logits, answer, weight) + pull - pull.detach()

    def _lost(self, logits: torch.Tensor, answer: torch.Tensor, weight: float) -> torch.Tensor:
        return super()._lost(logits, answer[:, self._width :], weight)
