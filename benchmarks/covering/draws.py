"""Rows of many rounds as the groups of one call, and distributions with their truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cells import Outcome

    from evenhand.metrics import Measured

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
"""Errors of predictions, on which methods were chosen."""
FURTHER: Final[dict[str, Draw]] = {
    "gamma of shape .5": lambda rng, shape: rng.gamma(0.5, size=shape),
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "nine tenths 0": lambda rng, shape: rng.exponential(size=shape) * (rng.random(shape) < 0.1),
}
"""Further ones, on which they were checked."""


def codes_of(rounds: int, n: int) -> np.ndarray:
    """Return the group of each row where every round is a group of n rows."""
    return np.repeat(np.arange(rounds, dtype=np.int32), n)


AT_ONCE: Final = 200_000
"""Rows measured in one call."""


def widest(
    measure: Callable[..., Measured],
    draw: Callable[[np.ndarray], tuple[Floats, Floats]],
    sizes: Sequence[int],
    truth: float,
    rounds: int,
) -> Outcome:
    """Return the outcome of the widest difference over groups of these sizes.

    `draw` returns truth and prediction of rows, given the group of each; `measure` takes them with codes and the number
    of groups, which are those of several rounds.
    """
    from cells import outcome

    from evenhand.metrics import compare

    own, groups, found = np.repeat(np.arange(len(sizes)), sizes), len(sizes), []
    together = max(1, AT_ONCE // len(own))
    for start in range(0, rounds, together):
        count = min(together, rounds - start)
        rows = draw(np.tile(own, count))
        codes = np.tile(own, count) + np.repeat(np.arange(count) * groups, len(own))
        values = measure(*rows, codes.astype(np.int32), count * groups)
        values = replace(values, ends=cache(values.ends))
        found += [compare(_part(values, slice(at * groups, (at + 1) * groups)), "difference") for at in range(count)]
    low, high = np.array([[each.low, each.high] for each in found], dtype=float).T
    return outcome(low, high, truth, [bool(each.uncovered) for each in found])


def _part(values: Measured, groups: slice) -> Measured:
    names = ("estimate", "low", "high", "defined", "support", "rows", "reason", "uncovered")
    parts = {name: getattr(values, name)[groups] for name in names}
    return replace(values, **parts, ends=lambda z: tuple(end[groups] for end in values.ends(z)))


def of_groups(found: Measured, truth: float) -> Outcome:
    """Return the outcome of values whose groups are rounds; a value that is not defined has open ends."""
    from cells import outcome

    marked = [bool(why) for why in found.uncovered] if found.uncovered else False
    return outcome(found.low, found.high, truth, marked)
