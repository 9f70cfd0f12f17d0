"""Facts of a record as text, and its groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from evenhand.keys import Key, KeySyntaxError, group_name
from evenhand.messages import joined, message
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from evenhand.findings import AuditRecord, Finding, GroupCounts, Plain


def is_study(record: AuditRecord) -> bool:
    """Return whether a record is that of a study."""
    return "study" in record.provenance


def has_model(record: AuditRecord) -> bool:
    """Return whether a record is of a model, or of what one has predicted; False of rows alone."""
    return record.provenance.get("subject", {}).get("kind") != "table"


def graded_by(record: AuditRecord) -> str:
    """Return the metric that says all of rows whose truth is one for all, such as graded answers; else nothing."""
    found = record.provenance.get("data", {}).get("graded", "")
    return found if isinstance(found, str) else "accuracy" if found else ""


def text(value: object) -> str:
    """Return a fact as text."""
    if value is None:
        return message("not declared")
    return f"{value:.4g}" if isinstance(value, float) else cut(str(value), 300)


def listed(names: Collection[str]) -> str:
    """Return a list of names as text."""
    return joined(", ", (cut(name, 100) for name in names)) if names else message("none")


def groupings(record: AuditRecord) -> list[GroupCounts]:
    """Return the features and crossings, in the order in which the features were declared, crossings last."""
    order = {name: at for at, name in enumerate(record.provenance.get("data", {}).get("sensitive_features", []))}
    found = [counts for counts in record.tallies if counts.model == "subject" and counts.columns]
    return sorted(found, key=lambda c: (len(c.columns), sorted(order.get(column, len(order)) for column in c.columns)))


def whom(finding: Finding) -> str:
    """Return the group that a finding is about, each feature with its value."""
    return paired(finding.key.group) or message("all rows")


def paired(pairs: Iterable[tuple[str, str]]) -> str:
    """Return columns with their values; one of numbers below or above a bound as ``age <25``, as "=<" is misread.

    Examples
    --------
    >>> paired([("sex", "f"), ("age", "<25"), ("rate", "5 to <9")])
    'sex=f, age <25, rate=5 to <9'
    """
    return ", ".join(f"{column}{' ' if group.startswith(('<', '>')) else '='}{group}" for column, group in pairs)


def excludes_zero(finding: Finding) -> bool:
    """Return whether a finding has an interval, all above or all below 0."""
    if finding.interval is None:
        return False
    low, high = finding.interval.low, finding.interval.high
    return (low is not None and low > 0) or (high is not None and high < 0)


def group_of(named: str) -> tuple[str, str]:
    """Return the column and the group that a qualifier names, empty where it names none.

    Examples
    --------
    >>> group_of("race=Other"), group_of("")
    (('race', 'Other'), ('', ''))
    """
    try:
        return Key.parse(f"group[{named}]").group[0]
    except (KeySyntaxError, IndexError):
        return "", ""


def group_key(metric: str, counts: GroupCounts, group: int, **qualifiers: str) -> Key:
    """Return the key of a metric of a group."""
    return Key.of(metric, dict(zip(counts.columns, counts.groups[group], strict=True)), **qualifiers)


def group_label(counts: GroupCounts, group: int, most: int = 80) -> str:
    """Return a group in words, cut to a number of characters."""
    return cut(group_name(zip(counts.columns, counts.groups[group], strict=True)), most)


def group_rows(counts: GroupCounts, group: int) -> int:
    """Return the number of rows of a group."""

    def total(cells: Plain) -> int:
        return sum(total(cell) for cell in cells) if isinstance(cells, list) else int(cast("int", cells))

    return total(cast("list[Plain]", counts.counts)[group])
