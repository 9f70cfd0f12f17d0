"""What every finding of a record must keep to, whether or not counts can say it."""

from __future__ import annotations

from collections import Counter
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
    yield from _repeated(record)
    yield from _of_sections(record)
    stated = {canonical_key(finding.key): finding for finding in record.findings}
    level = record.level
    for finding in record.findings:
        yield from _of_interval(finding, level)
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
    name = shorten(finding.name)
    if finding.estimate is None and finding.interval is not None:
        yield f"{name} has an interval and no estimate."
    for interval in (finding.interval, finding.unadjusted):
        if interval is None:
            continue
        if abs(interval.level - level) > SAME_LEVEL:
            yield f"{name} has an interval of {interval.level:g}, and the record is of {level:g}."
        elif not _ordered(interval, finding.estimate):
            yield f"the interval of {name} is out of order: its ends do not hold its estimate between them."


def _ordered(interval: Interval, estimate: float | None) -> bool:
    known = [end for end in (interval.low, estimate, interval.high) if end is not None]
    return all(one <= other + SLACK * max(1.0, abs(other)) for one, other in pairwise(known))


def _of_range(finding: Finding) -> Iterator[str]:
    if finding.estimate is None:
        return
    least, most = describe(finding.key.metric).range
    if not least - SLACK <= finding.estimate <= most + SLACK:
        yield f"{shorten(finding.name)} is {finding.estimate:g}; it can only be between {least:g} and {most:g}."


def _of_groups(finding: Finding, stated: dict[Key, Finding]) -> Iterator[str]:
    """Yield what contradicts the finding itself, or those of the groups, in the values of groups."""
    if finding.estimate is None or not finding.groups:
        return
    name, values = shorten(finding.name), [part.estimate for part in finding.groups]
    if len(values) == 1 and not finding.groups[0].group and not _near(values[0], finding.estimate):
        yield f"{name} is {finding.estimate:g}, and of its group {values[0]}."
    split = parse_disparity(canonical_key(finding.key).metric)
    alone = not finding.key.qualifiers and not finding.key.group and len(finding.key.columns) == 1
    if split is None or split[0] != finding.component or not alone:
        return
    (column,) = finding.key.columns
    for part in finding.all_groups:
        single = stated.get(type(finding.key).of(finding.component, {column: part.group}))
        if single is not None and not single.volatile and not _near(single.estimate, part.estimate):
            yield f"{name} has {part.estimate} for {shorten(part.group)}, which is stated as {single.estimate}."


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SLACK * max(1.0, abs(other))
