"""How long and how fast a network learns, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from evenhand.training.config import Steps

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with the epoch, the number of epochs, and a few words on what was reached."""


@dataclass(frozen=True, slots=True)
class Schedule(Steps):
    """How long and how fast a network learns: slower than in a first fit, and to the end, unless said otherwise."""

    epochs: int
    """Passes over the rows at most."""
    learning_rate: float = 1e-3
    """At the beginning, or at its highest with ``one_cycle``."""
    weight_decay: float = 1e-4
    """Decoupled with ``adamw``, else part of the gradient."""
    patience: int | None = None
    """Epochs without a lower loss on the check rows after which it stops; None never stops early."""
    temperature: float = 1.0
    """Logits are divided by it in the loss, as a teacher's were."""
    matched: int = 0
    """So many last outputs of the network are no logits: they are to equal the target, by squared error."""
    seconds: float | None = None
    """No further epoch begins after this time."""
