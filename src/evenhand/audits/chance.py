"""What chance alone would show: p-values, the gap of equal groups, and gaps with the part of chance taken out.

No limit is to be judged by these; intervals are what verdicts rest on. They answer what people ask beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.audits.statement import Statement, group_key, not_applicable, number
from evenhand.findings import Finding, GroupValue
from evenhand.keys import Key
from evenhand.metrics.measuring import counted_share
from evenhand.metrics.significance import noise_floor, p_values, shrunken_gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence

NAME = "chance"
RATES = ("selection_rate", "recall", "false_positive_rate", "accuracy")
MOST_GROUPS = 2_000
"""Groups of more values than this are not drawn again and again."""


def chance(evidence: Evidence) -> Statement:
    """State for each rate: each group against the rest, all groups together, the noise floor, the shrunken gap."""
    if not evidence.groupings:
        return not_applicable("No sensitive feature was named, so there are no groups to compare.")
    data = evidence.data
    if data.sample_weight is not None or data.clusters is not None:
        return not_applicable("Rows are weighted or clustered; tests of counts take them as single and independent.")
    findings: list[Finding] = []
    for grouping in evidence.groupings:
        if len(grouping.columns) == 1 and len(grouping.labels) <= MOST_GROUPS:
            for rate in RATES:
                findings += _of_rate(evidence, grouping, rate)
    return Statement(tuple(findings))


def _of_rate(evidence: Evidence, grouping: Grouping, rate: str) -> Iterator[Finding]:
    tally, seed = evidence.tally(grouping), evidence.options.seed
    _, rows = counted_share(rate, tally)
    found = p_values(rate, tally, seed=seed)
    few = "Fewer than two groups have a value."
    for group in range(len(grouping.labels)):
        key = Key("p_value", group_key("p_value", grouping, group).features, (("rate", rate),))
        value, size = number(found.holm[group]), int(rows[group])
        yield Finding(
            key,
            NAME,
            value,
            support=size,
            unit="number",
            groups=(GroupValue("", value, size, int(tally.rows[group])),),
            undefined="" if value is not None else f"No row to compute {rate} from.",
            note=f"{found.method[group]} test against all other rows, adjusted for the number of groups (Holm).",
        )
    total = int(rows.sum())
    for metric, value, note in (
        ("p_value", number(found.omnibus), "Permutation test of the greatest gap over all groups."),
        ("noise_floor", number(noise_floor(rate, tally, seed=seed)), ""),
        ("shrunken_difference", number(shrunken_gap(rate, tally)), ""),
    ):
        key = Key.of(metric, grouping.columns, rate=rate)
        undefined = "" if value is not None else few
        unit = "number" if metric == "p_value" else "share"
        yield Finding(key, NAME, value, support=total, unit=unit, undefined=undefined, note=note)  # type: ignore[arg-type]
