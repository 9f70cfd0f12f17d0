"""The Shapley values of a table's rows, and how they were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import InputError, need
from evenhand.explaining.blocks import t_quantile

if TYPE_CHECKING:
    import pandas as pd
    import shap
    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link


@dataclass(frozen=True, slots=True, eq=False)
class Attributions:
    """Interventional Shapley values of n rows and m players, against a background.

    ``values[i].sum() + base_value == predictions[i]`` up to `residual`, all on the scale that `link` names.

    See Also
    --------
    evenhand.explaining.explain : Makes them.
    """

    values: NDArray[np.float64]
    """(n, m): what each player adds to the row's score, in units of `link` (log-odds for ``logit``)."""
    base_value: float
    """The mean score of the background rows that were used."""
    predictions: NDArray[np.float64]
    """(n,): the model's score of the rows, on the same scale."""
    feature_names: tuple[str, ...]
    """The players: columns, or declared groups of columns."""
    standard_errors: NDArray[np.float64] | None
    """(n, m): from blocks of the background, so that they hold the background's and the sampling error; None when
    they are not known, with the reason in `notes`."""
    block_values: NDArray[np.float64] | None
    """(blocks, n, m): the values against each block of the background alone; None when they are not known."""
    block_rows: NDArray[np.int64] | None
    """(blocks,): the background rows in each block."""
    method: str
    """The way they were found, one of `WAYS`."""
    reason: str
    """Why that way, in whole sentences."""
    exact: bool
    """True when, given the background, nothing was sampled."""
    residual: float
    """``max |sum of a row's values + base - score|``, against the user's `predict`."""
    residual_p99: float
    """The 99th percentile of the same."""
    evaluations: int
    """Rows that were composed for the model."""
    model_rows: int
    """Rows that the model did predict; fewer where composed rows were equal."""
    clipped: int
    """Probabilities nearer to 0 or 1 than 1e-7, which were clipped before taking log-odds."""
    background_rows: int
    """The background rows that were used."""
    seed: int
    """The seed of all random orders."""
    link: Link
    """``logit`` for log-odds, ``identity`` for the score itself."""
    notes: tuple[str, ...]
    """Caveats in whole sentences, such as a model that depends on its batch."""
    data: pd.DataFrame
    """The explained rows, one column a player."""
    repetitions: int = 1
    """Random orders that each sampled pair had, each with its reverse."""
    sampling_error: float | None = None
    """Root of the summed squared standard errors from the random orders alone, relative to the same of the values: 0
    where nothing was sampled, None where the budget paid for no second order of any pair."""
    relative_error: float | None = None
    """The same of all that was sampled, the random orders and the background rows left out, relative to the size of
    the exact values: what separates the values from those of the whole background. None where it is not known."""
    shortfall: str = ""
    """A sentence where `relative_error` is above the requested error, or a tenth without a request; among `notes`."""
    decisions: Attributions | None = None
    """The values of the decision, 0 or 1, from the same mixed rows; None when not requested."""

    @property
    def error_method(self) -> str:
        """How the standard errors were found, empty when there are none."""
        if self.standard_errors is None or self.block_rows is None:
            return ""
        if len(self.block_rows) == 1:
            return f"t, {self.repetitions} random orders"
        return f"t, {len(self.block_rows)} blocks of {self.background_rows} background rows"

    def interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and upper ends, each (n, m), of t-intervals from the blocks of the background.

        Parameters
        ----------
        level : float
            The confidence, two-sided.

        Raises
        ------
        InputError
            When no standard errors are known.
        """
        if self.standard_errors is None or self.block_rows is None:
            raise InputError("These attributions have no standard errors, so they have no interval: see their notes.")
        drawn = len(self.block_rows) if len(self.block_rows) > 1 else self.repetitions
        half = t_quantile(level, drawn - 1) * self.standard_errors
        return self.values - half, self.values + half

    def to_shap(self) -> shap.Explanation:
        """Return the same as a `shap.Explanation`, for shap's plots.

        Raises
        ------
        MissingExtraError
            When shap is not installed.
        """
        explanation = need("shap", "explain").Explanation
        return explanation(
            values=self.values.copy(),
            base_values=np.full(len(self.values), self.base_value),
            data=self.data.to_numpy(dtype=object),
            feature_names=list(self.feature_names),
            error_std=None if self.standard_errors is None else self.standard_errors.copy(),
        )
