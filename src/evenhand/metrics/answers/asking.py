"""Answer keys that no audit of a record stated, from its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.findings import Absent
from evenhand.messages import message
from evenhand.metrics.answers.questions import NoAnswerError, question, takes_all_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key


def answers_of(record: AuditRecord, level: float, always_valid: bool = False) -> Callable[[Key], Finding | Absent]:
    """Return what answers keys from the counts of a record, at a confidence; what it counted once it keeps.

    Parameters
    ----------
    record : AuditRecord
        The record with its counts.
    level : float
        The confidence of the intervals.
    always_valid : bool
        Whether they hold at all times.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 1, 0], [1, 0, 0], sensitive_features={"sex": ["f", "m", "m"]})
    >>> answer = answers_of(record, 0.9)(eh.Key.parse("recall[sex=f]"))
    >>> answer.estimate, answer.interval.level
    (1.0, 0.9)
    """
    made: list[Callable[[Key], Finding | Absent]] = []

    def answer(key: Key) -> Finding | Absent:
        found = counted(key)
        stated = record.stated(key) if always_valid and isinstance(found, Absent) else None
        if stated is None:
            return found
        from evenhand.metrics.answers.stretching import stretched

        return stretched(stated, level)

    def counted(key: Key) -> Finding | Absent:
        try:
            if not takes_all_groups(key):
                question(key)
        except NoAnswerError as why:
            return Absent(key, why.reason)
        if "suppressed_below" in record.provenance:
            return Absent(key, message("This is a copy for publication: its counts are withheld."))
        if not made:
            from evenhand.metrics.answers.answering import Answers
            from evenhand.metrics.answers.counts import RecordCounts

            made.append(Answers(RecordCounts(record), level, always_valid=always_valid))
        return made[0](key)

    return answer
