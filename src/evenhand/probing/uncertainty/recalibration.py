"""Recalibration: probabilities corrected on rows whose truth is known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.probing.uncertainty.venn_abers import VennAbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Corrects = Callable[[Floats], Floats]

__all__ = ["METHODS", "recalibrated"]

CLIP: Final = 1e-6
"""How far probabilities are kept from 0 and 1 where their logarithm is taken."""
HALF_A_ROW: Final = 0.5


def recalibrated(method: str, score: ArrayLike, y_true: ArrayLike, new: ArrayLike) -> Floats:
    """Return corrected probabilities of new rows.

    Parameters
    ----------
    method : {"temperature", "sigmoid", "isotonic", "venn_abers"}
        How: log odds divided by one number; a line through the log odds (Platt); a rising step function, at least half
        a row of the fit away from 0 and 1; the middle of a Venn-Abers pair.
    score : (n,) array
        Probabilities of rows whose truth is known.
    y_true : (n,) array of 0 and 1
        The truth, of both kinds.
    new : (m,) array
        Probabilities to correct.

    Returns
    -------
    (m,) array

    Raises
    ------
    KeyError
        When there is no such method.

    Notes
    -----
    Platt (1999); Zadrozny and Elkan (2002), KDD; Guo et al. (2017), ICML; Vovk, Petej and Fedorova (2015), NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> said = np.repeat([0.1, 0.9], 100)
    >>> true = np.tile([0, 0, 1, 0], 25).tolist() + np.tile([1, 1, 0, 1], 25).tolist()
    >>> recalibrated("temperature", said, true, [0.1, 0.9]).round(2).tolist()
    [0.25, 0.75]
    """
    known = np.asarray(score, dtype=np.float64)
    return METHODS[method](known, np.asarray(y_true, dtype=np.float64))(np.asarray(new, dtype=np.float64))


def _log_odds(probability: Floats) -> Floats:
    inside = np.clip(probability, CLIP, 1 - CLIP)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _temperature(score: Floats, y_true: Floats) -> Corrects:
    from scipy.optimize import minimize_scalar
    from scipy.special import expit

    odds = _log_odds(score)

    def loss(log_divisor: float) -> float:
        found = odds * np.exp(-log_divisor)
        return float(np.mean(np.logaddexp(0, found) - y_true * found))

    divisor = float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-8}).x))
    return lambda new: np.asarray(expit(_log_odds(new) / divisor))


def _sigmoid(score: Floats, y_true: Floats) -> Corrects:
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1_000).fit(_log_odds(score)[:, None], y_true.astype(int))
    return lambda new: np.asarray(line.predict_proba(_log_odds(new)[:, None])[:, 1])


def _isotonic(score: Floats, y_true: Floats) -> Corrects:
    from sklearn.isotonic import IsotonicRegression

    edge = min(HALF_A_ROW / len(score), HALF_A_ROW)
    steps = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(score, y_true)
    return lambda new: np.asarray(steps.predict(new))


def _venn_abers(score: Floats, y_true: Floats) -> Corrects:
    return partial(VennAbers.predict, VennAbers(score, y_true))


METHODS: Final[Mapping[str, Callable[[Floats, Floats], Corrects]]] = {
    "temperature": _temperature,
    "sigmoid": _sigmoid,
    "isotonic": _isotonic,
    "venn_abers": _venn_abers,
}
"""What fits each method."""
