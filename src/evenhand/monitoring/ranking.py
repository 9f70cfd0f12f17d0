"""The area under the ROC curve of live scores, from their counts in bins, with bounds that hold at all times.

Let p be the share of positive rows at or above an edge of the bins, and q that of negative rows. The area grows with
every p and falls with every q, and each is a proportion of rows of one class, so that it has bounds at all times; an
area at the worst of these is no greater than the true one, but for the sum of their errors. Who is ahead within a bin
is not counted: at the low end nobody is, at the high end every positive row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Absent, Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.inference.always_valid import share_sequence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.metrics.answers.answering import Answers
    from evenhand.metrics.counts.arrays import Floats
    from evenhand.monitoring.windows import Counts

AREA: Final = Key.of("roc_auc")
"""The key that it answers: of all rows together."""
UNKNOWN: Final = message("Scores of both classes are needed, in the audit and in live rows.")


class LiveAnswers:
    """Answers keys from live counts: rates from those of decisions, the area from those of scores.

    Parameters
    ----------
    answers : Answers
        Of the counts of decisions.
    counts : Counts
        All counts.
    error : float
        Of one end of the area's interval.
    """

    def __init__(self, answers: Answers, counts: Counts, error: float) -> None:
        self.answers, self._scores, self._error = answers, counts.get("calibration"), error

    def __call__(self, key: Key) -> Finding | Absent:
        """Return the finding of a key, or why there is none."""
        return area(self._scores, self._error) if key == AREA else self.answers(key)


def area(counted: NDArray[np.int64] | None, error: float) -> Finding | Absent:
    """Return the area with ends that each err at any time with probability `error` at most.

    Parameters
    ----------
    counted : (bins, 2) integer array or None
        Labelled rows in bins of rising scores, and how many of them are positive; the last bin is of missing scores.
    error : float
        Of one end.

    Examples
    --------
    >>> import numpy as np
    >>> found = area(np.array([[500, 50], [500, 250], [500, 450], [0, 0]]), 0.025)
    >>> round(found.estimate, 2), round(found.interval.low, 2), round(found.interval.high, 2)
    (0.86, 0.66, 0.98)
    """
    if counted is None:
        return Absent(AREA, UNKNOWN)
    rows, positive = counted[:-1, 0], counted[:-1, 1]
    up, down = _at_or_above(positive), _at_or_above(rows - positive)
    if not up[0] or not down[0]:
        return Absent(AREA, UNKNOWN)
    each = error / max(2 * (len(rows) - 1), 1)
    (p_low, p_high), (q_low, q_high) = (_bounds(part, each) for part in (up, down))
    ends = _ahead(p_low, q_high), min(_ahead(p_high, q_low, ties=True), 1.0)
    p, q = up / up[0], down / down[0]
    estimate = (_ahead(p, q) + _ahead(p, q, ties=True)) / 2
    interval = Interval(*ends, 1 - 2 * error, "always valid")
    return Finding(AREA, "monitoring", estimate, interval, int(rows.sum()), "higher_is_better", "score")


def _at_or_above(rows: NDArray[np.int64]) -> Floats:
    """Return (bins + 1,) rows in each bin and those above; the last is 0."""
    return np.append(np.cumsum(rows[::-1])[::-1], 0).astype(np.float64)


def _bounds(above: Floats, error: float) -> tuple[Floats, Floats]:
    """Return the ends of the shares at or above each edge, which fall as the shares do; the first is 1, the last 0."""
    low, high = share_sequence(above[1:-1], above[0], error)
    low, high = np.maximum.accumulate(low[::-1])[::-1], np.minimum.accumulate(high)
    return np.concatenate([[1.0], low, [0.0]]), np.concatenate([[1.0], high, [0.0]])


def _ahead(p: Floats, q: Floats, *, ties: bool = False) -> float:
    """Return the chance that a positive row is in a higher bin than a negative one; with `ties` or in the same."""
    return float(((q[:-1] - q[1:]) * (p[:-1] if ties else p[1:])).sum())
