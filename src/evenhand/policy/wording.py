"""Verdicts in words. Numbers are rounded after judging, away from the limit, so they never contradict the verdict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evenhand.messages import message
from evenhand.output.sanitising import plain
from evenhand.policy.limits import REQUIRED

if TYPE_CHECKING:
    from evenhand.findings import Finding
    from evenhand.policy.limits import Limit
    from evenhand.policy.verdict import Judgement, Verdict

MOST_DIGITS = 12


def number(value: float | None, limit: float | None = None, digits: int = 2) -> str:
    """Return a number with `digits` decimals, with more where fewer would put it on the other side of `limit`.

    Examples
    --------
    >>> number(0.7996, 0.8), number(0.8, 0.8), number(0.5, 0.8), number(None)
    ('0.7996', '0.80', '0.50', '...')
    """
    if value is None or math.isinf(value):
        return "..."
    if abs(value) >= 1000:
        digits = 0
    text = f"{value:,.{digits}f}"
    while (
        limit is not None and digits < MOST_DIGITS and _side(float(text.replace(",", "")), limit) != _side(value, limit)
    ):
        digits += 1
        text = f"{value:,.{digits}f}"
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
        return _cut(", ".join(wanted), 40)
    return f"{wanted:,}" if isinstance(wanted, int) else _cut(str(wanted), 16)


def lines(verdict: Verdict) -> list[str]:
    """Return one line per judgement, worst first, in aligned columns, and the remarks."""
    rows = [_cells(judgement) for judgement in verdict.judgements]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    shown = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    return [line.rstrip() for line in (*shown, *(plain(remark) for remark in verdict.remarks))]


def _cells(judgement: Judgement) -> tuple[str, str, str, str, str]:
    limit = judgement.limit
    status = judgement.status + (f" ({judgement.aside})" if judgement.aside else "")
    return (
        status,
        _cut(plain(str(judgement.key))),
        plain(measured(judgement.finding, limit)),
        limit_text(limit) if limit.required else f"limit {limit_text(limit)}",
        plain(judgement.sentence),
    )


def _cut(text: str, most: int = 90) -> str:
    """Return at most `most` characters, with a mark where cut."""
    return text if len(text) <= most else text[: most - 1] + "…"
