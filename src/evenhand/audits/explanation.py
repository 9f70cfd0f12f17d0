"""What the model's scores rest on, overall and for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.audits.statement import Statement, group_label, not_applicable, number
from evenhand.findings import Finding, Interval
from evenhand.keys import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.explaining import Importance

NAME = "explanation"


def explanation(evidence: Evidence) -> Statement:
    """State the mean absolute attribution of every feature, for all explained rows and for each group."""
    if not evidence.options.explain:
        return not_applicable("Explanations were switched off.")
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, so there is nothing to explain them by.")
    from evenhand.explaining import importance

    attributions = evidence.attributions
    findings = list(_of_features(importance(attributions, level=evidence.options.level), evidence))
    for grouping in evidence.groupings:
        if len(grouping.columns) == 1:
            findings += _of_group_features(evidence, grouping)
            findings += _of_gap(evidence, grouping)
    findings.append(_residual(evidence))
    return Statement(tuple(findings), attributions.reason)


def _of_group_features(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    from evenhand.explaining import importance

    codes = grouping.codes[evidence.explained_rows]
    for group in range(len(grouping.labels)):
        rows = codes == group
        if not rows.any():
            continue
        found = importance(evidence.attributions, rows=rows, level=evidence.options.level)
        yield from _of_features(found, evidence, _named(grouping, group), group_label(grouping, group))


def _of_gap(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State what carries the gap in mean score between the groups that are selected least and most often."""
    from evenhand.explaining import gap_parts

    level = evidence.options.level
    pair = evidence.extreme_pair(grouping)
    if pair is None:
        return
    codes = grouping.codes[evidence.explained_rows]
    found = gap_parts(evidence.attributions, codes, *pair, level=level)
    named = dict(zip(("given", "vs"), (_named(grouping, group) for group in pair), strict=True))
    words = f"{named['given']} less {named['vs']}, on the {'log-odds' if found.link == 'logit' else 'score'} scale"
    rows = sum(found.rows)
    yield Finding(
        Key.of("score_gap", **named), NAME, float(found.gap), support=rows, unit="score", note=f"Mean score of {words}."
    )
    for feature, name in enumerate(found.feature_names):
        yield Finding(
            Key.of("gap_part", [name], **named),
            NAME,
            float(found.estimate[feature]),
            Interval(number(found.low[feature]), number(found.high[feature]), level, found.method),
            support=rows,
            unit="score",
            note=f"Part of the gap in mean score, {words}.",
        )


def _named(grouping: Grouping, group: int) -> str:
    """Return a group as a qualifier's value names it: ``race=black``."""
    return str(Key.of("group", {grouping.columns[0]: grouping.labels[group][0]}))[len("group[") : -1]


def _of_features(found: Importance, evidence: Evidence, given: str = "", group: str = "") -> Iterator[Finding]:
    level = evidence.options.level
    words = f" for {group}" if group else ""
    for feature, name in enumerate(found.feature_names):
        key = Key.of("importance", [name], given=given) if given else Key.of("importance", [name])
        yield Finding(
            key,
            NAME,
            float(found.estimate[feature]),
            Interval(number(found.low[feature]), number(found.high[feature]), level, found.method),
            support=found.rows,
            unit="score",
            note=f"Mean absolute Shapley value on the log-odds scale{words}." if found.link == "logit" else "",
        )


def _residual(evidence: Evidence) -> Finding:
    attributions = evidence.attributions
    note = "Greatest difference between the sum of a row's values with their base and the model's own score."
    rows = len(attributions.values)
    return Finding(
        Key.of("attribution_residual"), NAME, float(attributions.residual), support=rows, unit="score", note=note
    )
