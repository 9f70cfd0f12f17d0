"""From entries and feedback to rows of the log's tables, and back."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypedDict, cast, get_args

from evenhand.errors import InputError, argument, quoted, raise_all
from evenhand.monitoring.log.schema import APPEALS, FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from evenhand.findings import Plain
    from evenhand.monitoring.log.schema import Entry, Feedback
    from evenhand.monitoring.log.sealing import Keyring

MOST: Final = 500
"""Characters of an id."""


class Content(TypedDict):
    """What of a prediction is encrypted where there is a key."""

    inputs: dict[str, Plain]
    groups: dict[str, str | None]
    score: float | None
    decision: str | None


def as_text(time: datetime) -> str:
    """Return a time as the log has it, so that the order of texts is the order of times."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def now() -> str:
    """Return the present time as the log has it."""
    return as_text(datetime.now(UTC))


def check(entries: Iterable[Entry], events: Iterable[Feedback]) -> None:
    """Raise `InputError` with all that cannot be stored as it is."""
    raise_all(InputError, (*_entry_problems(entries), *_event_problems(events)))


def _entry_problems(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        yield from _name_problems("prediction", entry.id, entry.time)
        if entry.score is not None and not math.isfinite(entry.score):
            yield f"prediction {quoted(entry.id)}: its score is {entry.score}, which is no finite number."
        try:
            dumped({"inputs": entry.inputs, "groups": entry.groups, "decision": entry.decision, "model": entry.model})
        except (ValueError, TypeError) as wrong:
            yield f"prediction {quoted(entry.id)}: it holds what JSON cannot: {wrong}."


def _event_problems(events: Iterable[Feedback]) -> Iterator[str]:
    for event in events:
        name = f"feedback {quoted(event.id)}"
        yield from _name_problems("feedback", event.id, event.time)
        if not event.prediction:
            yield f"{name}: it names no prediction."
        if event.kind not in get_args(FeedbackKind):
            yield f"{name}: its kind is {quoted(event.kind)}; known are {', '.join(get_args(FeedbackKind))}."
        elif event.kind == "appeal" and event.value not in APPEALS:
            yield f"{name}: an appeal is {quoted(event.value)}; it is one of {', '.join(APPEALS)}."
        elif event.kind in ("label", "rating") and event.value is None:
            yield f"{name}: it is a {event.kind} without a value."
        elif event.kind == "rating" and not isinstance(event.value, (int, float)):
            yield f"{name}: a rating is a number, and this is {quoted(event.value)}."
        try:
            dumped({"value": event.value, "prediction": event.prediction, "source": event.source})
        except (ValueError, TypeError) as wrong:
            yield f"{name}: it holds what JSON cannot: {wrong}."


def _name_problems(what: str, id: str, time: datetime) -> Iterator[str]:
    if not id or len(id) > MOST or "\0" in id or not _is_text(id):
        yield f"{what} {quoted(id)}: an id has 1 to {MOST} characters, and no null character."
    if time.tzinfo is None:
        yield f"{what} {quoted(id)}: its time {time} has no time zone."


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def dumped(value: Mapping[str, object]) -> str:
    """Return an object as JSON, keys in order; a missing number is null.

    Raises
    ------
    ValueError
        Of an infinite number, or half of a surrogate pair.
    """
    text = json.dumps(_without_nan(value), sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()
    return text


def _without_nan(value: object) -> object:
    if isinstance(value, float) and value != value:  # noqa: PLR0124  # the test of a missing number
        return None
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, (list, tuple)) else value


def prediction_row(entry: Entry, keyring: Keyring | None, received: str) -> dict[str, object]:
    """Return the row of an entry, whose person is hashed already."""
    row: dict[str, object] = {
        "id": entry.id, "time": as_text(entry.time), "received": received, "model": entry.model, "person": entry.person,
        **dict.fromkeys(("inputs", "groups", "score", "decision", "sealed", "sealed_by")),
    }  # fmt: skip
    content = content_of(entry)
    if keyring is None:
        inputs, groups = dumped(content["inputs"]), dumped(content["groups"])
        return {**row, **content, "inputs": inputs, "groups": groups}
    return {**row, "sealed": keyring.seal(dumped(content), bound(row)), "sealed_by": keyring.current}


def content_of(entry: Entry) -> Content:
    """Return the content of an entry."""
    return {
        "inputs": cast("dict[str, Plain]", _without_nan(dict(entry.inputs))),
        "groups": dict(entry.groups),
        "score": entry.score,
        "decision": entry.decision,
    }


def bound(row: Mapping[str, object]) -> str:
    """Return what of a row stays in the clear and is authenticated with the rest."""
    names = ("id", "prediction", "kind", "time", "source") if "prediction" in row else ("id", "time", "model", "person")
    return json.dumps([row[name] for name in names], ensure_ascii=True)


def opened(row: Mapping[str, object], keyring: Keyring | None) -> Content:
    """Return the content of a row of predictions.

    Raises
    ------
    InputError
        When it is encrypted and does not open, or is no JSON.
    """
    if row["sealed"] is None:
        inputs, groups = parsed(row["inputs"], row), parsed(row["groups"], row)
        return cast("Content", {"inputs": inputs or {}, "groups": groups or {}, "score": row["score"],
                                "decision": row["decision"]})  # fmt: skip
    return cast("Content", parsed(_open(row, keyring), row))


def feedback_row(event: Feedback, keyring: Keyring | None, received: str) -> dict[str, object]:
    """Return the row of an event."""
    row: dict[str, object] = {
        "id": event.id, "prediction": event.prediction, "kind": event.kind, "time": as_text(event.time),
        "received": received, "source": event.source, **dict.fromkeys(("value", "sealed", "sealed_by")),
    }  # fmt: skip
    value = json.dumps(event.value, ensure_ascii=False, allow_nan=False)
    if keyring is None:
        return {**row, "value": value}
    return {**row, "sealed": keyring.seal(value, bound(row)), "sealed_by": keyring.current}


def said(row: Mapping[str, object], keyring: Keyring | None) -> str | float | None:
    """Return the value of a row of feedback; raises as `opened`."""
    text = row["value"] if row["sealed"] is None else _open(row, keyring)
    return cast("str | float | None", parsed(text, row))


def _open(row: Mapping[str, object], keyring: Keyring | None) -> str:
    if keyring is None:
        raise InputError(
            f"the log is encrypted with key {quoted(row['sealed_by'])}: pass {argument('encryption_key')}."
        )
    try:
        return keyring.open(cast("bytes", row["sealed"]), cast("str", row["sealed_by"]), bound(row))
    except InputError as wrong:
        raise InputError(f"row {quoted(row['id'])}: {wrong}") from None


def parsed(text: object, row: Mapping[str, object]) -> Plain:
    """Return JSON that a row holds; None of nothing."""
    if text is None:
        return None
    try:
        return cast("Plain", json.loads(cast("str", text)))
    except (ValueError, RecursionError):
        raise InputError(f"row {quoted(row['id'])} holds what is no JSON: the log was changed or damaged.") from None
