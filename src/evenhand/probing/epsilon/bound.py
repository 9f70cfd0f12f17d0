"""A lower bound on epsilon from one fit: what the guesses of who was in it rule out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "LEAST_DRAWN", "EpsilonBound", "best_bound", "budgets_of", "epsilon_bound", "least_epsilon", "p_value",
    "right_guesses",
]  # fmt: skip

SIZES: Final = 8
"""Numbers of guesses that are tried, each in three ways; each has its share of the error."""
LEAST_GUESSES: Final = 8
LEAST_DRAWN: Final = 20
"""Rows drawn by coin below which no bound is stated."""
MOST_EPSILON: Final = 64.0
"""No bound is searched above it: no data set of this world is large enough to show it."""
TIES: Final = 23
"""Of the seed by which equal scores are put in an order."""
ERROR: Final = 1e-4
"""How near the bisection comes to the bound; it ends below it."""


@dataclass(frozen=True, slots=True)
class EpsilonBound:
    """A lower bound on epsilon, and the guesses that show it.

    Examples
    --------
    >>> found = epsilon_bound(range(200), [False] * 100 + [True] * 100, delta=1e-5)
    >>> found.right == found.guesses, found.epsilon > 3
    (True, True)
    """

    epsilon: float
    """Epsilon is above it with the confidence; 0 where the guesses rule nothing out."""
    guesses: int
    """How many rows were guessed about."""
    right: int
    """How many of them rightly."""
    drawn: int
    """Rows about which a coin decided."""
    delta: float
    """The delta of the claim."""
    level: float
    """The confidence, of this one side, over all numbers of guesses together."""


def p_value(drawn: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Return the chance of so many right guesses, at most, where a fit is (epsilon, delta)-differentially private.

    Of rows that are in or out by independent fair coins no guess is right with more than e^epsilon / (1 + e^epsilon),
    so right guesses are below a binomial; delta adds what is likeliest to be gained by it.

    Parameters
    ----------
    drawn : int
        Rows about which a coin decided.
    guesses : int
        How many of them were guessed about; the others are passed over.
    right : int
        Right guesses.
    epsilon, delta : float
        What the fit is said to be.

    Returns
    -------
    float

    References
    ----------
    Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1) training run", NeurIPS, theorem 5.2 and the
    algorithm of appendix D.

    Examples
    --------
    >>> round(p_value(100, 10, 10, epsilon=0.0, delta=0.0), 6)
    0.000977
    >>> p_value(1000, 100, 75, epsilon=1.0, delta=0.0) > 0.05 > p_value(1000, 100, 85, epsilon=1.0, delta=0.0)
    True
    """
    chance = 1 / (1 + math.exp(-epsilon))
    least = float(stats.binom.sf(right - 1, guesses, chance))
    if delta <= 0 or right == 0:
        return min(least, 1.0)
    below = stats.binom.pmf(np.arange(right - 1, -1, -1), guesses, chance)
    gained = float(np.max(np.cumsum(below) / np.arange(1, right + 1)))
    return min(least + 2 * drawn * delta * gained, 1.0)


def least_epsilon(drawn: int, guesses: int, right: int, delta: float, error: float) -> float:
    """Return the largest epsilon that is ruled out, by bisection; 0 where none is.

    Parameters
    ----------
    drawn, guesses, right : int
        As of `p_value`.
    delta : float
        What the fit is said to be.
    error : float
        The chance of a bound above the true epsilon.

    Returns
    -------
    float

    Examples
    --------
    >>> least_epsilon(1000, 100, 50, 1e-5, 0.05), round(least_epsilon(1000, 100, 100, 1e-5, 0.05), 2)
    (0.0, 3.47)
    """
    if p_value(drawn, guesses, right, 0.0, delta) >= error:
        return 0.0
    low, high = 0.0, 1.0
    while high < MOST_EPSILON and p_value(drawn, guesses, right, high, delta) < error:
        low, high = high, 2 * high
    while high - low > ERROR:
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(drawn, guesses, right, middle, delta) < error else (low, middle)
    return low


def budgets_of(drawn: int) -> list[tuple[int, int]]:
    """Return how many rows are said to be in, and how many out, in each way of guessing that is tried.

    From a few rows to all, evenly by their logarithm: half in and half out, in alone, out alone. They depend on the
    number of rows alone, so trying several costs no more than a share of the error for each.

    Parameters
    ----------
    drawn : int
        Rows about which a coin decided.

    Returns
    -------
    list of (int, int)

    Examples
    --------
    >>> budgets_of(1000)[:3], len(budgets_of(1000))
    ([(4, 4), (8, 0), (0, 8)], 24)
    """
    sizes = np.unique(np.geomspace(min(LEAST_GUESSES, drawn), drawn, SIZES).astype(np.int64))
    return [way for size in sizes.tolist() for way in ((size - size // 2, size // 2), (size, 0), (0, size))]


def right_guesses(
    scores: NDArray[np.float64], inside: NDArray[np.bool_], budgets: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """Return how many guesses are right: the highest scores are said to be in, the lowest out.

    Parameters
    ----------
    scores : (n,) or (runs, n) array
        The higher, the likelier a row was in.
    inside : array of bool, of the same shape
        Whether it was.
    budgets : sequence of (int, int)
        How many are said to be in, and out; n together at most.

    Returns
    -------
    (budgets,) or (runs, budgets) array of int

    Examples
    --------
    >>> scores, inside = np.array([0.1, 0.4, 0.2, 0.9]), np.array([False, False, True, True])
    >>> right_guesses(scores, inside, [(1, 1), (2, 2), (0, 1)]).tolist()
    [2, 2, 1]
    """
    order = np.argsort(scores, axis=-1, kind="stable")
    ordered = np.take_along_axis(inside, order, axis=-1)
    none = np.zeros((*ordered.shape[:-1], 1), dtype=np.int64)
    out, within = (
        np.concatenate([none, np.cumsum(rows, axis=-1)], axis=-1) for rows in (~ordered, np.flip(ordered, axis=-1))
    )
    ways = np.asarray(budgets, dtype=np.intp).reshape(-1, 2)
    return np.asarray(within[..., ways[:, 0]] + out[..., ways[:, 1]], dtype=np.int64)


def epsilon_bound(scores: ArrayLike, inside: ArrayLike, delta: float, level: float = 0.95) -> EpsilonBound:
    """Return the lower bound on epsilon of one fit, from scores of rows that were in or out by coins.

    It holds only where each row was in by an independent fair coin and scores do not depend on the coins other than
    through the fitted model: scores may be calibrated by other models that saw none of these rows, all, or some that
    were drawn without a look at the coins. Equal scores are put in an order by chance, since that of the rows may tell
    who was in.

    Parameters
    ----------
    scores : (n,) array of float
        The higher, the likelier a row was in: the probability given to its label, or one calibrated by references.
    inside : (n,) array of bool
        Whether it was.
    delta : float
        The delta of the claim.
    level : float
        The confidence, of one side.

    Returns
    -------
    EpsilonBound

    Raises
    ------
    InputError
        When lengths differ, scores are not finite, or there are fewer rows than `LEAST_DRAWN`.

    References
    ----------
    Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1) training run", NeurIPS. The numbers of guesses
    are corrected for by Bonferroni's inequality.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> inside = rng.random(2000) < 0.5
    >>> epsilon_bound(rng.normal(size=2000), inside, 1e-5).epsilon
    0.0
    >>> epsilon_bound(inside + rng.normal(size=2000) / 4, inside, 1e-5).epsilon > 2
    True
    """
    told, held = np.asarray(scores, dtype=np.float64), np.asarray(inside, dtype=np.bool_)
    if told.shape != held.shape or told.ndim != 1:
        raise InputError(f"Scores of shape {told.shape} are not those of {held.shape} rows that were in or out.")
    if len(told) < LEAST_DRAWN:
        raise InputError(f"{len(told)} rows drawn by coin are too few for a bound; {LEAST_DRAWN} are the fewest.")
    if not np.isfinite(told).all():
        raise InputError("A score of a row is not finite, so rows cannot be put in order by it.")
    n, budgets = len(told), budgets_of(len(told))
    order = np.random.default_rng([n, TIES]).permutation(n)
    told, held = told[order], held[order]
    right = right_guesses(told, held, budgets)
    error = (1 - level) / len(budgets)
    found = [least_epsilon(n, sum(way), int(hits), delta, error) for way, hits in zip(budgets, right, strict=True)]
    best = int(np.argmax(found))
    return EpsilonBound(found[best], sum(budgets[best]), int(right[best]), n, delta, level)


def best_bound(
    attacks: Mapping[str, tuple[ArrayLike, ArrayLike]], delta: float, level: float = 0.95
) -> tuple[str, EpsilonBound]:
    """Return the highest of the bounds of several attacks on one fit, and the attack; the first of equal ones.

    Each has its share of the error (Bonferroni's inequality), so the highest holds at the level.

    Parameters
    ----------
    attacks : mapping of (scores, inside)
        By the attack's name, as of `epsilon_bound`; they need not be of the same rows.
    delta : float
        The delta of the claim.
    level : float
        The confidence, of one side, over all attacks together.

    Returns
    -------
    (str, EpsilonBound)

    Raises
    ------
    InputError
        As `epsilon_bound` does, and when there is no attack.

    Examples
    --------
    >>> inside = np.arange(200) >= 100
    >>> best_bound({"blind": (np.zeros(200), inside), "sees": (np.arange(200), inside)}, delta=1e-5)[0]
    'sees'
    """
    if not attacks:
        raise InputError("Without an attack there is no bound.")
    each = 1 - (1 - level) / len(attacks)
    found = {name: epsilon_bound(scores, inside, delta, each) for name, (scores, inside) in attacks.items()}
    best = max(found, key=lambda name: found[name].epsilon)
    return best, replace(found[best], level=level)
