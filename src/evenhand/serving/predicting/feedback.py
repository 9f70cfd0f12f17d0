"""What is said of a prediction afterwards, as it comes in: checked, every problem told together."""

from __future__ import annotations

from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Final, cast, get_args

from evenhand.errors import did_you_mean, quoted, shorten
from evenhand.monitoring.log.schema import APPEALS, Feedback, FeedbackKind
from evenhand.serving.predicting.rows import LONGEST, is_name, refuse
from evenhand.training.levels import show_level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KEYS: Final = ("prediction", "kind", "value", "id", "time", "source")
"""What an event may have."""
KINDS: Final = get_args(FeedbackKind)
LETTERS: Final = 2_000
"""Letters of a value."""


def events(told: object, classes: Sequence[str], now: datetime) -> list[Feedback]:
    """Return the events of a request: one object, or a list of them.

    Parameters
    ----------
    told : object
        What was sent.
    classes : sequence of str
        The values that a label may have; empty where it is a number.
    now : datetime
        The time of an event that names none; it is no part of what makes an event the same.

    Raises
    ------
    InputError
        With all problems of all events.

    Examples
    --------
    >>> now = datetime(2026, 1, 2, tzinfo=UTC)
    >>> events({"prediction": "7", "kind": "appeal", "value": "won"}, ("0", "1"), now)[0].value
    'won'
    """
    given = told if isinstance(told, list) else [told]
    problems: list[str] = [] if given else ["There is no event: send an object, or a list of them."]
    found = []
    for at, each in enumerate(given, 1):
        where = f"event {at}: " if len(given) > 1 else ""
        wrong = list(_wrong(each, classes))
        problems += [f"{where}{problem}" for problem in wrong]
        if not wrong:
            found.append(_event(each, classes, now))
    refuse(problems)
    return found


def _event(told: Mapping[str, object], classes: Sequence[str], now: datetime) -> Feedback:
    value, kind = told.get("value"), cast("FeedbackKind", told["kind"])
    shown = show_level(value) if kind == "label" and classes else value
    return Feedback(
        str(told.get("id") or token_hex(16)), str(told["prediction"]), kind, cast("str | float | None", shown),
        _time(told, now) or now, str(told.get("source", "")), stamped="time" not in told,
    )  # fmt: skip


def _wrong(told: object, classes: Sequence[str]) -> Iterator[str]:
    if not isinstance(told, dict):
        yield 'an event is an object such as {"prediction": "id", "kind": "label", "value": "1"}.'
        return
    for name in told:
        if name not in KEYS:
            yield f"'{shorten(name)}' is no part of an event; known are {', '.join(KEYS)}.{did_you_mean(name, KEYS)}"
    for name in ("prediction", "id", "source"):
        given = told.get(name)
        if (name in told or name == "prediction") and not is_name(given):
            yield f"{name} {_is(given)}: it is a text of 1 to {LONGEST} printable letters."
    kind = told.get("kind")
    if kind not in KINDS:
        yield f"kind {_is(kind)}; it is one of {', '.join(KINDS)}.{did_you_mean(str(kind), KINDS)}"
    elif wrong := _wrong_value(told, classes):
        yield wrong
    if "time" in told and _time(told, None) is None:
        yield f"time {_is(told['time'])}: write it with its zone, 2026-11-30T12:00:00Z."


def _is(value: object) -> str:
    """Return what a field is, in the words of JSON."""
    words = {type(None): "is missing", bool: f"is {str(value).lower()}", dict: "is an object", list: "is a list"}
    return words.get(type(value)) or f"is {quoted(value, 40)}"


def _wrong_value(told: Mapping[str, object], classes: Sequence[str]) -> str:
    """Return what is wrong with a value of its kind; empty where nothing is."""
    kind, value = told["kind"], told.get("value")
    number = type(value) in (int, float)
    if kind == "label" and classes and (type(value) not in (str, int, float, bool) or show_level(value) not in classes):
        return f"value {_is(value)}; a label is one of {', '.join(classes[:20])}."
    if kind == "label" and not classes and not number:
        return f"value {_is(value)}; the label is a number."
    if kind == "rating" and not number:
        return f"value {_is(value)}; a rating is a number."
    if kind == "appeal" and value not in APPEALS:
        return f"value {_is(value)}; an appeal is one of {', '.join(APPEALS)}."
    if kind == "complaint" and not (value is None or (isinstance(value, str) and len(value) <= LETTERS)):
        return f"value {_is(value)}; of a complaint it is a text of at most {LETTERS:,} letters, or null."
    return ""


def _time(told: Mapping[str, object], now: datetime | None) -> datetime | None:
    """Return when an event happened; None where that cannot be read."""
    if "time" not in told:
        return now
    try:
        found = datetime.fromisoformat(cast("str", told["time"]))
    except (TypeError, ValueError):
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)
