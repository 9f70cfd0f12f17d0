"""What a verdict says of limits that are judged by intervals that hold at all times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.messages import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evenhand.messages import Message
    from evenhand.policy.verdict import Judgement


def always_remark(found: Iterable[Judgement]) -> Iterator[Message]:
    """Yield how many findings were judged so, and what it means."""
    number = sum(judgement.limit.always_valid for judgement in found)
    if number:
        yield messages(
            "{n} judgement rests on an interval that holds at all times: however often the gate runs on growing data, "
            "it errs no more often than a gate that runs once.",
            "{n} judgements rest on intervals that hold at all times: however often the gate runs on growing data, "
            "each errs no more often than in a gate that runs once.",
            number,
        )
