"""Impact ratios, scoring ratios, shares, inequality between groups, and consistency."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import between, selected, side, values
from evenhand.audits.statement import (
    Audit,
    Statement,
    disparity_finding,
    group_key,
    interval_of,
    not_applicable,
    number,
    value_finding,
)
from evenhand.findings import Finding, GroupValue
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import METRICS, Tally, measure
from evenhand.metrics.catalogue.names import HOWS
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
from evenhand.metrics.inference.intervals import ratio_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured

NAME = "impact"
NEIGHBOURS: Final = 5
MOST_COMPARED: Final = 2_000
"""The most rows whose neighbours are searched for; of more, a seeded sample."""
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


def impact(evidence: Evidence) -> Statement:
    """State each group's impact ratio, its share of the selected, and inequality between all groups."""
    findings: list[Finding] = list(_consistency(evidence))
    if not evidence.groupings:
        return Statement(tuple(findings)) if findings else not_applicable("No sensitive feature was named.")
    for grouping in evidence.groupings:
        findings += _ratios(evidence, grouping)
        findings += _scoring(evidence, grouping)
        findings += _shares(evidence, grouping)
        findings += _inequality(evidence, grouping)
    return Statement(tuple(findings))


def _ratios(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State each group's rate divided by the highest (four-fifths rule)."""
    (metric, tally), level = selected(evidence, grouping), evidence.options.level
    yield from _beside_the_highest(f"{metric}_ratio", grouping, measure(metric, tally, level), level)


def _beside_the_highest(name: str, grouping: Grouping, found: Measured, level: float) -> Iterator[Finding]:
    if not found.defined.any():
        return
    best = int(np.nanargmax(np.where(found.defined, found.estimate, np.nan)))
    for group in (at for at in range(len(grouping)) if at != best):
        key = group_key(name, grouping, group, vs="highest")
        parts = tuple(
            GroupValue(grouping.name(at), number(found.estimate[at]), int(found.support[at]), int(found.rows[at]))
            for at in (group, best)
        )
        support = int(found.support[[group, best]].sum())
        if not found.defined[group] or found.estimate[best] <= 0:
            undefined = found.reason[group] or message("The rate is 0 in every group: their ratio is 0 of 0.")
            yield Finding(key, NAME, None, support=support, unit="ratio", groups=parts, undefined=undefined)
            continue
        low, high = ratio_interval(side(found, group), side(found, best))
        ends = interval_of(low[0], high[0], level, f"mover-r, {found.method}")
        value = float(found.estimate[group] / found.estimate[best])
        yield Finding(key, NAME, value, ends, support, "higher_is_better", "ratio", parts, component=found.metric)


def _scoring(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State the share of each group that scores above the median of all, for tools that score rather than select."""
    data, scores, level = evidence.data, evidence.predictions.y_score, evidence.options.level
    if scores is None:
        return
    if data.roles.favourable_is_positive is False:
        scores = -scores  # a high score is unfavourable here
    if data.frequency is None:
        middle = np.quantile(scores, 0.5, method="inverted_cdf")
    else:
        order = np.argsort(scores, kind="stable")
        upto = np.cumsum(data.frequency[order])
        middle = scores[order][np.searchsorted(upto, upto[-1] / 2)]
    above = (scores > middle).astype(np.int8)
    worth = data.sample_weight, data.frequency, data.clusters
    tally = Tally.count(above, above, grouping.codes, len(grouping), *worth)
    found = replace(measure("selection_rate", tally, level), metric="scoring_rate")
    yield from values(NAME, "scoring_rate", found, grouping, level)
    yield from between(NAME, "scoring_rate", found, HOWS, grouping, level)
    yield from _beside_the_highest("scoring_rate_ratio", grouping, found, level)


def _shares(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    tally, level = evidence.tally(grouping), evidence.options.level
    shares, disparity = share_of_selected(tally, level), demographic_disparity(tally)
    for group in range(len(grouping)):
        yield value_finding(group_key("share_of_selected", grouping, group), NAME, shares, group, level)
        key, rows = group_key("demographic_disparity", grouping, group), int(tally.rows[group])
        value = number(disparity[group])
        groups, undefined = (GroupValue("", value, rows, rows),), "" if value is not None else ALIKE
        yield Finding(key, NAME, value, support=rows, groups=groups, undefined=undefined)


def _inequality(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State the findings over all groups together."""
    tally, level, rows = evidence.tally(grouping), evidence.options.level, evidence.data.rows
    found = differential_fairness(tally, level)
    key = Key.of("differential_fairness", grouping.columns)
    yield disparity_finding(key, NAME, found, grouping, level, "number")
    for name, compute in BETWEEN.items():
        with np.errstate(invalid="ignore", divide="ignore"):
            value = number(compute(tally))
        reason = UNDEFINED.get(name, message("No row benefits: the index is 0 of 0.")) if len(grouping) > 1 else ONE
        key, direction = Key.of(name, grouping.columns), METRICS[name].direction
        undefined = "" if value is not None else reason
        yield Finding(key, NAME, value, support=rows, direction=direction, unit="number", undefined=undefined)


def _consistency(evidence: Evidence) -> Iterator[Finding]:
    """State whether rows with similar model inputs get the same decision (consistency)."""
    data, seed = evidence.data, evidence.options.seed
    if not data.features or evidence.reads != "table" or data.frequency is not None or len(data) <= NEIGHBOURS:
        return
    from evenhand.evidence.consistency import consistency, places

    rows = np.arange(len(data))
    if len(rows) > MOST_COMPARED:
        rows = np.sort(np.random.default_rng([seed, 11]).choice(len(rows), size=MOST_COMPARED, replace=False))
    points = places(data.X.iloc[rows])
    if not points.shape[1]:
        return
    value = consistency(points, evidence.predictions.y_pred[rows], NEIGHBOURS)
    note = "" if len(rows) == len(data) else message("Of a sample of {rows:,} rows.", rows=len(rows))
    yield Finding(Key.of("consistency"), NAME, value, support=len(rows), direction="higher_is_better", note=note)


AUDIT: Final = Audit(impact)
