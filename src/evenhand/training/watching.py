"""What a fit keeps between its epochs: the best state, the losses, whether it is time to stop; and its checkpoint."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import nn

    from evenhand.training.placing import Place
    from evenhand.training.resuming import Checkpoint
    from evenhand.training.schedule import Progress, Schedule

SAVED: Final = ("best", "least", "best_epoch", "gained", "gained_epoch", "train_loss", "check_loss")
"""The state of the watch in a checkpoint."""


@dataclass(slots=True)
class Watch:
    """Keep the best state, stop in time, and report progress."""

    schedule: Schedule
    place: Place
    network: nn.Module
    """What learns."""
    progress: Progress | None = None
    told: Callable[[int, float], None] | None = None
    checkpoint: Checkpoint | None = None
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    least: float = math.inf
    best_epoch: int = 0
    gained: float = math.inf
    """The loss that patience is counted from."""
    gained_epoch: int = 0
    train_loss: list[float] = field(default_factory=list)
    check_loss: list[float] = field(default_factory=list)
    stopped: str = ""
    began: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """Epochs that are done, by an earlier, killed run too."""
        return len(self.check_loss)

    def resume(self, held: Mapping[str, Any]) -> None:
        """Go on where a killed run was."""
        for name in SAVED:
            setattr(self, name, copy.copy(held[name]))
        self._look()

    def begin(self, check: float) -> None:
        """Let the state before training take part."""
        self.gained = check if math.isfinite(check) else math.inf
        self._keep(self.gained, 0)

    def end_epoch(self, train: float, check: float, moved: Callable[[], dict[str, Any]]) -> None:
        """Note the losses, keep the state when it is the best, and see whether it is time to stop."""
        if not (math.isfinite(train) and math.isfinite(check)):
            self.stopped = "loss not finite"
            return
        self.train_loss.append(train)
        self.check_loss.append(check)
        if check < self.least:
            self._keep(check, self.done)
        if check < self.gained - self.schedule.gain * abs(self.gained) or not math.isfinite(self.gained):
            self.gained, self.gained_epoch = check, self.done
        self._save(moved)
        if self.told is not None:
            self.told(self.done, check)
        if self.progress is not None and not self.place.rank:
            self.progress(self.done, self.schedule.epochs, f"epoch {self.done}, validation loss {check:.3f}")
        self._look()

    def _look(self) -> None:
        """See whether it is time to stop."""
        if self.schedule.patience is not None and self.done - self.gained_epoch >= self.schedule.patience:
            self.stopped = "patience"
        elif self.schedule.seconds is not None:
            self.stopped = self.place.agree("time" if time.monotonic() - self.began > self.schedule.seconds else "")

    def _keep(self, loss: float, epoch: int) -> None:
        self.best, self.least, self.best_epoch = self.place.state(self.network), loss, epoch

    def _save(self, moved: Callable[[], dict[str, Any]]) -> None:
        """Keep all that the next epoch depends on; every process takes part, and the first writes."""
        if self.checkpoint is None:
            return
        state = {
            "module": self.place.state(self.network),
            "moved": moved(),
            **{name: getattr(self, name) for name in SAVED},
        }
        if not self.place.rank:
            self.checkpoint.write(state)
