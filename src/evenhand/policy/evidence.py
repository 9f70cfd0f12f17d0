"""The evidence of a judgement: the groups whose bounds decided it, or keep it open, and what counts say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.findings import Absent, Finding
from evenhand.policy.grounds import CountedGroup, Evidence
from evenhand.policy.harm import harm_of
from evenhand.policy.telling import evidence_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.findings import AuditRecord
    from evenhand.keys import Key
    from evenhand.metrics.answers.compared import Behind, Compared
    from evenhand.policy.grounds import End
    from evenhand.policy.limits import Limit, Status

    Crossing: TypeAlias = tuple[float, Key, tuple[str, ...]]

MOST_OPEN: Final = 20
"""Groups, or pairs, that keep a limit open and are named; the others are counted."""
MOST_PARTS: Final = 200
"""Rates, classes and strata of a disparity that are looked through for those."""


def decided_end(limit: Limit, status: Status) -> End:
    """Return the end that is outside where a limit failed, else the one that must be inside for it to pass."""
    return "low" if (status == "failed") == (limit.at_most is not None) else "high"


def evidence_of(
    finding: Finding, limit: Limit, status: Status, record: AuditRecord, behind: Behind | None
) -> Evidence | None:
    """Return the evidence of a judgement on a finding that has a value; None where the finding names no rows.

    Parameters
    ----------
    finding : Finding
        The finding that was judged.
    limit : Limit
    status : Status
        What the limit came to.
    record : AuditRecord
    behind : Behind, optional
        What the record's counts say; without it the finding alone is told of.
    """
    end, counts = decided_end(limit, status), None if limit.against else behind
    crossing = _crossing(finding.key, limit, counts) if status == "undecided" else []
    found = finding
    if crossing:
        part = record.find(crossing[0][1], always_valid=limit.always_valid)
        found = finding if isinstance(part, Absent) else part
    elif counts is not None:
        found = _part_that_decides(finding, limit, end, record, counts)
    if found.key.metric.startswith("average_odds"):  # a mean: the wider of its two rates is told of
        found = replace(found, key=found.key.renamed(f"{found.component}_difference"))
    compared = None if counts is None else counts.compared(found.key)
    groups = _counted(found, crossing[0][2] if crossing else _names(found, end), compared)
    metric = found.component or found.key.metric
    if harm_of(found.key, metric, record) > 0:
        groups = groups[::-1]
    others = tuple(names for _, _, names in crossing)
    made = Evidence(
        found.key, metric, end, groups, _reference(groups, compared), others[:MOST_OPEN], len(others[MOST_OPEN:])
    )
    return replace(made, sentence=evidence_sentence(made, limit, status, record)) if groups else None


def _crossing(key: Key, limit: Limit, behind: Behind | None) -> list[Crossing]:
    """Return what keeps a limit open, the furthest first; empty where counts do not say it."""
    if behind is None:
        return []
    parts = list(_leaves(key, behind))[:MOST_PARTS]
    found = [crossing for part in parts for crossing in _of_part(part, limit, behind)]
    return sorted(found, key=lambda crossing: -crossing[0])


def _leaves(key: Key, behind: Behind) -> Iterator[Key]:
    parts = behind.parts(key)
    if not parts:
        yield key
    for part in parts:
        yield from _leaves(part, behind)


def _of_part(key: Key, limit: Limit, behind: Behind) -> Iterator[Crossing]:
    from evenhand.metrics.comparisons.crossing import crossing_groups, crossing_pairs

    compared = behind.compared(key)
    if compared is None or compared.how is None or compared.other is not None:
        return
    if compared.how in ("difference", "ratio"):
        crossing = crossing_pairs(compared.values, compared.how, limit.bound, behind.level)
    else:
        crossing = crossing_groups(compared.values, compared.how, limit.bound)  # type: ignore[assignment]
    for beyond, groups in crossing:
        yield beyond, key, tuple(compared.names[at] for at in groups)


def _part_that_decides(finding: Finding, limit: Limit, end: End, record: AuditRecord, behind: Behind) -> Finding:
    """Return the finding of the rate, class or stratum whose bound is the end of a disparity.

    The end that fails a limit is shared between the parts of which a disparity is the worst, so theirs are of a higher
    level; that of the end that passes it is the same.
    """
    fails = (end == "low") == (limit.at_most is not None)
    level, at_all_times = 0.95 if finding.interval is None else finding.interval.level, behind.always_valid
    parts: Sequence[Key] = behind.parts(finding.key)
    while parts:
        level = 1 - (1 - level) / len(parts) if fails else level
        known = [
            found
            for key in parts
            if isinstance(found := record.find(key, level, always_valid=at_all_times), Finding) and found.interval
        ]
        ends = [(bound, at) for at, found in enumerate(known) if (bound := getattr(found.interval, end)) is not None]
        if not ends:
            break
        worst = max(ends) if limit.at_most is not None else min(ends)
        finding = known[worst[1]]
        parts = behind.parts(finding.key)
    return finding


def _names(finding: Finding, end: End) -> tuple[str, ...]:
    """Return the groups behind an end of a finding; those with the extreme estimates where it does not name them."""
    decide = () if finding.deciding is None else getattr(finding.deciding, end)
    return tuple(part.group for part in decide or finding.groups)


def _counted(finding: Finding, names: Sequence[str], compared: Compared | None) -> tuple[CountedGroup, ...]:
    """Return groups by name, the least value first, with their counts where they are known."""
    stated = {part.group: part for part in finding.all_groups}
    single = "" if compared is None or compared.how is not None else compared.names[0]
    places = {} if compared is None else {name: at for at, name in enumerate(compared.names)}
    found = []
    for name in names:
        at = places.get(name or single)
        if at is not None and compared is not None and compared.values.defined[at]:
            values = compared.values
            counted = None if compared.counted is None else int(compared.counted[at])
            sizes = int(values.support[at]), int(values.rows[at])
            found.append(CountedGroup(name or single, float(values.estimate[at]), *sizes, counted))
        elif name in stated:
            part = stated[name]
            found.append(CountedGroup(part.group, part.estimate, part.support, part.rows))
    return tuple(sorted(found, key=lambda part: part.estimate or 0.0))


def _reference(groups: Sequence[CountedGroup], compared: Compared | None) -> CountedGroup | None:
    """Return what the group is compared with where the key names it."""
    if compared is None or compared.other is None or len(groups) != 1:
        return None
    at, to = compared.names.index(groups[0].group), compared.to
    mine, other = compared.values, compared.other
    if not other.defined[at]:
        return None
    share = 0.0 if compared.weight is None else float(compared.weight[at])
    value = share * float(mine.estimate[at]) + (1 - share) * float(other.estimate[at])
    whole = to == "overall"
    sizes = [int(part.support[at]) * (whole or part is other) for part in (mine, other)]
    return CountedGroup(
        to, value, sum(sizes), sum(sizes), None if compared.counted is None else round(value * sum(sizes))
    )
