"""The burden of a disparity: how many more people of each group are harmed than at the rate it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.policy.grounds import Burden
from evenhand.policy.harm import harm_of
from evenhand.policy.telling import labelled

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.metrics.answers.compared import Behind
    from evenhand.metrics.comparisons.excess import Excess
    from evenhand.policy.grounds import Evidence
    from evenhand.policy.limits import Limit


def burden_of(
    evidence: Evidence | None, limit: Limit, record: AuditRecord, behind: Behind | None, level: float
) -> tuple[Burden, ...]:
    """Return the burden of each group that is treated worse than the reference, most people shown to be harmed first.

    A gap between groups is measured from the group that is shown to be treated best, one against the rest, all rows or
    a group from that; a limit on the value of groups from the limit. It is empty where neither the favourable outcome
    nor the metric says who is harmed, for what is no rate, and where there are no counts.
    """
    if evidence is None or behind is None or limit.against or not evidence.key.columns:
        return ()
    compared, entry = behind.compared(evidence.key), describe(evidence.metric)
    harm = harm_of(evidence.key, evidence.metric, record)
    if compared is None or not harm or entry.kind not in ("rate", "change"):
        return ()
    from evenhand.metrics.comparisons.excess import excess_beyond, excess_over, excess_over_best

    values, columns = compared.values, evidence.key.columns
    found: Excess | None
    if compared.other is not None and compared.weight is not None:
        found = excess_over(values, compared.other, compared.weight, harm, level)
        to = message("the other groups") if compared.to == "rest" else message("all rows")
        reference = to if compared.to in ("rest", "overall") else labelled(columns, compared.to)
    elif compared.how in ("difference", "ratio"):
        found = excess_over_best(values, harm, level)
        best = None if found is None else found.reference
        reference = "" if best is None else labelled(columns, compared.names[best])
    else:
        by_limit = 1 if limit.at_most is not None else -1
        found, reference = excess_beyond(values, limit.bound, harm, level) if by_limit == harm else None, ""
    if found is None:
        return ()
    roles = record.provenance.get("data", {}).get("roles", {})
    clustered = roles.get("cluster") is not None and roles.get("frequency") is None
    places = zip(found.groups.tolist(), found.estimate, found.low, found.high, strict=True)
    kept = [
        Burden(
            labelled(columns, compared.names[at]), float(value), float(low), float(high), int(values.support[at]),
            reference, clustered,
        )
        for at, value, low, high in places
        if value > 0
    ]  # fmt: skip
    return tuple(sorted(kept, key=lambda part: (-part.low, -part.excess, part.group)))
