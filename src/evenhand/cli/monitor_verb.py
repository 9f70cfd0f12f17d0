"""``evenhand monitor``: live batches against the baseline, by the limits of the released policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from evenhand.cli.flags import file_flag, opening, opening_flags
from evenhand.cli.log_keys import encryption_key_flag, keyring
from evenhand.cli.places import NEAREST, usual_policy
from evenhand.cli.summary import is_quiet, quiet_flag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenhand.monitoring import Batch, Monitor, State
    from evenhand.monitoring.log.sealing import Keyring
    from evenhand.subjects import Subject
    from evenhand.timelines import Series, Timeline

WAIT: Final = 60.0
"""Seconds to wait for another that holds the state."""


@click.command(name="monitor")
@click.argument("batches", nargs=-1, metavar="[BATCH]...")
@file_flag("--baseline", "-b", required=True, help="What evenhand baseline wrote.")
@file_flag("--state", "-s", required=True, help="The state; made at the first batch, and then carried on.")
@file_flag("--policy", "-p", default=usual_policy, show_default=NEAREST, help="The limits of the release.")
@click.option(
    "--labels", multiple=True, metavar="TABLE", help="Late labels or feedback of earlier rows; may be repeated."
)
@click.option("--log", "logs", metavar="PLACE", help="The log of a served model: what is new in it is a batch.")
@encryption_key_flag
@file_flag("--model", "-m", help="The model's file; columns of scores or decisions when not given.")
@click.option("--time-column", help="Column of times; the latest one is the time of a batch.")
@click.option(
    "--error",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Chance of any false alarm ever.  [default: 1 - the policy's confidence]",
)
@click.option(
    "--floor",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Change of a share of rows that is not worth an alarm.",
)
@click.option("--strict-order", is_flag=True, help="Refuse a batch whose time is before that of an earlier one.")
@opening_flags
@file_flag("--output", "-o", help="Write the timeline here, as JSON.")
@quiet_flag
def command(
    batches: tuple[str, ...],
    baseline: Path,
    state: Path,
    policy: Path,
    labels: tuple[str, ...],
    logs: str | None,
    encryption_key: str | None,
    model: Path | None,
    time_column: str | None,
    error: float | None,
    floor: float,
    strict_order: bool,
    output: Path | None,
    **flags: object,
) -> int:
    """Judge live BATCHes (Parquet, CSV, URL::TABLE) by the policy of the release, and look for drift.

    However often it runs, the chance of any false alarm stays below --error. Without a batch it says how things are.

    \b
    Exit codes: 0 passed, 1 an alarm, 2 could not run (the batches before stay counted), 3 undecided.
    Examples:
      evenhand monitor today.parquet -m credit.safetensors -b baseline.json -s state.json -o monitor.json
      evenhand monitor --labels paid_back.csv --baseline baseline.json --state state.json
      evenhand monitor --log decisions.db --baseline baseline.json --state state.json
    """
    from evenhand.cli.outputs import check_places
    from evenhand.errors import InputError, argument, parameter
    from evenhand.monitoring import Monitor, read_baseline
    from evenhand.monitoring.state import alone
    from evenhand.output.printing import remark
    from evenhand.policy import load_policy
    from evenhand.timelines import write_timeline

    if strict_order and time_column is None and (batches or logs is None):
        raise InputError(f"{parameter('strict_order')} needs the times of the batches: {argument('time_column')}")
    check_places([output, state], (baseline, policy, model))
    how = opening(flags)
    monitor = Monitor(read_baseline(baseline), load_policy(policy), error=error, floor=floor)
    subject = None if model is None else _subject(model, monitor, how)
    keys = keyring(encryption_key)
    with alone(state, WAIT):
        held = _begun(state, monitor)
        counted = _counted(monitor, held, batches, labels, logs, keys, subject, time_column)
        held = _taken(state, monitor, held, counted, strict=strict_order)
    timeline = monitor.timeline(held)
    if not is_quiet():
        _put(timeline)
    if output is not None:
        write_timeline(output, timeline)
        remark(f"Wrote {output}")
    return timeline.exit_code


def _begun(place: Path, monitor: Monitor) -> State:
    """Return the state that is carried on, or a new one."""
    from evenhand.monitoring import read_state

    held = read_state(place) if place.exists() else monitor.begin()
    monitor.check(held)
    return held


def _taken(
    place: Path, monitor: Monitor, held: State, counted: Iterator[tuple[Batch, str | None]], *, strict: bool
) -> State:
    """Take batch after batch; the state is written after each."""
    from evenhand.monitoring import write_state
    from evenhand.output.printing import say

    for batch, cursor in counted:
        if held.knows(batch.id):
            say(f"{batch.name}: was taken before; it changes nothing.")
            continue
        _refuse_earlier(held, batch, strict)
        held = monitor.take(held, batch, cursor=cursor)
        write_state(place, held)
    return held


def _counted(
    monitor: Monitor, held: State, batches: tuple[str, ...], labels: tuple[str, ...], log: str | None,
    keys: Keyring | None, subject: Subject | None, time_column: str | None,
) -> Iterator[tuple[Batch, str | None]]:  # fmt: skip
    """Yield the counts of each batch, with the place in the log where it ends; then those of late labels."""
    from evenhand.monitoring.sources import count_source, log_batches, read_source

    baseline = monitor.baseline
    for place in batches:
        yield count_source(read_source(place, baseline), baseline, time_column=time_column, subject=subject), None
    for place in labels:
        yield count_source(read_source(place, baseline), baseline, subject=subject, late=True), None
    if log is not None:
        yield from log_batches(log, held.cursor, baseline, key=keys)


def _refuse_earlier(held: State, batch: Batch, strict: bool) -> None:
    from evenhand.errors import InputError

    if strict and batch.rows and batch.time is None:
        raise InputError(f"{batch.name}: no row has a time, so its place in the order is not known.")
    if strict and batch.time is not None and held.last_time is not None and batch.time < held.last_time:
        raise InputError(
            f"{batch.name}: its time {batch.time} is before {held.last_time}, that of an earlier batch. Give batches "
            "in order, or leave out --strict-order: it is then counted when it comes."
        )


def _subject(model: Path, monitor: Monitor, how: dict[str, Any]) -> Subject:
    import hashlib

    from evenhand.compression import open_model
    from evenhand.errors import InputError
    from evenhand.subjects import as_subject

    wanted = monitor.baseline.model
    if wanted is not None and model.is_file() and hashlib.sha256(model.read_bytes()).hexdigest() != wanted:
        raise InputError(
            f"{model}: this is another model than the one of the baseline. Audit it, and make its baseline."
        )
    return as_subject(open_model(model, **how))


def _put(timeline: Timeline) -> None:
    """Print the verdict, alarms, limits and notes, one a line."""
    from evenhand.output.printing import put
    from evenhand.timelines import said_of

    moments = timeline.moments
    batches, rows = sum(moment.merged for moment in moments), sum(moment.rows for moment in moments)
    labels, alarms = (moments[-1].labelled if moments else 0), len(timeline.alarms)
    named = (
        (batches, "batch", "batches"),
        (rows, "row", "rows"),
        (labels, "label", "labels"),
        (alarms, "alarm", "alarms"),
    )
    told = ", ".join(f"{n:,} {one if n == 1 else other}" for n, one, other in named)
    put(f"{timeline.verdict.capitalize()}: {told}")
    for alarm in timeline.alarms:
        told = "" if alarm.note is None else f"  {said_of(alarm.note)}"
        interval = _interval(alarm.estimate, alarm.low, alarm.high)
        put(f"  alarm      {alarm.key}  {interval} at {moments[alarm.at].batch}{told}")
    for series in timeline.series:
        if series.kind == "limit" and series.points:
            put(_of_limit(series))
    for note in timeline.notes:
        put(f"  {said_of(note)}")


def _of_limit(series: Series) -> str:
    from evenhand.timelines import said_of

    last = series.points[-1]
    bound = f"<= {series.at_most:g}" if series.at_most is not None else f">= {series.at_least or 0:g}"
    why = "" if series.note is None else f"  {said_of(series.note)}"
    return f"  {last.status or '':<9}  {series.key}  {_interval(last.estimate, last.low, last.high)} limit {bound}{why}"


def _interval(estimate: float | None, low: float | None, high: float | None) -> str:
    if estimate is None:
        return "undefined"
    ends = ("open" if end is None else f"{end:.3f}" for end in (low, high))
    return f"{estimate:.3f} [{', '.join(ends)}]"
