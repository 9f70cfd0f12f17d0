"""The one training loop, kept by skorch: for a first fit, for fine-tuning after compression, for distillation."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError, need
from evenhand.training.augmentation import change
from evenhand.training.dataset import batches, rows_of
from evenhand.training.objective import factor, moving, weighted_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import nn

    from evenhand.training.config import Precision
    from evenhand.training.dataset import Dataset
    from evenhand.training.resuming import Checkpoint
    from evenhand.training.schedule import Progress, Schedule

CHECKED_AT_ONCE: Final = 4096
CELLS: Final = 1 << 22
"""Rows that go through the network in one piece where nothing is learnt."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network and how it came about."""

    network: nn.Module
    """In the state with the least loss on the check rows, the state before training among them."""
    train_loss: tuple[float, ...]
    """Mean loss of each epoch on the dataset, dropout on."""
    check_loss: tuple[float, ...]
    """Loss after each epoch on the check rows."""
    best_epoch: int
    """The epoch that was kept, from 1; 0 is the state before training."""
    stopped: str
    """Why it ended: ``all epochs``, ``patience``, ``time``, or ``loss not finite``."""
    batch_size: int = 0
    """Rows a step, after halving where memory did not suffice."""


def run(
    network: nn.Module,
    dataset: Dataset,
    check: Dataset,
    schedule: Schedule,
    *,
    masks: Mapping[str, torch.Tensor] | None = None,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[int, float], None] | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Return a copy of the network, trained; `network` and torch's generator stay as they are.

    On one machine the same seed gives the same weights, also where a killed fit resumes from its checkpoint. Where
    memory does not suffice, the batch is halved, and the fit restarts.

    Parameters
    ----------
    network : torch.nn.Module
        (n, ...) to (n,) or (n, 1) logits of one class, or (n, C) of several.
    dataset, check : Dataset
        Rows to learn from, and rows to choose the state by.
    schedule : Schedule
        How long and how fast.
    masks : mapping of parameter name to tensor, optional
        1 where a weight may live; the others are zero after every step.
    checkpoint : Checkpoint, optional
        Where the state is kept after each epoch.
    watch : callable, optional
        Called with each epoch and its loss on the check rows; what it raises ends the fit.
    progress : callable, optional
        Called after each epoch.

    Returns
    -------
    Learned

    Raises
    ------
    ModelError
        When the loss is not finite before any epoch ended.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from evenhand.training import Dataset
    >>> from evenhand.training.schedule import Schedule
    >>> rows = Dataset(np.ones((8, 2), "float32"), np.ones(8, "float32"), np.ones(8, "float32"))
    >>> learned = run(nn.Linear(2, 1), rows, rows, Schedule(epochs=2))
    >>> type(learned.network).__name__
    'Linear'
    """
    need("skorch", "torch")
    if schedule.epochs < 1:
        return Learned(copy.deepcopy(network).eval(), (), (), 0, "all epochs", schedule.batch_size)
    while True:
        try:
            return _attempt(network, dataset, check, schedule, masks or {}, checkpoint, watch, progress)
        except (MemoryError, RuntimeError) as wrong:
            if schedule.batch_size < 2 or not (isinstance(wrong, MemoryError) or "out of memory" in str(wrong).lower()):
                raise
        schedule = replace(schedule, batch_size=schedule.batch_size // 2)
        if progress is not None:
            progress(0, schedule.epochs, f"out of memory; the batch is halved to {schedule.batch_size}")


def _attempt(
    network: nn.Module,
    dataset: Dataset,
    check: Dataset,
    schedule: Schedule,
    masks: Mapping[str, torch.Tensor],
    checkpoint: Checkpoint | None,
    told: Callable[[int, float], None] | None,
    progress: Progress | None,
) -> Learned:
    import torch
    from skorch.helper import predefined_split

    started = copy.deepcopy(network)
    held = None if checkpoint is None else checkpoint.read()
    watch = _Watch(schedule, masks, progress, checkpoint, told, held)
    steps = -(-len(dataset.target) // schedule.batch_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        learner = _learner(schedule.precision)(
            started,
            criterion=weighted_loss(schedule),
            **moving(schedule),
            lr=schedule.learning_rate,
            max_epochs=schedule.epochs,
            batch_size=schedule.batch_size,
            iterator_train=batches,
            iterator_train__shuffle=True,
            iterator_valid=batches,
            iterator_valid__batch_size=_checked(check),
            train_split=predefined_split(rows_of(check)),
            callbacks=_callbacks(schedule, watch, steps),
            callbacks__print_log=None,
            verbose=0,
        )
        learner.initialize()
        if held is not None:
            learner.module_.load_state_dict(held["module"])
            learner.optimizer_.load_state_dict(held["optimizer"])
        learner.partial_fit(rows_of(dataset), y=None, epochs=schedule.epochs - watch.done)
    watch.check_interrupted()
    if checkpoint is not None:
        checkpoint.done()
    return watch.learned(learner.module_)


def _checked(dataset: Dataset) -> int:
    """Return how many rows are checked at once: fewer where rows are large."""
    return max(1, min(CHECKED_AT_ONCE, CELLS // math.prod(dataset.columns.shape[1:])))


def _learner(precision: Precision) -> Any:
    """Return skorch's learner, whose network computes in another precision."""
    import torch
    from skorch import NeuralNet

    class Learner(NeuralNet):  # type: ignore[misc]
        def infer(self, x: torch.Tensor, **more: object) -> torch.Tensor:
            if precision == "float32":
                return torch.as_tensor(super().infer(x, **more))
            with torch.autocast(x.device.type, dtype=getattr(torch, precision)):
                answer = super().infer(x, **more)
            return torch.as_tensor(answer).float()

    return Learner


def _callbacks(schedule: Schedule, watch: _Watch, steps: int) -> list[tuple[str, object]]:
    from skorch.callbacks import GradientNormClipping, LRScheduler
    from torch.optim.lr_scheduler import LambdaLR

    batchwise = schedule.schedule == "one_cycle"
    whole, done = (schedule.epochs * steps, watch.done * steps) if batchwise else (schedule.epochs, watch.done)

    def at(step: int) -> float:
        return factor(schedule, min((step + done) / whole, 1.0))

    every = "batch" if batchwise else "epoch"
    return [
        ("clip", GradientNormClipping(schedule.clip)),
        ("schedule", LRScheduler(LambdaLR, lr_lambda=at, step_every=every)),
        ("watch", watch.as_callback()),
    ]


SAVED: Final = ("best", "least", "best_epoch", "train_loss", "check_loss")
"""The state of the watch in a checkpoint."""


@dataclass(slots=True)
class _Watch:
    """Keep the best state, stop in time, hold zeros at zero, and report progress."""

    schedule: Schedule
    masks: Mapping[str, torch.Tensor]
    progress: Progress | None
    checkpoint: Checkpoint | None = None
    told: Callable[[int, float], None] | None = None
    held: dict[str, Any] | None = None
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    least: float = math.inf
    best_epoch: int = 0
    train_loss: list[float] = field(default_factory=list)
    check_loss: list[float] = field(default_factory=list)
    stopped: str = ""
    began: float = 0.0

    def as_callback(self) -> object:
        """Return the callback that skorch calls."""
        from skorch.callbacks import Callback

        watch = self

        class Watching(Callback):  # type: ignore[misc]
            def on_train_begin(self, net: object, X: object = None, y: object = None, **_: object) -> None:
                watch.begin(net)

            def on_batch_begin(self, net: object, batch: object = None, training: bool = False, **_: object) -> None:
                if training:
                    change(watch.schedule, *batch)  # type: ignore[misc]

            def on_batch_end(self, net: object, batch: object = None, training: bool = False, **_: object) -> None:
                if training:
                    watch.hold_zeros(net)

            def on_epoch_end(self, net: object, **_: object) -> None:
                watch.end_epoch(net)

        return Watching()

    @property
    def done(self) -> int:
        """Epochs that an earlier, killed run has done."""
        return 0 if self.held is None else len(self.held["check_loss"])

    def begin(self, net: object) -> None:
        """Let the state before training take part; or go on where the killed run was."""
        import torch

        self.began = time.monotonic()
        if self.held is None:
            self._keep(net, self._loss_before(net), 0)
            return
        for name in SAVED:
            setattr(self, name, copy.copy(self.held[name]))
        torch.set_rng_state(self.held["random"])

    def _save(self, net: object) -> None:
        import torch

        if self.checkpoint is None:
            return
        self.checkpoint.write(
            {
                "module": net.module_.state_dict(),  # type: ignore[attr-defined]
                "optimizer": net.optimizer_.state_dict(),  # type: ignore[attr-defined]
                **{name: getattr(self, name) for name in SAVED},
                "random": torch.get_rng_state(),
            }
        )

    def hold_zeros(self, net: object) -> None:
        """Put masked weights back to zero after a step."""
        import torch

        with torch.no_grad():
            for name, mask in self.masks.items():
                net.module_.get_parameter(name).mul_(mask)  # type: ignore[attr-defined]

    def end_epoch(self, net: object) -> None:
        """Note the losses, keep the state when it is the best, and stop when it is time."""
        row = net.history[-1]  # type: ignore[attr-defined]
        train, check = float(row["train_loss"]), float(row["valid_loss"])
        if not (math.isfinite(train) and math.isfinite(check)):
            self.stopped = "loss not finite"
            raise KeyboardInterrupt  # skorch ends its loop in order on this, and on nothing else
        self.train_loss.append(train)
        self.check_loss.append(check)
        epoch = len(self.check_loss)
        if check < self.least:
            self._keep(net, check, epoch)
        self._save(net)
        if self.told is not None:
            self.told(epoch, check)
        if self.progress is not None:
            self.progress(epoch, self.schedule.epochs, f"epoch {epoch}, validation loss {check:.3f}")
        if self.schedule.patience is not None and epoch - self.best_epoch >= self.schedule.patience:
            self.stopped = "patience"
        elif self.schedule.seconds is not None and time.monotonic() - self.began > self.schedule.seconds:
            self.stopped = "time"
        if self.stopped:
            raise KeyboardInterrupt

    def check_interrupted(self) -> None:
        """Raise what skorch swallows: an interrupt by the user."""
        if len(self.check_loss) < self.schedule.epochs and not self.stopped:
            raise KeyboardInterrupt

    def learned(self, network: nn.Module) -> Learned:
        """Return the network in its best state."""
        if self.stopped == "loss not finite" and not self.check_loss:
            raise ModelError(
                "The loss was not finite in the first epoch, so nothing was learnt. Look for extreme values in the "
                f"input, or use a learning rate below {self.schedule.learning_rate:g}."
            )
        network.load_state_dict(self.best)
        curves = tuple(self.train_loss), tuple(self.check_loss)
        stopped = self.stopped or "all epochs"
        return Learned(network.eval(), *curves, self.best_epoch, stopped, self.schedule.batch_size)

    def _keep(self, net: object, loss: float, epoch: int) -> None:
        self.best = copy.deepcopy(net.module_.state_dict())  # type: ignore[attr-defined]
        self.least, self.best_epoch = loss, epoch

    def _loss_before(self, net: object) -> float:
        import torch

        data = net.train_split(None)[1]  # type: ignore[attr-defined]
        total = 0.0
        net.module_.eval()  # type: ignore[attr-defined]
        with torch.no_grad():
            size = net.iterator_valid__batch_size  # type: ignore[attr-defined]
            for at in range(0, len(data), size):
                columns, answer = data[list(range(at, min(at + size, len(data))))]
                logit = net.infer(columns)  # type: ignore[attr-defined]
                total += float(net.criterion_(logit, answer)) * len(answer)  # type: ignore[attr-defined]
        loss = total / len(data)
        return loss if math.isfinite(loss) else math.inf
