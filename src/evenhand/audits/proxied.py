"""Groups that no row names: a sensitive feature known only by a probability a row, with the bounds that leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.statement import Statement, not_applicable, number
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.metrics import describe
from evenhand.metrics.proxies import ProxyRates, proxy_rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence

NAME = "proxied"
RATES = ("selection_rate", "recall", "false_positive_rate", "accuracy")
METHOD = "frechet bounds in bins of the probability"


def proxied(evidence: Evidence) -> Statement:
    """State the rates of each group by probabilities, each between the bounds that hold whatever is not known."""
    proxies = evidence.data.roles.proxies
    if evidence.data.frequency is not None:
        return not_applicable("A table of counts has no probability a row.")
    if not proxies:
        return not_applicable("No sensitive feature was given by probabilities.")
    findings: list[Finding] = []
    for feature, columns in proxies:
        chance = evidence.data.table[list(columns)].to_numpy(dtype=np.float64)
        for metric in RATES:
            findings += _of_metric(evidence, feature, columns, metric, chance)
    reason = "Estimates take decisions not to depend on the true group given its probability; intervals do not."
    return Statement(tuple(findings), reason)


def _of_metric(
    evidence: Evidence, feature: str, columns: tuple[str, ...], metric: str, chance: np.ndarray
) -> Iterator[Finding]:
    true, decided = evidence.predictions.y_true, evidence.predictions.y_pred
    among = {"recall": true == 1, "false_positive_rate": true == 0}.get(metric, np.ones(len(true), dtype=bool))
    event = (true == decided) if metric == "accuracy" else decided == 1
    level = evidence.options.level
    found = proxy_rates(event[among], chance[among], level)
    direction = describe(metric).direction
    for group, name in enumerate(columns):
        rows = round(float(found.expected_rows[group]))
        value = number(found.estimate[group])
        interval = Interval(number(found.low[group]), number(found.high[group]), level, METHOD)
        yield Finding(
            Key.of(metric, {feature: name}),
            NAME,
            value,
            interval if value is not None else None,
            rows,
            direction,
            groups=(GroupValue("", value, rows, rows),),
            component=metric,
            undefined="" if value is not None else "No row can be of this group.",
        )
    yield _gap(Key.of(f"{metric}_difference", [feature]), metric, columns, found, level)


def _gap(key: Key, metric: str, columns: tuple[str, ...], found: ProxyRates, level: float) -> Finding:
    known = np.flatnonzero(np.isfinite(found.estimate))
    if len(known) < 2:
        return Finding(key, NAME, None, undefined="Fewer than two groups can have rows.")
    least, most = known[np.argmin(found.estimate[known])], known[np.argmax(found.estimate[known])]
    low = max(float(found.low[a] - found.high[b]) for a in known for b in known if a != b)
    high = max(float(found.high[a] - found.low[b]) for a in known for b in known if a != b)
    parts = tuple(
        GroupValue(columns[at], float(found.estimate[at]), *(2 * (round(float(found.expected_rows[at])),)))
        for at in (least, most)
    )
    return Finding(
        key,
        NAME,
        float(found.estimate[most] - found.estimate[least]),
        Interval(max(low, 0.0), min(high, 1.0), level, METHOD),
        round(float(found.expected_rows.sum())),
        describe(key.metric).direction,
        groups=parts,
        component=metric,
    )
