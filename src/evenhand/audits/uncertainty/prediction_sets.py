"""Findings of prediction sets and intervals: coverage and size, with one threshold, by group, by class, overlapping.

Of several classes adaptive sets as well, and intervals from quantiles where the model predicts these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.statement import group_key
from evenhand.audits.uncertainty.part import NAME, Part, UncertaintyOptions
from evenhand.errors import ModelError
from evenhand.evidence.answering import class_names
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.probing.uncertainty import conformal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.evidence.predictions import Predictions
    from evenhand.subjects import Subject

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

ALONE: Final = ("marginal", "by_class", "overlapping", "adaptive", "quantiles")
"""Kinds of sets that are the same whatever groups are looked at."""
WHOLE: Final = message("{n:,} rows to fit on are too few for this group's own threshold: its sets hold every class.")
NO_PROMISE: Final = message(
    "{n:,} rows to fit on are too few for this group's own threshold: it has that of others, and no promise of its own."
)


@dataclass(frozen=True, slots=True)
class Made:
    """Sets of the judged rows."""

    covered: NDArray[np.bool_]
    size: Floats


class Sets:
    """Sets of one model for the judged rows, fitted on the others."""

    def __init__(self, evidence: Evidence, said: Predictions, subject: Subject, fitted: Rows, judged: Rows) -> None:
        self.evidence, self.said, self.subject = evidence, said, subject
        self.coverage = evidence.options.of(UncertaintyOptions).coverage
        self.groupings = evidence.groupings
        self.fitted, self.judged = fitted, judged
        self.numbers = said.y_score is None
        if said.y_score is None:
            self.scores: Floats = np.abs(said.y_true - said.y_pred)
            return
        score = said.y_score
        self.chances = score if score.ndim == 2 else np.column_stack([1 - score, score])
        self.true = np.asarray(said.y_true, dtype=np.intp)
        self.scores = 1 - self.chances[np.arange(len(score)), self.true]

    @cached_property
    def quantiles(self) -> tuple[Floats, Floats] | None:
        """A lower and an upper quantile of each row; None where the model predicts none."""
        return _quantiles(self.evidence, self.subject, self.coverage) if self.numbers and self.evidence.asked else None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of sets that there are."""
        there = {
            "marginal": True, "overlapping": bool(self.groupings), "by_class": not self.numbers,
            "adaptive": not self.numbers and self.chances.shape[1] > 2, "quantiles": self.quantiles is not None,
        }  # fmt: skip
        return tuple(kind for kind in ALONE if there[kind])

    def made(self, kind: str, grouping: Grouping | None = None) -> Made:
        """Return the sets of a kind: one of `ALONE`, or by the groups of a grouping."""
        if kind == "adaptive":
            return self._adaptive()
        if kind == "quantiles" and self.quantiles is not None:
            return self._from_quantiles(*self.quantiles)
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
            return Made(self.scores[self.judged] <= limit, 2 * limit)
        return self._chosen(conformal.sets(self.chances[self.judged], limit if kind == "by_class" else limit[:, None]))

    def notes(self) -> dict[Any, str]:
        """Return what is to be said of groups of too few rows to fit on, by group."""
        least, told = conformal.least_rows(self.coverage), NO_PROMISE if self.numbers else WHOLE
        return {
            group_key("set_coverage", grouping, int(at)).group: message(told, n=int(rows[at]))
            for grouping in self.groupings
            for rows in (np.bincount(grouping.codes[self.fitted], minlength=len(grouping)),)
            for at in np.flatnonzero(rows < least)
        }

    def _adaptive(self) -> Made:
        drawn = np.random.default_rng([self.evidence.options.seed, 16]).uniform(size=len(self.true))
        scores = conformal.adaptive_scores(self.chances, drawn)
        limit = conformal.threshold(scores[self.fitted, self.true[self.fitted]], self.coverage)
        return self._chosen(scores[self.judged] <= limit)

    def _from_quantiles(self, low: Floats, high: Floats) -> Made:
        scores = conformal.quantile_scores(self.said.y_true, low, high)
        limit = conformal.threshold(scores[self.fitted], self.coverage)
        return Made(scores[self.judged] <= limit, np.maximum((high - low)[self.judged] + 2 * limit, 0))

    def _chosen(self, chosen: NDArray[np.bool_]) -> Made:
        return Made(chosen[np.arange(len(chosen)), self.true[self.judged]], conformal.set_sizes(chosen))


def _quantiles(evidence: Evidence, subject: Subject, coverage: float) -> tuple[Floats, Floats] | None:
    """Return the predicted quantiles that are nearest to the promise; of levels that are not known, the outermost."""
    from evenhand.evidence.predictions import inputs

    ask = getattr(subject, "predict_quantiles", None) or getattr(
        getattr(subject, "model", None), "predict_quantiles", None
    )
    target = subject.facts.get("target")
    levels = target.get("quantiles") if isinstance(target, dict) else None
    if ask is None or (isinstance(target, dict) and (not isinstance(levels, list) or len(levels) < 2)):
        return None
    found = np.concatenate(
        [np.asarray(ask(batch), dtype=np.float64) for batch in inputs(subject, evidence.data).batches()]
    )
    if found.ndim != 2 or len(found) != len(evidence.data) or found.shape[1] < 2 or not np.isfinite(found).all():
        raise ModelError(
            f"'{subject.name}' gave quantiles of shape {found.shape}; needed are {len(evidence.data):,} rows of two or "
            "more finite numbers, ascending."
        )
    wanted = ((1 - coverage) / 2, (1 + coverage) / 2)
    places = [int(np.argmin(np.abs(np.asarray(levels, dtype=np.float64) - at))) for at in wanted] if levels else [0, -1]
    low, high = places if places[0] != places[1] else (0, -1)
    return found[:, low], found[:, high]


def covered_findings(evidence: Evidence, fitted: Rows, judged: Rows) -> Iterator[Finding]:
    """State coverage and size of sets of each kind, and how they differ from those of the original."""
    mine, part = Sets(evidence, evidence.predictions, evidence.subject, fitted, judged), Part(evidence, judged)
    before, original = evidence.original_predictions, evidence.original or evidence.subject
    old = None
    if before is not None and before.kind == evidence.predictions.kind:
        old = Sets(evidence, before, original, fitted, judged)
    notes = mine.notes()
    for kind in mine.kinds:
        made = mine.made(kind)
        found = _stated(part, made, kind, mine.numbers)
        yield from _noted(found, notes) if kind == "overlapping" else found
        if not mine.numbers:
            yield from _of_classes(part, made, kind)
        if old is not None and kind in old.kinds:
            yield from _changed(part, old.made(kind), made, kind)
    for grouping in evidence.groupings:
        made = mine.made("by_group", grouping)
        yield from _noted(_stated(part, made, "by_group", mine.numbers, grouping), notes)


def _noted(found: Iterator[Finding], notes: dict[Any, str]) -> Iterator[Finding]:
    for finding in found:
        note = notes.get(finding.key.group, "")
        yield replace(finding, note=sentences(note, finding.note)) if note else finding


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
