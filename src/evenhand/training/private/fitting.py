"""What a fit does for its privacy, before its steps and after them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.data.coin import Coin
from evenhand.errors import InputError, ModelError
from evenhand.output.launched import processes
from evenhand.training.private.plan import privacy_of

if TYPE_CHECKING:
    from torch import nn

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.config import TrainingConfig
    from evenhand.training.preparing import Preparing
    from evenhand.training.private.plan import Privacy
    from evenhand.training.schedule import Schedule

BEYOND: Final = ("counts", "train_loss")
"""What is told of training rows without noise, and so is left out of the file of a private model."""


def by_coin(fitted: EvaluationSet, config: TrainingConfig) -> tuple[EvaluationSet, Coin | None]:
    """Return the rows that the coins leave in, and the coins; all rows, and None, where none is tossed.

    Raises
    ------
    InputError
        When too few are left in to learn from.
    """
    if not config.canary_share:
        return fitted, None
    coin = Coin.of(fitted, config.canary_share, config.seed)
    rows = np.flatnonzero(coin.flipped(fitted)[1])
    kept = fitted.take(rows)
    if len(kept) < 2 or kept.y_true.min() == kept.y_true.max():
        raise InputError(f"{fitted.name}: the coins left {len(kept)} rows in, of which nothing can be learnt.")
    return kept, coin


def in_private(
    course: Schedule, config: TrainingConfig, network: nn.Module, preparing: Preparing, fitted: EvaluationSet
) -> Schedule:
    """Return the schedule with the noise that the budget asks for; as it is where none is asked for.

    Raises
    ------
    ModelError
        When the network cannot learn in private, or several processes share the fit.
    """
    private = privacy_of(config, len(fitted))
    if private is None:
        return course
    if processes() > 1:
        raise ModelError("A private fit runs in one process: each row's chance to be in a step is counted once.")
    from evenhand.training.private.layers import mode_of

    return replace(course, private=replace(private, mode=mode_of(network, preparing.shape)))


def told_of(private: Privacy | None, coin: Coin | None, history: dict[str, Plain]) -> dict[str, Plain]:
    """Return how a model came about, with budget and coins; of a private one nothing beyond the budget."""
    if private is not None:
        history = {name: value for name, value in history.items() if name not in BEYOND}
        history["privacy"] = private.to_plain()
    return history if coin is None else {**history, "coin": coin.to_plain()}
