"""Decide a limit by the ends of an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from evenhand.findings import Finding
    from evenhand.policy.limits import Limit, Policy, Status

Ends: TypeAlias = "tuple[float | None, float | None]"
FailingBound: TypeAlias = Literal["simultaneous", "unadjusted"]


def compare(finding: Finding, limit: Limit, policy: Policy) -> Status:
    """Return passed inside, failed outside, undecided between; a value without interval is exact."""
    return status(ends_of(finding, limit, policy), limit)


def status(ends: Ends, limit: Limit) -> Status:
    """Return the status of a limit by the low and the high end that it may use; None is open."""
    low, high = ends
    if limit.at_most is not None:
        if high is not None and high <= limit.at_most:
            return "passed"
        return "failed" if low is not None and low > limit.at_most else "undecided"
    if low is not None and low >= limit.bound:
        return "passed"
    return "failed" if high is not None and high < limit.bound else "undecided"


def ends_of(finding: Finding, limit: Limit, policy: Policy) -> Ends:
    """Return the low and the high end that a limit may use; None is open."""
    interval, plain = finding.interval, finding.unadjusted
    if interval is None:
        return finding.estimate, finding.estimate
    own = interval.low, interval.high
    unadjusted = own if plain is None else (plain.low, plain.high)
    return usable(own, unadjusted, limit, policy.failing_bound, incomplete=bool(finding.undefined_groups))


def usable(own: Ends, unadjusted: Ends, limit: Limit, failing_bound: FailingBound, *, incomplete: bool) -> Ends:
    """Return the ends that a limit may use.

    Parameters
    ----------
    own, unadjusted : (low, high)
        The ends of an interval, and those without a correction for the number of groups.
    limit : Limit
    failing_bound : {"simultaneous", "unadjusted"}
        Which end fails a limit.
    incomplete : bool
        Whether a group has no value. It may be worse than any other: nothing may pass because of it.
    """
    low, high = own
    if failing_bound == "unadjusted":
        low, high = (unadjusted[0], high) if limit.at_most is not None else (low, unadjusted[1])
    if incomplete:
        return (low, None) if limit.at_most is not None else (None, high)
    return low, high
