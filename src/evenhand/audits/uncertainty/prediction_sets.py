"""Findings of prediction sets and intervals: coverage and size, with one threshold, by group, by class, overlapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.uncertainty.part import NAME, Part, UncertaintyOptions
from evenhand.evidence.answering import class_names
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.probing.uncertainty import conformal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.evidence.predictions import Predictions

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

ALONE: Final = ("marginal", "by_class", "overlapping")
"""Kinds of sets that are the same whatever groups are looked at."""


@dataclass(frozen=True, slots=True)
class Made:
    """Sets of the judged rows."""

    covered: NDArray[np.bool_]
    size: Floats


class Sets:
    """Sets of one model for the judged rows, fitted on the others."""

    def __init__(self, evidence: Evidence, said: Predictions, fitted: Rows, judged: Rows) -> None:
        self.coverage = evidence.options.of(UncertaintyOptions).coverage
        self.groupings = evidence.groupings
        self.fitted, self.judged = fitted, judged
        self.numbers = said.y_score is None
        true = said.y_true
        if said.y_score is None:
            self.scores: Floats = np.abs(true - said.y_pred)
            self.new = self.scores[judged]
            return
        chances = said.y_score if said.y_score.ndim == 2 else np.column_stack([1 - said.y_score, said.y_score])
        self.true = np.asarray(true, dtype=np.intp)
        self.scores = 1 - chances[np.arange(len(true)), self.true]
        self.chances = chances[judged]

    def made(self, kind: str, grouping: Grouping | None = None) -> Made:
        """Return the sets of a kind: marginal, by class, overlapping, or by the groups of a grouping."""
        fit, coverage = self.scores[self.fitted], self.coverage
        limit: Floats
        if kind == "by_class":
            limit = conformal.group_thresholds(fit, self.true[self.fitted], self.chances.shape[1], coverage)
        elif kind == "overlapping":
            codes = [(each.codes[self.fitted], each.codes[self.judged]) for each in self.groupings]
            mine, theirs = [one for one, _ in codes], [other for _, other in codes]
            limit = conformal.overlapping_thresholds(fit, mine, theirs, coverage, finite=self.numbers)
        elif grouping is not None:
            own = conformal.group_thresholds(fit, grouping.codes[self.fitted], len(grouping), coverage)
            if self.numbers:  # an interval without ends has no width
                own = np.where(np.isinf(own), conformal.threshold(fit, coverage), own)
            limit = own[grouping.codes[self.judged]]
        else:
            limit = np.full(len(self.judged), conformal.threshold(fit, coverage))
        if self.numbers:
            return Made(self.new <= limit, 2 * limit)
        chosen = conformal.sets(self.chances, limit if kind == "by_class" else limit[:, None])
        covered = chosen[np.arange(len(chosen)), self.true[self.judged]]
        return Made(covered, conformal.set_sizes(chosen))


def covered_findings(evidence: Evidence, fitted: Rows, judged: Rows) -> Iterator[Finding]:
    """State coverage and size of sets of each kind, and how they differ from those of the original."""
    mine, part = Sets(evidence, evidence.predictions, fitted, judged), Part(evidence, judged)
    before = evidence.original_predictions
    old = None
    if before is not None and before.kind == evidence.predictions.kind:
        old = Sets(evidence, before, fitted, judged)
    for kind in ALONE:
        if (kind == "by_class" and mine.numbers) or (kind == "overlapping" and not evidence.groupings):
            continue
        made = mine.made(kind)
        yield from _stated(part, made, kind, mine.numbers)
        if not mine.numbers:
            yield from _of_classes(part, made, kind)
        if old is not None:
            yield from _changed(part, old.made(kind), made, kind)
    for grouping in evidence.groupings:
        yield from _stated(part, mine.made("by_group", grouping), "by_group", mine.numbers, grouping)


def _stated(part: Part, made: Made, kind: str, numbers: bool, grouping: Grouping | None = None) -> Iterator[Finding]:
    over = None if grouping is None else (grouping,)
    measured = part.share("set_coverage", made.covered)
    yield from part.stated("set_coverage", measured, over=over, hows=("difference", "group_min"), sets=kind)
    metric = "interval_width" if numbers else "set_size"
    yield from part.stated(metric, part.mean(metric, made.size), "number", over=over, sets=kind)


def _of_classes(part: Part, made: Made, kind: str) -> Iterator[Finding]:
    """State the coverage of the rows of each class, in exact intervals."""
    level, data = part.evidence.options.level, part.evidence.data
    if data.sample_weight is not None or data.clusters is not None:
        return
    true = np.asarray(part.evidence.predictions.y_true)[part.rows]
    for at, name in enumerate(class_names(data)):
        rows, hits = int((true == at).sum()), int(made.covered[true == at].sum())
        key = Key.of("set_coverage", **{"class": name, "sets": kind})
        if not rows:
            yield Finding(key, NAME, None, undefined=message("No row at all."))
            continue
        low, high = clopper_pearson([hits], [rows], z_of(level))
        ends = Interval(float(low[0]), float(high[0]), level, "clopper-pearson")
        yield Finding(key, NAME, hits / rows, ends, rows, "higher_is_better")


def _changed(part: Part, old: Made, new: Made, kind: str) -> Iterator[Finding]:
    measured = part.change("set_coverage_change", old.covered, new.covered)
    yield from part.stated("set_coverage_change", measured, hows=(), of="original", sets=kind)
    moved = part.mean("set_size_change", new.size - old.size)
    yield from part.stated("set_size_change", moved, "number", (), of="original", sets=kind)
