"""What the page shows besides limits and drift: performance by labels, and what people said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.keys import Key
from evenhand.metrics.inference.always_valid import share_sequence
from evenhand.metrics.values.rates import counted_share
from evenhand.monitoring.live_counts import LiveCounts, by_decision_alone, is_known, unknown_decisions
from evenhand.monitoring.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.windows import Counts

    Figure = tuple[float | None, float | None, float | None, int, str | None, float | None]

SHOWN: Final = ("accuracy", "recall", "false_positive_rate", "selection_rate")
PER: Final = 1000
"""Complaints are told per so many rows."""


def performance(baseline: Baseline, whole: Counts, alone: Counts, error: float) -> Iterator[tuple[str, Figure]]:
    """Yield (series, estimate with its always-valid interval) of a few rates of all rows, and of groups' selection."""
    several = len(baseline.classes) > 2
    for name in ("accuracy",) if several else SHOWN:
        key = Key.of(name)
        labelled = not by_decision_alone(key)
        if labelled and not is_known(key, unknown_decisions(whole)):
            continue
        (events, rows), (k, n) = (_share(baseline, counts, name, labelled) for counts in (whole, alone))
        yield f"performance {name}", _figure(events, rows, error, k / n if n else None)


def feedback(baseline: Baseline, whole: Counts, error: float) -> Iterator[tuple[str, Figure]]:
    """Yield the share of appeals won of those decided, and complaints per 1,000 rows, by group."""
    for at, part in enumerate(baseline.parts):
        held = whole.get(f"feedback.{at}")
        decided = whole.get(f"decided.{at}")
        if held is None:
            continue
        sizes = np.zeros(len(held), dtype=np.int64) if decided is None else decided.sum(axis=1)
        for labels, (won, lost, complaints), rows in zip(part.groups, held.tolist(), sizes.tolist(), strict=True):
            group = dict(zip(part.columns, labels, strict=True))
            yield f"feedback {Key.of('appeals_won', group)}", _figure(won, won + lost, error, None)
            if rows >= complaints:
                one = _figure(complaints, rows, error, None)
                scaled = tuple(None if end is None else end * PER for end in one[:3])
                yield f"feedback {Key.of('complaints_per_1000', group)}", (*scaled, *one[3:])  # type: ignore[misc]


def _share(baseline: Baseline, counts: Counts, name: str, labelled: bool) -> tuple[int, int]:
    tally = LiveCounts(baseline, counts, labelled=labelled).tally(())
    if tally.classes > 2:
        cells = tally.counts.sum(axis=0)
        return int(np.trace(cells)), int(cells.sum())
    events, rows = counted_share(name, tally)
    return int(events[0]), int(rows[0])


def _figure(events: int, rows: int, error: float, alone: float | None) -> Figure:
    if not rows:
        return None, None, None, 0, None, None
    low, high = share_sequence(events, rows, error / 2)
    return rounded(events / rows), rounded(float(low)), rounded(float(high)), rows, None, rounded(alone)
