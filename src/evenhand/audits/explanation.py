"""What the model's scores and decisions rest on, overall and for each group, and what carries their gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import Audit, Statement, group_label, not_applicable, number
from evenhand.errors import InputError
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.explaining import Attributions, Importance

NAME = "explanation"
NEAR: Final = 0.1
"""The share of the explained rows, nearest to the threshold, that makes a cohort."""
MOST_SLICES: Final = 4
"""Slices that are cohorts, those found first."""
LEAST: Final = 5
"""Explained rows below which nothing is said of a cohort."""


GAP_NOTES: Final = {
    "decision": (
        message("Selection rate of {group} less {other}."),
        message("Part of the gap in selection rate, {group} less {other}."),
    ),
    "logit": (
        message("Mean score of {group} less {other}, on the log-odds scale."),
        message("Part of the gap in mean score, {group} less {other}, on the log-odds scale."),
    ),
    "identity": (
        message("Mean score of {group} less {other}, on the score scale."),
        message("Part of the gap in mean score, {group} less {other}, on the score scale."),
    ),
}
"""What a gap is, and what a feature's part in it, on each scale."""


@dataclass(frozen=True, slots=True)
class ExplanationOptions(Declared):
    """What a person may decide about this audit."""

    show_values: bool = setting(False, "Whether the feature values of the individuals explained are stated.")
    cohorts: Mapping[str, str] = setting(
        {}, "Further cohorts whose importances are stated, each a query over the columns: age > 60."
    )


def explanation(evidence: Evidence) -> Statement:
    """State the importance of every feature, for all rows, each group and each cohort, and the gaps' parts."""
    if not evidence.options.explain:
        return not_applicable("Explanations were switched off.")
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, so there is nothing to explain them by.")
    from evenhand.explaining import importance

    attributions, level = evidence.attributions, evidence.options.level
    findings = list(_of_features(importance(attributions, level=level), evidence))
    for grouping in evidence.groupings:
        if len(grouping.columns) == 1:
            findings += _of_group_features(evidence, grouping)
            findings += _of_gap(evidence, grouping, attributions, "score_gap", "gap_part")
            if attributions.decisions is not None:
                findings += _of_gap(evidence, grouping, attributions.decisions, "selection_gap", "selection_gap_part")
    for name, rows in _cohorts(evidence):
        if rows.sum() >= LEAST:
            findings += _of_features(importance(attributions, rows=rows, level=level), evidence, cohort=name)
    findings += _of_refused(evidence)
    findings += _of_individuals(evidence)
    findings += _residuals(evidence)
    return Statement(tuple(findings), sentences(attributions.reason, *attributions.notes))


def _of_group_features(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    from evenhand.explaining import importance

    codes = grouping.codes[evidence.explained_rows]
    for group in range(len(grouping.labels)):
        rows = codes == group
        if not rows.any():
            continue
        found = importance(evidence.attributions, rows=rows, level=evidence.options.level)
        yield from _of_features(found, evidence, group_label(grouping, group), given=_named(grouping, group))


def _of_gap(evidence: Evidence, grouping: Grouping, values: Attributions, whole: str, part: str) -> Iterator[Finding]:
    """State what carries the gap between the groups that are selected least and most often."""
    from evenhand.explaining import gap_parts

    level = evidence.options.level
    pair = evidence.extreme_pair(grouping)
    if pair is None:
        return
    codes = grouping.codes[evidence.explained_rows]
    found = gap_parts(values, codes, *pair, level=level)
    named = dict(zip(("given", "vs"), (_named(grouping, group) for group in pair), strict=True))
    gap_note, part_note = GAP_NOTES["decision" if part == "selection_gap_part" else found.link]
    rows = sum(found.rows)
    yield Finding(
        Key.of(whole, **named),
        NAME,
        float(found.gap),
        Interval(number(found.gap_low), number(found.gap_high), level, "t, rows only"),
        support=rows,
        unit="score",
        note=message(gap_note, group=named["given"], other=named["vs"]),
    )
    for feature, name in enumerate(found.feature_names):
        yield Finding(
            Key.of(part, [name], **named),
            NAME,
            _whole(found.estimate[feature]),
            Interval(number(_whole(found.low[feature])), number(_whole(found.high[feature])), level, found.method),
            support=rows,
            unit="score",
            note=message(part_note, group=named["given"], other=named["vs"]),
        )


DUST: Final = 1e-12
"""What is smaller than this is rounding, and stated as nothing."""


def _whole(value: float) -> float:
    return 0.0 if abs(value) < DUST else float(value)


def _named(grouping: Grouping, group: int) -> str:
    """Return a group as a qualifier's value names it: ``race=black``."""
    return str(Key.of("group", {grouping.columns[0]: grouping.labels[group][0]}))[len("group[") : -1]


def _of_features(found: Importance, evidence: Evidence, group: str = "", **qualifiers: str) -> Iterator[Finding]:
    level = evidence.options.level
    note = message("Mean absolute Shapley value on the log-odds scale.") if found.link == "logit" else ""
    if note and group:
        note = message("Mean absolute Shapley value on the log-odds scale for {group}.", group=group)
    for feature, name in enumerate(found.feature_names):
        yield Finding(
            Key.of("importance", [name], **qualifiers),
            NAME,
            float(found.estimate[feature]),
            Interval(number(found.low[feature]), number(found.high[feature]), level, found.method),
            support=found.rows,
            unit="score",
            note=note,
        )


def _cohorts(evidence: Evidence) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the cohorts among the explained rows: errors, near the threshold, slices found, queries."""
    explained, predictions = evidence.explained_rows, evidence.predictions
    if evidence.data.task == "binary":
        yield "errors", (predictions.y_pred != predictions.y_true)[explained]
        distance = np.abs(predictions.y_score - predictions.threshold) if predictions.y_score is not None else None
        if distance is not None:
            near = distance[explained]
            yield "near the threshold", near <= np.quantile(near, NEAR)
        if evidence.slicing and evidence.data.frequency is None and len(evidence.data) >= 200:
            yield from _of_slices(evidence)
    for name, query in evidence.options.of(ExplanationOptions).cohorts.items():
        yield name, _asked(evidence, name, query)


def _of_slices(evidence: Evidence) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    groupings = evidence.slicing
    held = [part for part in evidence.found_slices[1] if part.p < 1 - evidence.options.level]
    for part in held[:MOST_SLICES]:
        pairs = list(zip(part.found.features, part.found.values, strict=True))
        rows = np.all([groupings[feature].codes == value for feature, value in pairs], axis=0)
        named = {groupings[feature].columns[0]: groupings[feature].labels[value][0] for feature, value in pairs}
        yield str(Key.of("slice", named))[len("slice[") : -1], rows[evidence.explained_rows]


def _asked(evidence: Evidence, name: str, query: str) -> NDArray[np.bool_]:
    table = evidence.data.table.iloc[evidence.explained_rows]
    try:
        found = table.eval(query)
        rows = np.asarray(found, dtype=bool)
    except Exception as wrong:
        raise InputError(
            f"cohorts: the query of '{name}' cannot be asked of the columns: {wrong}. Write it like: age > 60"
        ) from wrong
    if rows.shape != (len(table),):
        raise InputError(f"cohorts: the query of '{name}' is no condition on rows. Write it like: age > 60")
    return rows


def _of_refused(evidence: Evidence) -> Iterator[Finding]:
    """State the way from the mean of the background to the mean score of the rows decided negative, as a waterfall."""
    from evenhand.explaining.faithfulness import mean_with_interval

    if evidence.data.task != "binary":
        return
    rows = evidence.predictions.y_pred[evidence.explained_rows] == 0
    if rows.sum() < LEAST:
        return
    attributions, level = evidence.attributions, evidence.options.level
    cohort = "decided negative"
    yield _plain(Key.of("attribution", cohort=cohort, at="start"), attributions.base_value, int(rows.sum()))
    yield _plain(
        Key.of("attribution", cohort=cohort, at="end"), float(attributions.predictions[rows].mean()), int(rows.sum())
    )
    for feature, name in enumerate(attributions.feature_names):
        mean, low, high = mean_with_interval(attributions.values[rows, feature], level)
        interval = Interval(number(low), number(high), level, "t, rows only")
        yield Finding(
            Key.of("attribution", [name], cohort=cohort), NAME, mean, interval, support=int(rows.sum()), unit="score"
        )


def _of_individuals(evidence: Evidence) -> Iterator[Finding]:
    """State the values of the rows that were asked for, and of nobody else."""
    wanted, attributions = evidence.options.individuals, evidence.individual_attributions
    if attributions is None:
        return
    errors = attributions.interval(evidence.options.level) if attributions.standard_errors is not None else None
    for at, row in enumerate(wanted):
        yield _plain(Key.of("attribution", row=str(row), at="start"), attributions.base_value, 1)
        yield _plain(Key.of("attribution", row=str(row), at="end"), float(attributions.predictions[at]), 1)
        for feature, name in enumerate(attributions.feature_names):
            interval = None
            if errors is not None:
                ends = (number(errors[0][at, feature]), number(errors[1][at, feature]))
                interval = Interval(*ends, evidence.options.level, attributions.error_method)
            value = str(attributions.data.iloc[at, feature])
            yield Finding(
                Key.of("attribution", [name], row=str(row)),
                NAME,
                float(attributions.values[at, feature]),
                interval,
                support=1,
                unit="score",
                note=message("Value: {value}.", value=value)
                if evidence.options.of(ExplanationOptions).show_values
                else message("The value is withheld."),
            )


def _plain(key: Key, value: float, rows: int) -> Finding:
    return Finding(key, NAME, float(value), support=rows, unit="score")


def _residuals(evidence: Evidence) -> Iterator[Finding]:
    attributions = evidence.attributions
    note = message("Greatest difference between the sum of a row's values with their base and the model's own score.")
    rows = len(attributions.values)
    key = Key.of("attribution_residual")
    yield Finding(key, NAME, float(attributions.residual), support=rows, unit="score", note=note)
    if attributions.decisions is not None:
        key = Key.of("attribution_residual", of="decision")
        yield Finding(key, NAME, float(attributions.decisions.residual), support=rows, unit="score", note=note)


AUDIT: Final = Audit(explanation, frozenset({"binary", "regression"}), of_columns=True, options=ExplanationOptions)
