"""Rows of many rounds as the groups of one call, and distributions with their truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cells import Outcome

    from evenhand.metrics import Measured
    from evenhand.metrics.catalogue.entry import How

    Floats = np.ndarray
    Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

ERRORS: Final[dict[str, Draw]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "laplace": lambda rng, shape: rng.laplace(size=shape),
    "t with 3 degrees": lambda rng, shape: rng.standard_t(3, size=shape),
    "t with 5 degrees": lambda rng, shape: rng.standard_t(5, size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
}
"""Errors of predictions."""


def codes_of(rounds: int, n: int) -> np.ndarray:
    """Return the group of each row where every round is a group of n rows."""
    return np.repeat(np.arange(rounds, dtype=np.int32), n)


def gaps_of(
    found: Iterable[Measured], truth: float, how: How = "difference"
) -> tuple[Floats, Floats, float, list[bool]]:
    """Return the ends of comparisons of the groups of each round, the truth, and whether the finding is marked."""
    from evenhand.metrics import compare

    gaps = [compare(values, how) for values in found]
    low, high = np.array([[each.low, each.high] for each in gaps], dtype=float).T
    return low, high, truth, [bool(each.uncovered) for each in gaps]


def of_groups(found: Measured, truth: float) -> Outcome:
    """Return the outcome of values whose groups are rounds; a value that is not defined has open ends."""
    from cells import outcome

    marked = [bool(why) for why in found.uncovered] if found.uncovered else False
    return outcome(found.low, found.high, truth, marked)
