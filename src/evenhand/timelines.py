"""What became of a deployed model, batch by batch: as monitoring keeps it, and as pages draw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import Plain

SeriesKind: TypeAlias = Literal[
    "limit", "input", "prediction", "share", "performance", "estimate", "calibration", "feedback"
]
"""A limit of the policy; drift of an input, of the predictions; the share of a group; performance by labels; the same
estimated without labels; calibration; appeals and complaints."""
Status: TypeAlias = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One batch, or several neighbouring ones that were merged so that the state does not grow."""

    batch: str
    """Its name; of several the last one's."""
    time: str | None
    """When it ended, ISO 8601 in UTC; None where batches have no time."""
    rows: int
    """Rows in it."""
    labelled: int
    """Rows whose truth had become known by its end, in it or in earlier batches."""
    merged: int = 1
    """How many batches it stands for."""


@dataclass(frozen=True, slots=True)
class Point:
    """A value at the end of a moment, with an interval that holds at all moments together."""

    at: int
    """The position of its moment."""
    estimate: float | None
    """None where it is undefined."""
    low: float | None = None
    """The low end of its always-valid interval."""
    high: float | None = None
    """The high end."""
    rows: int = 0
    """The rows it rests on."""
    status: Status | None = None
    """Of a limit, and of what is alarmed about."""
    batch_estimate: float | None = None
    """The same of that moment's rows alone."""


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that is watched."""

    key: str
    """A key of the policy, or ``drift[age]``, ``share[sex=F]``, ``appeals_won[sex=F]`` and the like."""
    kind: SeriesKind
    """What it is."""
    points: tuple[Point, ...]
    """In order of time."""
    at_most: float | None = None
    """The limit, or the floor below which a change is not worth an alarm."""
    at_least: float | None = None
    """The limit."""
    baseline: float | None = None
    """The value at the audit."""
    note: Mapping[str, Plain] | None = None
    """What has to be said of it, as a message with its places: that it is an estimate, what cannot be known."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The first moment at which a limit failed, or an input had changed."""

    key: str
    """Of the series."""
    at: int
    """The position of the moment."""
    since: int
    """The position of the moment from which on the rows were counted that show it."""
    estimate: float | None
    """Since then."""
    low: float | None
    """Since then, always valid."""
    high: float | None
    """Since then, always valid."""
    groups: tuple[str, ...] = ()
    """Whom it touches: the groups whose bounds decided."""
    baseline: float | None = None
    """The value at the audit."""
    note: Mapping[str, Plain] | None = None
    """What changed, as a message with its places."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that monitoring says."""

    moments: tuple[Moment, ...]
    """In order of time."""
    series: tuple[Series, ...]
    """What is watched, limits first."""
    alarms: tuple[Alarm, ...] = ()
    """The first of each series, in order of time."""
    verdict: Status = "undecided"
    """Failed when a blocking limit failed or an input alarmed; passed when all limits pass on all labels so far."""
    exit_code: int = 3
    """As of `evenhand gate`."""
    provenance: Mapping[str, Plain] = field(default_factory=dict)
    """The model, the baseline with its hash, the policy with its hash, the error rate and how it is split, versions."""
    notes: tuple[Mapping[str, Plain], ...] = ()
    """What cannot be known, such as recall where only the approved get labels, as messages with their places."""
