"""Intervals at another confidence, computed again from the counts that a record keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenhand.findings import Interval
from evenhand.metrics import METRICS, canonical, parse_disparity

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, GroupCounts
    from evenhand.keys import Key
    from evenhand.metrics import Tally


def at_confidence(finding: Finding, record: AuditRecord, level: float) -> Finding:
    """Return the finding with its interval at another confidence, as an audit of the same counts would state it.

    What no count can say (areas under curves, attributions, metrics of one's own) comes back as it is, so that its
    level still tells that it was not computed again.
    """
    if finding.estimate is None or finding.interval is None:
        return finding
    name = canonical(finding.key.metric)
    counts = _counts(record, finding.key)
    if name is None or counts is None or finding.key.qualifiers:
        return finding
    tally = _tally(counts, turned=name.startswith("favourable_") and _other_is_favourable(record))
    if name in METRICS:
        return _value(finding, name, counts, tally, level) if METRICS[name].kind in ("rate", "composite") else finding
    split = parse_disparity(name)
    known = split is not None and (split[0] == "equalized_odds" or METRICS[split[0]].kind in ("rate", "composite"))
    return _disparity(finding, name, tally, level) if known else finding


def _value(finding: Finding, name: str, counts: GroupCounts, tally: Tally, level: float) -> Finding:
    from evenhand.metrics import measure

    labels = dict(finding.key.group)
    wanted = tuple(labels.get(column, "") for column in counts.columns)
    if counts.columns and wanted not in counts.groups:
        return finding
    at = counts.groups.index(wanted) if counts.columns else 0
    found = measure(name, tally, level)
    ends = Interval(_number(found.low[at]), _number(found.high[at]), level, found.method)
    return replace(finding, interval=ends)


def _disparity(finding: Finding, name: str, tally: Tally, level: float) -> Finding:
    from evenhand.metrics import disparity

    found = disparity(name, tally, level)
    return replace(
        finding,
        interval=Interval(found.low, found.high, level, found.method),
        unadjusted=Interval(found.unadjusted_low, found.unadjusted_high, level, found.method),
        critical=found.critical,
    )


def _counts(record: AuditRecord, key: Key) -> GroupCounts | None:
    """Return the counts of truth and decision that the finding was computed from."""
    wanted = [part for part in record.tallies if part.model == "subject" and part.axes[1:] == ("true", "predicted")]
    return next((part for part in wanted if part.columns == key.columns), None)


def _tally(counts: GroupCounts, *, turned: bool) -> Tally:
    import numpy as np

    from evenhand.metrics import Tally

    step = -1 if turned else 1
    weights, squared = (
        None if part is None else np.ascontiguousarray(np.asarray(part, dtype=np.float64)[:, ::step, ::step])
        for part in (counts.weights, counts.squared_weights)
    )
    rows = np.ascontiguousarray(np.asarray(counts.counts, dtype=np.int64)[:, ::step, ::step])
    return Tally(rows, weights, squared)


def _other_is_favourable(record: AuditRecord) -> bool:
    data = record.provenance.get("data")
    return isinstance(data, dict) and data.get("favourable") != data.get("positive")


def _number(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None  # nan is not below infinity either
