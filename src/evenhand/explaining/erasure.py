"""Take the stated reasons away and ask again: whether they are what the model that decides used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.explaining.scores import CLIP
from evenhand.explaining.table import CodedTable

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]

DRAWS: Final = 50
"""Usual people that the reasons of each row are taken from: others for each, so that all of them take part."""
CHUNK: Final = 20_000
"""Composed rows that the model is asked about at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Erasure:
    """What becomes of adverse decisions when features are those of usual people.

    See Also
    --------
    evenhand.explaining.erasure.erase : Returns one.
    """

    comprehensiveness: Floats
    """(n,): by how much the score for the person rises without the stated reasons, mean over usual people."""
    sufficiency: Floats
    """(n,): by how much it rises when the stated reasons alone are kept."""
    turned: Floats
    """(n,): the share of usual people with whose values in place of the reasons the decision is favourable."""
    comprehensiveness_at_random: Floats
    """(n,): as `comprehensiveness`, of as many features that were not stated, drawn anew for each usual person."""
    turned_at_random: Floats
    """(n,): as `turned`, of these."""
    beyond: Floats
    """(n,): by how much more the score rises without the reasons than without these, on the scale that is explained;
    nan where there are not as many to draw from."""
    comparable: Marks
    """(n,): whether as many features as were stated are left to draw from; where not, both at random are nan."""


def erase(
    score: Callable[[pd.DataFrame], Floats],
    rows: pd.DataFrame,
    usual: pd.DataFrame,
    reasons: NDArray[np.int64],
    *,
    threshold: float,
    low_is_bad: bool = True,
    link: Link = "identity",
    seed: int = 0,
) -> Erasure:
    """Ask a model about refused rows whose stated reasons are taken from usual people.

    Comprehensiveness is what a decision loses without its reasons, sufficiency what it loses with its reasons alone
    (DeYoung et al. 2020, ACL, "ERASER"); both are differences of the score itself, so of a probability in [-1, 1].

    Parameters
    ----------
    score : callable
        From a table to (n,) scores: the model that decides.
    rows : DataFrame
        The n refused rows, columns as the model reads them.
    usual : DataFrame
        The b rows that reasons are stated against.
    reasons : (n, k) array of int
        The positions of the columns stated as reasons of each row, -1 where there are fewer than k; one at least.
    threshold : float
        A score at or above it is decided positive.
    low_is_bad : bool
        Whether a low score is the one that is bad for the person.
    link : "logit" or "identity"
        The scale on which the reasons were found, and on which `Erasure.beyond` compares.
    seed : int
        Decides which usual people each row is given, `DRAWS` of them, and which other features are drawn.

    Returns
    -------
    Erasure

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rows = pd.DataFrame({"income": [0.0, 0.1], "town": [1.0, 1.0]})
    >>> usual = pd.DataFrame({"income": [1.0, 0.9], "town": [0.0, 1.0]})
    >>> found = erase(lambda X: X["income"].to_numpy(), rows, usual, np.array([[0], [0]]), threshold=0.5)
    >>> found.comprehensiveness.round(2).tolist(), found.comprehensiveness_at_random.tolist(), found.turned.tolist()
    ([0.95, 0.85], [0.0, 0.0], [1.0, 1.0])
    """
    n, width = rows.shape
    people = _people(n, len(usual), seed)
    table = CodedTable(rows, usual[list(rows.columns)], {str(name): [name] for name in rows.columns})
    stated = np.zeros((n, width), dtype=bool)
    at, place = np.nonzero(reasons >= 0)
    stated[at, reasons[at, place]] = True
    sign = 1.0 if low_is_bad else -1.0
    own = np.asarray(score(rows), dtype=np.float64)[:, None]

    def asked(taken: Marks) -> tuple[Floats, Floats, Floats]:
        """Return by how much the score rises, how often the decision turns, and the rise on the explained scale."""
        said = _scores(score, table, people, taken)
        favourable = (said >= threshold) == low_is_bad
        linked = _linked(said, link) - _linked(own, link)
        return (sign * (said - own)).mean(axis=1), favourable.mean(axis=1), (sign * linked).mean(axis=1)

    pairs = np.broadcast_to(stated[:, None, :], (*people.shape, width))
    without, alone = asked(pairs), asked(~pairs)
    comparable = (~stated).sum(axis=1) >= stated.sum(axis=1)
    other = [np.where(comparable, each, np.nan) for each in asked(_others(stated, people.shape[1], seed))]
    return Erasure(without[0], alone[0], without[1], other[0], other[1], without[2] - other[2], comparable)


def _linked(scores: Floats, link: Link) -> Floats:
    """Return scores on the scale that is explained."""
    if link == "identity":
        return scores
    held = np.clip(scores, CLIP, 1 - CLIP)
    return np.asarray(np.log(held / (1 - held)), dtype=np.float64)


def _people(rows: int, usual: int, seed: int) -> NDArray[np.int64]:
    """Return (n, k): the positions of the usual people that each row is given; all of them where they are few."""
    everybody = np.tile(np.arange(usual), (rows, 1))
    return np.random.default_rng([seed, 29]).permuted(everybody, axis=1)[:, :DRAWS]


def _others(stated: Marks, usual: int, seed: int) -> Marks:
    """Return (n, b, m): for each pair as many of the features that were not stated, drawn; fewer where there are."""
    drawn = np.random.default_rng([seed, 31]).random((len(stated), usual, stated.shape[1]))
    drawn[np.broadcast_to(stated[:, None, :], drawn.shape)] = 2.0
    rank = drawn.argsort(axis=2).argsort(axis=2)
    return np.asarray((rank < stated.sum(axis=1)[:, None, None]) & (drawn <= 1.0), dtype=bool)


def _scores(
    score: Callable[[pd.DataFrame], Floats], table: CodedTable, people: NDArray[np.int64], taken: Marks
) -> Floats:
    """Return (n, k): the scores of rows of which the taken features are those of each of their people."""
    n, b, _ = taken.shape
    codes = np.where(np.moveaxis(taken, 2, 0), table.background[:, people], table.rows[:, :, None])
    codes = np.ascontiguousarray(codes.reshape(len(codes), n * b))
    said = [
        np.asarray(score(table.decode(codes[:, at : at + CHUNK])), dtype=np.float64) for at in range(0, n * b, CHUNK)
    ]
    return np.concatenate(said).reshape(n, b)
