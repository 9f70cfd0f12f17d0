"""The rows whose scores are nearest to the threshold: what a refusal is compared with under `at_threshold`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.data.inputs import as_inputs
from evenhand.evidence.predictions import ask, table_of

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.evidence.evidence import Evidence


def rows_at_threshold(evidence: Evidence) -> pd.DataFrame:
    """Return the rows of the background's source whose scores are nearest to the threshold: half on each side."""
    table = table_of(evidence.subject, evidence.data if evidence.background is None else evidence.background)
    distance = ask(evidence.subject, as_inputs(table)) - evidence.predictions.threshold
    half = max(evidence.options.background_rows // 2, 1)
    sides = (np.flatnonzero(distance >= 0), np.flatnonzero(distance < 0))
    nearest = [side[np.argsort(np.abs(distance[side]), kind="stable")[:half]] for side in sides]
    return table.iloc[np.sort(np.concatenate(nearest))]
