"""What a page says of a timeline again and again: names of what is watched, of moments, and values in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.metrics import describe
from evenhand.policy.wording import number
from evenhand.report.figures.bands import Course, Stand
from evenhand.report.numbers import cut, ranged
from evenhand.report.spoken import in_words, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evenhand.timelines import Alarm, Moment, Point, Series, SeriesKind, Timeline

DAY: Final = 10
"""Letters of a date."""
MOST_TIME: Final = 12
"""Letters of the name of a batch on an axis."""
MOST_NAME: Final = 60
OF: Final = {
    "drift": message("Drift of {of}"), "share": message("Share of {of}"), "missing": message("Missing values of {of}"),
    "appeals": message("Appeals, {of}"), "appeals_won": message("Appeals won, {of}"),
    "complaints": message("Complaints, {of}"), "ratings": message("Ratings, {of}"),
}  # fmt: skip
"""What is watched and is no metric, of a column or a group."""
ALONE: Final = {
    "drift": message("Drift of the predictions"), "prediction": message("Drift of the predictions"),
    "score_drift": message("Drift of the scores"), "selection_rate": message("Selection rate"),
    "appeals": message("Appeals"), "appeals_won": message("Appeals won"), "complaints": message("Complaints"),
    "calibration": message("Calibration"),
}  # fmt: skip
"""The same of all rows."""
ESTIMATED: Final = message("{metric}, estimated without labels")


def series_of(timeline: Timeline, *kinds: SeriesKind) -> list[Series]:
    """Return what is watched of some kinds, in the order of the timeline; what has no point is left out."""
    return [each for each in timeline.series if each.kind in kinds and each.points]


def name_of(series: Series) -> str:
    """Return what is watched, in words.

    Examples
    --------
    >>> from evenhand.timelines import Series
    >>> for key, kind in (("drift[age]", "input"), ("recall[sex=F]", "estimate"), ("share[sex=F]", "share")):
    ...     print(name_of(Series(key, kind, ())))
    Drift of age
    Recall, sex=F, estimated without labels
    Share of sex=F
    """
    if series.kind == "estimate":
        return message(ESTIMATED.id, metric=_named(series.key.removeprefix("estimated_")))
    return _named(series.key)


def name_of_key(timeline: Timeline, key: str) -> str:
    """Return the name of what an alarm is about."""
    found = next((each for each in timeline.series if each.key == key and each.kind != "estimate"), None)
    return _named(key) if found is None else name_of(found)


def _named(text: str) -> str:
    key = key_of(text)
    if key is None:
        return cut(text, MOST_NAME)
    label, of = describe(key.metric).label, [cut(_feature(f.column, f.group), MOST_NAME) for f in key.features]
    if label != key.metric:
        return in_words(text)
    if of and key.metric in OF:
        return message(OF[key.metric].id, of=joined(", ", of))
    if not of and key.metric in ALONE:
        return ALONE[key.metric]
    plain = cut(label.replace("_", " "), MOST_NAME)
    return message("{metric}, {groups}", metric=plain, groups=joined(", ", of)) if of else plain


def _feature(column: str, group: str | None) -> str:
    return column if group is None else f"{column}={group}"


def times_of(timeline: Timeline) -> list[str]:
    """Return what moments are called on an axis: the day, the time within one day, else the name of the batch.

    Examples
    --------
    >>> from evenhand.timelines import Moment, Timeline
    >>> times_of(Timeline((Moment("a", "2026-03-01T00:00:00Z", 9, 0), Moment("b", None, 9, 0)), ()))
    ['2026-03-01', 'b']
    """
    days = [moment.time[:DAY] for moment in timeline.moments if moment.time]
    within = len(days) > 1 and len(set(days)) == 1
    return [_time(moment, within=within) for moment in timeline.moments]


def _time(moment: Moment, *, within: bool = False) -> str:
    if not moment.time:
        return cut(moment.batch, MOST_TIME)
    return cut(moment.time[DAY + 1 : DAY + 6] if within else moment.time[:DAY], MOST_TIME) or moment.time[:DAY]


def when(timeline: Timeline, at: int) -> str:
    """Return a moment within a sentence: its day, and the name of its batch where that says more."""
    if not 0 <= at < len(timeline.moments):
        return message("an unknown time")
    moment = timeline.moments[at]
    day, batch = (moment.time or "")[:DAY], cut(moment.batch, 40)
    if not day:
        return message("batch {batch}", batch=batch)
    return day if batch.startswith(day) else message("{day} (batch {batch})", day=day, batch=batch)


def last_of(series: Series) -> Point:
    """Return where a series ends."""
    return series.points[-1]


def alarm_of(timeline: Timeline, series: Series) -> Alarm | None:
    """Return the first alarm of a series; what is estimated without labels has none."""
    if series.kind == "estimate":
        return None
    return next((alarm for alarm in timeline.alarms if alarm.key == series.key), None)


def bounds_of(series: Series) -> tuple[float, ...]:
    """Return the limits of a series."""
    return tuple(bound for bound in (series.at_least, series.at_most) if bound is not None)


def limit_words(series: Series) -> str:
    """Return the limits of a series, ``≤ 0.10``; a dash where there is none."""
    said = [f"{sign} {number(b, b)}" for sign, b in (("≥", series.at_least), ("≤", series.at_most)) if b is not None]
    return ", ".join(said) or "–"


def value_of(point: Point | Alarm, series: Series | None = None) -> str:
    """Return a value with its interval, rounded away from the limit."""
    bound = next(iter(bounds_of(series)), None) if series is not None else None
    if point.low is None and point.high is None:
        return ranged(point.estimate, point.estimate, point.estimate, bound)
    return ranged(point.estimate, point.low, point.high, bound)


def course_of(timeline: Timeline, series: Series) -> Course:
    """Return what a figure shows of a series."""
    alarm = alarm_of(timeline, series)
    stands = tuple(Stand(p.at, p.estimate, p.low, p.high, p.batch_estimate) for p in series.points)
    shown = None if alarm is None else Stand(alarm.at, alarm.estimate, alarm.low, alarm.high)
    since = 0 if alarm is None else alarm.since
    return Course(stands, bounds_of(series), series.baseline, shown, since, series.kind == "estimate")


def thinned(points: Sequence[Point], most: int, keep: Iterable[int | None] = ()) -> list[Point]:
    """Return at most about `most` points: every so many, the last, and those at positions to keep."""
    kept, every = set(keep), -(-len(points) // most)
    return [one for at, one in enumerate(points) if (len(points) - 1 - at) % every == 0 or one.at in kept]
