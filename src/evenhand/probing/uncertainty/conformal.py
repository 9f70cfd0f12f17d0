"""Sets and intervals that hold the truth with a promised chance: for all rows, each group, and groups that overlap.

Split conformal prediction: the threshold is an order statistic of nonconformity scores of rows that were not fitted on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

__all__ = [
    "adaptive_scores", "group_thresholds", "least_rows", "overlapping_thresholds", "quantile_scores", "set_sizes",
    "sets", "threshold",
]  # fmt: skip


def least_rows(coverage: float) -> int:
    """Return the fewest rows that a finite threshold can be found from.

    Parameters
    ----------
    coverage : float
        The promised chance.

    Examples
    --------
    >>> least_rows(0.9), least_rows(0.95)
    (9, 19)
    """
    return int(np.ceil(coverage / (1 - coverage) - 1e-9))


def threshold(scores: ArrayLike, coverage: float = 0.9) -> float:
    """Return the nonconformity that a new row stays at or below with at least the promised chance.

    Parameters
    ----------
    scores : (n,) array
        Nonconformity of rows whose truth is known: 1 - the probability of the true class, or the size of an error.
    coverage : float
        The promised chance.

    Returns
    -------
    float
        The ``ceil((n + 1) coverage)``-th smallest; infinite where there are fewer rows.

    Notes
    -----
    Vovk, Gammerman and Shafer (2005); Lei et al. (2018), JASA 113.

    Examples
    --------
    >>> threshold([0.1, 0.2, 0.3, 0.4], 0.75), threshold([0.1], 0.9)
    (0.4, inf)
    """
    found = np.asarray(scores, dtype=np.float64)
    at = int(np.ceil((len(found) + 1) * coverage - 1e-9))
    return float("inf") if at > len(found) else float(np.partition(found, at - 1)[at - 1])


def group_thresholds(scores: ArrayLike, codes: ArrayLike, n_groups: int, coverage: float = 0.9) -> Floats:
    """Return the threshold of each group, from its own rows (Mondrian).

    Parameters
    ----------
    scores : (n,) array
        Nonconformity of rows whose truth is known.
    codes : (n,) integer array
        The group of each, from 0; of classes, the true class.
    n_groups : int
        The number of groups.
    coverage : float
        The promised chance in each group.

    Returns
    -------
    (G,) array

    Examples
    --------
    >>> group_thresholds([0.1, 0.2, 0.3, 0.4], [0, 0, 0, 1], 2, 0.5).tolist()
    [0.2, 0.4]
    """
    found, groups = np.asarray(scores, dtype=np.float64), np.asarray(codes)
    order = np.argsort(groups, kind="stable")
    parts = np.split(found[order], np.cumsum(np.bincount(groups, minlength=n_groups))[:-1])
    return np.array([threshold(part, coverage) for part in parts])


def overlapping_thresholds(
    scores: ArrayLike, fitted: Sequence[Codes], judged: Sequence[Codes], coverage: float = 0.9, *, finite: bool = False
) -> Floats:
    """Return a threshold for each new row at which every group that it is in has the promised coverage.

    It is the greatest of those of all rows and of the row's groups. No row's threshold is below that of a group that
    it is in, so the promise holds in each group at once, whichever overlap: all rows, each group of each feature, each
    intersection.

    Parameters
    ----------
    scores : (n,) array
        Nonconformity of rows whose truth is known.
    fitted : sequence of (n,) integer arrays
        For each grouping, the group of those rows.
    judged : sequence of (m,) integer arrays
        For each grouping, the group of the new rows.
    coverage : float
        The promised chance.
    finite : bool
        Whether groups of too few rows for a threshold are left out; without, their rows have an infinite one.

    Returns
    -------
    (m,) array

    Notes
    -----
    Foygel Barber, Candes, Ramdas and Tibshirani (2021), Information and Inference 10, section 4: exact for any
    number of overlapping groups, and a little wider than the sets of Jung et al. (2023), ICLR, whose promise is
    approximate.

    Examples
    --------
    >>> import numpy as np
    >>> sex, race = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> overlapping_thresholds([0.1, 0.2, 0.3, 0.4], [sex, race], [sex, race], 0.5).tolist()
    [0.3, 0.4, 0.4, 0.4]
    """
    highest = np.full(len(judged[0]) if judged else 0, threshold(scores, coverage))
    for mine, theirs in zip(fitted, judged, strict=True):
        groups = int(max(mine.max(initial=0), theirs.max(initial=0))) + 1
        own = group_thresholds(scores, mine, groups, coverage)
        own = np.where(np.isinf(own), -np.inf, own) if finite else own
        highest = np.maximum(highest, own[theirs])
    return highest


def sets(probability: ArrayLike, limit: ArrayLike) -> NDArray[np.bool_]:
    """Return which classes are in the set of each row: those with 1 - probability at or below the threshold.

    Parameters
    ----------
    probability : (m, C) array
        Of each class.
    limit : number, (m, 1) or (C,) array
        The threshold, of all rows, of each row, or of each class.

    Returns
    -------
    (m, C) array of bool

    Notes
    -----
    The least ambiguous sets of Sadinle, Lei and Wasserman (2019), JASA 114.

    Examples
    --------
    >>> sets([[0.7, 0.3], [0.55, 0.45]], 0.6).tolist()
    [[True, False], [True, True]]
    """
    return np.asarray(1 - np.asarray(probability, dtype=np.float64) <= np.asarray(limit))


def set_sizes(chosen: ArrayLike) -> Floats:
    """Return how many classes are in each set.

    Parameters
    ----------
    chosen : (m, C) array of bool
        As `sets` returns them.

    Examples
    --------
    >>> set_sizes([[True, False], [True, True]]).tolist()
    [1.0, 2.0]
    """
    return np.asarray(np.asarray(chosen).sum(axis=1), dtype=np.float64)


def adaptive_scores(probability: ArrayLike, drawn: ArrayLike) -> Floats:
    """Return the nonconformity of each class of each row by which sets adapt to how hard a row is (APS).

    The set of a row holds the classes at or below a threshold: a few of a row that is clear, and many of another.

    Parameters
    ----------
    probability : (n, C) array
        Of each class.
    drawn : (n,) array
        A uniform number of each row: the part of a class's own probability that counts.

    Returns
    -------
    (n, C) array
        The probability of all likelier classes, and the drawn part of the own.

    Notes
    -----
    Romano, Sesia and Candes (2020), NeurIPS. Of classes that are as likely, the last comes first, as in MAPIE.

    Examples
    --------
    >>> adaptive_scores([[0.25, 0.5, 0.25]], [0.5]).tolist()
    [[0.875, 0.25, 0.625]]
    """
    chances = np.asarray(probability, dtype=np.float64)
    order = np.argsort(chances, axis=1)[:, ::-1]
    likely = np.take_along_axis(chances, order, axis=1)
    upto = np.cumsum(likely, axis=1) - (1 - np.asarray(drawn, dtype=np.float64))[:, None] * likely
    found = np.empty_like(chances)
    np.put_along_axis(found, order, upto, axis=1)
    return found


def quantile_scores(y_true: ArrayLike, low: ArrayLike, high: ArrayLike) -> Floats:
    """Return how far the truth is outside of predicted quantiles, below 0 inside of them (CQR).

    With a threshold of these, the interval of a row is from ``low - threshold`` to ``high + threshold``.

    Parameters
    ----------
    y_true, low, high : (n,) arrays
        The truth, and a lower and an upper quantile that were predicted.

    Returns
    -------
    (n,) array

    Notes
    -----
    Romano, Patterson and Candes (2019), NeurIPS.

    Examples
    --------
    >>> quantile_scores([1.0, 5.0], [0.0, 0.0], [4.0, 4.0]).tolist()
    [-1.0, 1.0]
    """
    true, least, most = (np.asarray(each, dtype=np.float64) for each in (y_true, low, high))
    return np.asarray(np.maximum(least - true, true - most))
