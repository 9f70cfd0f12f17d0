"""Findings of a joint tally: flips, the change of each rate, and the change of each gap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import labels_of
from evenhand.evidence.answering import answers, class_names
from evenhand.findings import Finding, GroupValue
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.catalogue.compression import gap_changes
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.comparisons.changes import discordant, mcnemar, measure_change, p_of_no_change, shares_rows
from evenhand.metrics.comparisons.disparity_changes import resampled_change
from evenhand.metrics.comparisons.significance import benjamini_hochberg, holm
from evenhand.metrics.inference.bootstrap import resample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics.answers.answering import Answers
    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.counts.joint import JointTally

NAME: Final = "compression"
DRAWS: Final = 500
"""Number of resamples."""
MOST_DRAWN: Final = 20_000_000
"""The most numbers drawn."""
MID_P: Final = message("McNemar's test, mid-p; the exact value is {p:.4f}.")
INVERTED: Final = message("The greatest error at which the interval of the change holds 0, with clusters allowed for.")
ADJUSTED: Final = {"holm": holm, "benjamini-hochberg": benjamini_hochberg}


def changes(evidence: Evidence) -> Iterator[Finding]:
    """Yield the changes for all rows, for each group of every grouping, and between groups."""
    answer, names = answers(evidence, NAME), class_names(evidence.data)
    graded = evidence.data.graded
    rates = _rates if evidence.data.task == "binary" else _rates_of_classes
    names = () if graded == "accuracy" else names
    for grouping in (None, *evidence.groupings):
        columns = () if grouping is None else grouping.columns
        yield from _flips(answer, columns, names, right=graded in ("", "accuracy"))
        yield from rates(evidence, answer, grouping)
        yield from _normalized(answer, columns, names) if graded in ("", "accuracy") else ()
        if grouping is not None:
            yield from answer.all(
                Key.of(name, columns, of="original") for name in stated("gap of changes", graded=graded)
            )
            yield from _gaps(evidence, answer, grouping) if evidence.data.task == "binary" else ()


def _flips(answer: Answers, columns: tuple[str, ...], names: Sequence[str], *, right: bool) -> Iterator[Finding]:
    """Yield the flips: all of them, to right and to wrong where there is either, and towards each class."""
    yield from answer.of_groups("flip_rate", columns, of="original")
    yield from answer.all([Key.of("flip_rate_difference", columns, of="original")] if columns else ())
    for metric in ("negative_flip_rate", "positive_flip_rate") if right else ():
        yield from answer.of_groups(metric, columns, of="original")
    for name in names:
        yield from answer.of_groups("flip_rate", columns, of="original", **{"class": name})


def _rates(evidence: Evidence, answer: Answers, grouping: Grouping | None) -> Iterator[Finding]:
    """Yield the change of each rate with its paired interval, and McNemar's test where both share the denominator."""
    for metric in stated("change", graded=evidence.data.graded):
        rate = metric.removesuffix("_change")
        yield from answer.of_groups(metric, () if grouping is None else grouping.columns, of="original")
        if shares_rows(rate):
            yield from _tests(rate, grouping, evidence.joint_tally(grouping))


def _rates_of_classes(evidence: Evidence, answer: Answers, grouping: Grouping | None) -> Iterator[Finding]:
    """Yield, for several classes, the change of accuracy and of each class's recall, precision and selection rate."""
    columns = () if grouping is None else grouping.columns
    yield from answer.of_groups("accuracy_change", columns, of="original")
    yield from _tests("accuracy", grouping, evidence.joint_tally(grouping, "agreement"), "recall")
    for name in class_names(evidence.data):
        for metric in stated("change of a class"):
            yield from answer.of_groups(metric, columns, of="original", **{"class": name})


def _tests(metric: str, grouping: Grouping | None, joint: JointTally, as_rate: str = "") -> Iterator[Finding]:
    """Yield p-values of no change in one rate over the groups of one grouping, plain and adjusted.

    They are McNemar's mid-p values, and of rows in clusters those that the intervals of the changes invert. In the
    joint counts the rate may be another one, `as_rate`, where they count who was right.
    """
    gained, lost, rows = discordant(as_rate or metric, joint)
    clustered = joint.moments is not None
    exact = mcnemar(gained, lost, mid=False)
    if clustered:
        plain = p_of_no_change(measure_change(as_rate or metric, joint))
    else:
        plain = np.where(rows > 0, mcnemar(gained, lost), np.nan)
    families = {"": plain} | ({} if grouping is None else {name: how(plain) for name, how in ADJUSTED.items()})
    for name, values in families.items():
        qualifiers = {"rate": metric} | ({"adjusted": name} if name else {})
        for group in np.flatnonzero(rows > 0):
            key = Key.of("p_value", labels_of(grouping, int(group)), of="original", **qualifiers)
            said = "" if name else INVERTED if clustered else message(MID_P, p=exact[group])
            n = int(rows[group])
            yield Finding(
                key, NAME, float(values[group]), support=n, unit="number", note=said,
                groups=(GroupValue("", float(values[group]), n, n),), component=metric,
            )  # fmt: skip


def _normalized(answer: Answers, columns: tuple[str, ...], names: Sequence[str]) -> Iterator[Finding]:
    """Yield the excess loss of each group compared with all rows, and of each class, overall and in each group."""
    if columns:
        yield from answer.of_groups("excess_accuracy_change", columns, of="original")
    for labels in answer.counts.groups(columns):
        group = dict(zip(columns, labels, strict=True))
        yield from answer.all(
            Key.of("normalized_recall_change", group, of="original", **{"class": name}) for name in names
        )


def _gaps(evidence: Evidence, answer: Answers, grouping: Grouping) -> Iterator[Finding]:
    """Yield how much wider each gap between groups became."""
    drawn = _drawn(evidence.joint_tally(grouping), evidence.options.seed)
    for metric, how in gap_changes():
        if evidence.data.graded not in ("", metric):
            continue
        for found in answer.all([Key.of(f"{metric}_{how}_change", grouping.columns, of="original")]):
            note = found.note if drawn is None or found.note else _spread(metric, how, drawn, answer.level)
            yield replace(found, note=note)


def _drawn(joint: JointTally, seed: int) -> NDArray[np.float64] | None:
    """Return the joint cells of resampled rows; None for clustered rows or too many cells."""
    if joint.tally.clusters is not None or joint.tally.counts.size * DRAWS > MOST_DRAWN:
        return None
    return resample(joint.tally, DRAWS, seed)


def _spread(metric: str, how: How, drawn: NDArray[np.float64], level: float) -> str:
    """State the bootstrap spread of a change of a gap; its quantiles are no interval of an extreme."""
    values = resampled_change(metric, how, drawn)
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    said = message("Rows drawn again spread it from {low:.4f} to {high:.4f}; of an extreme that is no interval.")
    return message(said, low=low, high=high)
