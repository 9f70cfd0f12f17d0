"""What a figure tells of people: how many it counts, and how exactly a copy for publication shows it.

A share of rows is a count, and is shown exactly or not at all. What is a mean, an area or a median can be the value of
one person, or be solved for one by who knows all others and their weights; it is shown to three digits, and not at all
where it is as small or as great as it can be, because everybody then has the same value.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.metrics import METRICS, parse_disparity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evenhand.findings import Finding, GroupValue, Interval
    from evenhand.keys import Key
    from evenhand.report.withholding import Cell, Counts

NEAR: Final = 1e-6
"""A share of rows that is this near a whole number of them counts people."""
DIGITS: Final = 3
"""Digits of what is no count."""
COUNTING: Final = frozenset({"k_anonymity", "stored_rows", "personal_values", "personal_data_in_files"})
"""Metrics that are numbers of rows, and no share of them; so may be those of another package."""
NESTED: Final = (("unique_share", "small_class_share"), ("repeated_members", "seen_share"))
"""Shares of the same rows of which the first counts some of those that the second counts."""
FROM_COUNTS: Final = frozenset({"label_noise_low", "label_noise_high", "label_noise_tolerance"})
"""Statements that follow from counts of truth and decision, and from what was declared."""
OF_TALLIES: Final = ("performance", "fairness")
"""Audits whose statements about several groups follow from counts of truth and decision where they have no component.
"""


def counted(metric: str) -> bool:
    """Return whether a metric follows from counts of truth and decision of the model that is audited."""
    return metric in METRICS and METRICS[metric].counted and not METRICS[metric].pairs


def counts_people(finding: Finding, weighted: bool) -> bool:
    """Return whether a finding is a share that counts some of its rows; it may, where another package states it."""
    if finding.unit != "share" or finding.estimate is None:
        return False
    entry = METRICS.get(finding.key.metric)
    count = abs(finding.estimate) * finding.support
    whole = abs(count - round(count)) <= NEAR
    return whole or entry is None or entry.kind == "statement" or (weighted and entry.range == (0.0, 1.0))


def people(finding: Finding, counts: bool) -> Counts:
    """Return the numbers of people that a finding tells: of a share those it counts and the others, else its rows."""
    if not counts:
        return (float(finding.support),)
    count = float(round(abs(finding.estimate or 0.0) * finding.support))
    return (count, finding.support - count)


def people_of_weights(metric: str, leaves: Counts) -> Counts:
    """Return the numbers of people behind a rate of weighted rows: those it counts, and the others."""
    entry = METRICS.get(metric)
    if entry is None or not entry.denominator or len(leaves) not in (4, 8):
        return ()
    inside, whole = (sum(leaves[2 * t + d] for t, d in cells) for cells in (entry.numerator, entry.denominator))
    return (inside, whole - inside)


def tells_of_few(finding: Finding, below: int) -> bool:
    """Return whether a finding is a number of few rows, or the one value that everybody has."""
    entry, value = METRICS.get(finding.key.metric), finding.estimate
    if value is None:
        return False
    if entry is not None and entry.kind == "score" and finding.unit != "share" and value in entry.range:
        return True
    if entry is not None and entry.name == "r2":
        return value in entry.range
    number = finding.unit == "number" and (entry is None or entry.name in COUNTING)
    return number and 0 < value < below and value == round(value)


def nearly_equal(
    families: Mapping[tuple[str, tuple[tuple[str, str], ...]], Mapping[Cell, Finding]], below: int
) -> Iterable[Key]:
    """Yield each share that counts nearly as many people as one that counts these and others."""
    for inner, outer in NESTED:
        for (metric, qualifiers), found in families.items():
            wider = families.get((outer, qualifiers), {}) if metric == inner else {}
            for cell, finding in found.items():
                other = wider.get(cell)
                if other is not None and abs(people(finding, True)[0] - people(other, True)[0]) < below:
                    yield finding.key
    tails = [item for (metric, _), found in families.items() if metric == "membership_tpr" for item in found.items()]
    for cell, finding in tails:
        at = float(finding.key.qualifier("at") or 1)
        wider_tails = [o for c, o in tails if c == cell and float(o.key.qualifier("at") or 1) > at]
        if any(abs(people(finding, True)[0] - people(other, True)[0]) < below for other in wider_tails):
            yield finding.key


def component_of(finding: Finding) -> str:
    """Return the metric that a finding compares between groups; empty where it compares none by name."""
    split = parse_disparity(finding.key.metric)
    return finding.component or (split[0] if split else "")


def named_component(finding: Finding) -> str:
    """Return the component that the key names; where it is the rate whose gap is widest, it tells of values."""
    split = parse_disparity(finding.key.metric)
    return finding.component if split is not None and split[0] == finding.component else ""


def to_digits(finding: Finding, exact: set[str], weighted: bool) -> Finding:
    """Return a finding as it is shown: a share, or a gap between shares, as it is, anything else to three digits.

    `exact` are the metrics whose values count people.
    """
    metric = component_of(finding)
    counts = (
        counted(metric) or metric in exact if metric else counted(finding.key.metric) or counts_people(finding, False)
    )
    if counts and not weighted:
        return finding
    decide = finding.deciding
    if decide is not None:
        decide = replace(decide, low=_values(decide.low), high=_values(decide.high))
    return replace(
        finding, estimate=_short(finding.estimate), interval=_ends(finding.interval),
        unadjusted=_ends(finding.unadjusted), critical=None, groups=_values(finding.groups), deciding=decide,
    )  # fmt: skip


def _values(groups: tuple[GroupValue, ...]) -> tuple[GroupValue, ...]:
    return tuple(replace(group, estimate=_short(group.estimate)) for group in groups)


def _ends(interval: Interval | None) -> Interval | None:
    return interval and replace(interval, low=_short(interval.low), high=_short(interval.high))


def _short(value: float | None) -> float | None:
    return value if value is None or value == round(value, 0) else float(f"{value:.{DIGITS}g}")
