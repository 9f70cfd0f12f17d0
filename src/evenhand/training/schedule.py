"""How long and how fast a network learns, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from evenhand.training.config import LearningRateSchedule, Loss, Optimizer, Precision

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with the epoch, the number of epochs, and a few words on what was reached."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a network learns."""

    epochs: int
    """Passes over the rows at most."""
    batch_size: int = 64
    """Rows a step."""
    learning_rate: float = 1e-3
    """At the beginning, or at its highest with ``one_cycle``."""
    weight_decay: float = 1e-4
    """Decoupled with ``adamw``, else part of the gradient."""
    patience: int | None = None
    """Epochs without a lower loss on the check rows after which it stops; None never stops early."""
    temperature: float = 1.0
    """Logits are divided by it in the loss, as a teacher's were."""
    seed: int = 0
    """Decides dropout and the order of rows."""
    loss: Loss = "cross_entropy"
    """What is made small."""
    focal_gamma: float = 2.0
    """Of the focal loss."""
    label_smoothing: float = 0.0
    """Targets are moved by half of it from 0 and 1."""
    optimizer: Optimizer = "adamw"
    """How weights are moved."""
    schedule: LearningRateSchedule = "cosine"
    """How the learning rate goes."""
    clip: float = 5.0
    """The gradient's norm is held at this."""
    noise: float = 0.0
    """Standard deviation of the noise added to the columns of each step."""
    mixup: float = 0.0
    """Above 0, rows of each step are mixed in pairs by shares of a Beta(mixup, mixup) distribution."""
    shift: int = 0
    """Images of each step are moved by at most so many pixels."""
    matched: int = 0
    """So many last outputs of the network are no logits: they are to equal the target, by squared error."""
    precision: Precision = "float32"
    """The type of the numbers that products are computed in; weights and their sums stay float32."""
    seconds: float | None = None
    """No further epoch begins after this time."""
