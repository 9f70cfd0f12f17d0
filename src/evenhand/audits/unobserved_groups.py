"""Sensitive features known only as probabilities: rates of their groups, with bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import Audit, Statement, interval_of, not_applicable, number
from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import METRICS, describe
from evenhand.metrics.catalogue.entry import ALL
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.comparisons.unobserved_groups import ProxyRates, corrected_rates, proxy_rates, share_bounds
from evenhand.metrics.values.rates import counted_share
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence

NAME = "unobserved_groups"
METHOD = "frechet bounds in bins of the probability, exact limits"
NOBODY: Final = message("No row can be of this group, or the errors do not fit what was recorded.")


@dataclass(frozen=True, slots=True)
class UnobservedGroupsOptions(Declared):
    """Options of this audit."""

    group_shares: Mapping[str, Mapping[str, float]] = setting(
        {}, "Sensitive features that nobody recorded, each with the shares of its groups."
    )
    group_errors: Mapping[str, Mapping[str, Mapping[str, float]]] = setting(
        {}, "Sensitive features recorded with known errors: for each true group the chance of each recorded one."
    )


def unobserved_groups(evidence: Evidence) -> Statement:
    """State the rates of unobserved groups, from probabilities, an error matrix, or shares alone.

    Each has bounds that hold whatever the unknown groups are.
    """
    options, proxies = evidence.options.of(UnobservedGroupsOptions), evidence.data.roles.proxies
    if evidence.data.frequency is not None:
        proxies = {}  # a table of counts has no probabilities by row
    if not proxies and not options.group_shares and not options.group_errors:
        return not_applicable("No sensitive feature was given by probabilities, by its errors or by shares.")
    findings: list[Finding] = []
    for feature, columns in proxies.items():
        chance = evidence.data.table[list(columns)].to_numpy(dtype=np.float64)
        for metric in stated("unobserved", graded=evidence.data.graded):
            findings += _of_metric(evidence, feature, columns, metric, chance)
    for feature, shares in options.group_shares.items():
        findings += _of_shares(evidence, feature, shares)
    for feature, errors in options.group_errors.items():
        findings += _of_errors(evidence, feature, errors)
    reason = message(
        "Estimates take decisions not to depend on the true group given its probability; intervals do not."
    )
    return Statement(tuple(findings), reason if proxies else "")


def _of_shares(evidence: Evidence, feature: str, shares: Mapping[str, float]) -> Iterator[Finding]:
    """State the worst and best possible rates of groups of which only the shares are known."""
    groups, level = tuple(shares), evidence.options.level
    for metric in (rate for rate in stated("unobserved") if METRICS[rate].denominator == ALL):
        events, rows = (int(part[0]) for part in counted_share(metric, evidence.tally()))
        found = share_bounds(events, rows, [shares[group] for group in groups], level)
        yield from _values(feature, groups, metric, found, level, "worst and best case of the shares")
        key = Key.of(f"{metric}_difference", [feature])
        yield _gap(key, metric, groups, found, level, "worst and best case of the shares")


def _of_errors(evidence: Evidence, feature: str, errors: Mapping[str, Mapping[str, float]]) -> Iterator[Finding]:
    """State the rates of the true groups of a feature that was recorded with known errors."""
    grouping, level = evidence.data.grouping(feature), evidence.options.level
    recorded, groups = [label[0] for label in grouping.labels], tuple(errors)
    raise_all(InputError, _error_problems(feature, recorded, errors))
    matrix = [[errors[group].get(label, 0.0) for group in groups] for label in recorded]
    method = "error matrix undone, gaffke limits of the tangent"
    for metric in stated("unobserved", graded=evidence.data.graded):
        events, rows = counted_share(metric, evidence.tally(grouping))
        found = corrected_rates(events, rows, matrix, level)
        yield from _values(feature, groups, metric, found, level, method, membership="corrected")
        strict = corrected_rates(events, rows, matrix, _strict(level, len(groups)))
        key = Key.of(f"{metric}_difference", [feature], membership="corrected")
        yield _gap(key, metric, groups, found, level, method, strict)


def _error_problems(feature: str, recorded: list[str], errors: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    if len(errors) != len(recorded):
        yield (
            f"group_errors of '{feature}' has {len(errors)} true groups, and {len(recorded)} were recorded "
            f"({', '.join(recorded)}); as many are needed to undo the errors."
        )
    for group, chances in errors.items():
        for label in chances:
            if label not in recorded:
                yield f"group_errors of '{feature}': '{label}' was never recorded.{did_you_mean(label, recorded)}"
        total = sum(chances.values())
        if abs(total - 1) > 1e-6:
            yield f"group_errors of '{feature}': the chances of the true group '{group}' sum to {total:g}, not 1."


def _of_metric(
    evidence: Evidence, feature: str, columns: tuple[str, ...], metric: str, chance: np.ndarray
) -> Iterator[Finding]:
    true, decided = evidence.predictions.y_true, evidence.predictions.y_pred
    among = {"recall": true == 1, "false_positive_rate": true == 0}.get(metric, np.ones(len(true), dtype=bool))
    event = (true == decided) if metric == "accuracy" else decided == 1
    level = evidence.options.level
    found = proxy_rates(event[among], chance[among], level)
    yield from _values(feature, columns, metric, found, level, METHOD)
    strict = proxy_rates(event[among], chance[among], _strict(level, len(columns)))
    yield _gap(Key.of(f"{metric}_difference", [feature]), metric, columns, found, level, METHOD, strict)


def _strict(level: float, groups: int) -> float:
    """Return the confidence of each group's ends at which the greatest of all gaps errs as one end does (Bonferroni):
    over both ends of each group, or of each pair where those are fewer."""
    return 1 - (1 - level) / (2 * max(min(groups, groups * (groups - 1) // 2), 1))


def _values(
    feature: str, groups: tuple[str, ...], metric: str, found: ProxyRates, level: float, method: str, **qualifiers: str
) -> Iterator[Finding]:
    for group, name in enumerate(groups):
        key, rows = Key.of(metric, {feature: name}, **qualifiers), round(float(found.expected_rows[group]))
        value, ends = number(found.estimate[group]), interval_of(found.low[group], found.high[group], level, method)
        interval, undefined = (None, NOBODY) if value is None else (ends, "")
        yield Finding(
            key, NAME, value, interval, rows, describe(metric).direction,
            groups=(GroupValue("", value, rows, rows),), component=metric, undefined=undefined,
        )  # fmt: skip


def _gap(
    key: Key, metric: str, groups: tuple[str, ...], found: ProxyRates, level: float, method: str,
    strict: ProxyRates | None = None,
) -> Finding:  # fmt: skip
    """Return the widest gap; with sampling error, its low end is from `strict` rates, which hold for all pairs."""
    known = np.flatnonzero(np.isfinite(found.estimate))
    if len(known) < 2:
        return Finding(key, NAME, None, undefined=message("Fewer than two groups can have rows."))
    least, most = known[np.argmin(found.estimate[known])], known[np.argmax(found.estimate[known])]
    sure = found if strict is None else strict
    low = max(float(sure.low[a] - sure.high[b]) for a in known for b in known if a != b)
    high = max(float(found.high[a] - found.low[b]) for a in known for b in known if a != b)
    parts = tuple(
        GroupValue(groups[at], float(found.estimate[at]), *(2 * (round(float(found.expected_rows[at])),)))
        for at in (least, most)
    )
    gap = float(found.estimate[most] - found.estimate[least])
    ends = Interval(max(low, 0.0), min(high, 1.0), level, method)
    rows, direction = round(float(found.expected_rows.sum())), describe(key.metric).direction
    return Finding(key, NAME, gap, ends, rows, direction, groups=parts, component=metric)


AUDIT: Final = Audit(unobserved_groups, options=UnobservedGroupsOptions)
