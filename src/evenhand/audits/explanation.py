"""Feature importance, overall and for each group, and contributions to the gaps between groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import Audit, Statement, interval_of, members, singles, without_model
from evenhand.errors import InputError
from evenhand.evidence.options import MOST_EXPLAINED
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.explaining import Attributions, Importance
    from evenhand.findings import Interval

NAME = "explanation"
NEAR: Final = 0.1
"""The share of the explained rows, nearest to the threshold, that makes a cohort."""
MOST_SLICES: Final = 4
"""Slices that are cohorts, those found first."""
LEAST: Final = 5
"""Cohorts of fewer explained rows are left out."""
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
"""The metrics of a gap and of a feature's contribution to it, by scale."""
IMPORTANCE_NOTES: Final = {
    "logit": (
        message("Mean absolute Shapley value on the log-odds scale."),
        message("Mean absolute Shapley value on the log-odds scale for {group}."),
    ),
    "identity": (
        message("Mean absolute Shapley value on the probability scale."),
        message("Mean absolute Shapley value on the probability scale for {group}."),
    ),
    "score": ("", ""),
}
"""What an importance counts, by scale, overall and for a group; nothing of scores that are no probabilities."""
DUST: Final = 1e-12
"""Smaller values are rounding errors, and stated as 0."""


@dataclass(frozen=True, slots=True)
class ExplanationOptions(Declared):
    """Options of this audit."""

    show_values: bool = setting(False, "Whether the feature values of the individuals explained are stated.")
    cohorts: Mapping[str, str] = setting(
        {}, "Further cohorts whose importances are stated, each a query over the columns: age > 60."
    )


def explanation(evidence: Evidence) -> Statement:
    """State feature importance for all rows, each group and each cohort, and contributions to the gaps."""
    words = message("Predictions were given without a model, so there is nothing to explain them by.")
    if (absent := without_model(evidence, words)) is not None:
        return absent
    from evenhand.explaining import importance

    attributions, level = evidence.attributions, evidence.options.level
    findings = list(_of_features(importance(attributions, level=level), evidence))
    for grouping in singles(evidence):
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
    decided = () if attributions.decisions is None else attributions.decisions.notes
    told = sentences(attributions.reason, *attributions.notes, *decided, *_missed(evidence, findings))
    return Statement(tuple(findings), told)


def _missed(evidence: Evidence, findings: list[Finding]) -> Iterator[str]:
    """Yield a sentence where contributions to a gap are not known as closely as was requested."""
    error = evidence.options.explain_error
    if error is None:
        return
    ends = [found.interval for found in findings if found.key.metric == "gap_part" and found.interval is not None]
    wide = [
        each for each in ends if each.low is not None and each.high is not None and each.high - each.low > 2 * error
    ]
    if wide:
        yield message(
            "{n:,} of {parts:,} contributions to gaps are known less closely than to {error:g}: {rows:,} rows were "
            "explained. More explained rows help up to {most:,}, and more background rows.",
            n=len(wide), parts=len(ends), error=error, rows=len(evidence.explained_rows), most=MOST_EXPLAINED,
        )  # fmt: skip


def _of_group_features(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    from evenhand.explaining import importance

    for group, rows in members(grouping, evidence.explained_rows):
        found = importance(evidence.attributions, rows=rows, level=evidence.options.level)
        yield from _of_features(found, evidence, grouping.name(group), given=_named(grouping, group))


def _of_gap(evidence: Evidence, grouping: Grouping, values: Attributions, whole: str, part: str) -> Iterator[Finding]:
    """State each feature's contribution to the gap between the least and the most selected group."""
    from evenhand.explaining import gap_parts

    level = evidence.options.level
    pair = evidence.extreme_pair(grouping)
    if pair is None:
        return
    codes = grouping.codes[evidence.explained_rows]
    found = gap_parts(values, codes, *pair, level=level)
    named = dict(zip(("given", "vs"), (_named(grouping, group) for group in pair), strict=True))
    gap_note, part_note = GAP_NOTES["decision" if part == "selection_gap_part" else found.link]
    rows, who = sum(found.rows), {"group": named["given"], "other": named["vs"]}
    ends = interval_of(found.gap_low, found.gap_high, level, "t, rows only")
    yield _stated(Key.of(whole, **named), found.gap, rows, ends, message(gap_note, **who))
    for feature, name in enumerate(found.feature_names):
        value, low, high = (_whole(values[feature]) for values in (found.estimate, found.low, found.high))
        ends, note = interval_of(low, high, level, found.method), message(part_note, **who)
        yield replace(_stated(Key.of(part, [name], **named), value, rows, ends, note), uncovered=found.uncovered)


def _whole(value: float) -> float:
    return 0.0 if abs(value) < DUST else float(value)


def _named(grouping: Grouping, group: int) -> str:
    """Return a group as the value of a qualifier: ``race=black``."""
    return str(Key.of("group", {grouping.columns[0]: grouping.labels[group][0]}))[len("group[") : -1]


def _of_features(found: Importance, evidence: Evidence, group: str = "", **qualifiers: str) -> Iterator[Finding]:
    level = evidence.options.level
    alone, of_group = IMPORTANCE_NOTES[found.link if evidence.subject.score_kind == "probability" else "score"]
    note = message(of_group, group=group) if group and of_group else alone
    for feature, name in enumerate(found.feature_names):
        ends = interval_of(found.low[feature], found.high[feature], level, found.method)
        yield _stated(Key.of("importance", [name], **qualifiers), found.estimate[feature], found.rows, ends, note)


def _cohorts(evidence: Evidence) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the cohorts of the explained rows: errors, near the threshold, slices found, queries."""
    explained, predictions = evidence.explained_rows, evidence.predictions
    if evidence.data.task == "binary":
        yield "errors", (predictions.y_pred != predictions.y_true)[explained]
        if predictions.y_score is not None:
            near = np.abs(predictions.y_score - predictions.threshold)[explained]
            yield "near the threshold", near <= np.quantile(near, NEAR)
        if evidence.slicing and evidence.data.frequency is None and len(evidence.data) >= 200:
            yield from _of_slices(evidence)
    for name, query in evidence.options.of(ExplanationOptions).cohorts.items():
        yield name, _asked(evidence, name, query)


def _of_slices(evidence: Evidence) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    groupings = evidence.slicing
    for part in evidence.found_slices.search.slices[:MOST_SLICES]:
        pairs = list(zip(part.features, part.values, strict=True))
        rows = np.all([groupings[feature].codes == value for feature, value in pairs], axis=0)
        named = {groupings[feature].columns[0]: groupings[feature].labels[value][0] for feature, value in pairs}
        yield str(Key.of("slice", named))[len("slice[") : -1], rows[evidence.explained_rows]


def _asked(evidence: Evidence, name: str, query: str) -> NDArray[np.bool_]:
    table = evidence.data.table.iloc[evidence.explained_rows]
    try:
        rows = np.asarray(table.eval(query), dtype=bool)
    except Exception as wrong:
        raise InputError(
            f"cohorts: the query of '{name}' cannot be asked of the columns: {wrong}. Write it like: age > 60"
        ) from wrong
    if rows.shape != (len(table),):
        raise InputError(f"cohorts: the query of '{name}' is no condition on rows. Write it like: age > 60")
    return rows


def _of_refused(evidence: Evidence) -> Iterator[Finding]:
    """State the waterfall from the background's mean score to that of the rows decided negative."""
    from evenhand.explaining.faithfulness import mean_with_interval

    if evidence.data.task != "binary":
        return
    rows = evidence.predictions.y_pred[evidence.explained_rows] == 0
    if rows.sum() < LEAST:
        return
    attributions, level = evidence.attributions, evidence.options.level
    cohort, count = "decided negative", int(rows.sum())
    yield _stated(Key.of("attribution", cohort=cohort, at="start"), attributions.base_value, count)
    yield _stated(Key.of("attribution", cohort=cohort, at="end"), attributions.predictions[rows].mean(), count)
    for feature, name in enumerate(attributions.feature_names):
        mean, low, high = mean_with_interval(attributions.values[rows, feature], level)
        interval = interval_of(low, high, level, "t, rows only")
        yield _stated(Key.of("attribution", [name], cohort=cohort), mean, count, interval)


def _of_individuals(evidence: Evidence) -> Iterator[Finding]:
    """State the attributions of the requested rows only."""
    wanted, attributions = evidence.options.individuals, evidence.individual_attributions
    if attributions is None:
        return
    level, shown = evidence.options.level, evidence.options.of(ExplanationOptions).show_values
    errors = attributions.interval(level) if attributions.standard_errors is not None else None
    for at, row in enumerate(wanted):
        yield _stated(Key.of("attribution", row=str(row), at="start"), attributions.base_value, 1)
        yield _stated(Key.of("attribution", row=str(row), at="end"), attributions.predictions[at], 1)
        for feature, name in enumerate(attributions.feature_names):
            interval = None
            if errors is not None:
                low, high = (end[at, feature] for end in errors)
                interval = interval_of(low, high, level, attributions.error_method)
            value = message("Value: {value}.", value=str(attributions.data.iloc[at, feature]))
            note = value if shown else message("The value is withheld.")
            key = Key.of("attribution", [name], row=str(row))
            yield _stated(key, attributions.values[at, feature], 1, interval, note)


def _stated(key: Key, value: float, rows: int, interval: Interval | None = None, note: str = "") -> Finding:
    return Finding(key, NAME, float(value), interval, support=rows, unit="score", note=note)


def _residuals(evidence: Evidence) -> Iterator[Finding]:
    note = message("Greatest difference between the sum of a row's values with their base and the model's own score.")
    for found, of in ((evidence.attributions, {}), (evidence.attributions.decisions, {"of": "decision"})):
        if found is not None:
            rows = len(found.values)
            yield _stated(Key.of("attribution_residual", **of), found.residual, rows, note=note)
            if found.relative_error is not None:
                yield _error(Key.of("attribution_error", **of), found.relative_error, rows, found.shortfall)


def _error(key: Key, error: float, rows: int, note: str) -> Finding:
    """State a sampling error; one that hides the values has no size."""
    if np.isfinite(error):
        return replace(_stated(key, error, rows, note=note), unit="share")
    return Finding(key, NAME, None, support=rows, undefined=note, note=note)


AUDIT: Final = Audit(explanation, frozenset({"binary", "regression"}), of_columns=True, options=ExplanationOptions)
