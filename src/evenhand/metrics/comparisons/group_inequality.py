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
from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.values.composites import benefits
from evenhand.metrics.values.means import finished, told

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.counts.tally import Tally
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
    """Measure the share of each group among all rows that are selected (Aequitas: predicted positive rate over K)."""
    picked = tally.mass[:, :, 1].sum(axis=1).astype(np.float64)
    rows = tally.counts[:, :, 1].sum(axis=1)
    total, number = float(picked.sum()), int(rows.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        share = picked / total
    size = np.full(len(picked), float(number))
    ends = partial(clopper_pearson, np.nan_to_num(share) * size, size)
    reasons = told([total] * len(picked), message("No row is selected."))
    found = finished("share_of_selected", share, np.full(len(rows), number), reasons, "clopper-pearson", ends, level)
    return replace(found, rows=tally.rows)


def demographic_disparity(tally: Tally) -> Floats:
    """Return (G,) each group's share among the rejected less its share among the selected; above 0 it loses.

    Source: Wachter, Mittelstadt and Russell (2021), West Virginia Law Review 123.
    """
    cells = tally.mass.astype(np.float64)
    rejected, selected = (cells[:, :, decided].sum(axis=1) for decided in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rejected / rejected.sum() - selected / selected.sum())
