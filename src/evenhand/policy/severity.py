"""How far a judgement's bound is beyond its limit: what orders limits of one status."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evenhand.metrics import describe
from evenhand.policy.evidence import decided_end

if TYPE_CHECKING:
    from evenhand.policy.limits import Limit, Status


def severity(ends: tuple[float | None, float | None], limit: Limit, status: Status) -> float:
    """Return how far the bound that decided is beyond the limit, in units of what the limit allows.

    What a limit allows is the distance from it to the best possible value: .10 for a difference of at most .10, .20 for
    a ratio of at least .80, .02 for a change of at least -.02. So 1 is twice as bad as allowed whatever is limited, 0
    just at the limit, and less than 0 inside it. A bound that is open is beyond all limits.

    Parameters
    ----------
    ends : (low, high)
        Those by which the limit was judged; None is unbounded.
    limit : Limit
    status : Status
        A failed limit is measured by the end that is outside, any other by the end that must be inside.
    """
    end = ends[0] if decided_end(limit, status) == "low" else ends[1]
    if end is None or math.isinf(end):
        return math.inf
    return beyond(end, limit)


def beyond(value: float, limit: Limit) -> float:
    """Return how far a value is outside its limit, in units of what the limit allows; negative inside.

    Examples
    --------
    >>> from evenhand.policy.reading import load_policy
    >>> (limit,) = load_policy({"limits": {"selection_rate_ratio[sex]": {"at_least": 0.8}}}).limits
    >>> round(beyond(0.6, limit), 9), round(beyond(1.0, limit), 9)
    (1.0, -1.0)
    """
    distance = value - limit.bound if limit.at_most is not None else limit.bound - value
    return distance / _allowed(limit)


def _allowed(limit: Limit) -> float:
    """Return the distance from a limit to the best value; of a change, or an endless scale, to 0; 1 where it is 0."""
    least, most = describe(limit.key.metric).range
    best = least if limit.at_most is not None else most
    if limit.against or least < 0 or math.isinf(best):
        best = 0.0
    return abs(limit.bound - best) or 1.0
