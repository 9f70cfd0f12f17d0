"""The rows whose scores are nearest to the threshold: what a refusal is compared with under `at_threshold`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.data.inputs import as_inputs
from evenhand.evidence.predictions import ask, table_of

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.data import EvaluationSet
    from evenhand.subjects import Subject


def rows_at_threshold(subject: Subject, data: EvaluationSet, threshold: float, most: int) -> pd.DataFrame:
    """Return the rows whose scores are nearest to the threshold, `most` of them: half on each side."""
    table = table_of(subject, data)
    distance = ask(subject, as_inputs(table)) - threshold
    sides = (np.flatnonzero(distance >= 0), np.flatnonzero(distance < 0))
    nearest = [side[np.argsort(np.abs(distance[side]), kind="stable")[: max(most // 2, 1)]] for side in sides]
    return table.iloc[np.sort(np.concatenate(nearest))]
