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

from evenhand.messages import message
from evenhand.metrics.inference.intervals import beta_limits
from evenhand.metrics.inference.share_functions import ShareFunction, effective_rows, limits
from evenhand.metrics.inference.unequal import Units, betas

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
FEW: Final = 5.0
"""Clusters that positive rows must be worth at least, where they are many in a cluster."""
HEAVY: Final = 3.0
"""Positive rows in the cluster in which an average one is found, from which on they are many."""
FEW_CLUSTERS: Final = message("Most positive rows are in very few clusters, and one more would change all.")
"""Why no limit rests on a net benefit."""


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

    The low end of the least is the least of theirs, without any correction: it is above the truth only where that of
    the least mean is. A high end may err for each of them, so they share the error.

    Of independent rows each mean has Gaffke's limits. Of clusters it is a difference of two shares, each with the
    limits of a share of clusters, put together by their squares (Zou and Donner 2008, Statistics in Medicine 27).
    """
    values = benefits(name, tally)
    low, high = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    found = np.flatnonzero(np.isfinite(values[0]))
    if len(found) and tally.threshold is not None:
        ends = _of_rows if tally.moments is None else _of_clusters
        some = tally.each(lambda cells: None if cells is None else cells[found])
        for at, what in enumerate(_means(name, tally.threshold)):
            low[at, found] = ends(what, some, z)[0]
            high[at, found] = ends(what, some, _shared(z, len(values)))[1]
    return np.fmin(low, values).min(axis=0), np.fmax(high, values).min(axis=0)


def in_few_clusters(tally: Tally) -> tuple[str, ...]:
    """Return why a group's net benefit is not covered, empty where it is; nothing where all groups are."""
    if tally.moments is None:
        return ()
    positive = np.array([0.0, 0.0, 1.0, 1.0])
    squares = np.einsum("i,gij,j->g", positive, tally.moments, positive)
    with np.errstate(invalid="ignore", divide="ignore"):
        mass = positive @ _cells(tally)
        alone = mass / tally.counts[:, 1].sum(axis=1)
        few = (mass**2 / squares < FEW) & (squares / mass > HEAVY * alone)
    return tuple(FEW_CLUSTERS if each else "" for each in few) if few.any() else ()


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


def _of_rows(what: ShareFunction, tally: Tally, z: float) -> tuple[Floats, Floats]:
    """Return the ends of a mean over independent rows; weighted ones count as so many that tell as much of it."""
    cells, squared = _cells(tally), tally.squared_weights
    size = effective_rows(what, cells, None if squared is None else squared.reshape(len(squared), -1).T)
    return limits(what, cells * (size / cells.sum(axis=0)), z)


def _of_clusters(what: ShareFunction, tally: Tally, z: float) -> tuple[Floats, Floats]:
    """Return the ends of a mean over rows in clusters: of a share, or of the difference of two of them."""
    worth, value = what.parts[0], what.value(_cells(tally))
    if not (worth == 0).any():  # two worths: one share says it
        share = (worth == worth.max()).astype(np.float64)
        low, high = _share_ends(share, tally, z)
        return worth.min() + low * np.ptp(worth), worth.min() + high * np.ptp(worth)
    gain, loss = worth.max() * (worth > 0), -worth.min() * (worth < 0)
    first, second = (_share_ends(np.sign(part), tally, z) for part in (gain, loss))
    up, down = gain.max(), loss.max()
    shares = [np.sign(part) @ _cells(tally) / _cells(tally).sum(axis=0) for part in (gain, loss)]
    opposed = _opposed(np.sign(gain), np.sign(loss), tally)
    below = _joined(up * (shares[0] - first[0]), down * (second[1] - shares[1]), opposed)
    above = _joined(up * (first[1] - shares[0]), down * (shares[1] - second[0]), opposed)
    return value - below, value + above


def _joined(one: Floats, other: Floats, opposed: Floats) -> Floats:
    """Return the margin of a difference from those of both shares."""
    return np.asarray(np.sqrt(one**2 + other**2 + 2 * opposed * one * other))


def _opposed(one: Floats, other: Floats, tally: Tally) -> Floats:
    """Return (G,) how much two shares go against each other from cluster to cluster, 0 to 1.

    That they go together would narrow their difference; it is not relied on.
    """
    assert tally.moments is not None
    cells = _cells(tally)
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (part[:, None] - part @ cells / cells.sum(axis=0) for part in (one, other))
        both, own, theirs = (
            np.einsum("ig,gij,jg->g", a, tally.moments, b)
            for a, b in ((first, second), (first, first), (second, second))
        )
        return np.asarray(np.clip(-np.nan_to_num(both / np.sqrt(own * theirs)), 0.0, 1.0))


def _share_ends(hits: Floats, tally: Tally, z: float) -> tuple[Floats, Floats]:
    """Return the ends of the share of some cells (4,) over clusters: those of `evenhand.metrics.inference.unequal`."""
    assert tally.moments is not None
    misses, cells = 1 - hits, _cells(tally)
    alone = tally.counts if tally.squared_weights is None else tally.squared_weights
    row_squares, spread = alone.sum(axis=(1, 2)).astype(np.float64), None
    if tally.squared_weights is not None:
        spread = tally.rows * row_squares / cells.sum(axis=0) ** 2
    pairs = ((hits, hits), (hits, misses), (misses, misses))
    hit, cross, missed = (np.einsum("i,gij,j->g", one, tally.moments, other) for one, other in pairs)
    low, high = betas(Units(hits @ cells, misses @ cells, hit, cross, missed, row_squares, spread))
    return beta_limits(low, high, z)
