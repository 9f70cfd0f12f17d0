"""How evenly clusters hold the groups: the least ratio of two groups in a cluster, or of a group to its share of all.

Both are the least of many ratios, so the two ends follow the rules of extremes over groups: the end that passes a limit
is the least unadjusted low end, whichever ratio is the true least (intersection-union); the end that fails it holds for
all ratios together (union-intersection, by Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.comparisons.disparities import Disparity
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.inference.intervals import ratio_interval, z_of
from evenhand.metrics.values.rates import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats, Indices, Ints
    from evenhand.metrics.values.rates import Measured

ONE_GROUP: Final = message("There are fewer than 2 groups with a row, so no cluster can be uneven.")


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """Rows in clusters, by group."""

    cluster: Ints
    """(n,) the cluster of each row, from 0."""
    codes: Ints
    """(n,) the group of each row, from 0."""
    clusters: int
    """How many clusters there are."""
    groups: int
    """How many groups there are."""
    weight: NDArray[np.float64] | None = None
    """(n,) sampling weights."""
    together: NDArray[np.int64] | None = None
    """(n,) what belongs together, such as the rows of a person."""

    def share(self, mine: NDArray[np.bool_], within: Ints, parts: int, kept: Indices | None = None) -> Measured:
        """Return the share of rows that are `mine` (n,) in each part of rows; of `kept` rows alone where given."""
        chosen = slice(None) if kept is None else kept
        decided = mine[chosen].astype(np.int8)
        weight, together = (None if each is None else each[chosen] for each in (self.weight, self.together))
        tally = Tally.count(decided, decided, within[chosen], parts, weight, clusters=together)
        return measure("selection_rate", tally)

    def shares(self, group: int) -> Measured:
        """Return (C,) the share of a group in each cluster."""
        return replace(self.share(self.codes == group, self.cluster, self.clusters), metric="cluster_share")

    def rows(self) -> Floats:
        """Return (C,) the rows of each cluster, or their weights."""
        return np.asarray(np.bincount(self.cluster, self.weight, self.clusters), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Ratios:
    """Ratios of at most 1, each with its ends at any critical value."""

    value: Floats
    """(k,) ratios; nan where there is none."""
    ends: Callable[[float], tuple[Floats, Floats]]
    """From a critical value to the low and high ends."""
    pairs: list[tuple[int, int]]
    """(k,) the groups that each is about: the rarer one first."""
    clusters: Ints
    """(k,) the cluster that each is about."""


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """The least ratio over clusters."""

    found: Disparity
    """The ratio with its ends; the values are the groups' shares of the cluster where it is least."""
    cluster: int | None
    """That cluster; None where there is no ratio."""


def cluster_balance(rows: Assigned, level: float = 0.95) -> Balance:
    """Return the least ratio of the rows of two groups in a cluster.

    Parameters
    ----------
    rows : Assigned
        G groups in C clusters.
    level : float
        Two-sided confidence.

    Notes
    -----
    Of two groups it is the balance of Chierichetti et al. (2017), NeurIPS; of several the least over pairs. In a
    cluster the share of one group among both is a share of rows, with exact limits p, and the ratio is p / (1 - p).

    Examples
    --------
    >>> import numpy as np
    >>> rows = Assigned(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 1, 0, 1]), 2, 2)
    >>> round(cluster_balance(rows).found.estimate, 3)
    0.5
    """
    return _least(rows, list(_of_pairs(rows)), level)


def _of_pairs(rows: Assigned) -> Iterator[_Ratios]:
    there = np.flatnonzero(np.bincount(rows.codes, minlength=rows.groups))
    for one, other in combinations(there.tolist(), 2):
        kept = np.flatnonzero((rows.codes == one) | (rows.codes == other))
        share = rows.share(rows.codes == one, rows.cluster, rows.clusters, kept)

        def ends(z: float, share: Measured = share) -> tuple[Floats, Floats]:
            low, high = share.ends(z)
            return _nearer(_odds(low), _odds(high))

        rarer = [(one, other) if part <= 0.5 else (other, one) for part in share.estimate.tolist()]
        yield _Ratios(_folded(_odds(share.estimate)), ends, rarer, np.arange(rows.clusters))


def cluster_representation(rows: Assigned, level: float = 0.95) -> Balance:
    """Return the least ratio of a group's share of a cluster to its share of all rows, or of the latter to the former.

    Parameters
    ----------
    rows : Assigned
        G groups in C clusters.
    level : float
        Two-sided confidence.

    Notes
    -----
    It is the balance of Bera et al. (2019), NeurIPS. With a part q of all rows in a cluster, the share of all is
    q x (share of the cluster) + (1 - q) x (share of the others), and both shares are of different rows; the sizes of
    clusters are taken as they are. Limits of their quotient are Donner and Zou's (2012).

    Examples
    --------
    >>> import numpy as np
    >>> rows = Assigned(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 0, 0, 1]), 2, 2)
    >>> round(cluster_representation(rows).found.estimate, 3)
    0.667
    """
    there = np.flatnonzero(np.bincount(rows.codes, minlength=rows.groups))
    if len(there) < 2 or rows.clusters < 2:
        return _least(rows, [], level)
    return _least(rows, [_of_group(rows, group) for group in there.tolist()], level)


def _of_group(rows: Assigned, group: int) -> _Ratios:
    sizes, mine = rows.rows(), rows.codes == group
    part = sizes / sizes.sum()
    pairs = [rows.share(mine, (rows.cluster != at).astype(np.int64), 2) for at in range(rows.clusters)]
    own = np.array([pair.estimate[0] for pair in pairs])
    others = np.array([pair.estimate[1] for pair in pairs])

    def of_all(ratio: Floats) -> Floats:
        return np.asarray(1 / (part + (1 - part) * ratio))

    def ends(z: float) -> tuple[Floats, Floats]:
        sides = np.array([pair.ends(z * pair.apart) for pair in pairs])
        low, high = ratio_interval((others, sides[:, 0, 1], sides[:, 1, 1]), (own, sides[:, 0, 0], sides[:, 1, 0]))
        return _nearer(of_all(high), of_all(low))

    value = own / (part * own + (1 - part) * others)
    named = [(group, group)] * rows.clusters
    return _Ratios(_folded(value), ends, named, np.arange(rows.clusters))


def _least(rows: Assigned, ratios: Sequence[_Ratios], level: float) -> Balance:
    """Return the least of ratios with both of its ends."""
    values = [rows.shares(group) for group in range(rows.groups)]
    if not ratios or not (known := np.isfinite(value := np.concatenate([each.value for each in ratios]))).any():
        empty = Disparity.empty(_of_cluster(values, 0, rows), np.zeros(rows.groups, dtype=bool), z_of(level))
        return Balance(replace(empty, component="cluster_share", reason=ONE_GROUP), None)
    worst = int(np.nanargmin(value))
    strict, plain = z_of(1 - (1 - level) / (2 * len(value))), z_of(level)
    lows, highs = (
        [np.concatenate([each.ends(z)[side] for each in ratios]) for z in (plain, strict)] for side in (0, 1)
    )
    low = float(np.nanmin(lows[0])) if known.all() else 0.0
    high, plain_high = (min(float(np.nanmin(ends[known])), 1.0) for ends in highs[::-1])
    cluster = int(np.concatenate([each.clusters for each in ratios])[worst])
    pair = [pair for each in ratios for pair in each.pairs][worst]
    shares = _of_cluster(values, cluster, rows)
    found = Disparity.empty(shares, np.zeros(rows.groups, dtype=bool), plain)
    low = max(low, 0.0)
    told = found.told(
        float(value[worst]), (low, high), (low, plain_high), critical=(plain, strict),
        method="least ratio over clusters, clopper-pearson",
    )  # fmt: skip
    return Balance(replace(told, pair=pair, component="cluster_share"), cluster)


def _of_cluster(values: Sequence[Measured], cluster: int, rows: Assigned) -> Measured:
    """Return (G,) the groups' shares of a cluster."""
    estimate, low, high, defined = (
        np.array([getattr(each, name)[cluster] for each in values]) for name in ("estimate", "low", "high", "defined")
    )
    counts = np.bincount(rows.codes[rows.cluster == cluster], minlength=rows.groups).astype(np.int64)
    whole = np.bincount(rows.codes, minlength=rows.groups).astype(np.int64)
    return replace(
        values[0], estimate=estimate, low=low, high=high, defined=defined, support=counts, rows=whole,
        reason=("",) * rows.groups, binomial=None, ends=lambda _: (low, high),
    )  # fmt: skip


def _odds(share: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(share / (1 - share))


def _folded(ratio: Floats) -> Floats:
    """Return ratios above 1 turned over."""
    with np.errstate(divide="ignore"):
        return np.minimum(ratio, 1 / ratio)


def _nearer(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the lesser of a ratio and its inverse, from those of the ratio."""
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.minimum(np.nan_to_num(low), np.where(np.isnan(high), 0.0, 1 / high))
        most = np.where((low <= 1) & (high >= 1), 1.0, np.maximum(_folded(low), _folded(high)))
    return least, np.where(np.isnan(most), 1.0, most)
