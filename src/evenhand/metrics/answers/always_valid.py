"""Keys answered from counts with intervals that hold at all times, for those who look again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError
from evenhand.metrics.answers.answering import Answers

if TYPE_CHECKING:
    from evenhand.metrics.answers.counts import Counts

LEAST: Final = 1e-12
"""The least error that can be asked for."""


def always_valid_answers(counts: Counts, error: float, audit: str = "counts") -> Answers:
    """Return what answers keys from counts, with intervals that hold at all times together.

    However often one looks, at whatever times, each end of each interval errs at any of them with probability `error`
    at most. Errors of several limits, or of several series, add up: share the error that may be made in all between
    them.

    Parameters
    ----------
    counts : Counts
        All rows so far.
    error : float
        Of one side of each interval, such as 0.025; the level of the intervals is 1 - 2 error.
    audit : str
        Who states the findings.

    Returns
    -------
    Answers
        Called with a key, it returns the finding, or why there is none. A finding that no such interval is known for
        says so in ``uncovered``; ``interval.method`` begins with ``always valid``, and with ``always valid,
        asymptotic`` where the error is met only as rows grow.

    Raises
    ------
    InputError
        When the error is not between 1e-12 and 0.5.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.metrics.answers.counts import RecordCounts
    >>> record = eh.audit_predictions([1, 0] * 200, [1, 0] * 200)
    >>> found = always_valid_answers(RecordCounts(record), 0.025)(eh.Key.parse("accuracy"))
    >>> round(found.interval.low, 2), found.interval.method
    (0.99, 'always valid')
    """
    if not LEAST <= error < 0.5:
        raise InputError(f"error is {error:g}; it is the chance that one end errs, between {LEAST:g} and 0.5.")
    return Answers(counts, 1 - 2 * error, audit, always_valid=True)
