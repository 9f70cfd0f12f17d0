"""The first layer of a page as plain data: what a person must decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenhand.policy.headline import Headline
    from evenhand.policy.limits import Status
    from evenhand.report.spans import Distances


@dataclass(frozen=True, slots=True)
class Stopping:
    """A limit that stops the release."""

    label: str
    """The finding in words."""
    key: str
    status: Status
    badge: str
    """The status in words."""
    measured: str
    """The interval and the limit; the estimate where the sentence does not tell it."""
    anchor: str
    """The row of the table of limits that shows it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What stops the release: the people it is about, and every limit that rests on them."""

    limits: tuple[Stopping, ...]
    """Worst first."""
    people: str
    """The groups that decided, in people, in one sentence."""
    harm: str = ""
    """How many are harmed; empty where that is not known. Of the models of a study, why they do not pass."""
    english: bool = False
    """Whether that is English in every language: an older record kept no message."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do about it."""

    name: str
    """What it is: ``threshold``, ``collect``, ``settle``, ``declare``, ``waive``, ``limit``."""
    title: str
    """What to do, in a few words."""
    text: str
    """Of whom or what, and what that costs."""
    code: str = ""
    """What to write for it; folded."""


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader has to know of every figure: what makes it doubtful, what the model was chosen from."""

    sentence: str
    anchor: str
    """The anchor of what shows it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person must decide: two screens."""

    headline: Headline
    reasons: tuple[Reason, ...] = ()
    """The worst five."""
    more: str = ""
    """How many further limits stop it."""
    acts: tuple[Act, ...] = ()
    cautions: tuple[Caution, ...] = ()
    figure: Distances | None = None
    """All limits on one scale; None without a verdict."""
