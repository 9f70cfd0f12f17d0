"""Findings computed from the counts that a record keeps: at another confidence, at another threshold, or at all.

What an audit has not stated can be stated afterwards, as long as counts say it: every rate, every disparity, against
other groups, all rows or the rest. So a policy may limit any of them, whatever the audit listed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from evenhand.keys import Key, group_name
from evenhand.metrics import METRICS, canonical, parse_disparity

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding, GroupCounts, Plain
    from evenhand.metrics import Disparity, Tally
    from evenhand.provenance import DataFacts

COUNTED = ("rate", "composite")


def at_confidence(finding: Finding, record: AuditRecord, level: float) -> Finding:
    """Return the finding with its interval at another confidence, as an audit of the same counts would state it.

    What no count can say (areas under curves, attributions, metrics of one's own) comes back as it is, so that its
    level still tells that it was not computed again.
    """
    if finding.estimate is None or finding.interval is None or "clusters" in finding.interval.method:
        return finding
    again = from_counts(record, finding.key, level)
    if again is None or again.interval is None:
        return finding
    return replace(finding, interval=again.interval, unadjusted=again.unadjusted, critical=again.critical)


def from_counts(record: AuditRecord, key: Key, level: float, tallies: tuple[GroupCounts, ...] = ()) -> Finding | None:
    """Return the finding of a key computed from counts; None when no count says it.

    Parameters
    ----------
    record : AuditRecord
    key : Key
        A rate, a composite or a disparity; of the qualifiers ``vs=overall``, ``vs=rest`` and ``vs=`` a group are known.
    level : float
        Two-sided confidence.
    tallies : optional
        Counts in place of the record's: those at another threshold, say.
    """
    if key.qualifier("of") == "original" and not _has_clusters(record):
        from evenhand.policy.recomputing_joint import from_joint

        return from_joint(record, key, level)
    name = canonical(key.metric)
    counts = _counts(tallies or record.tallies, key)
    if name is None or counts is None or not is_counted(name) or _has_clusters(record):
        return None
    tally = _tally(counts, turned=name.startswith("favourable_") and _other_is_favourable(record))
    if name.startswith("favourable_") and not _favourable(record):
        return None
    if name in METRICS:
        return _value(name, key, counts, tally, level)
    return _disparity(name, key, counts, tally, level)


def is_counted(name: str) -> bool:
    """Whether counts of truth and decision are all that a metric or disparity needs."""
    split = parse_disparity(name)
    metric = name if name in METRICS else split[0] if split is not None else ""
    if metric in ("equalized_odds", "average_odds"):
        return True
    entry = METRICS.get(metric)
    return entry is not None and entry.kind in COUNTED and entry.task == "binary" and metric != "scoring_rate"


def counted_groups(record: AuditRecord, columns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of these columns that the record has counts of."""
    found = _counts(record.tallies, Key.of("selection_rate", columns))
    return found.groups if found is not None else ()


def _value(name: str, key: Key, counts: GroupCounts, tally: Tally, level: float) -> Finding | None:
    from evenhand.metrics import measure
    from evenhand.metrics.answers.findings import value_finding

    labels = dict(key.group)
    wanted = tuple(labels.get(column, "") for column in counts.columns)
    if key.qualifiers or (counts.columns and wanted not in counts.groups):
        return None
    at = counts.groups.index(wanted) if counts.columns else 0
    return value_finding(key, "counts", measure(name, tally, level), at, level)


def _disparity(name: str, key: Key, counts: GroupCounts, tally: Tally, level: float) -> Finding | None:
    from evenhand.metrics import disparity, disparity_to
    from evenhand.metrics.answers.findings import disparity_finding

    if key.group or not counts.columns:
        return None
    against = dict(key.qualifiers)
    to = against.pop("vs", "")
    reference = _reference(counts, to)
    if against or reference is None:
        return None
    found: Disparity = disparity_to(name, tally, reference, level) if to else disparity(name, tally, level)  # type: ignore[arg-type]
    return disparity_finding(key, "counts", found, partial(_name, counts), level)


def _reference(counts: GroupCounts, to: str) -> str | int | None:
    """Return what groups are compared with: all rows, the rest, the position of a group; None when it is none."""
    if to in ("", "overall", "rest"):
        return to
    names = [_name(counts, group) for group in range(len(counts.groups))]
    return names.index(to) if to in names else None


def _name(counts: GroupCounts, group: int) -> str:
    return group_name(zip(counts.columns, counts.groups[group], strict=True))


def _counts(tallies: tuple[GroupCounts, ...], key: Key) -> GroupCounts | None:
    """Return the counts of truth and decision by the columns of a key."""
    for part in tallies:
        if part.model == "subject" and part.axes[1:] == ("true", "predicted") and part.columns == key.columns:
            return part if len(cast("list[list[Plain]]", part.counts)[0]) == 2 else None
    return None


def _tally(counts: GroupCounts, *, turned: bool) -> Tally:
    import numpy as np

    from evenhand.metrics import Tally

    weights, squared = (
        None if part is None else np.asarray(part, dtype=np.float64)
        for part in (counts.weights, counts.squared_weights)
    )
    tally = Tally(np.asarray(counts.counts, dtype=np.int64), weights, squared)
    return tally.turned() if turned else tally


def _has_clusters(record: AuditRecord) -> bool:
    """Whether rows belong together, so that counts alone do not say how sure they make us."""
    roles = _data(record).get("roles")
    return roles is not None and roles.get("cluster") is not None


def _favourable(record: AuditRecord) -> bool:
    return _data(record).get("favourable") is not None


def _other_is_favourable(record: AuditRecord) -> bool:
    return _data(record).get("favourable") != _data(record).get("positive")


def _data(record: AuditRecord) -> DataFacts:
    return record.provenance.get("data", {})
