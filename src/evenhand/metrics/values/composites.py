"""Smooth functions of cell shares: F1 over classes, Matthews' correlation, generalized entropy.

Each is a function of margins: the right, true and decided rows of each class, (3, C, ...), real or complex, so that its
gradient is known without a derivation (`evenhand.metrics.inference.share_functions`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from evenhand.metrics.inference.share_functions import ShareFunction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.inference.share_functions import Function

    Cells: TypeAlias = NDArray[Any]


def benefits(cells: Cells) -> tuple[Cells, Cells, Cells, Cells]:
    """Return rows of benefit 0 (denied what was due), 1 and 2 (given what was not), and all of them."""
    denied, right, given = cells[..., 1, 0], cells[..., 0, 0] + cells[..., 1, 1], cells[..., 0, 1]
    return denied, right, given, denied + right + given


def generalized_entropy(margins: Cells) -> Cells:
    """Return the generalized entropy index of order 2 of the benefits ``decision - truth + 1``; of two classes.

    Source: Speicher et al. (2018), KDD.
    """
    right, given, mean = _benefits(margins)
    return np.asarray(((right + 4 * given) / mean**2 - 1) / 2)


def theil_index(margins: Cells) -> Cells:
    """Return Theil's index (order 1) of the benefits ``decision - truth + 1``; of two classes."""
    right, given, mean = _benefits(margins)
    return np.asarray(right / mean * np.log(1 / mean) + given * (2 / mean) * np.log(2 / mean))


def coefficient_of_variation(margins: Cells) -> Cells:
    """Return the coefficient of variation of the benefits: the root of twice the entropy index of order 2."""
    return np.asarray(np.sqrt(2 * generalized_entropy(margins)))


def _benefits(margins: Cells) -> tuple[Cells, Cells, Cells]:
    """Return the shares of benefits 1 and 2, and the mean benefit."""
    rows = margins[1].sum(axis=0)
    right, given = margins[0].sum(axis=0) / rows, (margins[1, 0] - margins[0, 0]) / rows
    return right, given, right + 2 * given


def matthews(margins: Cells) -> Cells:
    """Return Matthews' correlation of truth and decision; Gorodkin (2004) for more than two classes."""
    right, true, decided, rows = _parts(margins)
    top = right.sum(axis=0) * rows - (true * decided).sum(axis=0)
    return np.asarray(top / np.sqrt((rows**2 - (true**2).sum(axis=0)) * (rows**2 - (decided**2).sum(axis=0))))


def cohen_kappa(margins: Cells) -> Cells:
    """Return Cohen's kappa, the agreement of truth and decision beyond chance."""
    right, true, decided, rows = _parts(margins)
    expected = (true * decided).sum(axis=0) / rows**2
    return np.asarray((right.sum(axis=0) / rows - expected) / (1 - expected))


def macro_f1(margins: Cells) -> Cells:
    """Return the mean over classes of F1; a class that occurs nowhere takes no part."""
    return _mean_over_classes(_f1(margins), margins, weighted=False)


def weighted_f1(margins: Cells) -> Cells:
    """Return the mean of F1 over classes, each with the weight of its rows in the truth."""
    return _mean_over_classes(_f1(margins), margins, weighted=True)


def macro_precision(margins: Cells) -> Cells:
    """Return the mean of precision over classes; a class never decided for has precision 0, as scikit-learn has it."""
    return _mean_over_classes(_over(margins[0], margins[2]), margins, weighted=False)


def weighted_precision(margins: Cells) -> Cells:
    """Return the mean of precision over classes, each with the weight of its rows in the truth."""
    return _mean_over_classes(_over(margins[0], margins[2]), margins, weighted=True)


def macro_recall(margins: Cells) -> Cells:
    """Return the mean of recall over the classes that have rows in the truth."""
    true = margins[1]
    present = np.real(true) > 0
    recall = _over(margins[0], true)
    return np.asarray((recall * present).sum(axis=0) / present.sum(axis=0))


def _parts(margins: Cells) -> tuple[Cells, Cells, Cells, Cells]:
    """Return right, true and decided rows of each class, and all rows."""
    right, true, decided = margins
    return right, true, decided, true.sum(axis=0)


def _f1(margins: Cells) -> Cells:
    right, true, decided, _ = _parts(margins)
    return _over(2 * right, true + decided)


def _over(top: Cells, bottom: Cells) -> Cells:
    """Return a quotient, 0 where there is nothing below."""
    empty = np.real(bottom) == 0
    return np.where(empty, 0, top / np.where(empty, 1, bottom))


def _mean_over_classes(values: Cells, margins: Cells, *, weighted: bool) -> Cells:
    true = margins[1]
    if weighted:
        return np.asarray((values * true).sum(axis=0) / true.sum(axis=0))
    present = np.real(true + margins[2]) > 0
    return np.asarray((values * present).sum(axis=0) / present.sum(axis=0))


COMPOSITES: Final[dict[str, Function]] = {
    "generalized_entropy": generalized_entropy,
    "theil_index": theil_index,
    "coefficient_of_variation": coefficient_of_variation,
    "matthews_correlation": matthews,
    "cohen_kappa": cohen_kappa,
    "macro_f1": macro_f1,
    "weighted_f1": weighted_f1,
    "macro_precision": macro_precision,
    "weighted_precision": weighted_precision,
    "macro_recall": macro_recall,
}
"""Each by the name of its metric."""


def composite(name: str, classes: int) -> ShareFunction:
    """Return a composite as a function of the C x C cells of truth and decision, in that order."""
    return ShareFunction(COMPOSITES[name], _margins(classes))


@cache
def _margins(classes: int) -> Floats:
    """Return which cells are right, true and decided rows of each class: (3, C, C * C)."""
    right, one = np.zeros((classes, classes, classes)), np.eye(classes)
    right[np.arange(classes), np.arange(classes), np.arange(classes)] = 1
    true = np.repeat(one[:, :, None], classes, axis=2)
    found = np.stack([right, true, true.swapaxes(1, 2)]).reshape(3, classes, -1)
    found.flags.writeable = False
    return found
