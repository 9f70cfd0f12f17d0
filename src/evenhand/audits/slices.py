"""Slices in which a rate or a gap is worse than elsewhere, beyond what chance shows in any of those searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import Audit, Statement, not_applicable
from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.evidence.slicing import search_slices
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Feature, Key
from evenhand.messages import lowered, message, messages, sentences
from evenhand.metrics import METRICS, canonical, describe, measure, parse_disparity
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.evidence.slicing import FoundSlices
    from evenhand.metrics.slices.effects import Effect
    from evenhand.metrics.slices.lattice import Slice
    from evenhand.metrics.slices.search import Search

NAME = "slices"
OLD_FOLDED: Final = message("{n:,} more were folded into them.", n=2)
"""What older records say of any number; pages of these are translated, too."""
LEAST_ROWS: Final = 200
"""The fewest evaluation rows: of fewer, slices are too small to show anything."""
METHOD: Final = "simultaneous over slices, profile likelihood"


@dataclass(frozen=True, slots=True)
class SlicesOptions(Declared):
    """Options of this audit."""

    slice_by: tuple[str, ...] = setting(
        ("error_rate",), "What subgroups are searched for: rates, and disparities such as recall_difference[sex]."
    )


def slices(evidence: Evidence) -> Statement:
    """State the slices whose rate is worse than that of the other rows, or whose gap is wider.

    All rows are searched (a sample where there are more than `slice_rows`), over all combinations of up to three
    features, and slices are stated that are further from
    the other rows than any slice is, in 97.5 % of permutations of the outcomes (of whole persons, where rows are
    clustered). Estimates are corrected for the search, and the end nearer to 0 holds for all slices at once.
    `SlicesOptions.slice_by` names what is searched for; by default the error rate.
    """
    if evidence.data.frequency is not None:
        return not_applicable("Counts are not searched: the outcomes of single rows are permuted.")
    rows = len(evidence.data)
    if rows < LEAST_ROWS:
        return not_applicable("{rows} rows are too few to search for subgroups.", rows=rows)
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
    metric, groupings = canonical(key.metric) or key.metric, evidence.slicing
    turned = METRICS[metric].direction != "lower_is_better"
    if metric == "error_rate":
        found = evidence.found_slices
    else:
        among, events = _events(evidence, metric)
        found = search_slices(groupings, ~events if turned else events, evidence.data, evidence.options, among)
    findings = [_state(*part, groupings, metric, evidence.options.level, turned) for part in _pairs(found)]
    return findings, _said(found, evidence, len(groupings), metric)


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
    found = search_slices(groupings, events, evidence.data, evidence.options, among, grouping.codes == higher)
    names = (grouping.name(lower), grouping.name(higher))
    findings = [_state_gap(*part, groupings, metric, feature, names, level) for part in _pairs(found)]
    return findings, _said(found, evidence, len(groupings), str(key))


def _pairs(found: FoundSlices) -> Iterator[tuple[Slice, Effect]]:
    return zip(found.search.slices, found.effects, strict=True)


def _said(found: FoundSlices, evidence: Evidence, features: int, what: str) -> str:
    search = found.search
    whole = message(
        "{tested:,} slices of up to {depth} of {features} features were searched in all rows; worse than the rest: "
        "{held}."
    )
    sample = message(
        "{tested:,} slices of up to {depth} of {features} features were searched in {rows:,} of {of:,} rows, drawn "
        "with the seed; worse than the rest: {held}."
    )
    places = {"tested": search.tested, "depth": search.depth, "features": features, "held": len(search.slices)}
    sampled = {"rows": found.rows, "of": found.of} if found.rows < found.of else {}
    budget = message(sample if sampled else whole, **places, **sampled)
    folded = _folded(search.folded) if search.folded else ""
    said = sentences(budget, folded, *_control(search, evidence.data.clusters is not None))
    return said if what == "error_rate" else message("By {metric}: {text}", metric=what, text=said)


def _folded(n: int) -> str:
    return messages("{n:,} more was folded into them.", "{n:,} more were folded into them.", n)


def _control(search: Search, clustered: bool) -> Iterator[str]:
    """Yield how often such a search finds what is not there."""
    if search.chance is None:
        return
    said = message("If none is worse in truth, at most {alpha:.1%} of searches find any ({draws:,} permutations).")
    whole = message(
        "If none is worse in truth, at most {alpha:.1%} of searches find any "
        "({draws:,} permutations of whole clusters)."
    )
    yield message(whole if clustered else said, alpha=search.alpha, draws=len(search.chance.greatest))
    if search.chance.rows < search.rows:
        yield message("{rows:,} of the rows were permuted.", rows=search.chance.rows)


def _names(groupings: tuple[Grouping, ...], part: Slice) -> dict[str, str | None]:
    return {
        groupings[feature].columns[0]: groupings[feature].labels[value][0]
        for feature, value in zip(part.features, part.values, strict=True)
    }


def _state(
    part: Slice, held: Effect, groupings: tuple[Grouping, ...], metric: str, level: float, turned: bool
) -> Finding:
    """State how far the rate of a slice is from that of the other rows."""
    rates = [float(1 - rate if turned else rate) for rate in held.rates]
    value, low, high = (-held.estimate, -held.high, -held.low) if turned else (held.estimate, held.low, held.high)
    sizes = [int(count) for count in held.rows]
    groups = tuple(
        GroupValue(name, rate, size, size) for name, rate, size in zip(("rest", "slice"), rates, sizes, strict=True)
    )
    key, note = Key.of(metric, _names(groupings, part), vs="rest"), _note(metric, rates[1], rates[0], held.p)
    ends, direction = Interval(low, high, level, METHOD), METRICS[metric].direction
    return Finding(key, NAME, value, ends, sum(sizes), direction, "share", groups, metric, note=note)


def _state_gap(
    part: Slice, held: Effect, groupings: tuple[Grouping, ...], metric: str, feature: str, names: tuple[str, str],
    level: float,
) -> Finding:  # fmt: skip
    """State the gap between two groups inside a slice, and the two rates that make it."""
    gaps = [float(rates[1] - rates[0]) for rates in held.rates]
    features = (*(Feature(column, value) for column, value in _names(groupings, part).items()), Feature(feature))
    groups = tuple(
        GroupValue(name, float(held.rates[1, at]), int(held.rows[1, at]), int(held.rows[1, at]))
        for at, name in enumerate(names)
    )
    name, rows = f"{metric}_difference", int(held.rows[1].sum())
    key, note = Key(name, features, (("vs", "rest"),)), _note(name, gaps[1], gaps[0], held.p)
    ends = Interval(held.low, held.high, level, METHOD)
    return Finding(key, NAME, held.estimate, ends, rows, "lower_is_better", "share", groups, metric, note=note)


def _note(metric: str, there: float, elsewhere: float, p: float) -> str:
    said = message(
        "{metric} {there:.1%} there, {elsewhere:.1%} elsewhere, as counted; the difference is corrected for the search "
        "(p {p:.2g} over all slices)."
    )
    return message(said, metric=describe(metric).label, there=there, elsewhere=elsewhere, p=p)


AUDIT: Final = Audit(slices, options=SlicesOptions)
