"""Plan the cost of the pairs and which of them are enumerated, before the model predicts anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from evenhand.errors import InputError
from evenhand.messages import message, messages, sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.table import CodedTable

EXACT_EVALUATIONS: Final = 100_000
"""Without a budget, every pair is enumerated where that takes no more evaluations than this."""

MOST_EVALUATIONS: Final = 60_000_000
"""Without a budget, no more rows are composed than this: a thousand rows against four hundred in sixty columns."""

MOST_ASKED: Final = 4_000_000
"""Most rows for a whole model, where its first layer cannot be split off and no error is requested."""

RESERVED: Final = 0.25
"""The share of the background from which on the error of the random orders is measured by itself."""

MOST_TOLD: Final = 63
"""Beyond this many differing players the number of subsets is not told any more."""

UNTHINKABLE: Final = 10**15
"""Larger numbers of evaluations are not told apart."""

MOST_CELLS: Final = 8_000_000_000
"""Nor more cells of composed rows, which bounds tables of very many columns."""

MOST_EXACT: Final = 18
"""Beyond this many differing players a pair has half a million subsets and more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the pairs of a table are going to be computed."""

    order: NDArray[np.int64]
    """The background rows that are used, in the order of use."""
    counts: NDArray[np.int16]
    """(n, used): how many players differ in each pair."""
    exact_up_to: int
    """Pairs with at most so many differing players are enumerated."""
    permutations: int
    """Antithetic permutations for each other pair."""
    evaluations: int
    """The rows that will be composed with each repetition's share of the random orders taken together."""
    of: int
    """The background rows that there are."""
    budget: int
    """The evaluations that were allowed."""
    stated: bool
    """Whether the budget was given by the caller, not the default bound."""

    @property
    def exact(self) -> bool:
        """Whether every pair is enumerated."""
        return int(self.counts.max(initial=0)) <= self.exact_up_to

    def why(self, drawn: int) -> str:
        """Return how the pairs were computed and why so, with the random orders that each had in the end."""
        reason = _why(self.counts, self.exact_up_to, drawn)
        if len(self.order) == self.of:
            return reason
        bound = message(
            "The bound that holds where no budget is named, of {budget:,} evaluations, pays for {n:,} of {rows:,} "
            "background rows."
        )
        if self.stated:
            bound = message("The budget of {budget:,} evaluations pays for {n:,} of {rows:,} background rows.")
        return sentences(reason, message(bound, budget=self.budget, n=len(self.order), rows=self.of))


def make_plan(
    table: CodedTable,
    *,
    seed: int,
    permutations: int,
    expected: int = 1,
    budget: int | None,
    method: Literal["pairs", "exact"],
    bound: int = MOST_EVALUATIONS,
) -> Plan:
    """Decide how many background rows are used and which pairs are enumerated.

    A pair of d differing players costs ``2^d - 2`` evaluations to enumerate and ``2 (d - 1) k`` by k antithetic
    permutations, since both ends are known. `expected` says how many a pair is going to have in the end: pairs that
    cost no more are enumerated. The background comes first: as many rows as the budget pays for with `permutations`.

    Raises InputError when an exact answer is requested and a pair has too many differing players.
    """
    order = np.random.default_rng(seed).permutation(table.background.shape[1])
    counts = count_differing(table, order)
    most = int(counts.max(initial=0))
    allowed = min(bound, MOST_CELLS // len(table.columns)) if budget is None else budget
    stated = budget is not None
    if method == "exact":
        if most > MOST_EXACT:
            raise InputError(
                f'method="exact" would need 2^{most} evaluations for a pair of rows that differ in {most} features; '
                f'at most {MOST_EXACT} are enumerated. Pass method="pairs", or join columns by players=.'
            )
        return _fit(Plan(order, counts, most, permutations, 0, len(order), np.iinfo(np.int64).max, stated))
    expected = max(expected, permutations)
    cheap = max((d for d in range(most + 1) if enumerated(d) <= sampled(d, expected)), default=1)
    limit = EXACT_EVALUATIONS if budget is None else budget
    best = max(
        (d for d in range(cheap, min(most, MOST_EXACT) + 1) if _total(counts, d, expected) <= limit), default=cheap
    )
    return _fit(Plan(order, counts, max(best, 1), permutations, 0, len(order), int(allowed), stated))


def bound_of(*, whole: bool, precise: bool) -> int:
    """Return the evaluations that are made without a budget.

    `whole`: each asks the whole model; `precise`: an error is requested, which is worth as much as a split model gets.
    """
    return MOST_ASKED if whole and not precise else MOST_EVALUATIONS


def enumerated(players: int) -> int:
    """Return the evaluations of all subsets but the empty and the full one, whose values are known."""
    return max((1 << players) - 2, 0)


def sampled(players: int, permutations: int) -> int:
    """Return the evaluations of `permutations` orders and their reverses."""
    return 2 * max(players - 1, 0) * permutations


def count_differing(table: CodedTable, order: NDArray[np.int64]) -> NDArray[np.int16]:
    """Return (n, background): in how many players each pair differs."""
    counts = np.zeros((table.rows.shape[1], len(order)), dtype=np.int16)
    for rows, background in zip(table.rows, table.background, strict=True):
        counts += rows[:, None] != background[order][None, :]
    return counts


def costs(plan: Plan) -> NDArray[np.int64]:
    """Return the evaluations of a pair by its number of differing players."""
    return _cost_of(int(plan.counts.max(initial=0)), plan.exact_up_to, plan.permutations)


def _cost_of(most: int, exact_up_to: int, permutations: int) -> NDArray[np.int64]:
    sizes = range(most + 1)
    return np.array([enumerated(d) if d <= exact_up_to else sampled(d, permutations) for d in sizes], dtype=np.int64)


def _total(counts: NDArray[np.int16], exact_up_to: int, permutations: int) -> int:
    met = np.bincount(counts.ravel())
    return int(met @ _cost_of(len(met) - 1, exact_up_to, permutations))


def _fit(plan: Plan) -> Plan:
    """Use as many background rows as the budget pays for, at least one.

    Where they are a good part of all, two further orders of two of them are paid for, too: the error of so many is that
    of the random orders as much as that of the rows left out.
    """
    running = np.cumsum(costs(plan)[plan.counts].sum(axis=0))
    total = int(running[-1])
    if total <= plan.budget:
        return replace(plan, evaluations=total)
    used = max(int(np.searchsorted(running, plan.budget, side="right")), 1)
    if not plan.exact and used >= max(len(running) * RESERVED, 16):
        used = int(np.searchsorted(running, plan.budget - 2 * int(running[1]), side="right"))
    kept = plan.counts[:, :used]
    return replace(plan, order=plan.order[:used], counts=kept, evaluations=int(running[used - 1]))


def _why(counts: NDArray[np.int16], exact_up_to: int, permutations: int) -> str:
    most = int(counts.max(initial=0))
    if most <= exact_up_to:
        return message(
            "Every pair of rows differs in at most {most} features, so all subsets were enumerated.", most=most
        )
    return messages(
        "Each pair of a row and a background row had one random order and its reverse, enumerating where at most "
        "{most} features differ; enumerating all would take at least {needed:,} evaluations.",
        "Each pair of a row and a background row had {n} random orders and their reverses, enumerating where at most "
        "{most} features differ; enumerating all would take at least {needed:,} evaluations.",
        permutations,
        most=exact_up_to,
        needed=_about(float(np.sum(2.0 ** np.minimum(counts, MOST_TOLD)))),
    )


def _about(evaluations: float) -> int:
    """Return a number of evaluations, or `UNTHINKABLE` where it is larger, with two figures, rounded down."""
    bounded = int(min(evaluations, UNTHINKABLE))
    return bounded - bounded % int("1" + "0" * max(len(str(bounded)) - 2, 0))
