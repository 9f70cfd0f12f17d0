"""A verdict as lines of text, as the gate prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.output.sanitising import plain
from evenhand.policy.telling import harm_sentence
from evenhand.policy.wording import cut, limit_text, measured

if TYPE_CHECKING:
    from evenhand.policy.verdict import Judgement, Verdict


def lines(verdict: Verdict) -> list[str]:
    """Return one line per judgement, worst first, in aligned columns, and the remarks.

    Parameters
    ----------
    verdict : Verdict
        The verdict.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 200, [1, 0] * 200)
    >>> for line in lines(eh.judge(record, eh.load_policy({"limits": {"accuracy": {"at_least": 0.8}}}))):
    ...     print(line)
    passed accuracy 1.00 [0.99, 1.00] limit >= 0.80 400 of 400
    """
    rows = [_cells(judgement) for judgement in verdict.judgements]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    shown = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    return [line.rstrip() for line in (*shown, *(plain(remark) for remark in verdict.remarks))]


def _cells(judgement: Judgement) -> tuple[str, str, str, str, str]:
    limit, harm = judgement.limit, harm_sentence(judgement)
    status = judgement.status + (f" ({judgement.aside})" if judgement.aside else "")
    return (
        status,
        cut(plain(str(judgement.key))),
        plain(measured(judgement.finding, limit)),
        limit_text(limit) if limit.required else f"limit {limit_text(limit)}",
        plain(judgement.sentence) + (f". {plain(harm)}" if harm else ""),
    )
