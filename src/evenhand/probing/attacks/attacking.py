"""All attacks on a subject, and the checks of whether they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics import paired_change
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.probing.attacks.answers import answers_of
from evenhand.probing.attacks.climbing import fgsm, noise, pgd
from evenhand.probing.attacks.reaching import gradients_of
from evenhand.probing.attacks.square import search_squares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.probing.attacks.answers import Answer
    from evenhand.probing.attacks.reaching import Gradients
    from evenhand.probing.attacks.threat import Threat
    from evenhand.subjects import Subject

    Marks = NDArray[np.bool_]

__all__ = ["Attacked", "attack"]

MISSED: Final = 0.05
"""Share of the rows that withstand gradients and not a search without them, beyond which gradients mislead."""
REACHED: Final = 0.95
"""Share of rows that an attack must turn that may make any row of any other."""
CHECKED: Final = 100
"""Rows that this is tried on."""
LEVEL: Final = 0.95

WEAKER: Final = {
    ("pgd", "fgsm"): message("Many steps along the gradient turned fewer decisions than a single one."),
    ("fgsm", "noise"): message("A step along the gradient turned fewer decisions than random noise of its size."),
    ("pgd", "noise"): message("Many steps along the gradient turned fewer decisions than random noise of their size."),
    ("square", "noise"): message("A search without gradients turned fewer decisions than random noise of its size."),
}
"""What it means that an attack is weaker than one that cannot be stronger."""
HIDDEN: Final = message("A search without gradients turned decisions of {rows:,} rows that withstood the gradients.")
UNREACHED: Final = message(
    "With a budget under which any row may become any other, {rows:,} of {of:,} decisions were not turned."
)


@dataclass(frozen=True, slots=True, eq=False)
class Attacked:
    """What attacks did to the decisions about some rows.

    See Also
    --------
    evenhand.probing.attacks.attack : Makes one.
    """

    threat: Threat
    """The budget."""
    right: Mapping[str, Marks]
    """(n,) whether each row is decided rightly after the attack of this name: ``none``, ``noise``, ``fgsm``, ``pgd``,
    ``square``. A row that is decided wrongly as it is counts as wrong after each."""
    moved: NDArray[Any]
    """(n, ...) a wrongly decided place of each row where one was found, else the row itself."""
    unreliable: tuple[str, ...]
    """Why the attacks cannot be trusted, a sentence each; none where they can."""
    gradients: bool
    """Whether gradients were had."""

    @property
    def standing(self) -> Marks:
        """(n,) whether each row is decided rightly after every attack."""
        return np.asarray(np.logical_and.reduce(list(self.right.values())))


def attack(
    subject: Subject, rows: NDArray[Any], y_true: NDArray[Any], threat: Threat, *, several: bool = False,
    queries: int = 500, seed: int = 0,
) -> Attacked:  # fmt: skip
    """Attack a subject: with noise, FGSM, PGD and a search by squares where gradients can be had, else by squares.

    Every decision after an attack is that of the subject itself about rows within the budget. With gradients the search
    is made in the rows that withstand them.

    Parameters
    ----------
    subject : Subject
        A model that reads arrays.
    rows : (n, ...) array
        Rows as it reads them.
    y_true : (n,) array of int
        Their classes.
    threat : Threat
        The budget.
    several : bool
        Whether the label has several classes, whose scores the subject gives.
    queries : int
        How often the search asks about a row at most.
    seed : int
        Of all that is drawn.

    Returns
    -------
    Attacked

    Raises
    ------
    ModelError
        When the subject gives no finite score of a moved row.

    Examples
    --------
    >>> from evenhand.probing.attacks import threat_of
    >>> from evenhand.subjects import as_subject
    >>> rows = np.random.default_rng(0).uniform(0, 1, (40, 5))
    >>> truth = (rows.mean(axis=1) >= 0.5).astype(int)
    >>> found = attack(as_subject(lambda batch: batch.mean(axis=1)), rows, truth, threat_of(rows, budget=0.5))
    >>> int(found.right["none"].sum()), int(found.standing.sum()), found.gradients
    (40, 0, False)
    """
    answer, truth = answers_of(subject, several), np.asarray(y_true).astype(np.int64)
    model = gradients_of(subject, rows)
    found = Found(answer, rows, truth, threat)
    found.tried("noise", lambda mine, of: noise(mine, threat, seed))
    squares = threat.norm == "linf"
    if model is not None:
        found.tried("fgsm", lambda mine, of: fgsm(model, mine, of, threat))
        found.tried("pgd", lambda mine, of: pgd(model, mine, of, threat, seed))
    if squares and queries:
        found.tried(
            "square", lambda mine, of: search_squares(answer, mine, of, threat, queries, seed), left=model is not None
        )
    whys = (*doubts(found.right, model is not None), *_unreached(found, model, queries if squares else 0, seed))
    return Attacked(threat, found.right, found.moved, whys, model is not None)


class Found:
    """What is known of the rows so far: `truth` is what the function that answers compares them with."""

    def __init__(self, answer: Answer, rows: NDArray[Any], truth: NDArray[Any], threat: Threat) -> None:
        self.answer, self.rows, self.truth, self.threat = answer, rows, truth, threat
        self.right: dict[str, Marks] = {"none": answer(rows, truth)[0]}
        self.moved = rows.copy()

    def tried(
        self, name: str, how: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]], *, left: bool = False
    ) -> None:
        """Note what an attack does to rows that are decided rightly, or to those `left` standing by all before it."""
        standing = np.logical_and.reduce(list(self.right.values())) if left else self.right["none"]
        at, right = np.flatnonzero(standing), standing.copy()
        if len(at):
            moved = how(self.rows[at], self.truth[at])
            right[at] = self.answer(moved, self.truth[at])[0]
            broken = at[~right[at]]
            self.moved[broken] = moved[~right[at]]
        self.right[name] = right


def doubts(right: Mapping[str, Marks], gradients: bool) -> Iterator[str]:
    """Yield why attacks are weaker than they can be, beyond the error of so many rows."""
    for (strong, weak), sentence in WEAKER.items():
        known = strong in right and weak in right and (strong != "square" or not gradients)
        if known and _beyond(right[strong], right[weak]):
            yield sentence
    if gradients and "square" in right:
        before = right["none"] & right["noise"] & right["fgsm"] & right["pgd"]
        turned, rows = int((before & ~right["square"]).sum()), int(right["none"].sum())
        if rows and clopper_pearson(turned, rows, z_of(LEVEL))[0] > MISSED:
            yield message(HIDDEN, rows=turned)


def _beyond(strong: Marks, weak: Marks) -> bool:
    """Return whether more rows withstand the stronger attack than the weaker one, beyond error."""
    cells = ((strong & weak), (strong & ~weak), (~strong & weak), (~strong & ~weak))
    both, gained, lost, neither = (np.array([int(cell.sum())]) for cell in cells)
    return bool(paired_change(both, gained, lost, neither, LEVEL).low[0] > 0)


def _unreached(found: Found, model: Gradients | None, queries: int, seed: int) -> Iterator[str]:
    """Yield why an attack without a bound did not turn nearly all decisions."""
    at = np.flatnonzero(found.right["none"])
    if not len(at) or (model is None and not queries):
        return
    at = np.sort(np.random.default_rng([seed, 34]).permutation(at)[:CHECKED])
    rows, truth = found.rows[at], found.truth[at]
    wide = found.threat.widest(int(np.prod(rows.shape[1:])))
    if model is not None:
        moved = pgd(model, rows, truth, wide, seed, starts=2)
    else:
        moved = search_squares(found.answer, rows, truth, wide, queries, seed)
    left = int(found.answer(moved, truth)[0].sum())
    if clopper_pearson(len(at) - left, len(at), z_of(LEVEL))[1] < REACHED:
        yield message(UNREACHED, rows=left, of=len(at))
