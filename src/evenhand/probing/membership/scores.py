"""Attacks as arithmetic: from confidences of the model and its references to one score a row, greater for members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.probing.membership.signals import logit, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]

__all__ = ["lira", "rmia"]

OFFLINE: Final = 0.3
"""How far the confidence in a row that no reference has seen is raised to what it would be with it seen as often as not
(a, of the paper; its authors' value for tables)."""
GAMMA: Final = 1.0
"""How many times likelier than a row of the population a row has to be."""


def rmia(
    target: Floats,
    references: Floats,
    saw: Marks,
    population: Floats,
    of_population: Floats,
    *,
    online: bool = True,
    offline_a: float = OFFLINE,
    gamma: float = GAMMA,
) -> Floats:
    """Return the scores of the robust membership inference attack (Zarifzadeh, Liu and Shokri 2024, ICML).

    The score of x is the share of rows z of the population for which ``(p(x|model) / p(x)) / (p(z|model) / p(z))`` is
    at least gamma; equal shares are put in the order of x's own ratio, so that a small population costs no rank.

    Parameters
    ----------
    target : (n,) array
        The model's confidences in the truth of the rows.
    references : (k, n) array
        Those of the references.
    saw : (k, n) array of bool
        Which reference was fitted on which row; of each row at least one was not.
    population : (m,) array
        The model's confidences in rows that neither it nor any reference was fitted on.
    of_population : (k, m) array
        Those of the references.
    online : bool
        Whether references that saw the row are used, too: p(x) is then the mean of those that did and those that did
        not. Else it is ``((1 + a) out + 1 - a) / 2`` of the mean `out` of those that did not.
    offline_a : float
        The a of this.
    gamma : float
        How many times likelier than a row of the population a row has to be.

    Returns
    -------
    (n,) array

    Examples
    --------
    >>> saw = np.array([[True, False], [False, True]])
    >>> seen = np.array([[0.9, 0.5], [0.5, 0.9]])
    >>> rmia(np.array([0.9, 0.5]), seen, saw, np.full(4, 0.6), np.full((2, 4), 0.6)).round().tolist()
    [1.0, 0.0]
    """
    out = _mean_where(references, ~saw)
    usual = (out + _mean_where(references, saw)) / 2 if online else _raised(out, offline_a)
    ratio = target / np.maximum(usual, np.finfo(float).tiny)
    others = np.sort(population / np.maximum(_raised(of_population.mean(axis=0), offline_a), np.finfo(float).tiny))
    share = np.searchsorted(others, ratio / gamma, "right") / max(len(others), 1)
    return np.asarray(share + ratio / (1 + ratio) / (len(others) + 1))


def _raised(out: Floats, a: float) -> Floats:
    return np.asarray(((1 + a) * out + 1 - a) / 2)


def _mean_where(values: Floats, where: Marks) -> Floats:
    return np.asarray(np.where(where, values, 0.0).sum(axis=0) / np.maximum(where.sum(axis=0), 1))


def lira(target: Floats, references: Floats, saw: Marks, least: float | None = None) -> Floats:
    """Return the scores of the likelihood ratio attack (Carlini et al. 2022, S&P), with one variance for all rows.

    The logit of the confidence is taken to be normal among references that saw the row, and among those that did not,
    with means of the row's own; the score is the log of the ratio of the two densities.

    Parameters
    ----------
    target : (n,) array
        The model's confidences in the truth of the rows.
    references : (k, n) array
        Those of the references.
    saw : (k, n) array of bool
        Which reference was fitted on which row; of each row some were and some were not.
    least : float, optional
        How near confidences may come to 0 and 1 before they have a logit; `nearest` when not given.

    Returns
    -------
    (n,) array

    Examples
    --------
    >>> saw = np.array([[True, False], [False, True], [True, False], [False, True]])
    >>> seen = np.array([[0.9, 0.5], [0.5, 0.9], [0.8, 0.6], [0.6, 0.8]])
    >>> scores = lira(np.array([0.9, 0.5]), seen, saw)
    >>> bool(scores[0] > 0 > scores[1])
    True
    """
    least = nearest(target, references) if least is None else least
    asked, known = logit(target, least), logit(references, least)
    parts = []
    for side in (saw, ~saw):
        mean = _mean_where(known, side)
        spread = np.where(side, (known - mean) ** 2, 0.0).sum() / max(int(side.sum() - side.any(axis=0).sum()), 1)
        variance = max(float(spread), 1e-12)
        parts.append(-((asked - mean) ** 2) / (2 * variance) - np.log(variance) / 2)
    return np.asarray(parts[0] - parts[1])
