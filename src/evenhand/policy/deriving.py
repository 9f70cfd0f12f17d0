"""The findings of a record, derived from the counts that it keeps.

A finding is a claim until it is derived. Whatever counts can say is computed from them again, by the function from key
to finding that the audits use; a record that states anything else is refused. What counts cannot say (explanations,
areas under curves, custom metrics) stays a claim.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from evenhand.documents import uncollected
from evenhand.errors import RecordError, shorten
from evenhand.findings import Absent, AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key, canonical_key
from evenhand.messages import messages
from evenhand.metrics.answers import NoAnswerError
from evenhand.metrics.answers.questions import question, takes_all_groups
from evenhand.policy.by_group import ByGroup
from evenhand.policy.claims import claim_problems
from evenhand.records import volatile_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.messages import Message


ROUNDING: Final = 1e-9
"""Estimates computed twice from the same counts differ by less."""
END_ROUNDING: Final = 1e-6
"""Ends of intervals do: quantiles differ between versions of scipy."""
DERIVED: Final = attrgetter(*(part.name for part in fields(Finding) if part.name not in ("key", "audit", "note")))
"""What counts give of a finding."""
ADVICE: Final = "Audit again, or restore the file."


@dataclass(frozen=True, slots=True)
class Derived:
    """A record whose findings are derived where counts can say them."""

    record: AuditRecord
    """The record with those findings."""
    claims: tuple[Key, ...] = ()
    """The findings that counts cannot say."""
    anew: int = 0
    """Intervals that an earlier method had made."""

    @property
    def remarks(self) -> tuple[Message, ...]:
        """What a verdict notes of it."""
        if not self.anew:
            return ()
        return (
            messages(
                "{n:,} interval was made by an earlier method; it was computed again from the counts.",
                "{n:,} intervals were made by an earlier method; they were computed again from the counts.",
                self.anew,
            ),
        )


def derived(record: AuditRecord) -> AuditRecord:
    """Return a record with every finding that counts can say computed from its counts.

    Raises
    ------
    RecordError
        When it states anything else than they give, or contradicts itself.
    """
    return derive(record).record


def derive(record: AuditRecord) -> Derived:
    """Return a record derived, with what stays a claim.

    Raises
    ------
    RecordError
        As `derived`; the sentence is about the first contradiction.
    """
    with uncollected():
        found, problems = examined(record)
    if problems:
        raise RecordError(f"The record contradicts itself: {problems[0]} {ADVICE}")
    return found


def examined(record: AuditRecord) -> tuple[Derived, list[str]]:
    """Return a record derived, and each contradiction in it as a sentence."""
    if "suppressed_below" in record.provenance:  # its counts are withheld; the gate refuses it
        return Derived(record, tuple(finding.key for finding in record.findings)), []
    problems = [*volatile_problems(record), *claim_problems(record)]
    if not record.tallies:
        return Derived(record, tuple(finding.key for finding in record.findings)), problems + _uncounted(record)
    from evenhand.policy.contradictions import contradictions

    problems += contradictions(record)
    if problems:
        return Derived(record), problems  # counts that contradict each other may have no shape to compute with
    from evenhand.metrics.answers.answering import Answers
    from evenhand.metrics.answers.counts import RecordCounts

    answer, findings, claims, anew = ByGroup(Answers(RecordCounts(record), record.level)), [], [], 0
    for finding in record.findings:
        again = Absent(finding.key, finding.absence) if finding.volatile else answer(canonical_key(finding.key))  # type: ignore[arg-type]
        if isinstance(again, Absent):
            claims.append(finding.key)
            findings.append(finding)
            problems += _without_counts(finding, again, record)
            continue
        if _equal(finding, again):
            findings.append(finding)
            continue
        made_anew = _made_anew(finding, again, record)
        problems += _differing(finding, again, made_anew)
        anew += made_anew
        findings.append(replace(again, key=finding.key, audit=finding.audit, note=again.note or finding.note))
    whole = (*findings, *answer.left_out())
    return Derived(replace(record, findings=whole), tuple(claims), anew), problems


def _uncounted(record: AuditRecord) -> list[str]:
    """Return the problem of a record of an audit that keeps no counts at all."""
    if "data" not in record.provenance:
        return []  # made by hand in Python
    first = next((finding for finding in record.findings if _countable(finding.key)), None)
    return [] if first is None else [f"it states {_name(first)} and keeps no counts to compute it from."]


def _countable(key: Key) -> bool:
    try:
        return takes_all_groups(key) or question(canonical_key(key)) is not None
    except NoAnswerError:
        return False


def _without_counts(finding: Finding, again: Absent, record: AuditRecord) -> Iterator[str]:
    """Yield the problem of a finding that counts could say, had the record not left them out."""
    if not again.uncounted or finding.volatile or _too_many(finding.key, record):
        return
    if "data" in record.provenance and not unobserved(record) & set(finding.key.columns):
        yield f"it states {_name(finding)} and keeps no counts to compute it from: {again.reason}"


def unobserved(record: AuditRecord) -> set[str]:
    """Return the features of which a record says that nobody recorded the groups: they have rates and no counts."""
    roles, options = record.provenance.get("data", {}).get("roles", {}), record.provenance.get("options", {})
    given = (roles.get("proxies"), options.get("group_shares"))
    return {str(name) for held in given if isinstance(held, Mapping) for name in held}


def _too_many(key: Key, record: AuditRecord) -> bool:
    """Whether the record has counts over the columns, and left out their sums over clusters as too many."""
    from evenhand.policy.contradictions import left_out

    control = key.qualifier("given")
    columns = (key.columns, *(((*key.columns, Key.parse(f"value[{control}]").columns[0]),) if control else ()))
    return any(left_out(part) for part in record.tallies if part.columns in columns)


def _equal(finding: Finding, again: Finding) -> bool:
    """Whether a finding is to the last digit what its counts give; sentences are always those of the counts."""
    return not (finding.undefined or finding.uncovered) and DERIVED(finding) == DERIVED(again)


def _made_anew(finding: Finding, again: Finding, record: AuditRecord) -> bool:
    """Whether the interval is one of an earlier method: of another name, or of another version of evenhand."""
    from importlib.metadata import version

    old, new = finding.interval, again.interval
    if old is None or new is None or not _intervals_differ(finding, again):
        return False
    now = version("evenhand")
    return old.method != new.method or record.provenance.get("versions", {}).get("evenhand", now) != now


def _differing(finding: Finding, again: Finding, made_anew: bool) -> Iterator[str]:
    """Yield how a finding differs from what the counts give."""
    if not _near(finding.estimate, again.estimate, ROUNDING):
        yield f"{_name(finding)} is {_said(finding.estimate)}, and its counts give {_said(again.estimate)}."
    elif finding.support != again.support:
        yield f"{_name(finding)} rests on {finding.support:,} rows, and by its counts on {again.support:,}."
    elif part := _part_that_differs(finding, again):
        yield f"the {part} of {_name(finding)} {'are' if part.endswith('s') else 'is'} not what its counts give."
    elif not made_anew and _intervals_differ(finding, again):
        yield f"{_name(finding)} has an interval {_ends(finding.interval)}; its counts give {_ends(again.interval)}."


def _part_that_differs(finding: Finding, again: Finding) -> str:
    for part in ("direction", "unit", "component"):
        if getattr(finding, part) != getattr(again, part):
            return part
    if finding.undefined_groups != again.undefined_groups:
        return "undefined groups"
    if bool(finding.uncovered) != bool(again.uncovered):
        return "coverage"
    return "" if _same_groups(finding.groups, again.groups) and not finding.withheld else "groups"


def _same_groups(these: Sequence[GroupValue], those: Sequence[GroupValue]) -> bool:
    return len(these) == len(those) and all(
        (one.group, one.support, one.rows) == (other.group, other.support, other.rows)
        and _near(one.estimate, other.estimate, ROUNDING)
        for one, other in zip(these, those, strict=True)
    )


def _intervals_differ(finding: Finding, again: Finding) -> bool:
    pairs = ((finding.interval, again.interval), (finding.unadjusted, again.unadjusted))
    if any(not _same(one, other) for one, other in pairs):
        return True
    one, other = finding.critical, again.critical
    if one is None or other is None:
        return one is not other
    return not all(_near(a, b, END_ROUNDING) for a, b in zip(one, other, strict=True))


def _same(one: Interval | None, other: Interval | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        one.method == other.method
        and _near(one.level, other.level, ROUNDING)
        and _near(one.low, other.low, END_ROUNDING)
        and _near(one.high, other.high, END_ROUNDING)
    )


def _near(one: float | None, other: float | None, rounding: float) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=rounding, abs_tol=rounding)


def _name(finding: Finding) -> str:
    return shorten(finding.name)


def _said(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6g}"


def _ends(interval: Interval | None) -> str:
    if interval is None:
        return "none"
    ends = ("open" if end is None else f"{end:.6g}" for end in (interval.low, interval.high))
    return f"[{', '.join(ends)}] at {interval.level:g} ({shorten(interval.method)})"
