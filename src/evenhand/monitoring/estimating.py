"""Performance without labels, from calibrated scores; named an estimate, and never judged.

Confidence-based performance estimation: of a row with calibrated score p the decision is right with probability p or
1 - p. It assumes that what a score says of the label has not changed since the audit, which nothing shows without
labels. Calibrated is what the audit counted in each bin of the score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.keys import Key
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.metrics.counts.arrays import Floats
    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.windows import Counts

FEWEST_ROWS: Final = 200
"""Labelled rows of the audit below which scores are not calibrated by them."""
ASSUMED: Final = message(
    "Estimated without labels, from calibrated scores: it assumes that what a score says of the label is as at the "
    "audit. No limit is judged by it."
)


def allows_estimates(baseline: Baseline) -> bool:
    """Return whether the audit has scores and labels enough to calibrate by, of both classes."""
    rows, events = np.asarray(baseline.calibration or [(0, 0)]).T.sum(axis=1)
    return baseline.threshold is not None and rows >= FEWEST_ROWS and 0 < events < rows


def estimates(baseline: Baseline, counts: Counts) -> Iterator[tuple[str, float | None, int]]:
    """Yield (key, estimate, rows) of accuracy and recall, of all rows and of groups, and of their differences."""
    chances, positive = _calibrated(baseline)
    for name in ("accuracy", "recall"):
        for at, part in enumerate(baseline.parts):
            cells = counts.get(f"score.{at}")
            if cells is None or len(part.columns) > 1:
                continue
            values = [_value(name, row, chances, positive) for row in cells]
            for labels, value, row in zip(part.groups, values, cells, strict=True):
                key = Key.of(f"estimated_{name}", dict(zip(part.columns, labels, strict=True)))
                yield str(key), value, int(row.sum())
            there = [value for value in values if value is not None]
            if part.columns and len(there) > 1:
                yield (
                    str(Key.of(f"estimated_{name}_difference", part.columns)),
                    max(there) - min(there),
                    int(cells.sum()),
                )


def _calibrated(baseline: Baseline) -> tuple[Floats, Floats]:
    """Return (S,) the chance of a positive label in each bin, and whether it is decided positive."""
    assert baseline.score is not None  # checked by `allows_estimates`
    assert baseline.threshold is not None
    rows, events = np.asarray(baseline.calibration, dtype=float).T
    overall = events.sum() / rows.sum()
    chances = np.where(rows > 0, events / np.maximum(rows, 1), overall)
    ends = np.asarray([*baseline.score.edges, np.inf])
    positive = np.append(ends >= baseline.threshold, False)
    return chances, positive.astype(float)


def _value(name: str, rows: Floats, chances: Floats, positive: Floats) -> float | None:
    if name == "accuracy":
        right = rows * np.where(positive > 0, chances, 1 - chances)
        return float(right.sum() / rows.sum()) if rows.sum() else None
    expected = (rows * chances).sum()
    return float((rows * chances * positive).sum() / expected) if expected > 0 else None
