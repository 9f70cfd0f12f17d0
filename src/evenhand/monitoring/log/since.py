"""What is new in a log since it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.monitoring.log.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Events:
    """What is new in a log since a cursor; every prediction and every event is in one of successive `Events`, once.

    See Also
    --------
    evenhand.monitoring.log.reading.events : makes one.
    """

    cursor: Cursor
    """Where to go on."""
    predictions: pd.DataFrame
    """New predictions, in the order of receipt, with inputs and groups as in `log_table`."""
    labels: pd.DataFrame
    """Predictions whose label is new or another than before: `label`, `label_time` and `earlier_label`, which is to be
    taken off what was added up; None at the first."""
    feedback: pd.DataFrame
    """New events of every kind: `feedback_id`, `kind`, `value`, `feedback_time`, `source` and the prediction's columns.
    One that came before its prediction is here when the prediction is there."""
    orphans: int
    """Events so far whose prediction is not there."""
