"""Net benefit: means over rows of what each cell of truth and decision is worth, and the lesser of two such means.

At a threshold probability t a false positive costs ``w = t / (1 - t)`` of what a true positive brings, so net benefit
is the mean over rows of 1, -w and 0. What it gains over deciding positive for nobody is the same mean; over deciding
positive for all it is one of w for each true negative and -1 for each false negative. The gain over the better of both
is the lesser of these two means.

Sources: Vickers and Elkin (2006), "Decision curve analysis", Medical Decision Making 26; for the lesser of two, the
intersection-union test (Berger 1982, Technometrics 24).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.metrics.inference.share_functions import ShareFunction, effective_rows, limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.counts.tally import Tally

    Worth = Callable[[float], tuple[tuple[float, float, float, float], ...]]
    """From the cost w of a false positive to what TN, FP, FN and TP are worth, of each mean."""

BENEFITS: Final[dict[str, Worth]] = {
    "net_benefit": lambda w: ((0.0, -w, 0.0, 1.0),),
    "net_benefit_of_all": lambda w: ((-w, -w, 1.0, 1.0),),
    "net_benefit_gain": lambda w: ((0.0, -w, 0.0, 1.0), (w, 0.0, -1.0, 0.0)),
}
"""Each by the name of its metric; of several means the least counts."""


def cost_of(threshold: float) -> float:
    """Return what a false positive costs, in true positives, for who decides at a threshold probability.

    Examples
    --------
    >>> cost_of(0.2)
    0.25
    """
    return threshold / (1 - threshold)


def benefits(name: str, tally: Tally) -> Floats:
    """Return (M, G) the means of each group; nan without rows, or where no threshold probability is known.

    Parameters
    ----------
    name : str
        One of `BENEFITS`.
    tally : Tally
        G groups of two classes.

    Examples
    --------
    >>> from evenhand.metrics import Tally
    >>> tally = Tally.count([1, 1, 0, 0], [1, 0, 1, 0], threshold=0.2)
    >>> benefits("net_benefit", tally).tolist(), benefits("net_benefit_gain", tally).tolist()
    ([[0.1875]], [[0.1875], [-0.1875]])
    """
    if tally.threshold is None:
        return np.full((1, len(tally.counts)), np.nan)
    cells = _cells(tally)
    return np.array([what.value(cells) for what in _means(name, tally.threshold)])


def benefit_ends(name: str, tally: Tally, z: float) -> tuple[Floats, Floats]:
    """Return the low and high ends (G,) of the lesser of the means, nan where there is none.

    Each mean has Gaffke's limits. The low end of the least is the least of theirs, without any correction: it is above
    the truth only where that of the least mean is. A high end may err for each of them, so they share the error.
    """
    values = benefits(name, tally)
    low, high = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    found = np.flatnonzero(np.isfinite(values[0]))
    if len(found) and tally.threshold is not None:
        for at, what in enumerate(_means(name, tally.threshold)):
            worth = _worth(what, tally)[:, found]
            low[at, found] = limits(what, worth, z)[0]
            high[at, found] = limits(what, worth, _shared(z, len(values)))[1]
    return np.fmin(low, values).min(axis=0), np.fmax(high, values).min(axis=0)


def _means(name: str, threshold: float) -> list[ShareFunction]:
    worth = BENEFITS[name](cost_of(threshold))
    return [ShareFunction(_mean, np.array([values, (1.0, 1.0, 1.0, 1.0)])) for values in worth]


def _mean(sums: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(sums[0] / sums[1])


def _shared(z: float, parts: int) -> float:
    """Return the critical value of an error shared by several parts."""
    from scipy.special import log_ndtr, ndtri_exp

    return -float(ndtri_exp(log_ndtr(-z) - np.log(parts)))


def _cells(tally: Tally) -> Floats:
    return np.ascontiguousarray(tally.mass.astype(np.float64).reshape(len(tally.counts), -1).T)


def _worth(what: ShareFunction, tally: Tally) -> Floats:
    """Return the cells (4, G) as so many independent, unweighted rows as tell as much of the mean."""
    cells, squared = _cells(tally), tally.squared_weights
    size = effective_rows(what, cells, None if squared is None else squared.reshape(len(squared), -1).T)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = size / _design_effect(what, tally)
        return np.asarray(cells * (size / cells.sum(axis=0)))


def _design_effect(what: ShareFunction, tally: Tally) -> Floats:
    """Return how many times greater clusters make the variance of the mean; at least 1.

    That of the residuals summed over clusters, over that of rows alone (Cochran 1977, Sampling Techniques, 9.2).
    """
    if tally.moments is None or tally.clusters is None:
        return np.ones(len(tally.counts))
    cells = _cells(tally)
    rows = cells if tally.squared_weights is None else tally.squared_weights.reshape(len(tally.counts), -1).T
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = what.parts[0][:, None] - what.value(cells)
        together = np.einsum("ig,gij,jg->g", residual, tally.moments, residual)
        number = tally.clusters.astype(np.float64)
        effect = together / (residual**2 * rows).sum(axis=0) * (number / (number - 1))
    return np.asarray(np.fmax(np.where(np.isfinite(effect), effect, 1.0), 1.0))
