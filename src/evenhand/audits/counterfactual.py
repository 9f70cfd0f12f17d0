"""Decisions about a row as if it were of another group: its sensitive value and the declared proxies together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.audits.statement import SPARED, Audit, Statement, group_key, not_applicable, value_finding
from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.messages import message, sentences
from evenhand.metrics import Tally, measure
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.subjects import Subject

    Marks = NDArray[np.bool_]

NAME = "counterfactual"
MOST_GROUPS: Final = 12
"""Groups of a column that rows are given the values of."""
HOW: Final = message(
    "Rows were given {column} of another group and {proxies} at the same quantile of that group; all else stays."
)
GAINS: Final = message("As {other}, {group} would have more favourable decisions.")
LOSES: Final = message("As {other}, {group} would have fewer favourable decisions.")
FEW: Final = message("Groups with fewer than {least} rows lend no values.")


@dataclass(frozen=True, slots=True)
class CounterfactualOptions(Declared):
    """Options of this audit."""

    counterfactual: Mapping[str, tuple[str, ...]] = setting(
        {}, "Sensitive columns, each with its proxies: columns that would be others in another group.",
        recorded="always",
    )  # fmt: skip
    counterfactual_rows: int = setting(
        2_000, "The most rows of each group that are given the values of another.", least=1, unit="rows"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Swapped:
    """What became of the decisions about rows of one group."""

    rows: NDArray[np.intp]
    """Their positions."""
    other: int
    """The group whose values they were given."""
    before: Marks
    """(k,) whether the decision was favourable."""
    after: Marks
    """(k,) whether it is then."""


def counterfactual(evidence: Evidence) -> Statement:
    """State how many decisions change, and for whose good, when rows are given another group's value and proxies."""
    declared = evidence.options.of(CounterfactualOptions).counterfactual
    if not declared:
        return not_applicable("No proxies were declared (counterfactual), such as occupation for sex.")
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, which would be asked about changed rows.")
    if evidence.spared:
        return not_applicable(SPARED)
    if evidence.data.frequency is not None:
        return not_applicable("Rows that stand for several cannot be changed one by one.")
    table = cast("pd.DataFrame", evidence.inputs.whole())
    raise_all(InputError, _problems(evidence, table, declared))
    findings: list[Finding] = []
    words: list[str] = []
    for column, proxies in sorted(declared.items()):
        grouping = evidence.data.grouping(column)
        if len(grouping) > MOST_GROUPS:
            words.append(message("{column} has {n} groups, too many to swap.", column=column, n=len(grouping)))
            continue
        findings += _of_column(evidence, table, grouping, proxies)
        words.append(message(HOW, column=column, proxies=tuple(proxies)))
    return Statement(tuple(findings), sentences(*words, message(FEW, least=10)))


def _problems(evidence: Evidence, table: pd.DataFrame, declared: Mapping[str, Sequence[str]]) -> Iterator[str]:
    sensitive, read = list(evidence.data.roles.sensitive_features), [str(name) for name in table.columns]
    for column, proxies in declared.items():
        if column not in sensitive:
            yield f"counterfactual: '{column}' is no sensitive feature.{did_you_mean(column, sensitive)}"
        for proxy in proxies:
            if proxy not in read:
                yield f"counterfactual: the model reads no column '{proxy}'.{did_you_mean(proxy, read)}"


def _of_column(
    evidence: Evidence, table: pd.DataFrame, grouping: Grouping, proxies: Sequence[str]
) -> Iterator[Finding]:
    scores = evidence.predictions.y_score
    order = evidence.predictions.y_pred.astype(np.float64) if scores is None else scores
    swaps = list(_swaps(evidence, evidence.subject, table, grouping, proxies, order))
    yield from _changes(evidence, grouping, swaps)
    at, flipped = _flipped(swaps, len(table))
    for each in _about(evidence, grouping):
        qualifiers = {} if each == grouping else {"swap": grouping.columns[0]}
        yield from _shares(evidence, each, at, flipped, qualifiers)
    if evidence.original is not None and evidence.original.facts.get("kind") != "predictions":
        old = list(_swaps(evidence, evidence.original, table, grouping, proxies, order))
        yield from _beside_original(evidence, grouping, at, flipped, _flipped(old, len(table))[1])


def _about(evidence: Evidence, grouping: Grouping) -> Iterator[Grouping]:
    """Yield the groups that rates are stated for: those of the column, and its intersections."""
    yield grouping
    for each in evidence.groupings:
        if len(each.columns) > 1 and grouping.columns[0] in each.columns:
            yield each


def _swaps(
    evidence: Evidence, subject: Subject, table: pd.DataFrame, grouping: Grouping, proxies: Sequence[str],
    order: NDArray[np.float64],
) -> Iterator[_Swapped]:  # fmt: skip
    """Yield the decisions about rows of each group with the values of each other group."""
    from evenhand.probing.swapping import as_another_group

    seed, most = evidence.options.seed, evidence.options.of(CounterfactualOptions).counterfactual_rows
    rng, good = np.random.default_rng([seed, 36]), evidence.data.roles.favourable_is_positive is not False
    threshold = float(subject.threshold)
    before = (np.asarray(subject.predict(table), dtype=np.float64) >= threshold) == good
    for group in range(len(grouping)):
        mine = np.flatnonzero(grouping.codes == group)
        mine = mine if len(mine) <= most else np.sort(rng.choice(mine, most, replace=False))
        for other in range(len(grouping)):
            changed = None if other == group else as_another_group(table, mine, grouping, other, proxies, order, seed)
            if changed is not None:
                after = np.asarray(subject.predict(changed), dtype=np.float64) >= threshold
                yield _Swapped(mine, other, before[mine], after == good)


def _flipped(swaps: Sequence[_Swapped], n: int) -> tuple[NDArray[np.intp], Marks]:
    """Return the rows that were swapped, and whether the decision about each changes with any other group."""
    asked, flipped = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for swap in swaps:
        asked[swap.rows] = True
        flipped[swap.rows] |= swap.before != swap.after
    return np.flatnonzero(asked), flipped[asked]


def _worth(evidence: Evidence, rows: NDArray[np.intp]) -> dict[str, Any]:
    data = evidence.data
    parts = {"sample_weight": data.sample_weight, "clusters": data.clusters}
    return {name: None if part is None else part[rows] for name, part in parts.items()}


def _shares(
    evidence: Evidence, grouping: Grouping, rows: NDArray[np.intp], flipped: Marks, qualifiers: Mapping[str, str]
) -> Iterator[Finding]:
    level, one = evidence.options.level, np.ones(len(rows), dtype=np.int8)
    tally = Tally.count(one, flipped.astype(np.int8), grouping.codes[rows], len(grouping), **_worth(evidence, rows))
    found = replace(measure("accuracy", tally, level), metric="proxy_flip_rate")
    yield from values(NAME, "proxy_flip_rate", found, grouping, level, "share", **qualifiers)
    yield from between(
        NAME, "proxy_flip_rate", found, ("difference", "group_max"), grouping, level, "share", **qualifiers
    )


def _changes(evidence: Evidence, grouping: Grouping, swaps: Sequence[_Swapped]) -> Iterator[Finding]:
    """Yield by how much each group's favourable rate would change as each other group, paired."""
    level = evidence.options.level
    for swap in swaps:
        one, group = np.ones(len(swap.rows), dtype=np.int8), int(grouping.codes[swap.rows[0]])
        joint = JointTally.count(one, swap.before, swap.after, **_worth(evidence, swap.rows))
        found = replace(measure_change("accuracy", joint, level), metric="proxy_swap_change")
        other = grouping.labels[swap.other][0]
        key = group_key("proxy_swap_change", grouping, group, vs=other)
        stated = value_finding(key, NAME, found, 0, level)
        low, high = float(found.low[0]), float(found.high[0])
        said = GAINS if low > 0 else LOSES if high < 0 else ""
        note = message(said, other=other, group=grouping.labels[group][0]) if said else ""
        yield replace(stated, note=note)


def _beside_original(
    evidence: Evidence, grouping: Grouping, rows: NDArray[np.intp], new: Marks, old: Marks
) -> Iterator[Finding]:
    level, one = evidence.options.level, np.ones(len(rows), dtype=np.int8)
    for each in _about(evidence, grouping):
        joint = JointTally.count(one, old, new, each.codes[rows], len(each), **_worth(evidence, rows))
        found = replace(measure_change("accuracy", joint, level), metric="proxy_flip_rate_change")
        qualifiers = {"of": "original"} | ({} if each == grouping else {"swap": grouping.columns[0]})
        yield from values(NAME, "proxy_flip_rate_change", found, each, level, "share", **qualifiers)


AUDIT: Final = Audit(
    counterfactual, of_columns=True, options=CounterfactualOptions,
    wanted=lambda evidence: bool(evidence.options.of(CounterfactualOptions).counterfactual), asks_again=True,
)  # fmt: skip
