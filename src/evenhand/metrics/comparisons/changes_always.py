"""What compression changed in a rate, with intervals that hold at all times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.metrics.comparisons.changes import discordant, flips, measure_change, shares_rows
from evenhand.metrics.inference.sequences import Joined, Shares
from evenhand.metrics.values.sequences import at_all_times, is_unequal, roughly

if TYPE_CHECKING:
    from evenhand.metrics.counts.arrays import Floats
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.metrics.values.rates import Measured


def measure_change_always(metric: str, joint: JointTally, level: float = 0.95) -> Measured:
    """Return the change of a rate for every group as `measure_change` does, with intervals that hold at all times.

    Where both models share the denominator, the rows that count only with the compressed model are a share p of all,
    and those that count only with the original a share q of the others. Each row tells first whether it is one of the
    former and, if not, whether it is one of the latter: so the evidences of both may be multiplied, and the change
    p - q (1 - p) rises with p and falls with q. Otherwise the interval is asymptotic.

    Parameters
    ----------
    metric : str
        A rate, such as ``recall``, or its change, ``recall_change``.
    joint : JointTally
        G groups.
    level : float
        Two-sided confidence: each end errs at any time with probability (1 - level) / 2 at most.

    Raises
    ------
    InputError
        When there is no such rate.

    Examples
    --------
    >>> from evenhand.metrics.counts.joint import JointTally
    >>> joint = JointTally.count([1] * 400, [1] * 200 + [0] * 200, [1] * 280 + [0] * 120)
    >>> found = measure_change_always("recall", joint)
    >>> round(float(found.estimate[0]), 3), round(float(found.low[0]), 3), round(float(found.high[0]), 3)
    (0.2, 0.128, 0.283)
    """
    found = measure_change(metric, joint, level)
    if joint.labelled or is_unequal(joint.tally) or not shares_rows(metric):
        return roughly(found, joint.tally, level)
    gained, lost, rows = (part.astype(np.float64) for part in discordant(metric, joint))
    return at_all_times(found, Joined(Shares(gained, rows), Shares(lost, rows - gained), _change), level)


def flips_always(metric: str, joint: JointTally, level: float = 0.95, towards: int | None = None) -> Measured:
    """Return the share of rows that are decided otherwise, as `flips` does, with intervals that hold at all times."""
    found = flips(metric, joint, level, towards)
    if found.binomial is None:
        return roughly(found, joint.tally, level)
    return at_all_times(found, Shares(*found.binomial), level)


def _change(gained: Floats, lost: Floats) -> Floats:
    return gained - lost * (1 - gained)
