"""Alarms and notes in sentences that can be translated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import shorten
from evenhand.keys import Key
from evenhand.messages import joined, message, messages
from evenhand.monitoring.live_counts import unknown_since
from evenhand.monitoring.rounding import rounded
from evenhand.timelines import Alarm, note_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evenhand.messages import Message
    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.drift import Drift, Found
    from evenhand.monitoring.limits import Said
    from evenhand.monitoring.state import State


def alarm_of_limit(said: Said, at: int, since: int) -> Alarm:
    """Return the alarm of a limit that failed."""
    assert said.failed is not None  # checked by the caller
    found, watch = said.failed[1], said.watch
    low, high = (None, None) if found.interval is None else (found.interval.low, found.interval.high)
    groups = tuple(dict.fromkeys(part.group for part in found.furthest))
    return Alarm(
        str(watch.key), at, since, rounded(found.estimate), rounded(low), rounded(high), groups,
        rounded(watch.baseline),
    )  # fmt: skip


def alarm_of_drift(found: Found, drift: Drift, at: int, since: int) -> Alarm:
    """Return the alarm of what has drifted, with the share that changed most."""
    watched = found.watched
    groups = tuple(name for _, name in Key.parse(watched.key).group) if watched.kind == "share" else ()
    changed = message(
        "The share of {part} went from {before} at the audit to {now}.",
        part=shorten(drift.share), before=f"{drift.before or 0:.3f}", now=f"{drift.now or 0:.3f}",
    )  # fmt: skip
    before = drift.before if watched.kind == "share" else 0.0
    return Alarm(
        watched.key, at, since, rounded(drift.estimate), rounded(drift.low), rounded(drift.high), groups,
        rounded(before), note_of(changed),
    )  # fmt: skip


def set_aside(aside: Iterable[tuple[str, Message]]) -> Iterator[Message]:
    """Yield the limits that live batches are not judged by, those of one reason together."""
    by_reason: dict[str, tuple[Message, list[str]]] = {}
    for name, why in aside:
        by_reason.setdefault(str(why), (why, []))[1].append(shorten(name))
    for why, names in by_reason.values():
        yield message("Not judged live: {names}. {why}", names=joined(", ", tuple(names)), why=why)


def notes_of(baseline: Baseline, state: State) -> Iterator[Message]:
    """Yield what has to be said of everything that was seen so far."""
    counts = state.since_start
    yield from _labels(baseline, state)
    yield from _unknown(baseline, state)
    for column, rows in sorted(state.unseen.items()):
        yield messages(
            "Column {column}: {n:,} row has a value that the audit did not have; a row of a new group is counted among "
            "all rows only.",
            "Column {column}: {n:,} rows have a value that the audit did not have; rows of a new group are counted "
            "among all rows only.",
            rows, column=shorten(column),
        )  # fmt: skip
    if state.late:
        yield messages(
            "{n:,} batch is of a time before that of an earlier one; it was counted when it came.",
            "{n:,} batches are of a time before that of an earlier one; they were counted when they came.",
            state.late,
        )
    if state.sampled:
        yield messages(
            "Of {n:,} large batch a sample was counted for drift of the inputs, drawn by the hash of its contents; "
            "decisions and labels are of all rows.",
            "Of {n:,} large batches samples were counted for drift of the inputs, drawn by the hash of their contents; "
            "decisions and labels are of all rows.",
            state.sampled,
        )
    if "decided.0" in counts and not baseline.score:
        yield message("The audit has no scores: calibration is not watched, and nothing is estimated without labels.")


def _labels(baseline: Baseline, state: State) -> Iterator[Message]:
    """Yield how many labels are known, and of which groups fewer."""
    counts = state.since_start
    if "decided.0" not in counts:
        return
    rows, known = int(counts["decided.0"].sum()), int(counts["labelled.0"].sum())
    yield message("Labels are known of {known:,} of {rows:,} rows.", known=known, rows=rows)
    for at, part in baseline.single:
        sizes, told = counts[f"decided.{at}"].sum(axis=1), counts[f"labelled.{at}"].sum(axis=(1, 2))
        if not known:
            continue
        shares = [
            message("{group} {share}", group=shorten(labels[0]), share=f"{k / n:.0%}")
            for labels, k, n in zip(part.groups, told, sizes, strict=True)
            if n
        ]
        yield message(
            "Labels known by {column}: {shares}.", column=shorten(part.columns[0]), shares=joined(", ", shares)
        )


def _unknown(baseline: Baseline, state: State) -> Iterator[Message]:
    unknown = unknown_since(state.windows)
    if unknown:
        names = tuple(baseline.classes[at] for at in unknown)
        rows = int(np.sum(state.since_start["decided.0"][0, list(unknown)]))
        yield message(
            "Of {rows:,} rows with the decision {names} labels are not known, or less often than of others: recall, "
            "accuracy and whatever else rests on them cannot be known.",
            rows=rows, names=names,
        )  # fmt: skip
