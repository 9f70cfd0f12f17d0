"""Slices in which a rate or a gap is worse than elsewhere, confirmed on held-out rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import Audit, Statement, not_applicable
from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.evidence.slicing import SMALLEST, halves, search_slices
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Feature, Key
from evenhand.messages import lowered, message, sentences
from evenhand.metrics import METRICS, Tally, canonical, describe, measure, parse_disparity
from evenhand.metrics.answers.all_groups import side
from evenhand.metrics.inference.intervals import share_difference_interval
from evenhand.metrics.slices.gaps import ConfirmedGap, confirm_gaps, find_gaps
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics.slices.search import Confirmed, Search

NAME = "slices"
LEAST_ROWS: Final = 200
"""The fewest evaluation rows: halves of fewer are too small to search and confirm."""


@dataclass(frozen=True, slots=True)
class SlicesOptions(Declared):
    """Options of this audit."""

    slice_by: tuple[str, ...] = setting(
        ("error_rate",), "What subgroups are searched for: rates, and disparities such as recall_difference[sex]."
    )


def slices(evidence: Evidence) -> Statement:
    """State the slices whose rate is worse than that of the other rows, or whose gap is wider.

    Half of the rows are searched, over all combinations of up to three features; candidates are estimated on the other
    half, and stated where a test there, adjusted for all candidates, confirms them. So the estimates are free of
    selection bias. `SlicesOptions.slice_by` names what is searched for; by default the error rate.
    """
    if evidence.data.frequency is not None:
        return not_applicable("Counts cannot be split into a half that is searched and one that confirms.")
    rows = len(evidence.data)
    if rows < LEAST_ROWS:
        return not_applicable("{rows} rows are too few to search one half and confirm on the other.", rows=rows)
    if not evidence.slicing:
        return not_applicable("No column is left to slice by.")
    wanted = [Key.parse(text) for text in evidence.options.of(SlicesOptions).slice_by]
    raise_all(InputError, _problems(evidence, wanted))
    findings, words = [], []
    for key in wanted:
        split = parse_disparity(key.metric)
        found, said = _of_gap(evidence, key) if split else _of_rate(evidence, key)
        findings += found
        words.append(said)
    return Statement(tuple(findings), sentences(*words))


def _problems(evidence: Evidence, wanted: list[Key]) -> Iterator[str]:
    for key in wanted:
        split = parse_disparity(key.metric)
        name = split[0] if split else canonical(key.metric) or ""
        if name not in METRICS or METRICS[name].kind != "rate" or not METRICS[name].denominator:
            rates = [metric.name for metric in METRICS.values() if metric.denominator]
            hint = "" if canonical(key.metric) else did_you_mean(key.metric, rates)
            yield (
                f"slice_by: '{key}' is no rate of counts, nor the difference of one; others are not searched for, so "
                f"name one such as recall or recall_difference[sex].{hint}"
            )
        elif split and (split[1] != "difference" or len(key.columns) != 1 or key.qualifiers or key.group):
            yield f"slice_by: '{key}' must be the difference of one feature's groups, such as {name}_difference[sex]."
        elif not split and (key.features or key.qualifiers):
            yield f"slice_by: '{key}' must be a rate alone, such as {name}: the slices are what it is looked for in."
        elif split and key.columns[0] not in evidence.data.roles.sensitive_features:
            yield f"slice_by: '{key.columns[0]}' is no sensitive feature of this audit."


def _events(evidence: Evidence, metric: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the rows in the denominator of a rate, and those in its numerator."""
    true, decided = evidence.predictions.y_true, evidence.predictions.y_pred
    entry = METRICS[metric]

    def inside(cells: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
        found = np.zeros(len(true), dtype=bool)
        for truth, decision in cells:
            found |= (true == truth) & (decided == decision)
        return found

    return inside(entry.denominator), inside(entry.numerator)


def _of_rate(evidence: Evidence, key: Key) -> tuple[list[Finding], str]:
    """Search for slices in which a rate is worse; lower counts as worse where it has no direction."""
    metric, level, groupings = canonical(key.metric) or key.metric, evidence.options.level, evidence.slicing
    turned = METRICS[metric].direction != "lower_is_better"
    if metric == "error_rate":
        search, found = evidence.found_slices
    else:
        among, events = _events(evidence, metric)
        search, found = search_slices(groupings, ~events if turned else events, evidence.options.seed, among)
    held = [part for part in found if part.p < 1 - level]
    findings = [_state(part, groupings, metric, level, turned) for part in held]
    return findings, _said(search, len(held), len(groupings), metric)


def _of_gap(evidence: Evidence, key: Key) -> tuple[list[Finding], str]:
    """Search for slices in which the gap between the two most distant groups is wider than elsewhere."""
    split = parse_disparity(key.metric)
    assert split is not None  # called for disparities only
    metric, (feature,), level = split[0], key.columns, evidence.options.level
    grouping = evidence.data.grouping(feature)
    groupings = tuple(part for part in evidence.slicing if part.columns != (feature,))
    values = measure(metric, evidence.tally(grouping), level)
    if values.defined.sum() < 2 or not groupings:
        words = lowered(describe(metric).label)
        return [], message(
            "There are no two groups of {feature} with a {metric} to search by.", feature=feature, metric=words
        )
    lower, higher = int(np.nanargmin(values.estimate)), int(np.nanargmax(values.estimate))
    among, events = _events(evidence, metric)
    among = among & np.isin(grouping.codes, (lower, higher))
    search_half, confirm_half = halves(groupings, events, evidence.options.seed, among)
    tops = [grouping.codes[half.rows] == higher for half in (search_half, confirm_half)]
    least = max(SMALLEST, len(search_half.events) // 200)
    sizes = [len(part) for part in groupings]
    search = find_gaps(search_half.codes, sizes, search_half.events, tops[0], least_rows=least)
    confirmed = confirm_gaps(search.slices, confirm_half.codes, confirm_half.events, tops[1])
    held = [part for part in confirmed if part.p < 1 - level]
    names = (grouping.name(lower), grouping.name(higher))
    findings = [_state_gap(part, groupings, metric, feature, names, level) for part in held]
    return findings, _said(search, len(held), len(groupings), str(key))


def _said(search: Search, held: int, features: int, what: str) -> str:
    budget = message(
        "{tested:,} slices of up to {depth} of {features} features were searched on half of the rows; "
        "{candidates} candidates were counted again on the other half, which confirmed {held}.",
        tested=search.tested, depth=search.depth, features=features, candidates=len(search.slices), held=held,
    )  # fmt: skip
    folded = message("{n:,} more were folded into them.", n=search.folded) if search.folded else ""
    said = sentences(budget, folded)
    return said if what == "error_rate" else message("By {metric}: {text}", metric=what, text=said)


def _names(groupings: tuple[Grouping, ...], part: Confirmed | ConfirmedGap) -> dict[str, str | None]:
    return {
        groupings[feature].columns[0]: groupings[feature].labels[value][0]
        for feature, value in zip(part.found.features, part.found.values, strict=True)
    }


def _state(part: Confirmed, groupings: tuple[Grouping, ...], metric: str, level: float, turned: bool) -> Finding:
    """State the rate of a confirmed slice and that of the rest, on the confirming rows."""
    counts = part.counts[:, ::-1] if turned else part.counts
    values = measure("false_positive_rate", _tally(counts), level)
    low, high = share_difference_interval(side(values, 1), side(values, 0))
    shares = [float(value) for value in values.estimate]
    sizes = [int(count) for count in values.support]
    groups = tuple(
        GroupValue(name, share, size, size) for name, share, size in zip(("rest", "slice"), shares, sizes, strict=True)
    )
    ends = Interval(float(low[0]), float(high[0]), level, f"mover, {values.method}")
    key, note = Key.of(metric, _names(groupings, part), vs="rest"), _note(metric, shares[1], shares[0], part.p)
    direction = METRICS[metric].direction
    return Finding(key, NAME, shares[1] - shares[0], ends, sum(sizes), direction, "share", groups, metric, note=note)


def _state_gap(
    part: ConfirmedGap, groupings: tuple[Grouping, ...], metric: str, feature: str, names: tuple[str, str], level: float
) -> Finding:
    """State the gap between two groups inside a confirmed slice, and the two rates that make it."""
    rest, inside = (measure("false_positive_rate", _tally(counts), level) for counts in part.counts)
    low, high = share_difference_interval(side(inside, 1), side(inside, 0))
    gaps = [float(values.estimate[1] - values.estimate[0]) for values in (inside, rest)]
    features = (*(Feature(column, value) for column, value in _names(groupings, part).items()), Feature(feature))
    groups = tuple(
        GroupValue(name, float(inside.estimate[at]), int(inside.support[at]), int(inside.support[at]))
        for at, name in enumerate(names)
    )
    name, rows = f"{metric}_difference", int(inside.support.sum())
    key, note = Key(name, features, (("vs", "rest"),)), _note(name, gaps[0], gaps[1], part.p)
    ends = Interval(float(low[0]), float(high[0]), level, f"mover, {inside.method}")
    return Finding(key, NAME, gaps[0], ends, rows, "lower_is_better", "share", groups, metric, note=note)


def _note(metric: str, there: float, elsewhere: float, p: float) -> str:
    said = message(
        "{metric} {there:.1%} there, {elsewhere:.1%} elsewhere. "
        "Found on one half of the rows, confirmed on the other (adjusted p {p:.2g})."
    )
    return message(said, metric=describe(metric).label, there=there, elsewhere=elsewhere, p=p)


def _tally(counts: NDArray[np.int64]) -> Tally:
    """Return [group] x [not counted, counted] as a tally of negative rows, the counted ones as false positives."""
    cells = np.zeros((2, 2, 2), dtype=np.int64)
    cells[:, 0, 0], cells[:, 0, 1] = counts[:, 0], counts[:, 1]
    return Tally(cells)


AUDIT: Final = Audit(slices, options=SlicesOptions)
