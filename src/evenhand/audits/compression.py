"""What compression did, and to whom: the compressed model beside its original on the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from evenhand.audits.statement import Statement, disparity_finding, not_applicable, number, value_finding
from evenhand.evidence.predictions import inputs
from evenhand.findings import Finding, GroupValue, Interval, Unit
from evenhand.keys import Key
from evenhand.metrics import Tally, describe, disparity, measure
from evenhand.metrics.paired import PairedChange, paired_change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.compression import Footprint
    from evenhand.data import Grouping
    from evenhand.evidence import Evidence

NAME = "compression"

Joint = NDArray[np.int64]
"""(G, 2, 2, 2) counts of [group, truth, original's decision, subject's decision]."""

CHANGES: Final[Mapping[str, tuple[slice, int | None]]] = {
    "accuracy_change": (slice(0, 2), None),
    "recall_change": (slice(1, 2), 1),
    "false_positive_rate_change": (slice(0, 1), 1),
    "selection_rate_change": (slice(0, 2), 1),
}
"""Each change: the truths in its denominator, and the decision that counts (None: the one equal to the truth)."""


def compression(evidence: Evidence) -> Statement:
    """State who changed, in which direction, with paired intervals, and what the compression gained."""
    if evidence.original is None:
        return not_applicable("No original model was given to compare with.")
    findings = list(_of_everyone(evidence))
    for grouping in evidence.groupings:
        findings += _of_groups(evidence, grouping)
    findings += _sizes(evidence)
    return Statement(tuple(findings))


def _of_everyone(evidence: Evidence) -> Iterator[Finding]:
    joint, level = evidence.joint_counts(), evidence.options.level
    yield value_finding(
        Key.of("flip_rate", of="original"), NAME, measure("selection_rate", _flips(joint), level), 0, level
    )
    for name in CHANGES:
        yield _change(Key.of(name, of="original"), _paired(name, joint, level), 0, level)


def _of_groups(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    joint, level = evidence.joint_counts(grouping), evidence.options.level
    flips = _flips(joint)
    flipped = measure("selection_rate", flips, level)
    groups = range(len(grouping.labels))
    for group in groups:
        yield value_finding(_key("flip_rate", grouping, group), NAME, flipped, group, level)
    for name in CHANGES:
        changes = _paired(name, joint, level)
        for group in groups:
            yield _change(_key(name, grouping, group), changes, group, level)
    key = Key.of("flip_rate_difference", grouping.columns, of="original")
    found = disparity("selection_rate_difference", flips, level)
    yield replace(disparity_finding(key, NAME, found, grouping, level), component="flip_rate")


def _key(metric: str, grouping: Grouping, group: int) -> Key:
    return Key.of(metric, dict(zip(grouping.columns, grouping.labels[group], strict=True)), of="original")


def _flips(joint: Joint) -> Tally:
    """Return a tally in which a flipped decision stands where a positive prediction would."""
    counts = np.zeros((len(joint), 2, 2), dtype=np.int64)
    counts[:, :, 1] = joint[:, :, 0, 1] + joint[:, :, 1, 0]
    counts[:, :, 0] = joint[:, :, 0, 0] + joint[:, :, 1, 1]
    return Tally(counts, None, None)


def _paired(name: str, joint: Joint, level: float) -> PairedChange:
    truths, decision = CHANGES[name]
    both = gained = lost = neither = np.zeros(len(joint), dtype=np.int64)
    for truth in range(*truths.indices(2)):
        hit = truth if decision is None else decision
        miss = 1 - hit
        both = both + joint[:, truth, hit, hit]
        gained = gained + joint[:, truth, miss, hit]
        lost = lost + joint[:, truth, hit, miss]
        neither = neither + joint[:, truth, miss, miss]
    return paired_change(both, gained, lost, neither, level)


def _change(key: Key, change: PairedChange, group: int, level: float) -> Finding:
    support = int(change.support[group])
    estimate = number(change.estimate[group])
    if estimate is None:
        reason = "No row of this group is in the denominator."
        return Finding(key, NAME, None, direction=describe(key.metric).direction, undefined=reason)
    gained, lost = int(change.gained[group]), int(change.lost[group])
    return Finding(
        key,
        NAME,
        estimate,
        Interval(number(change.low[group]), number(change.high[group]), level, change.method),
        support=support,
        direction=describe(key.metric).direction,
        groups=(GroupValue("", estimate, support, support),),
        component=key.metric,
        note=f"{gained:,} rows count only with the compressed model, {lost:,} only with the original.",
    )


def _sizes(evidence: Evidence) -> Iterator[Finding]:
    """State size and speed of both deployable artefacts, measured in one run."""
    if not evidence.options.footprint or evidence.original is None:
        return
    from evenhand.compression import gain_sentence, measure_footprint

    models = {"original": evidence.original, "subject": evidence.subject}
    measured = measure_footprint(models, inputs(evidence.subject, evidence.data))
    old, new = measured["original"], measured["subject"]
    yield from _facts(old, new)
    if old.file_bytes and new.file_bytes:
        ratio, note = old.file_bytes / new.file_bytes, gain_sentence(old, new)
        yield Finding(_of("size_ratio"), NAME, ratio, direction="higher_is_better", unit="ratio", note=note)
    for batch in sorted(set(old.latency) & set(new.latency)):
        yield from _times(batch, old, new)


def _facts(old: Footprint, new: Footprint) -> Iterator[Finding]:
    sizes: dict[str, tuple[int | None, int | None]] = {
        "file_bytes": (old.file_bytes, new.file_bytes),
        "parameters": (old.parameters, new.parameters),
        "nonzero_parameters": (old.nonzero_parameters, new.nonzero_parameters),
        "macs": (old.macs, new.macs),
    }
    for fact, (before, after) in sizes.items():
        unit: Unit = "bytes" if fact == "file_bytes" else "number"
        for key, value in ((Key.of(fact), after), (_of(fact), before)):
            if value is not None:
                yield Finding(key, NAME, float(value), direction="lower_is_better", unit=unit)


def _times(batch: int, old: Footprint, new: Footprint) -> Iterator[Finding]:
    """State the time of one call; the ratio is of the minima, which a busy neighbour disturbs least."""
    before, after, name = old.latency[batch], new.latency[batch], str(batch)
    for key, seconds in ((Key.of("latency", batch=name), after), (_of("latency", batch=name), before)):
        yield Finding(key, NAME, seconds.median, direction="lower_is_better", unit="seconds", volatile=True)
    ratio, key = before.minimum / after.minimum, _of("latency_ratio", batch=name)
    yield Finding(key, NAME, ratio, direction="higher_is_better", unit="ratio", volatile=True)


def _of(metric: str, **qualifiers: str) -> Key:
    return Key.of(metric, of="original", **qualifiers)
