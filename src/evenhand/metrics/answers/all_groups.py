"""Findings that take all groups of a feature together: ratios to the highest, shares of the selected, inequality."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.findings import Finding, GroupValue, Interval
from evenhand.messages import Message, message
from evenhand.metrics.answers.findings import disparity_finding, number, value_finding
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.comparisons.group_inequality import (
    between_group_entropy,
    between_group_variation,
    class_imbalance,
    demographic_disparity,
    differential_fairness,
    kl_divergence,
    share_of_selected,
    smoothed_epsilon,
)
from evenhand.metrics.inference.intervals import ratio_interval, z_of
from evenhand.metrics.inference.sequences import Shares
from evenhand.metrics.values.sequences import at_all_times, is_unequal, roughly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from evenhand.keys import Key
    from evenhand.metrics.answers.ways import Ways
    from evenhand.metrics.counts.arrays import Floats, Ints, Side
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.values.rates import Measured

BETWEEN: Final[dict[str, Callable[[Tally], float]]] = {
    "between_group_entropy": between_group_entropy,
    "between_group_theil": partial(between_group_entropy, order=1),
    "between_group_variation": between_group_variation,
    "bias_amplification": lambda tally: smoothed_epsilon(tally) - smoothed_epsilon(tally, of_truth=True),
    "kl_divergence": kl_divergence,
    "class_imbalance": class_imbalance,
}
UNDEFINED: Final = {
    "kl_divergence": message("A group is never, or always, selected and another is not: the divergence is infinite."),
}
"""Why there is no value, other than that no row benefits."""
ALIKE: Final = message("All rows are decided alike: there are no shares to compare.")
ONE: Final = message("There is only one group: nothing to compare it with.")


def beside_the_highest(
    keys: Sequence[Key], audit: str, names: Sequence[str], found: Measured, level: float
) -> Iterator[Finding]:
    """Yield each group's value divided by the highest one (four-fifths rule); not that of the highest itself."""
    if not found.defined.any():
        return
    best = int(np.nanargmax(np.where(found.defined, found.estimate, np.nan)))
    low, high = found.ends(z_of(level) * found.apart)
    apart = replace(found, low=low, high=high)
    low, high = ratio_interval((found.estimate, low, high), side(apart, best))
    each = [
        GroupValue(name, number(found.estimate[at]), int(found.support[at]), int(found.rows[at]))
        for at, name in enumerate(names)
    ]
    for group in (at for at in range(len(keys)) if at != best):
        parts, support = (each[group], each[best]), each[group].support + each[best].support
        if not found.defined[group] or found.estimate[best] <= 0:
            why = found.reason[group] or message("The rate is 0 in every group: their ratio is 0 of 0.")
            yield Finding(keys[group], audit, None, support=support, unit="ratio", groups=parts, undefined=why)
            continue
        ends = Interval(number(low[group]), number(high[group]), level, f"mover-r, {found.method}")
        value = float(found.estimate[group] / found.estimate[best])
        more = {"groups": parts, "component": found.metric}
        yield Finding(keys[group], audit, value, ends, support, "higher_is_better", "ratio", **more)  # type: ignore[arg-type]


def side(values: Measured, at: int) -> Side:
    """Return estimate, low and high end of one group, to combine with another group's."""
    one = slice(at, at + 1)
    return values.estimate[one], values.low[one], values.high[one]


def shares_of(metric: str, tally: Tally, level: float, by: Ways) -> Measured | Floats:
    """Return what `shares` states of each group: shares of the selected, or demographic disparities."""
    if metric != "share_of_selected":
        return demographic_disparity(tally)
    found = share_of_selected(tally, level)
    if not by.always_valid:
        return found
    if is_unequal(tally):
        return roughly(found, tally, level)
    picked, number = tally.counts[:, :, 1].sum(axis=1), found.support
    return at_all_times(found, Shares(picked.astype(np.float64), number.astype(np.float64)), level)


def shares(key: Key, audit: str, found: Measured | Floats, rows: Ints, at: int, level: float) -> Finding:
    """Return a group's share of the selected, or its demographic disparity."""
    if not isinstance(found, np.ndarray):
        return value_finding(key, audit, found, at, level)
    value, size = number(found[at]), int(rows[at])
    groups, undefined = (GroupValue("", value, size, size),), "" if value is not None else ALIKE
    return Finding(key, audit, value, support=size, groups=groups, undefined=undefined)


def of_all(key: Key, audit: str, tally: Tally, name: Callable[[int], str], level: float) -> Finding:
    """Return a finding over all groups together: differential fairness, or an index of inequality."""
    if key.metric == "differential_fairness":
        return disparity_finding(key, audit, differential_fairness(tally, level), name, level, "number")
    with np.errstate(invalid="ignore", divide="ignore"):
        value = number(BETWEEN[key.metric](tally))
    nobody: Message = message("No row benefits: the index is 0 of 0.")
    reason = UNDEFINED.get(key.metric, nobody) if len(tally.rows) > 1 else ONE
    return Finding(
        key, audit, value, support=int(tally.rows.sum()), direction=METRICS[key.metric].direction, unit="number",
        undefined="" if value is not None else reason,
    )  # fmt: skip
