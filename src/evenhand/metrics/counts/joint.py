"""Counts of truth x original's decision x compressed model's decision by group: what every paired comparison needs.

Such a tally is one GROUP BY, and adds like any other; so the comparison of two models over a billion rows costs one
pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.counts.tally import FIELDS, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Column, Floats, Indices, Ints, Marks

Where: TypeAlias = "Callable[[Ints, Ints, Ints], Marks]"
"""Which cells are meant, from their truth, original decision and compressed decision."""

TRUTH, ORIGINAL, COMPRESSED = (part.ravel() for part in np.indices((2, 2, 2)))


def everyone(truth: Ints, original: Ints, compressed: Ints) -> Marks:
    """Every cell."""
    return np.ones(truth.shape, dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class JointTally:
    """Counts of [group, truth, original's decision, compressed model's decision], with weights and clusters.

    Examples
    --------
    >>> joint = JointTally.count([1, 1, 0], [1, 0, 0], [1, 1, 1])
    >>> joint.counts.tolist()
    [[[[0, 1], [0, 0]], [[0, 1], [0, 1]]]]
    """

    tally: Tally
    """Of four classes: the truth (only 0 and 1 occur) and the pair of decisions, 2 x original + compressed."""
    class_clusters: Ints | None = None
    """(G, 2) clusters with a row of each class of the truth; None when rows are independent."""
    labelled: bool = False
    """Whether weights are those of rows that were labelled by stratum, the strata being both decisions."""

    @classmethod
    def count(
        cls,
        y_true: ArrayLike,
        original: ArrayLike,
        compressed: ArrayLike,
        codes: ArrayLike | None = None,
        n_groups: int = 1,
        sample_weight: ArrayLike | None = None,
        frequency: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        squared_weight: ArrayLike | None = None,
    ) -> JointTally:
        """Count rows; see `Tally.count`."""
        pair = 2 * np.asarray(original, dtype=np.int64) + np.asarray(compressed, dtype=np.int64)
        true = np.asarray(y_true).astype(np.int64)
        tally = Tally.count(true, pair, codes, n_groups, sample_weight, frequency, clusters, 4, squared_weight)
        if tally.clusters is None:
            return cls(tally)
        group = np.zeros(len(true), dtype=np.int64) if codes is None else np.asarray(codes, dtype=np.int64)
        _, own = np.unique(np.asarray(clusters), return_inverse=True)
        number = int(own.max(initial=0)) + 1
        pairs = np.unique((2 * group + true) * number + own)
        return cls(tally, rows_by(pairs // number, 2 * n_groups).reshape(-1, 2))

    @classmethod
    def of_counts(
        cls,
        counts: ArrayLike,
        weights: ArrayLike | None = None,
        squared: ArrayLike | None = None,
        moments: Floats | None = None,
        clusters: Ints | None = None,
    ) -> JointTally:
        """Return the tally of cells (G, 2, 2, 2) that were counted elsewhere.

        Of rows in clusters with `moments` (G, 8, 8) and `clusters` (G, 3): all, and those of each class of the truth.
        """
        tally = Tally(*(_widened(part) for part in (counts, weights, squared)))  # type: ignore[arg-type]  # counts are there
        if clusters is None or moments is None:
            return cls(tally)
        wide = np.zeros((len(moments), 16, 16))
        wide[:, :8, :8] = moments
        return cls(replace(tally, moments=wide, clusters=clusters[:, 0]), clusters[:, 1:])

    def __add__(self, other: JointTally) -> JointTally:
        """Merge the rows of two joint tallies over the same groups."""
        mine, theirs = self.class_clusters, other.class_clusters
        return JointTally(self.tally + other.tally, None if mine is None or theirs is None else mine + theirs)

    @property
    def groups(self) -> int:
        """The number of groups G."""
        return len(self.tally.counts)

    @property
    def rows(self) -> Ints:
        """(G,) rows of each group."""
        return self.tally.rows

    @property
    def counts(self) -> Ints:
        """(G, 2, 2, 2) row counts of [group, truth, original's decision, compressed model's decision]."""
        return self.tally.counts[:, :2].reshape(-1, 2, 2, 2)

    @property
    def weights(self) -> Floats | None:
        """(G, 2, 2, 2) sums of sampling weights; None when rows are not weighted."""
        return None if self.tally.weights is None else self.tally.weights[:, :2].reshape(-1, 2, 2, 2)

    @property
    def squared_weights(self) -> Floats | None:
        """(G, 2, 2, 2) sums of squared sampling weights."""
        cells = self.tally.squared_weights
        return None if cells is None else cells[:, :2].reshape(-1, 2, 2, 2)

    @property
    def moments(self) -> Floats | None:
        """(G, 8, 8) sums over clusters of v v', v the cluster's eight cells; None when rows are independent."""
        return None if self.tally.moments is None else self.tally.moments[:, :8, :8]

    @property
    def clusters(self) -> Ints | None:
        """(G, 3) clusters in each group: all, and those with a row of each class of the truth."""
        if self.tally.clusters is None or self.class_clusters is None:
            return None
        return np.column_stack([self.tally.clusters, self.class_clusters])

    @property
    def original(self) -> Tally:
        """The original's tally of truth and decision."""
        return self._folded(2 * TRUTH + ORIGINAL)

    @property
    def compressed(self) -> Tally:
        """The compressed model's tally of truth and decision."""
        return self._folded(2 * TRUTH + COMPRESSED)

    def share(self, event: Where, among: Where = everyone) -> Tally:
        """Return a tally whose selection rate is the share of `event` among the rows where `among` holds."""
        inside = among(TRUTH, ORIGINAL, COMPRESSED)
        return self._folded(np.where(inside, event(TRUTH, ORIGINAL, COMPRESSED).astype(np.int64), -1))

    def marks(self, where: Where) -> Marks:
        """Return (2, 2, 2) which cells of [truth, original's decision, compressed model's decision] are meant."""
        return np.asarray(where(TRUTH, ORIGINAL, COMPRESSED)).reshape(2, 2, 2)

    def select(self, new_groups: Indices, n_groups: int) -> JointTally:
        """Return the tally in which group g has become group ``new_groups[g]``; groups merged so are summed."""
        return JointTally(self.tally.select(new_groups, n_groups), labelled=self.labelled)

    def each_and_rest(self) -> JointTally:
        """Return a tally of 2G groups: each group, then for each the rows of all others."""

        rest = self.tally.rest()
        parts = ((getattr(part, name) for part in (self.tally, rest)) for name in FIELDS)
        both = [None if own is None else np.concatenate([own, others]) for own, others in parts]
        tally = replace(Tally(*both), shared=self.tally.shared)  # type: ignore[arg-type]  # counts are there
        return JointTally(tally, labelled=self.labelled)

    def agreement(self) -> JointTally:
        """Return the tally of whether each model was right: the truth is 1, and so is a right decision."""
        return JointTally(self.tally.collapse(_right((0, 1))))

    def agreement_by_class(self) -> JointTally:
        """Return the same of 2G groups: in each group the rows of each class of the truth, in this order."""
        parts = [self.tally.collapse(_right((truth,))) for truth in (0, 1)]
        if self.class_clusters is not None:
            parts = [replace(part, clusters=self.class_clusters[:, at]) for at, part in enumerate(parts)]

        def woven(name: str) -> Column | None:
            both = [getattr(part, name) for part in parts]
            return None if both[0] is None else np.stack(both, axis=1).reshape(-1, *both[0].shape[1:])

        found = Tally(*map(woven, FIELDS))  # type: ignore[arg-type]
        if self.class_clusters is None or self.tally.clusters is None:
            return JointTally(found)
        there = int(self.tally.clusters.sum()) - self.tally.shared
        return JointTally(replace(found, shared=int(self.class_clusters.sum()) - there))

    def _folded(self, place: Ints) -> Tally:
        """Return the tally of two classes in which each of the eight cells has gone to a place 0 to 3; -1: nowhere."""
        to = np.zeros((16, 4), dtype=np.int64)
        kept = place >= 0
        to[np.arange(8)[kept], place[kept]] = 1
        return self.tally.collapse(to)


def _widened(cells: ArrayLike | None) -> Column | None:
    if cells is None:
        return None
    known = np.asarray(cells)
    out = np.zeros((len(known), 4, 4), dtype=known.dtype)
    out[:, :2] = known.reshape(-1, 2, 4)
    return out


def _right(truths: tuple[int, ...]) -> Ints:
    """Return where each of the sixteen cells goes when it is counted who was right, for some classes of the truth."""
    to = np.zeros((16, 16), dtype=np.int64)
    for at, (truth, old, new) in enumerate(zip(TRUTH, ORIGINAL, COMPRESSED, strict=True)):
        if truth in truths:
            to[at, 4 + 2 * int(old == truth) + int(new == truth)] = 1
    return to
