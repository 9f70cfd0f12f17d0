"""What became of a deployed model, batch by batch: as monitoring keeps it, and as pages draw it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from evenhand.documents import parse_json, read_bytes
from evenhand.errors import RecordError, check_kind, shorten
from evenhand.messages import Message, message_from_plain, message_to_plain
from evenhand.sealed import digest_of, write_sealed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import Plain
    from evenhand.messages import PlainMessage

NAME: Final = "evenhand-timeline"
SCHEMA_VERSION: Final = 1

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


def write_timeline(path: str | Path, timeline: Timeline) -> None:
    """Write monitor.json, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where it is written.
    timeline : Timeline
        What monitoring says; the file holds no rows.

    Raises
    ------
    OutputError
        When the place cannot be written to.

    Examples
    --------
    >>> write_timeline("monitor.json", Timeline((Moment("monday", None, 100, 0),), ()))
    >>> read_timeline("monitor.json").moments[0].rows
    100
    """
    check_kind("write_timeline(path, timeline)", timeline, Timeline, "monitor and read_timeline return", path)
    write_sealed(path, timeline_to_plain(timeline), indent=1)


def read_timeline(path: str | Path) -> Timeline:
    """Read and check a monitor.json.

    Parameters
    ----------
    path : str or Path
        The file that `write_timeline` wrote.

    Returns
    -------
    Timeline

    Raises
    ------
    RecordError
        When the file is missing, is no monitor.json, breaks its schema, or was changed since it was written.
    """
    place = Path(path)
    document = parse_json(read_bytes(place, kind=RecordError, make="evenhand monitor"), place, kind=RecordError)
    if not isinstance(document, dict) or document.get("schema") != NAME:
        raise RecordError(f"{place}: this is no timeline of evenhand. Make one with: evenhand monitor -o monitor.json")
    _check_schema(place, document)
    if digest_of(document) != document["digest"]:
        raise RecordError(f"{place}: changed since evenhand wrote it (its digest differs). Monitor again.")
    return timeline_from_plain(document)


def timeline_to_plain(timeline: Timeline) -> dict[str, Plain]:
    """Return a timeline as the plain data that monitor.json holds."""
    document = cast("dict[str, Plain]", {"schema": NAME, "schema_version": SCHEMA_VERSION, **asdict(timeline)})
    return {**document, "digest": digest_of(document)}


def timeline_from_plain(document: Mapping[str, Plain]) -> Timeline:
    """Return the timeline of plain data that follows the schema."""
    whole = cast("Mapping[str, Any]", document)
    series = (
        Series(**{**part, "points": tuple(Point(**point) for point in part["points"])}) for part in whole["series"]
    )
    return Timeline(
        tuple(Moment(**part) for part in whole["moments"]),
        tuple(series),
        tuple(Alarm(**{**part, "groups": tuple(part["groups"])}) for part in whole["alarms"]),
        whole["verdict"],
        whole["exit_code"],
        whole["provenance"],
        tuple(whole["notes"]),
    )


def note_of(said: Message) -> Mapping[str, Plain]:
    """Return a message as a note of a timeline: plain data that keeps its places, so that it can be translated."""
    return cast("Mapping[str, Plain]", message_to_plain(said))


def said_of(note: Mapping[str, Plain]) -> Message:
    """Return the message of a note.

    Raises
    ------
    RecordError
        When it lacks a place that its sentence names.
    """
    try:
        found = message_from_plain(cast("PlainMessage", note))
    except (ValueError, KeyError) as wrong:
        raise RecordError(f"A note of the timeline cannot be said: {shorten(wrong, 160)}") from None
    assert isinstance(found, Message)  # of a mapping
    return found


def _check_schema(place: Path, document: Mapping[str, Plain]) -> None:
    from importlib.resources import files

    import jsonschema

    schema = json.loads(files("evenhand.schemas").joinpath(f"timeline-{SCHEMA_VERSION}.json").read_text("utf-8"))
    first = next(iter(jsonschema.Draft202012Validator(schema).iter_errors(document)), None)
    if first is not None:
        where = "/" + "/".join(map(str, first.absolute_path))
        raise RecordError(f"{place}: breaks the schema of a timeline at {where}: {shorten(first.message, 160)}")
