"""What was tried, as the provenance of a record keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.messages import message_to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Finding
    from evenhand.mitigation.alike import Alike
    from evenhand.mitigation.trying import Tried
    from evenhand.policy import Judgement
    from evenhand.provenance import AlikeFacts, MitigatedGroup, MitigatedLimit, MitigationCandidate


def candidates(
    tried: Sequence[Tried], chosen: Tried, rows: EvaluationSet, same: Alike | None
) -> list[MitigationCandidate]:
    """Return all candidates with what they came to on the rows that they were chosen on, the unchanged model first.

    Parameters
    ----------
    tried : sequence of Tried
        All of them, the unchanged model first.
    chosen : Tried
        The one that is judged.
    rows : EvaluationSet
        The rows.
    same : Alike, optional
        The decision for everybody that they are compared with.
    """
    before = tried[0].decided
    assert before is not None  # the unchanged model was asked
    found = [_candidate(each, each is chosen, before, rows) for each in tried]
    for each, told in zip(tried[1:], found[1:], strict=True):  # the unchanged model is always a choice
        told["idle"] = same is not None and same.leaves_out(each)
    return found


def decided_alike(same: Alike) -> AlikeFacts:
    """Return what one decision for everybody comes to, and what candidates had to reach.

    Parameters
    ----------
    same : Alike
        The decision.
    """
    return {"positive": same.positive, "performance": measured(same.performance), "least": same.least}


def _candidate(tried: Tried, chosen: bool, before: NDArray[np.generic], rows: EvaluationSet) -> MitigationCandidate:
    own = tried.candidate
    told: MitigationCandidate = {
        "name": own.name,
        "method": own.method,
        "settings": dict(own.settings),
        "needs_sensitive": own.needs_sensitive,
        "randomized": own.randomized,
        "failure": str(tried.failure),
        "performance": None if tried.performance is None else measured(tried.performance),
        "limits": [] if tried.verdict is None else [_limit(each) for each in tried.verdict.blocking],
        "groups": [] if tried.decided is None else [*groups(before, tried.decided, rows)],
        "chosen": chosen,
    }
    if own.library:
        told["library"] = own.library
    if tried.failure:
        told["told"] = message_to_plain(tried.failure)
    return told


def groups(before: NDArray[np.generic], after: NDArray[np.generic], rows: EvaluationSet) -> Iterator[MitigatedGroup]:
    """Yield for each group of each sensitive feature how many gain and lose a favourable decision.

    Where no outcome is declared favourable, the positive one is counted as such.

    Parameters
    ----------
    before, after : NDArray
        (n,) decisions of the deployed model and of the candidate, 1 = positive.
    rows : EvaluationSet
        The rows.
    """
    good = rows.roles.favourable_is_positive is not False
    was, now = (np.asarray(part) == (1 if good else 0) for part in (before, after))
    counted = np.ones(len(rows), dtype=np.int64) if rows.frequency is None else rows.frequency
    for column in rows.roles.sensitive_features:
        grouping = rows.grouping(column)
        for at, labels in enumerate(grouping.labels):
            here = grouping.codes == at
            yield {
                "feature": column,
                "group": labels[0],
                "rows": int(counted[here].sum()),
                "gained": int(counted[here & now & ~was].sum()),
                "lost": int(counted[here & was & ~now].sum()),
            }


def measured(finding: Finding) -> MitigatedLimit:
    """Return a value with its interval.

    Parameters
    ----------
    finding : Finding
        The value.
    """
    interval = finding.interval
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {"key": str(finding.key), "estimate": finding.estimate, "low": low, "high": high}


def _limit(judgement: Judgement) -> MitigatedLimit:
    finding = judgement.finding
    found: MitigatedLimit = {"key": str(judgement.key), "estimate": None, "low": None, "high": None}
    if finding is not None:
        found = cast("MitigatedLimit", {**measured(finding), "key": str(judgement.key)})
    found["status"] = judgement.status
    return found
