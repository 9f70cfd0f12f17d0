"""What a log of a deployed model holds, whoever writes it: evenhand's server, or a table of the same columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from evenhand.findings import Plain

FeedbackKind: TypeAlias = Literal["label", "rating", "complaint", "appeal"]
"""What is said of a prediction afterwards: the truth, a number of stars, that somebody is not content, that somebody
asked for another decision, and what came of it."""
APPEALS: Final = ("open", "won", "lost")
"""The values of an appeal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One prediction of a deployed model."""

    id: str
    """Its name, given by the caller or made by the server; a log holds it once."""
    time: datetime
    """When it was made; with a time zone, kept to microseconds in UTC."""
    model: str
    """The sha256 of the model's file."""
    inputs: Mapping[str, Plain]
    """What the model was given, by column; only the columns that are to be kept."""
    groups: Mapping[str, str | None] = field(default_factory=dict)
    """The sensitive features, by column; they need not be inputs. None where it is not known."""
    score: float | None = None
    """The score of the positive class, or the predicted number; None of a model that only decides."""
    decision: str | None = None
    """What was decided, as the label says it; None of a regression."""
    person: str | None = None
    """A keyed hash of the person's id, by which all their rows can be found and erased."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """Something that was said of a prediction afterwards."""

    id: str
    """The name of this event: the same event sent twice is kept once."""
    prediction: str
    """The `id` of the entry."""
    kind: FeedbackKind
    """What it is."""
    value: str | float | None
    """A label in the label's values, a number of stars, the text of a complaint's kind, or one of `APPEALS`."""
    time: datetime
    """When it happened, with a time zone; not when it was received."""
    source: str = ""
    """Who says so."""
    stamped: bool = field(default=False, compare=False)
    """Whether the time is when it was received, as it named none: sent again it is the same event at another time."""
