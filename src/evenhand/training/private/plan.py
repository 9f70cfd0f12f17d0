"""The privacy of a fit as numbers: how much noise a budget asks for, and what the budget is about."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from evenhand.errors import argument, need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.config import TrainingConfig

ACCOUNTANT: Final = "prv"
"""Numerical composition of privacy losses (Gopi, Lee and Wutschitz 2021), as Opacus has it; its upper end is used."""
ERROR: Final = 0.01
"""What the accountant may be above the true epsilon by, as a share of it where that is above 1."""
USUAL_DELTA: Final = 1e-5
NEAR: Final = 0.01
"""How near noise comes to the least that suffices, as a share of it."""
LEAST_NOISE, MOST_NOISE = 0.1, 1e5
COVERED: Final = ("weights", "epoch", "threshold")
"""What of a model's file the budget is about: how each depends on the training rows."""
NOT_COVERED: Final = ("preprocessing", "validation_rows", "fingerprints")
"""What it is not about: levels, means and quantiles of columns; rows that the epoch and the threshold were chosen on;
hashes of the training rows, in the model's file and beside it."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """How a fit is private: DP-SGD, a Gaussian mechanism on Poisson samples (Abadi et al. 2016), row by row.

    Examples
    --------
    >>> Privacy(3.0, 1e-5, 1.1, 1.0, 0.01, 1000).to_plain()["steps"]
    1000
    """

    epsilon: float
    """What the accountant finds for the planned steps, at most what was asked for."""
    delta: float
    """The delta of the budget."""
    noise_multiplier: float
    """Standard deviation of the noise on the sum of clipped gradients, in units of `clip`."""
    clip: float
    """The norm that the gradient of each row is clipped to."""
    sample_rate: float
    """The chance of each row to be in a step."""
    steps: int
    """Planned steps; a fit that stops early has taken fewer."""
    batch: float = 0.0
    """Expected rows of a step."""
    mode: str = ""
    """How rows are clipped: ``ghost``, without their gradients in memory, or ``hooks``, with them."""
    by_seed: bool = False
    """Whether samples and noise follow from the seed, so that who knows it can take the noise off."""

    def to_plain(self) -> dict[str, Plain]:
        """Return it as plain data, with what it is about."""
        return {
            "epsilon": self.epsilon,
            "delta": self.delta,
            "noise_multiplier": self.noise_multiplier,
            "clip": self.clip,
            "sample_rate": self.sample_rate,
            "steps": self.steps,
            "accountant": ACCOUNTANT,
            "mode": self.mode,
            "noise": "seed" if self.by_seed else "secret",
            "unit": "row",
            "covers": list(COVERED),
            "does_not_cover": list(NOT_COVERED),
        }


def usual_delta(rows: int) -> float:
    """Return 1e-5, and less for many rows: 1 / rows^1.1, rounded down to one digit, below the share of any one row.

    Examples
    --------
    >>> usual_delta(1_000), usual_delta(1_000_000)
    (1e-05, 2e-07)
    """
    least = max(rows, 1) ** -1.1
    size = 10.0 ** math.floor(math.log10(least))
    return min(USUAL_DELTA, float(f"{math.floor(least / size + 1e-9) * size:.0e}"))


def epsilon_of(
    noise_multiplier: float, sample_rate: float, steps: int, delta: float, about: float = 1.0, by: str = ACCOUNTANT
) -> float:
    """Return the epsilon of so many steps, an upper end of what the accountant finds; `about`: how large it is."""
    from opacus.accountants import create_accountant

    accountant = create_accountant(mechanism=by)
    accountant.history = [(noise_multiplier, sample_rate, steps)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        error = {} if by != ACCOUNTANT else {"eps_error": ERROR * max(1.0, about)}
        return float(accountant.get_epsilon(delta=delta, **error))


@cache
def noise_for(epsilon: float, delta: float, sample_rate: float, steps: int) -> float:
    """Return the least noise multiplier, nearly, with which so many steps are within the budget."""

    def within(noise: float, by: str = ACCOUNTANT) -> bool:
        return epsilon_of(noise, sample_rate, steps, delta, epsilon, by) <= epsilon

    high = 1.0
    while not within(high, "rdp") and high < MOST_NOISE:  # a looser accountant and a quicker one
        high *= 2
    high = _least(lambda noise: within(noise, "rdp"), high / 2 if high > 1 else LEAST_NOISE, high)
    low = 0.9 * high
    while low > LEAST_NOISE and within(low):
        low, high = 0.9 * low, low
    return _least(within, low, high)


def _least(within: Callable[[float], bool], low: float, high: float) -> float:
    """Return a noise within the budget, by bisection between one that is not and one that is."""
    while high - low > NEAR * high:
        middle = (low + high) / 2
        low, high = (low, middle) if within(middle) else (middle, high)
    return high


def privacy_of(config: TrainingConfig, rows: int) -> Privacy | None:
    """Return how a fit on so many rows is private; None where the settings ask for no privacy."""
    if config.epsilon is None:
        return None
    need("opacus", "privacy")
    batch = min(config.batch_size * config.accumulate, rows)
    rate, delta = batch / rows, config.delta or usual_delta(rows)
    steps = config.epochs * steps_of(rate)
    noise = noise_for(config.epsilon, delta, rate, steps)
    spent = min(round(epsilon_of(noise, rate, steps, delta, config.epsilon), 4), config.epsilon)
    return Privacy(spent, delta, noise, config.row_clip, rate, steps, batch, by_seed=config.seeded_noise)


def steps_of(sample_rate: float) -> int:
    """Return the steps of an epoch: as many as samples that make up the rows once, on average."""
    return max(1, round(1 / sample_rate))


def refusals(train: EvaluationSet, validation: EvaluationSet | None, config: TrainingConfig) -> Iterator[str]:
    """Yield why a fit cannot be private as the settings have it."""
    if config.epsilon is None:
        return
    if train.task not in ("binary", "multiclass"):
        yield (
            f"{train.name}: a private fit learns classes, and the label's task is {train.task}, whose targets are "
            "scaled by all training labels. Leave out epsilon."
        )
    if validation is not None and _shared(train, validation) > len(validation) / 2:
        yield (
            f"{validation.name}: most validation rows are training rows, too. The epoch and the threshold are chosen "
            "on them without noise, so they must be others."
        )


def of_one_fit(config: TrainingConfig, what: str) -> Iterator[str]:
    """Yield why what is no single fit of a network has neither a budget nor coins."""
    for name, given in (("epsilon", config.epsilon is not None), ("canary_share", config.canary_share > 0)):
        if given:
            yield f"{argument(name)} is about one fit of one network on its rows, and {what}. Leave it out."


def _shared(train: EvaluationSet, validation: EvaluationSet) -> int:
    import numpy as np

    if set(train.features) != set(validation.features):
        return 0
    return int(np.isin(validation.row_hashes(), train.row_hashes()).sum())


def without_companions(config: TrainingConfig) -> TrainingConfig:
    """Return the settings of a private fit: no boosted trees beside it, which would see the rows without noise."""
    return config if config.epsilon is None else replace(config, baseline=False)
