"""What a check of the rows states by group: missing values, representation, and labels that may be wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.audits.quality_of_rows import NAME, share
from evenhand.audits.statement import group_key, interval_of
from evenhand.errors import InputError, did_you_mean, raise_all, shorten
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import Tally, measure
from evenhand.metrics.inference.intervals import clopper_pearson, share_difference_interval, sidak_z, z_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.audits.quality_of_rows import Looked
    from evenhand.data import Grouping
    from evenhand.evidence import Evidence

MOST_COLUMNS: Final = 40
"""Columns with missing values that are stated by group: those that lack most."""
LEAST_MISSING: Final = 0.005
"""Share of missing values below which a column is stated overall alone."""
TELLS: Final = 0.05
"""A missing value tells the label where the whole interval of the gap is this far from 0."""
LEAST_ROWS: Final = 10
"""Rows with and without a value from which on the label is compared between them."""
RATE: Final = "label_rate"
"""The share of positive labels, where there are no decisions to count it beside."""
MOST_GROUPS: Final = 12
"""Features of more groups have no proxies stated."""
RATES: Final = ("recall", "false_positive_rate", "precision", "accuracy", "base_rate")
"""Rates whose bounds under label noise are stated."""


def missing_values(looked: Looked) -> Iterator[Finding]:
    """State how often each column lacks a value, for whom, and whether that tells the label."""
    from evenhand.data.checks import missing_columns

    lacking = list(missing_columns(looked.table, looked.compared))
    most = sorted(lacking, key=lambda each: -int(each[1].sum()))[:MOST_COLUMNS]
    by_group = {name for name, absent in most if absent.mean() >= LEAST_MISSING}
    for name, absent in lacking:
        yield share(Key.of("missing_share", feature=name), int(absent.sum()), len(absent), looked.level)
        if name in by_group:
            yield from _by_group(looked.evidence, "missing_share", absent, name)
        yield from _tells(looked, name, absent)


def _by_group(
    evidence: Evidence, metric: str, events: NDArray[np.bool_], feature: str = "", of: NDArray[np.bool_] | None = None
) -> Iterator[Finding]:
    """State the share of each group's rows that are events, and how far groups are apart."""
    more: dict[str, Any] = {"feature": feature} if feature else {}
    level = evidence.options.level
    kept = slice(None) if of is None else np.flatnonzero(of)
    marks = events.astype(np.int8)[kept]
    for grouping in evidence.groupings:
        if feature in grouping.columns:
            continue
        tally = Tally.count(marks, marks, grouping.codes[kept], len(grouping))
        found = replace(measure("selection_rate", tally, level), metric=metric)
        yield from values(NAME, metric, found, grouping, level, **more)
        yield from between(NAME, metric, found, ("difference",), grouping, level, **more)


def _tells(looked: Looked, name: str, absent: NDArray[np.bool_]) -> Iterator[Finding]:
    """State how far the label's shares are apart where a value is missing and where it is there."""
    data = looked.data
    if data.task != "binary" or min(absent.sum(), (~absent).sum()) < LEAST_ROWS or name == data.roles.label:
        return
    true, sides = data.y_true == 1, []
    for rows in (absent, ~absent):
        events, n = np.array([int(true[rows].sum())]), np.array([int(rows.sum())])
        low, high = clopper_pearson(events, n, z_of(looked.level))
        sides.append((events / n, low, high))
    low, high = share_difference_interval(sides[0], sides[1])
    value = float(sides[0][0][0] - sides[1][0][0])
    said = bool(low[0] > TELLS or high[0] < -TELLS)
    note = message(
        "Whether '{column}' is missing tells the label: the share of positives is {there:.2f} where it is there, "
        "{missing:.2f} where it is not.", column=name, there=float(sides[1][0][0]), missing=float(sides[0][0][0]),
    ) if said else ""  # fmt: skip
    ends = interval_of(float(low[0]), float(high[0]), looked.level, "clopper-pearson, mover")
    yield Finding(Key.of("missing_label_gap", feature=name), NAME, value, ends, len(absent), note=note)


def representation(evidence: Evidence, population: Mapping[str, Mapping[str, float]]) -> Iterator[Finding]:
    """State each group's share of the rows over its declared share of the population.

    Raises
    ------
    InputError
        When a feature or a group is not there, or shares do not sum to 1.
    """
    features = {grouping.columns[0]: grouping for grouping in evidence.groupings if len(grouping.columns) == 1}
    raise_all(InputError, _not_shares(population, features))
    for column, shares in population.items():
        grouping = features[column]
        rows = np.asarray(grouping.rows)
        low, high = clopper_pearson(rows, np.full(len(rows), rows.sum()), sidak_z(len(rows), evidence.options.level))
        for group, name in enumerate(grouping.names):
            declared = float(shares.get(name, 0.0))
            key = group_key("representation_ratio", grouping, group)
            if not declared:
                none = message("No share of the population was declared for this group.")
                yield Finding(key, NAME, None, support=int(rows.sum()), unit="ratio", undefined=none)
                continue
            scaled = [float(end[group]) / declared for end in (low, high)]
            ends = interval_of(scaled[0], scaled[1], evidence.options.level, "clopper-pearson, simultaneous")
            value = float(rows[group] / rows.sum() / declared)
            yield Finding(key, NAME, value, ends, int(rows.sum()), unit="ratio")


def _not_shares(population: Mapping[str, Mapping[str, float]], features: Mapping[str, Grouping]) -> Iterator[str]:
    for column, shares in population.items():
        if column not in features:
            yield f"population: '{shorten(column)}' is no sensitive feature.{did_you_mean(column, features)}"
            continue
        known = features[column].names
        for name in shares:
            if name not in known:
                yield f"population: {column} has no group '{shorten(name)}'.{did_you_mean(name, known)}"
        if abs(sum(shares.values()) - 1) > 0.01 or min(shares.values(), default=0.0) < 0:
            yield f"population: the shares of {column} sum to {sum(shares.values()):g}, not to 1."


def noise(evidence: Evidence, most: float) -> Iterator[Finding]:
    """State how far wrong labels, at most a share of each group's, could move each rate and each gap."""
    from evenhand.metrics.values.label_noise import noise_bounds, noise_tolerance

    if evidence.data.sample_weight is not None:
        return
    for grouping in evidence.groupings:
        tally = evidence.tally(grouping)
        for rate in RATES:
            bounds = noise_bounds(rate, tally.counts, most)
            rows = [int(each) for each in tally.rows]
            for group in range(len(grouping)):
                for metric, ends in (("label_noise_low", bounds.low), ("label_noise_high", bounds.high)):
                    key = group_key(metric, grouping, group, rate=rate)
                    yield _bound(key, float(ends[group]), rows[group])
            low, high = bounds.difference
            gap = f"{rate}_difference"
            yield _bound(Key.of("label_noise_low", grouping.columns, rate=gap), low, sum(rows))
            yield _bound(Key.of("label_noise_high", grouping.columns, rate=gap), high, sum(rows))
            key = Key.of("label_noise_tolerance", grouping.columns, rate=gap)
            yield _bound(key, noise_tolerance(rate, tally.counts), sum(rows))


def _bound(key: Key, value: float, rows: int) -> Finding:
    if not np.isfinite(value):
        return Finding(key, NAME, None, support=rows, undefined=message("Fewer groups than needed have this rate."))
    return Finding(key, NAME, value, support=rows)


def errors_in_labels(looked: Looked) -> Iterator[Finding]:
    """State how many labels look wrong to models of the other rows, for each group."""
    from evenhand.data.checks import label_errors

    data, key = looked.data, Key.of("label_error_share")
    if data.task not in ("binary", "multiclass") or not looked.read:
        none = message("Labels that look wrong are looked for among classes, by columns of a table.")
        yield Finding(key, NAME, None, direction="lower_is_better", undefined=none)
        return
    wrong = label_errors(looked.table, looked.read, data.y_true, looked.seed)
    if wrong is None:
        few = message("A class has too few rows to look for labels that look wrong.")
        yield Finding(key, NAME, None, direction="lower_is_better", undefined=few)
        return
    yield share(key, int(wrong.sum()), len(wrong), looked.level)
    yield from _by_group(looked.evidence, "label_error_share", wrong)


def disagreement(evidence: Evidence, annotators: tuple[str, ...], votes: tuple[str, ...]) -> Iterator[Finding]:
    """State how often people who labelled the same row disagree, for each group."""
    from evenhand.data.checks import disagreements

    data = evidence.data
    found = disagreements(data.table, annotators or votes, not annotators, data.name)
    key, level = Key.of("annotator_disagreement"), evidence.options.level
    yield share(key, int(found.differ.sum()), int(found.several.sum()), level)
    if found.several.any():
        yield from _by_group(evidence, "annotator_disagreement", found.differ, of=found.several)


def proxies(looked: Looked) -> Iterator[Finding]:
    """State how well each column tells the groups of each sensitive feature."""
    from evenhand.explaining.proxies import Telling

    features = [each for each in looked.evidence.groupings if len(each.columns) == 1 and len(each) <= MOST_GROUPS]
    for name in looked.read:
        telling = Telling(looked.table[name], looked.seed) if features else None
        for grouping in features:
            if telling is None or name == grouping.columns[0]:
                continue
            for group in range(1 if len(grouping) == 2 else len(grouping)):
                found = telling.predicts(grouping.codes == group, looked.level)
                if found is not None:
                    ends = interval_of(found.low, found.high, looked.level, "delong, logit")
                    key = group_key("proxy_auc", grouping, group, feature=name)
                    yield Finding(key, NAME, found.auc, ends, len(looked.data), unit="score")


def label_rates(evidence: Evidence) -> Iterator[Finding]:
    """State the share of positives overall and in each group, and how far groups are apart."""
    if evidence.data.task != "binary":
        return
    marks, level = evidence.data.y_true.astype(np.int8), evidence.options.level
    worth = evidence.data.sample_weight, evidence.data.frequency, evidence.data.clusters
    whole = replace(measure("base_rate", Tally.count(marks, marks, None, 1, *worth), level), metric=RATE)
    yield from values(NAME, RATE, whole, None, level)
    for grouping in evidence.groupings:
        tally = Tally.count(marks, marks, grouping.codes, len(grouping), *worth)
        found = replace(measure("base_rate", tally, level), metric=RATE)
        yield from values(NAME, RATE, found, grouping, level)
        yield from between(NAME, RATE, found, ("difference", "ratio"), grouping, level)
