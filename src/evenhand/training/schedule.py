"""Length and learning rate of a fit, and its callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from evenhand.training.config import Steps
from evenhand.training.private.plan import Privacy
from evenhand.training.target import Target

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with the epoch, the number of epochs, and a few words on what was reached."""


@dataclass(frozen=True, slots=True)
class Schedule(Steps):
    """Length and learning rate of a fit: by default slower than a first fit, and without early stopping."""

    epochs: int
    """Passes over the rows at most."""
    learning_rate: float = 1e-3
    """At the beginning, or at its highest with ``one_cycle``."""
    weight_decay: float = 1e-4
    """Decoupled with ``adamw``, else part of the gradient."""
    patience: int | None = None
    """Epochs without a lower loss on the check rows after which it stops; None never stops early."""
    gain: float = 0.0
    """Share of the loss by which it must fall for patience; the best state is kept whatever it falls by."""
    temperature: float = 1.0
    """Logits are divided by it in the loss, as a teacher's were."""
    matched: int = 0
    """Number of last outputs of the network that are not logits: fitted to the target by squared error."""
    target: Target | None = None
    """What a label of numbers is learnt as; None of classes."""
    seconds: float | None = None
    """No further epoch begins after this time."""
    private: Privacy | None = None
    """The noise of a private fit."""
