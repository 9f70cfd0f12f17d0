"""Smooth functions of cell shares: F1 over classes, Matthews' correlation, generalized entropy; with their errors.

One function of the cells is all that a composite needs. Its gradient is taken by the complex step (Squire and Trapp
1998, SIAM Review 40), exact to the last digits without a derivation, and the error follows from the covariance of the
cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.metrics.counts.arrays import Floats

    Cells: TypeAlias = NDArray[Any]
    Function: TypeAlias = Callable[[Cells], Cells]
    """From cells (..., C, C), real or complex, to values (...)."""

_STEP: Final = 1e-30


def with_error(function: Function, counts: Cells, squared: Cells | None = None) -> tuple[Floats, Floats]:
    """Return values of a function of cells, and their standard errors by the delta method.

    Parameters
    ----------
    function : callable
        From cells (G, C, D), real or complex, to values (G,); the same for cells and for their multiples.
    counts : (G, C, D) array
        Rows, or sums of sampling weights.
    squared : (G, C, D) array, optional
        Sums of squared weights.

    Notes
    -----
    Half a row is put into each cell for the gradient alone, as far as it is not filled, so that a cell that happens to
    be empty does not take its part of the error with it.
    """
    cells = np.asarray(counts, dtype=np.float64)
    squares = cells if squared is None else np.asarray(squared, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        if squared is not None:  # in rows of the weight that a row has on average
            worth = squares.sum(axis=(1, 2), keepdims=True) / cells.sum(axis=(1, 2), keepdims=True)
            cells, squares = cells / worth, squares / worth**2
        value = np.asarray(function(cells), dtype=np.float64)
        total = cells.sum(axis=(1, 2), keepdims=True)
        smoothed = cells + 0.5 * total / np.maximum(total + 0.5 * cells[0].size, 1)
        gradient = _gradient(function, smoothed)
        # the function does not change with the total, so the mean of the gradient under the cells is 0
        variance = (gradient**2 * (squares + (smoothed - cells))).sum(axis=(1, 2))
    return value, np.sqrt(variance)


def _gradient(function: Function, cells: Floats) -> Floats:
    gradient = np.empty_like(cells)
    for place in np.ndindex(cells.shape[1:]):
        moved = cells.astype(np.complex128)
        moved[(slice(None), *place)] += 1j * _STEP
        gradient[(slice(None), *place)] = np.imag(function(moved)) / _STEP
    return gradient


def benefits(cells: Cells) -> tuple[Cells, Cells, Cells, Cells]:
    """Return rows of benefit 0 (denied what was due), 1 and 2 (given what was not), and all of them."""
    denied, right, given = cells[..., 1, 0], cells[..., 0, 0] + cells[..., 1, 1], cells[..., 0, 1]
    return denied, right, given, denied + right + given


def generalized_entropy(cells: Cells) -> Cells:
    """Return the generalized entropy index of order 2 of the benefits ``decision - truth + 1``, from cells (..., 2, 2).

    Source: Speicher et al. (2018), KDD.
    """
    _, right, given, rows = benefits(cells)
    mean = (right + 2 * given) / rows
    return np.asarray(((right + 4 * given) / rows / mean**2 - 1) / 2)


def theil_index(cells: Cells) -> Cells:
    """Return Theil's index (order 1) of the benefits ``decision - truth + 1``, from cells (..., 2, 2)."""
    _, right, given, rows = benefits(cells)
    mean = (right + 2 * given) / rows
    return np.asarray(right / rows / mean * np.log(1 / mean) + given / rows * (2 / mean) * np.log(2 / mean))


def coefficient_of_variation(cells: Cells) -> Cells:
    """Return the coefficient of variation of the benefits: the root of twice the entropy index of order 2."""
    return np.asarray(np.sqrt(2 * generalized_entropy(cells)))


def matthews(cells: Cells) -> Cells:
    """Return Matthews' correlation of truth and decision, from cells (..., C, C); Gorodkin (2004) for C > 2."""
    rows = cells.sum(axis=(-2, -1))
    true, decided = cells.sum(axis=-1), cells.sum(axis=-2)
    right = np.trace(cells, axis1=-2, axis2=-1)
    top = right * rows - (true * decided).sum(axis=-1)
    return np.asarray(top / np.sqrt((rows**2 - (true**2).sum(axis=-1)) * (rows**2 - (decided**2).sum(axis=-1))))


def cohen_kappa(cells: Cells) -> Cells:
    """Return Cohen's kappa, the agreement of truth and decision beyond chance, from cells (..., C, C)."""
    rows = cells.sum(axis=(-2, -1))
    expected = (cells.sum(axis=-1) * cells.sum(axis=-2)).sum(axis=-1) / rows**2
    return np.asarray((np.trace(cells, axis1=-2, axis2=-1) / rows - expected) / (1 - expected))


def macro_f1(cells: Cells) -> Cells:
    """Return the mean over classes of F1, from cells (..., C, C); a class that occurs nowhere takes no part."""
    return _mean_over_classes(_f1(cells), cells, weighted=False)


def weighted_f1(cells: Cells) -> Cells:
    """Return the mean of F1 over classes, each with the weight of its rows in the truth."""
    return _mean_over_classes(_f1(cells), cells, weighted=True)


def macro_precision(cells: Cells) -> Cells:
    """Return the mean of precision over classes; a class never decided for has precision 0, as scikit-learn has it."""
    return _mean_over_classes(_over(_right(cells), cells.sum(axis=-2)), cells, weighted=False)


def weighted_precision(cells: Cells) -> Cells:
    """Return the mean of precision over classes, each with the weight of its rows in the truth."""
    return _mean_over_classes(_over(_right(cells), cells.sum(axis=-2)), cells, weighted=True)


def macro_recall(cells: Cells) -> Cells:
    """Return the mean of recall over the classes that have rows in the truth."""
    true = cells.sum(axis=-1)
    present = np.real(true) > 0
    recall = _over(_right(cells), true)
    return np.asarray((recall * present).sum(axis=-1) / present.sum(axis=-1))


def _right(cells: Cells) -> Cells:
    return np.diagonal(cells, axis1=-2, axis2=-1)


def _f1(cells: Cells) -> Cells:
    return _over(2 * _right(cells), cells.sum(axis=-1) + cells.sum(axis=-2))


def _over(top: Cells, bottom: Cells) -> Cells:
    """Return a quotient, 0 where there is nothing below."""
    empty = np.real(bottom) == 0
    return np.where(empty, 0, top / np.where(empty, 1, bottom))


def _mean_over_classes(values: Cells, cells: Cells, *, weighted: bool) -> Cells:
    true = cells.sum(axis=-1)
    if weighted:
        return np.asarray((values * true).sum(axis=-1) / true.sum(axis=-1))
    present = np.real(true + cells.sum(axis=-2)) > 0
    return np.asarray((values * present).sum(axis=-1) / present.sum(axis=-1))


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
