"""The rows that attributions are taken against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def choose_background(data_frame: pd.DataFrame, most: int = 400, seed: int = 0) -> pd.DataFrame:
    """Return at most `most` rows, drawn without replacement, in their order.

    The size of the background is the largest source of error of a Shapley value: about 9 % of relative error at 100
    rows, 6 % at 400 rows; a mean or a median row is off by a third.

    Parameters
    ----------
    data_frame : DataFrame
        The rows to draw from: training rows, or the rows a decision is measured against.
    most : int
        How many rows at most.
    seed : int
        Seed of the draw.

    Raises
    ------
    InputError
        When there is no row to choose from or `most` is below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> len(choose_background(pd.DataFrame({"x": range(1000)}), most=100))
    100
    """
    if most < 1 or len(data_frame) == 0:
        raise InputError(
            f"A background needs at least one row; {min(most, len(data_frame))} of {len(data_frame)} were asked for."
        )
    if len(data_frame) <= most:
        return data_frame
    chosen = np.random.default_rng(seed).choice(len(data_frame), size=most, replace=False)
    return data_frame.iloc[np.sort(chosen)]
