"""Fail limits of one policy together: by Holm's step-down test some limit that is kept fails in at most 2.5 %.

Passing needs no correction, for all limits must pass. Failing does: of sixteen limits at their truth some one fails in
a fifth of audits. So a limit that is outside by itself fails only if it is outside at the level that Holm (1979,
Scandinavian Journal of Statistics 6) leaves for it, and its failing end is shown at that level.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenhand.findings import SAME_LEVEL
from evenhand.messages import joined, message
from evenhand.policy.deciding import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import Finding
    from evenhand.policy.limits import Policy
    from evenhand.policy.verdict import Judgement

    Again = Callable[[Judgement, float], Finding | None]


def fail_together(found: list[Judgement], policy: Policy, again: Again) -> list[Judgement]:
    """Return the judgements, of which those fail that Holm's test fails.

    Parameters
    ----------
    found : list of Judgement
        Of limits on findings, each judged by itself.
    policy : Policy
    again : callable
        From a judgement and a level to its finding at that level; None where counts cannot give it.
    """
    family = [at for at, judgement in enumerate(found) if _tested(judgement)]
    if policy.family != "holm" or len(family) < 2:
        return found
    open_ = [at for at in family if found[at].status == "failed"]
    judged, left, left_at = list(found), len(family), 0
    while open_ and left != left_at:
        left_at = left
        level = 1 - (1 - policy.confidence) / left
        strict = {at: again(found[at], level) for at in open_}
        fails = [at for at in open_ if _fails(strict[at], judged[at], policy, level)]
        for at in open_:
            judged[at] = _held(found[at], strict[at], level, at in fails, len(family))
        open_, left = [at for at in open_ if at not in fails], left - len(fails)
    return judged


def family_remark(found: list[Judgement], policy: Policy) -> tuple[str, ...]:
    """Return what the policy's family means for the blocking limits, where it is not each limit for itself."""
    if policy.family != "holm":
        return ()
    number = sum(map(_tested, found))
    told = message(
        "Failing holds for {n} blocking limits together (Holm): if all are kept, one fails in at most {error} of "
        "audits.",
        n=number,
        error=f"{(1 - policy.confidence) / 2:.1%}",
    )
    return (told,)


def _tested(judgement: Judgement) -> bool:
    """Whether a blocking limit was judged by an interval."""
    finding = judgement.finding
    return judgement.blocking and finding is not None and finding.interval is not None and not finding.uncovered


def _fails(finding: Finding | None, judgement: Judgement, policy: Policy, level: float) -> bool:
    if finding is None or finding.interval is None or abs(finding.interval.level - level) > SAME_LEVEL:
        return False
    return compare(finding, judgement.limit, policy) == "failed"


def _held(judgement: Judgement, strict: Finding | None, level: float, fails: bool, number: int) -> Judgement:
    """Return a judgement with its failing end at the level of the family."""
    own, limit = judgement.finding, judgement.limit
    assert own is not None and own.interval is not None  # it was tested
    why = message("outside by itself, not over {n} limits together (Holm)", n=number)
    if strict is None or strict.interval is None or abs(strict.interval.level - level) > SAME_LEVEL:
        finding = own
        why = message("outside by itself; no counts give its interval over {n} limits together (Holm)", n=number)
    else:
        end = "low" if limit.at_most is not None else "high"
        method = f"{own.interval.method}; holm over {number}"
        ends = {end: getattr(strict.interval, end), "method": method}
        finding = replace(own, interval=replace(own.interval, **ends))
        if own.unadjusted is not None and strict.unadjusted is not None:
            plain = {end: getattr(strict.unadjusted, end), "method": method}
            finding = replace(finding, unadjusted=replace(own.unadjusted, **plain))
    if fails:
        return replace(judgement, finding=finding)
    reason = joined("; ", (why, *([judgement.reason] if judgement.reason else [])))
    stops = limit.undecided == "stop" and judgement.blocking
    return replace(judgement, finding=finding, status="undecided", reason=reason, stops=stops)
