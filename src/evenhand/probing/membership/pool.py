"""The rows that are attacked: members, others, and a population that neither the model nor a reference ever sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from evenhand.data.inputs import Inputs
from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.data.inputs import Rows
    from evenhand.findings import Batch, Reads

    Marks = NDArray[np.bool_]

__all__ = ["Pool", "draw", "draw_candidates", "halves", "together"]

MOST_POPULATION: Final = 2_500
"""Rows of the population: their number moves no rank, so few do."""
POPULATION: Final = 8
"""One of so many evaluation rows is of the population."""
ENOUGH: Final = 1_000
"""Others that are attacked where there are, however few members: a share of 1 % of them can be stated."""
LEAST: Final = 20
"""Members, and others, below which nothing is attacked."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Members, then others, then the population, as one set of rows.

    See Also
    --------
    evenhand.probing.membership.pool.draw : Draws one.
    """

    rows: EvaluationSet
    """All of them, in this order."""
    members: int
    """Rows that the model was fitted on."""
    others: int
    """Rows that it never saw."""
    repeated: int
    """Evaluation rows with an equal row among all members: they are neither."""
    positions: NDArray[np.intp]
    """Where the others are among the evaluation rows."""
    inside: NDArray[np.intp]
    """Where the members are among the rows that the model was fitted on."""

    @property
    def attacked(self) -> int:
        """How many rows, from the first, are attacked: members and others."""
        return self.members + self.others

    @property
    def member(self) -> NDArray[np.int8]:
        """(n,) 1 for the members among the attacked rows."""
        return (np.arange(self.attacked) < self.members).astype(np.int8)


def draw(
    members: EvaluationSet, data: EvaluationSet, columns: Sequence[str], kind: Reads, most: int, seed: int
) -> Pool:
    """Draw the rows to attack, the same for the same seed.

    Parameters
    ----------
    members : EvaluationSet
        Rows that the model was fitted on, with the roles of `data`.
    data : EvaluationSet
        Rows that it never saw, but for those equal to a member.
    columns : sequence of str
        The columns that the model reads: rows alike in them, in what else it reads and in the truth are equal.
    kind : Reads
        What the model reads.
    most : int
        The most members, and the most others; of these no more than members, but for the first thousand.
    seed : int
        Of what is drawn.

    Raises
    ------
    InputError
        When the members have other columns or classes, or there are too few of either.

    Examples
    --------
    >>> import evenhand as eh
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> pool = draw(parts["train"], parts["test"], parts["test"].features, "table", 400, 0)
    >>> pool.members, len(pool.rows) - pool.attacked
    (400, 74)
    """
    _refuse_unlike(members, data)
    seen = np.isin(data.row_hashes(columns, kind), members.row_hashes(columns, kind))
    rng = np.random.default_rng([seed, 16])
    free = rng.permutation(np.flatnonzero(~seen))
    population = min(MOST_POPULATION, -(-len(free) // POPULATION))
    inside = np.sort(rng.permutation(len(members))[:most])
    most = min(most, max(len(inside), ENOUGH))  # so that references are fitted on about as many rows as the model
    others, beside = np.sort(free[population:][:most]), np.sort(free[:population])
    if min(len(inside), len(others)) < LEAST:
        raise InputError(
            f"{members.name}: {len(inside):,} members and {len(others):,} evaluation rows that are none are too few to "
            f"attack; {LEAST} of each are needed."
        )
    rows = together([members.take(inside), data.take(others), data.take(beside)])
    return Pool(rows, len(inside), len(others), int(seen.sum()), others, inside)


def draw_candidates(
    candidates: EvaluationSet,
    drawn: NDArray[np.bool_],
    data: EvaluationSet,
    columns: Sequence[str],
    kind: Reads,
    most: int,
    seed: int,
) -> Pool:
    """Draw rows to guess who was in of, where coins decided, the same for the same seed, and without a look at them.

    A bound on epsilon needs scores that depend on the coins through the model alone. Given the rows of all candidates,
    in or out alike, and the audit's own draws, which are independent of coins and fit, the references of this pool are
    fixed; so a row's score is a function of the model's answers, and guesses from it are post-processing of the
    model, which no budget pays for. To this end all candidates are of one kind here: halves are not balanced by who
    was in, as those of `draw` are, and the order of rows, in which references are fitted, is that of their contents,
    since a file may hold those that were in first. A function of the user's that fits references must not know the
    coins either, nor take the noise that the model was fitted with.

    Parameters
    ----------
    candidates : EvaluationSet
        All rows about which was decided, in or out, without a column that says which.
    drawn : (n,) array of bool
        About which of them a coin decided.
    data : EvaluationSet
        Evaluation rows: those that equal no candidate are the population.
    columns : sequence of str
        The columns that the model reads.
    kind : Reads
        What it reads.
    most : int
        The most rows, those drawn by coin before the others.
    seed : int
        Of what is drawn.

    Returns
    -------
    Pool
        Without members; `positions` are among the candidates, those drawn by coin first.

    Raises
    ------
    InputError
        When the candidates have other columns or classes, or the population is too small.

    References
    ----------
    Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1) training run", NeurIPS, theorem 5.2: of guesses
    that are post-processing of what a fit published.

    Examples
    --------
    >>> import evenhand as eh
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> drawn = np.arange(len(parts["train"])) < 300
    >>> pool = draw_candidates(parts["train"], drawn, parts["test"], parts["test"].features, "table", 400, 0)
    >>> pool.members, pool.others, sorted(pool.positions[:300]) == list(range(300))
    (0, 400, True)
    """
    _refuse_unlike(candidates, data)
    rng = np.random.default_rng([seed, 24])
    known = candidates.row_hashes([str(name) for name in candidates.table.columns])
    order = np.argsort(known, kind="stable")
    order = order[rng.permutation(len(order))]
    first, rest = order[drawn[order]][:most], order[~drawn[order]]
    positions = np.concatenate([first, rest[: most - len(first)]])
    seen = np.isin(data.row_hashes(columns, kind), candidates.row_hashes(columns, kind))
    beside = np.sort(rng.permutation(np.flatnonzero(~seen))[:MOST_POPULATION])
    if len(beside) < LEAST:
        raise InputError(
            f"{data.name}: {len(beside):,} evaluation rows that are no candidates are too few to compare with; "
            f"{LEAST} are needed."
        )
    rows = together([candidates.take(positions), data.take(beside)])
    return Pool(rows, 0, len(positions), int(seen.sum()), positions, np.empty(0, dtype=np.intp))


def halves(pool: Pool, pair: int, seed: int) -> Marks:
    """Return (n,) which of the attacked rows are in the first half of a pair: half of members and others of each class.

    Parameters
    ----------
    pool : Pool
        The rows.
    pair : int
        The number of the pair.
    seed : int
        Of what is drawn.

    Examples
    --------
    >>> import evenhand as eh
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> pool = draw(parts["train"], parts["test"], parts["test"].features, "table", 400, 0)
    >>> int(halves(pool, 0, 0)[:400].sum())
    200
    """
    rng = np.random.default_rng([seed, 18, pair])
    truth = pool.rows.y_true[: pool.attacked].astype(np.int64)
    order = rng.permutation(pool.attacked)
    order = order[np.lexsort((truth[order], pool.member[order]))]  # stable: by chance within class and side
    first = np.zeros(pool.attacked, dtype=bool)
    first[order[int(rng.integers(2)) :: 2]] = True
    return first


def _refuse_unlike(members: EvaluationSet, data: EvaluationSet) -> None:
    if members.roles.label is None and data.roles.label is not None:
        raise InputError(
            f"{members.name}: to attack the model its rows need their label and the columns that make the groups, as "
            f"{data.name} has them."
        )
    if tuple(members.classes) != tuple(data.classes) or members.task != data.task:
        raise InputError(
            f"{members.name}: its label has other classes than that of {data.name}. Read the one like=the other."
        )


def together(sets: Sequence[EvaluationSet]) -> EvaluationSet:
    """Return the rows of several sets, one after the other, with the roles of the second.

    Parameters
    ----------
    sets : sequence of EvaluationSet
        At least two; columns that one of them lacks are left out.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = eh.load_loanapp()
    >>> len(together([rows, rows])) == 2 * len(rows)
    True
    """
    like = sets[1]
    names = [name for name in like.table.columns if all(name in part.table for part in sets)]
    columns = {name: _column([part.table[name] for part in sets]) for name in names}
    table = pd.DataFrame(columns)
    held = None
    if like.held is not None:
        held = _one_after_the_other([cast("Inputs", part.held) for part in sets])
    truth = np.concatenate([part.y_true for part in sets])
    return replace(like, table=table, y_true=truth, held=held, index=None, _kept={})


def _column(parts: Sequence[pd.Series]) -> pd.Series:
    if not isinstance(parts[1].dtype, pd.CategoricalDtype):
        return pd.concat(parts, ignore_index=True)
    kinds = [part.astype("category").cat for part in parts]
    values = list(dict.fromkeys(value for kind in [kinds[1], *kinds] for value in kind.categories))
    whole = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    return pd.Series(pd.Categorical(whole, categories=values, ordered=kinds[1].ordered))


def _one_after_the_other(parts: Sequence[Inputs]) -> Inputs:
    """Return inputs of several sets as one; rows are read from the set that they are of."""
    edges = np.cumsum([0, *(len(part) for part in parts)])
    return Inputs(parts[0].kind, int(edges[-1]), partial(_read, parts, edges), min(part.at_once for part in parts))


def _read(parts: Sequence[Inputs], edges: NDArray[np.int64], rows: Rows) -> Batch:
    wanted = np.arange(edges[-1])[rows]
    of = np.searchsorted(edges, wanted, "right") - 1
    order = np.argsort(of, kind="stable")
    batches: list[Any] = [
        part.take(wanted[of == at] - edges[at]).whole() for at, part in enumerate(parts) if (of == at).any()
    ]
    back = np.argsort(order, kind="stable")
    if batches and isinstance(batches[0], np.ndarray):
        return np.concatenate(batches)[back]
    rows_of = [row for batch in batches for row in batch]
    return [rows_of[at] for at in back]
