"""What every finding of a record must keep to, whether or not counts can say it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from evenhand.errors import shorten
from evenhand.findings import SAME_LEVEL
from evenhand.keys import canonical_key
from evenhand.metrics.catalogue.names import describe, parse_disparity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord, Finding, Interval
    from evenhand.keys import Key

SLACK: Final = 1e-6
"""Rounding that is allowed for: relative to the value where that is above 1."""


def claim_problems(record: AuditRecord) -> Iterator[str]:
    """Yield the contradictions of findings: in themselves, with each other, and with what the record says of all."""
    stated = {canonical_key(finding.key): finding for finding in record.findings}
    if len(stated) < len(record.findings):
        yield from _repeated(record)
    yield from _of_sections(record)
    level = record.level
    for finding in record.findings:
        if finding.interval is not None or finding.unadjusted is not None:
            yield from _of_interval(finding, level)
        if finding.estimate is not None:
            yield from _of_range(finding)
            yield from _of_groups(finding, stated)


def _repeated(record: AuditRecord) -> Iterator[str]:
    steady = Counter(canonical_key(finding.key) for finding in record.findings if not finding.volatile)
    yield from (f"it states {shorten(str(key))} {number} times." for key, number in steady.items() if number > 1)


def _of_sections(record: AuditRecord) -> Iterator[str]:
    ran = {section.audit: section.ran for section in record.sections}
    audits = dict.fromkeys(finding.audit for finding in record.findings) if ran else {}
    for audit in audits:
        if not ran.get(audit, False):
            yield f"it has findings of the audit '{shorten(audit)}', which did not run."


def _of_interval(finding: Finding, level: float) -> Iterator[str]:
    """Yield what is wrong with the order and the level of intervals."""
    if finding.estimate is None and finding.interval is not None:
        yield f"{_name(finding)} has an interval and no estimate."
    for interval in (finding.interval, finding.unadjusted):
        if interval is None:
            continue
        if abs(interval.level - level) > SAME_LEVEL:
            yield f"{_name(finding)} has an interval of {interval.level:g}, and the record is of {level:g}."
        elif not _ordered(interval, finding.estimate):
            yield f"the interval of {_name(finding)} is out of order: its ends do not hold its estimate between them."


def _ordered(interval: Interval, estimate: float | None) -> bool:
    low, high = interval.low, interval.high
    if low is not None and estimate is not None and high is not None and low <= estimate <= high:
        return True
    known = [end for end in (low, estimate, high) if end is not None]
    return all(one <= other + SLACK * max(1.0, abs(other)) for one, other in pairwise(known))


def _of_range(finding: Finding) -> Iterator[str]:
    estimate, (least, most) = finding.estimate, _range(finding.key.metric)
    if estimate is not None and not least - SLACK <= estimate <= most + SLACK:
        yield f"{_name(finding)} is {estimate:g}; it can only be between {least:g} and {most:g}."


@lru_cache(4096)
def _range(metric: str) -> tuple[float, float]:
    """Return the least and the greatest value of a metric."""
    return describe(metric).range


def _of_groups(finding: Finding, stated: dict[Key, Finding]) -> Iterator[str]:
    """Yield what contradicts the finding itself, or those of the groups, in the values of groups."""
    if finding.estimate is None or not finding.groups:
        return
    values = [part.estimate for part in finding.groups]
    if len(values) == 1 and not finding.groups[0].group and not _near(values[0], finding.estimate):
        yield f"{_name(finding)} is {finding.estimate:g}, and of its group {values[0]}."
    key = finding.key
    if key.qualifiers or len(key.features) != 1 or key.features[0].group is not None:
        return
    split = parse_disparity(canonical_key(key).metric)
    if split is None or split[0] != finding.component:
        return
    (column,) = key.columns
    for part in finding.all_groups:
        single = stated.get(type(key).of(finding.component, {column: part.group}))
        if single is not None and not single.volatile and not _near(single.estimate, part.estimate):
            told = f"{_name(finding)} has {part.estimate} for {shorten(part.group)}"
            yield f"{told}, which is stated as {single.estimate}."


def _name(finding: Finding) -> str:
    return shorten(finding.name)


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SLACK * max(1.0, abs(other))
