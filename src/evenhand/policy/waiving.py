"""Apply waivers: who took responsibility for a limit that stops, until when, and down to which value."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.output.sanitising import is_shown
from evenhand.policy.matching import own_key
from evenhand.policy.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from evenhand.policy.limits import Policy, Waiver
    from evenhand.policy.verdict import Judgement

LONGEST: Final = timedelta(days=180)
"""The longest duration of a waiver: what is accepted for ever is a limit."""
NOTHING: Final = frozenset({"none", "null", "nan", "nil", "n/a", "na", "tbd", "todo"})
"""Words that stand in for an answer."""


def is_blank(text: str) -> bool:
    """Return whether a text says nothing: it has no letter and no digit that shows, or is a word such as "none".

    Examples
    --------
    >>> is_blank(" \u200b"), is_blank("n/a"), is_blank("RISK-311")
    (True, True, False)
    """
    shown = any(unicodedata.category(char)[0] in "LN" and is_shown(char) for char in text)
    return not shown or text.strip().casefold() in NOTHING


def waive(judgement: Judgement, policy: Policy, day: date) -> Judgement:
    """Return the judgement, covered by its first waiver that is valid on that day; each of them must cover it."""
    valid = [waiver for waiver in policy.waivers if _names(waiver, judgement) and not _why_not(waiver, day)]
    if not judgement.stops or not valid or any(_breached(waiver, judgement) for waiver in valid):
        return judgement
    first = valid[0]
    sentence = message(
        "waived until {day} by {owner}: {reason}; {sentence}",
        day=str(first.expires),
        owner=first.owner,
        reason=first.reason,
        sentence=judgement.reason,
    )
    return replace(judgement, stops=False, waiver=first, reason=sentence)


def waiver_remarks(found: list[Judgement], policy: Policy, day: date) -> Iterator[str]:
    """Yield a sentence for every waiver without the expected effect; `found` is not yet waived."""
    for waiver in policy.waivers:
        named = [judgement for judgement in found if _names(waiver, judgement) and judgement.stops]
        if not named:
            yield message("The waiver of {key} is not used: its limit stops nothing.", key=str(waiver.key))
        elif why := _why_not(waiver, day):
            yield why
        elif breached := [judgement for judgement in named if _breached(waiver, judgement)]:
            yield _no_longer(waiver, absent=_estimate(breached[0]) is None)


def _no_longer(waiver: Waiver, *, absent: bool) -> str:
    places = {"key": str(waiver.key), "accepted": number(waiver.accept_to)}
    if absent:
        return message("The waiver of {key} does not cover: it accepts {accepted}, and there is no estimate.", **places)
    return message(
        "The waiver of {key} no longer covers: the estimate is worse than the accepted {accepted}.", **places
    )


def _names(waiver: Waiver, judgement: Judgement) -> bool:
    return waiver.key in (judgement.key, own_key(judgement.limit))


def _why_not(waiver: Waiver, day: date) -> str:
    """Return why the waiver is not valid on that day; empty when it is."""
    places = {"key": str(waiver.key), "owner": waiver.owner, "day": str(waiver.expires)}
    if day > waiver.expires:
        return message("The waiver of {key} expired on {day}; its owner is {owner}.", **places)
    if waiver.starts is not None and day < waiver.starts:
        places["day"] = str(waiver.starts)
        return message("The waiver of {key} does not hold before {day}; its owner is {owner}.", **places)
    if waiver.expires - max(day, waiver.starts or day) > LONGEST:
        return message(
            "The waiver of {key} does not hold: it expires on {day}, more than {days} days ahead; "
            "its owner is {owner}.",
            days=LONGEST.days,
            **places,
        )
    return ""


def _breached(waiver: Waiver, judgement: Judgement) -> bool:
    """Whether the estimate is worse than what was accepted; one that is not there may be any."""
    if waiver.accept_to is None:
        return False
    estimate = _estimate(judgement)
    if estimate is None:
        return True
    return estimate > waiver.accept_to if judgement.limit.at_most is not None else estimate < waiver.accept_to


def _estimate(judgement: Judgement) -> float | None:
    return None if judgement.finding is None else judgement.finding.estimate
