"""The burden of a disparity: how many more people of each group are harmed than at the rate it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.policy.harm import harm_of
from evenhand.policy.telling import labelled

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.metrics.answers.compared import Behind
    from evenhand.metrics.comparisons.excess import Excess
    from evenhand.policy.evidence import Evidence
    from evenhand.policy.limits import Limit


@dataclass(frozen=True, slots=True)
class Burden:
    """The excess of people of one group who are harmed: (rate - reference rate) x n."""

    group: str
    """The group, with its column."""
    excess: float
    """How many more than at the reference rate."""
    low: float
    """The low end; both ends hold for all groups at once, at the policy's confidence."""
    high: float
    """The high end."""
    rows: int
    """n: the rows that the rate is of."""
    reference: str
    """Whose rate it is compared with; empty for the limit itself."""

    @property
    def shown(self) -> bool:
        """Whether the data show that anybody is harmed."""
        return self.low > 0


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
    return () if found is None else _ordered(found, compared.names, columns, values.support.tolist(), reference)


def _ordered(
    found: Excess, names: tuple[str, ...], columns: tuple[str, ...], rows: list[int], reference: str
) -> tuple[Burden, ...]:
    parts = zip(found.groups.tolist(), found.estimate.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
    kept = sorted((part for part in parts if part[1] > 0), key=lambda part: (-part[2], -part[1], names[part[0]]))
    return tuple(
        Burden(labelled(columns, names[at]), value, low, high, rows[at], reference) for at, value, low, high in kept
    )
