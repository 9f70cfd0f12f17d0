"""How unlike groups are as a whole: inequality between them, differential fairness, who gets the selections.

Unlike a gap of two groups these look at all groups at once; each has a source and a name elsewhere (docs/names.md).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.comparisons.disparities import Disparity, disparity, worst_of
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.values.composites import benefits
from evenhand.metrics.values.means import finished, told
from evenhand.metrics.values.rates import measure

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.values.rates import Measured

INFINITE: Final = message("A group is never, or always, selected: epsilon is infinite.")
SMOOTHING: Final = 1.0
"""Rows that are added to each group in `smoothed_epsilon`, half of them selected (Foulds et al. 2020)."""


def between_group_entropy(tally: Tally, order: int = 2) -> float:
    """Return the between-group part of the generalized entropy index: each row has its group's mean benefit.

    Parameters
    ----------
    tally : Tally
        G groups with rows.
    order : int
        2, or 1 for Theil's index.

    Source: Speicher et al. (2018), KDD.
    """
    rows, mean = _group_benefits(tally)
    whole = float((rows * mean).sum() / rows.sum())
    share, ratio = rows / rows.sum(), mean / whole
    if order == 1:
        return float((share * ratio * np.log(np.where(ratio > 0, ratio, 1.0))).sum())
    return float((share * (ratio**2 - 1)).sum() / 2)


def between_group_variation(tally: Tally) -> float:
    """Return the coefficient of variation of benefits between groups: the root of twice their entropy of order 2."""
    return float(np.sqrt(2 * max(between_group_entropy(tally), 0.0)))


def _group_benefits(tally: Tally) -> tuple[Floats, Floats]:
    cells = tally.mass.astype(np.float64)
    _, right, given, rows = benefits(cells)
    known = rows > 0
    return rows[known], (right + 2 * given)[known] / rows[known]


def differential_fairness(tally: Tally, level: float = 0.95) -> Disparity:
    """Return epsilon: the greatest ``|log(rate of one group / rate of another)|``, of being selected and of not.

    0 when groups are equal; no group is selected (or rejected) more than exp(epsilon) times as often as another. The
    interval is that of the worse of the two ratios.

    Source: Foulds et al. (2020), ICDE.
    """
    both = [partial(disparity, f"{rate}_ratio", tally) for rate in ("selection_rate", "rejection_rate")]
    found = worst_of(both, "ratio", level)

    def mapped(value: float | None) -> float | None:
        return None if value is None or value <= 0 else float(-np.log(value)) + 0.0

    return replace(
        found,
        estimate=mapped(found.estimate),
        low=mapped(found.high),
        high=mapped(found.low),
        unadjusted_low=mapped(found.unadjusted_high),
        unadjusted_high=mapped(found.unadjusted_low),
        critical=(found.critical[1], found.critical[0]),
        reason=found.reason or ("" if found.estimate else INFINITE),
        method=f"-log of {found.method}",
    )


def smoothed_epsilon(tally: Tally, *, of_truth: bool = False) -> float:
    """Return epsilon of differential fairness with smoothed rates, of decisions or of the truth.

    Smoothing keeps it finite where a group is never selected; the difference of both is how much further apart the
    model decides than the data are (bias amplification, Foulds et al. 2020).
    """
    cells = tally.mass.astype(np.float64)
    positive = cells[:, 1].sum(axis=1) if of_truth else cells[:, :, 1].sum(axis=1)
    rows = cells.sum(axis=(1, 2))
    rate = (positive + SMOOTHING / 2)[rows > 0] / (rows + SMOOTHING)[rows > 0]
    return float(max(np.ptp(np.log(rate)), np.ptp(np.log(1 - rate))))


def kl_divergence(tally: Tally) -> float:
    """Return the greatest ``p log(p / q) + (1 - p) log((1 - p) / (1 - q))`` of two groups' selection rates p and q.

    It grows with the distance of p from q on either side, so the groups with the least and the greatest rate have it,
    in one order or the other. Infinite where a group is never, or always, selected and another is not; nan where fewer
    than two groups have rows.

    Source: Kullback and Leibler (1951), Annals of Mathematical Statistics 22.
    """
    cells = tally.mass.astype(np.float64)
    rows = cells.sum(axis=(1, 2))
    rates = cells[:, :, 1].sum(axis=1)[rows > 0] / rows[rows > 0]
    if len(rates) < 2:
        return float("nan")
    ends = np.array([rates.min(), rates.max()])
    here, there = np.stack([ends, 1 - ends]), np.stack([ends[::-1], 1 - ends[::-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(here > 0, here * np.log(here / there), 0.0)
    return max(float(terms.sum(axis=0).max()), 0.0)


def class_imbalance(tally: Tally) -> float:
    """Return how unequal the greatest and the smallest group are: ``(n - m) / (n + m)``; nan for a single group.

    Source: Das et al. (2021), Fairness Measures for Machine Learning in Finance.
    """
    rows = tally.mass.astype(np.float64).sum(axis=(1, 2))
    return float("nan") if len(rows) < 2 else float(np.ptp(rows) / (rows.max() + rows.min()))


def share_of_selected(tally: Tally, level: float = 0.95) -> Measured:
    """Measure the share of each group among all rows that are selected (Aequitas: predicted positive rate over K).

    Where rows are weighted or in clusters, the interval allows for them as that of any other rate does.
    """
    unequal = tally.weights is not None or tally.moments is not None
    return _of_unequal(tally, level) if unequal else _of_equal(tally, level)


def _of_equal(tally: Tally, level: float) -> Measured:
    picked = tally.counts[:, :, 1].sum(axis=1).astype(np.float64)
    total = float(picked.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        share = picked / total
    size = np.full(len(picked), total)
    ends = partial(clopper_pearson, np.nan_to_num(share) * size, size)
    support = np.full(len(picked), int(total))
    found = finished("share_of_selected", share, support, _nobody(tally), "clopper-pearson", ends, level)
    return replace(found, rows=tally.rows)


def _of_unequal(tally: Tally, level: float) -> Measured:
    """Measure the shares as precisions, for which selected rows of the group are true positives, all others false.

    What a cluster has in the group times what it has in others is not kept; without it the variance is no less.
    """
    rest = tally.rest()

    def cells(name: str) -> Floats | Ints | None:
        if getattr(tally, name) is None:
            return None
        own, others = (getattr(part, name)[:, :, 1].sum(axis=1) for part in (tally, rest))
        none = np.zeros_like(own)
        return np.stack([none, others, none, own], axis=1).reshape(-1, 2, 2)

    moments = clusters = None
    if tally.moments is not None and tally.clusters is not None and rest.moments is not None:
        moments = np.zeros((len(tally.rows), 4, 4))
        for at, part in ((3, tally.moments), (1, rest.moments)):
            moments[:, at, at] = part[:, 1::2, 1::2].sum(axis=(1, 2))
        clusters = np.full(len(tally.rows), int(tally.clusters.sum()) - tally.shared)
    selected = Tally(cells("counts"), cells("weights"), cells("squared_weights"), moments, clusters)  # type: ignore[arg-type]  # counts are never None
    found = measure("precision", selected, level)
    return replace(found, metric="share_of_selected", rows=tally.rows, reason=_nobody(tally))


def _nobody(tally: Tally) -> tuple[str, ...]:
    """Return why groups have no share: nobody is selected."""
    total = float(tally.mass[:, :, 1].sum())
    return told([total] * len(tally.rows), message("No row is selected."))


def demographic_disparity(tally: Tally) -> Floats:
    """Return (G,) each group's share among the rejected less its share among the selected; above 0 it loses.

    Source: Wachter, Mittelstadt and Russell (2021), West Virginia Law Review 123.
    """
    cells = tally.mass.astype(np.float64)
    rejected, selected = (cells[:, :, decided].sum(axis=1) for decided in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rejected / rejected.sum() - selected / selected.sum())
