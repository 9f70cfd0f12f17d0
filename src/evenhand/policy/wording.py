"""Numbers and limits in words. Numbers are rounded after judging, away from the limit, never contradicting it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evenhand.messages import message
from evenhand.policy.limits import REQUIRED

if TYPE_CHECKING:
    from evenhand.findings import Finding
    from evenhand.policy.limits import Limit

MOST_DIGITS = 12


def number(value: float | None, limit: float | None = None, digits: int = 2) -> str:
    """Return a number with `digits` decimals, with more where fewer would put it on the other side of `limit`.

    Examples
    --------
    >>> number(0.7996, 0.8), number(0.8, 0.8), number(-0.001), number(None)
    ('0.7996', '0.80', '0.00', '...')
    """
    if value is None or math.isinf(value):
        return "..."
    if abs(value) >= 1000:
        digits = 0
    text = f"{value:z,.{digits}f}"
    while (
        limit is not None and digits < MOST_DIGITS and _side(float(text.replace(",", "")), limit) != _side(value, limit)
    ):
        digits += 1
        text = f"{value:z,.{digits}f}"
    return text


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def measured(finding: Finding | None, limit: Limit) -> str:
    """Return the estimate with its interval, ``0.31 [0.12, 0.49]``."""
    if finding is None:
        return message("missing")
    if limit.key.metric == REQUIRED:
        return finding.note
    if limit.required:
        return message("declared")
    if finding.estimate is None:
        return finding.absence
    estimate = number(finding.estimate, limit.bound)
    if finding.interval is None:
        return estimate
    ends = (number(end, limit.bound) for end in (finding.interval.low, finding.interval.high))
    return f"{estimate} [{', '.join(ends)}]"


def limit_text(limit: Limit) -> str:
    """Return ``<= 0.10``, ``required``, or ``required: 1,000``."""
    if limit.required:
        return message("required") if limit.wanted is True else message("required: {value}", value=_wanted(limit))
    return f"{limit.sign} {number(limit.bound, limit.bound)}"


def _wanted(limit: Limit) -> str:
    """Return the value of a requirement, cut where it is long."""
    wanted = limit.wanted
    if isinstance(wanted, tuple):
        return cut(", ".join(wanted), 40)
    return f"{wanted:,}" if isinstance(wanted, int) else cut(str(wanted), 16)


def cut(text: str, most: int = 90) -> str:
    """Return at most `most` characters, with a mark where cut."""
    return text if len(text) <= most else text[: most - 1] + "…"
