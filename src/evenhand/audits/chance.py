"""P-values, noise floors (the gap expected of equal groups) and shrunken gaps.

No limit is judged by these: verdicts rest on intervals. They answer further questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from evenhand.audits.by_group import selected
from evenhand.audits.statement import Audit, Statement, group_key, interval_of, not_applicable, number
from evenhand.findings import Finding, GroupValue
from evenhand.keys import Key
from evenhand.messages import lowered, message
from evenhand.metrics import SCORES, describe
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.comparisons.shrinkage import chance_gap, pooled_rates, shrunken_gap, shrunken_values_gap
from evenhand.metrics.comparisons.significance import p_values, two_tests
from evenhand.metrics.values.rates import counted_share
from evenhand.metrics.values.regression import NUMBERS, SHARES, measure_numbers
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Unit
    from evenhand.metrics import Measured, Tally

NAME = "chance"
MOST_GROUPS = 2_000
"""Groups of more values than this are not resampled."""
AGAINST_REST: Final = message("{test} against all other rows, adjusted for the number of groups ({method}).")
AGAINST_HIGHEST: Final = message("{test} against the group with the highest rate, {group}; not adjusted.")
TESTS: Final = {
    "fisher": message("Fisher test"), "score": message("Score test"), "z": message("z test"),
}  # fmt: skip
ADJUSTED: Final = {"holm": "Holm", "bh": "Benjamini-Hochberg"}
FEW = message("Fewer than two groups have a value.")
OPEN = message("Of some group, such as one of a single row, the error is unknown.")


@dataclass(frozen=True, slots=True)
class ChanceOptions(Declared):
    """Options of this audit."""

    adjust: Literal["holm", "bh"] = setting(
        "holm", "How p-values of groups are adjusted for their number: Holm, or Benjamini and Hochberg."
    )
    pooling: bool = setting(False, "Whether Bayesian, partly pooled rates are stated with the groups' own.")


def chance(evidence: Evidence) -> Statement:
    """State for each rate: each group against the rest, all groups together, the noise floor, the shrunken gap.

    For predicted numbers, only the noise floor and the shrunken gap.
    """
    if not evidence.groupings:
        return not_applicable("No sensitive feature was named, so there are no groups to compare.")
    data = evidence.data
    if data.task == "regression":
        return Statement(tuple(_of_numbers(evidence)))
    if data.sample_weight is not None or data.clusters is not None:
        return not_applicable("Rows are weighted or clustered; tests of counts take them as single and independent.")
    findings: list[Finding] = []
    for grouping in evidence.groupings:
        if len(grouping.labels) > MOST_GROUPS:
            continue
        for rate in stated("chance", graded=data.graded):
            findings += _of_rate(evidence, grouping, rate)
        if len(grouping.columns) == 1:
            findings += _of_scores(evidence, grouping)
            findings += _four_fifths(evidence, grouping)
            if evidence.options.of(ChanceOptions).pooling:
                findings += _pooled(evidence, grouping)
    return Statement(tuple(findings))


def _of_rate(evidence: Evidence, grouping: Grouping, rate: str) -> Iterator[Finding]:
    tally, seed, adjust = evidence.tally(grouping), evidence.options.seed, evidence.options.of(ChanceOptions).adjust
    (_, rows), all_rows = counted_share(rate, tally), tally.rows
    found = p_values(rate, tally, seed=seed, adjust=adjust)
    notes = {each: message(AGAINST_REST, test=TESTS[each], method=ADJUSTED[adjust]) for each in set(found.method)}
    none = _none(rate)
    for group in range(len(grouping.labels) if len(grouping.columns) == 1 else 0):
        key, note = group_key("p_value", grouping, group, rate=rate), notes[found.method[group]]
        yield _tested(key, int(all_rows[group]), number(found.adjusted[group]), int(rows[group]), note, none)
    total, columns = int(rows.sum()), grouping.columns
    note = message("Greatest gap over all groups: {test}.", test=found.omnibus_method)
    yield _of_feature(Key.of("p_value", columns, rate=rate), number(found.omnibus), total, "number", note)
    yield _of_feature(Key.of("noise_floor", columns, rate=rate), number(found.floor), total)
    shrunken = number(shrunken_gap(rate, tally))
    yield _of_feature(Key.of("shrunken_difference", columns, rate=rate), shrunken, total)


def _none(rate: str) -> str:
    return message("No row to compute {metric} from.", metric=lowered(describe(rate).label))


def _of_feature(
    key: Key, value: float | None, support: int, unit: Unit = "share", note: str = "", why: str = FEW
) -> Finding:
    undefined = "" if value is not None else why
    return Finding(key, NAME, value, support=support, unit=unit, undefined=undefined, note="" if undefined else note)


def _tested(key: Key, rows: int, value: float | None, support: int, note: str, undefined: str = "") -> Finding:
    """Return the finding of a test about a group of so many rows, by those among which a rate is counted."""
    groups, why = (GroupValue("", value, support, rows),), "" if value is not None else undefined
    return Finding(key, NAME, value, support=support, unit="number", groups=groups, undefined=why, note=note)


def _of_scores(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State noise floor and shrunken gap of score metrics; calibration only where scores are probabilities."""
    predictions, level = evidence.predictions, evidence.options.level
    if predictions.y_score is None:
        return
    for metric in stated("chance of scores")[: None if predictions.kind == "probability" else 1]:
        values = SCORES[metric](
            predictions.y_true, predictions.y_score, grouping.codes, len(grouping), level, **evidence.worth
        )
        yield from _of_values(evidence, grouping, values, "share")


def _of_numbers(evidence: Evidence) -> Iterator[Finding]:
    """State noise floor and shrunken gap of each regression metric; errors allow for weights and clusters."""
    predictions, data, level = evidence.predictions, evidence.data, evidence.options.level
    for grouping in evidence.groupings:
        if len(grouping) > MOST_GROUPS:
            continue
        for metric in NUMBERS:
            values = measure_numbers(
                metric, predictions.y_true, predictions.y_pred, grouping.codes, len(grouping), level,
                data.sample_weight, data.clusters,
            )  # fmt: skip
            yield from _of_values(evidence, grouping, values, "share" if metric in SHARES else "number")


def _of_values(evidence: Evidence, grouping: Grouping, values: Measured, unit: Unit) -> Iterator[Finding]:
    support, why = int(values.support.sum()), FEW if values.defined.sum() < 2 else OPEN
    floor, shrunken = chance_gap(values, seed=evidence.options.seed), shrunken_values_gap(values)
    for name, value in (("noise_floor", floor), ("shrunken_difference", shrunken)):
        yield _of_feature(Key.of(name, grouping.columns, rate=values.metric), number(value), support, unit, why=why)


def _four_fifths(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State for each group the tests of its impact ratio, against the most favoured group."""
    rate, tally = selected(evidence, grouping)
    best = most_selected(tally)
    if best is None:
        return
    (events, rows), all_rows = counted_share(rate, tally), tally.rows
    found = zip(("fisher", "z"), two_tests((events, events[best]), (rows, rows[best])), strict=True)
    told = [
        (test, values, message(AGAINST_HIGHEST, test=TESTS[test], group=grouping.name(best))) for test, values in found
    ]
    for group in (at for at in range(len(grouping)) if at != best):
        for test, values, note in told:
            key = group_key("p_value", grouping, group, rate=rate, vs="highest", test=test)
            yield _tested(key, int(all_rows[group]), number(values[group]), int(rows[group] + rows[best]), note)


def most_selected(tally: Tally) -> int | None:
    """Return the group that is selected most often, None without rows."""
    events, rows = counted_share("selection_rate", tally)
    if not rows.any():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        return int(np.nanargmax(np.where(rows > 0, events / rows, np.nan)))


def _pooled(evidence: Evidence, grouping: Grouping) -> Iterator[Finding]:
    """State rates under partial pooling: Bayesian, on request only, and never judged."""
    level = evidence.options.level
    for rate in stated("chance", graded=evidence.data.graded):
        found = pooled_rates(rate, evidence.tally(grouping), level)
        _, rows = counted_share(rate, evidence.tally(grouping))
        note = message("Beta-binomial model; the whole counts as {rows:,.0f} rows of each group.", rows=found.strength)
        for group in range(len(grouping)):
            key, value = group_key("pooled_rate", grouping, group, rate=rate), number(found.mean[group])
            if value is None:
                yield Finding(key, NAME, None, support=int(rows[group]), undefined=_none(rate))
                continue
            ends = interval_of(found.low[group], found.high[group], level, "posterior, beta-binomial")
            yield Finding(key, NAME, value, ends, int(rows[group]), note=note)


AUDIT: Final = Audit(chance, frozenset({"binary", "regression"}), options=ChanceOptions)
