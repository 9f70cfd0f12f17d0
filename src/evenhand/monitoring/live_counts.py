"""Live counts, as what keys are answered from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.keys import threshold_text
from evenhand.messages import message
from evenhand.metrics.answers.counts import RecordCounts
from evenhand.metrics.answers.questions import NO_ORIGINAL, NoAnswerError, NoCountsError, question
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.counts.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.keys import Key
    from evenhand.metrics.answers.counts import Columns, Labels
    from evenhand.metrics.catalogue.entry import Metric
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.windows import Counts, Windows

SCARCE = 0.9
"""Where the labels of one decision are known less often than this part of those of another, they are selective."""
CHANCE = 4.0
"""Standard errors beyond which a difference is none of chance."""


class LiveCounts:
    """Counts since a starting batch, of the groups of the baseline.

    Parameters
    ----------
    baseline : Baseline
        The groupings.
    counts : Counts
        Of batches.
    labelled : bool
        Whether rows with a label are counted by truth and decision; else all rows, by decision alone.
    """

    def __init__(self, baseline: Baseline, counts: Counts, *, labelled: bool) -> None:
        self._facts, self._held = RecordCounts(baseline.record), counts
        self._places = {part.columns: (at, part.groups) for at, part in enumerate(baseline.parts)}
        self._labelled, self._classes = labelled, len(baseline.classes)

    @property
    def classes(self) -> Sequence[str | None]:
        """The classes in the order of their codes."""
        return self._facts.classes

    @property
    def favourable(self) -> bool | None:
        """Whether the positive outcome is good for the person."""
        return self._facts.favourable

    @property
    def truth(self) -> bool:
        """Whether rows have a truth."""
        return self._facts.truth

    def groups(self, columns: Columns) -> Labels:
        """Return the groups of columns, as at the audit."""
        return self._place(columns)[1]

    def tally(self, columns: Columns, model: str = "subject") -> Tally:
        """Return the counts of truth x decision."""
        at, groups = self._place(columns)
        if model != "subject":
            raise NoCountsError(NO_ORIGINAL)
        cells = np.zeros((len(groups), self._classes, self._classes), dtype=np.int64)
        if self._labelled:
            cells += self._held.get(f"labelled.{at}", 0)
            return Tally(cells, threshold=self._facts.threshold)
        cells[:, 0] += self._held.get(f"decided.{at}", 0)
        return Tally(cells)

    def tally_at(self, columns: Columns, threshold: float) -> Tally:
        """Refuse: live batches are counted by their decisions alone."""
        raise NoAnswerError(
            message("There are no counts of the decisions at the threshold {at}.", at=threshold_text(threshold))
        )

    def joint(self, columns: Columns, view: str | int) -> JointTally:
        """Raise: a live model is alone."""
        raise NoCountsError(NO_ORIGINAL)

    def strata(self, columns: Columns, control: str) -> tuple[Sequence[str], Sequence[Tally]]:
        """Return the tallies within each value of a feature that the columns were crossed with."""
        groups, (values,) = self.groups(columns), zip(*self.groups((control,)), strict=True)
        crossing = tuple(sorted((*columns, control)))
        cells, found = self.tally(crossing).counts, []
        named = [dict(zip(crossing, labels, strict=True)) for labels in self.groups(crossing)]
        for value in values:
            own = np.zeros((len(groups), self._classes, self._classes), dtype=np.int64)
            for at, labels in enumerate(named):
                if labels[control] == value:
                    own[groups.index(tuple(labels[column] for column in columns))] = cells[at]
            found.append(Tally(own, threshold=self._facts.threshold if self._labelled else None))
        return values, found

    def _place(self, columns: Columns) -> tuple[int, Labels]:
        if columns not in self._places:
            raise NoCountsError(message("The record has no counts by {columns}.", columns=tuple(columns)))
        return self._places[columns]


def by_decision_alone(key: Key) -> bool:
    """Return whether a key is known from decisions, without a label."""
    entries = _entries(key)
    return bool(entries) and all(_is_closed(entry) for entry in entries)


def unknown_decisions(counts: Counts) -> tuple[int, ...]:
    """Return the decisions whose labels are known less often than others': rows were labelled selectively.

    None where there are no labels at all.
    """
    labelled, decided = counts.get("labelled.0"), counts.get("decided.0")
    if labelled is None or decided is None or not labelled.sum():
        return ()
    known, rows = labelled.sum(axis=(0, 1)).astype(float), decided.sum(axis=0).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = np.where(rows > 0, known / rows, np.nan)
        best = int(np.nanargmax(np.where(np.isfinite(coverage), coverage, -1.0)))
        whole = (known + known[best]) / (rows + rows[best])
        noise = np.sqrt(whole * (1 - whole) * (1 / rows + 1 / rows[best]))
        scarce = (coverage < SCARCE * coverage[best]) & (coverage[best] - coverage > CHANCE * noise)
    return tuple(int(at) for at in np.flatnonzero(scarce))


def unknown_since(windows: Windows) -> tuple[int, ...]:
    """Return the decisions whose labels are known less often since any starting batch: an earlier whole hides it."""
    return tuple(sorted({at for counts in windows.values() for at in unknown_decisions(counts)}))


def is_known(key: Key, unknown: tuple[int, ...]) -> bool:
    """Return whether labelled rows say a key where those of some decisions are not known."""
    if not unknown:
        return True
    entries = _entries(key)
    cells = [cell for entry in entries for cell in (*entry.numerator, *entry.denominator)]
    return bool(cells) and all(entry.denominator for entry in entries) and not {d for _, d in cells} & set(unknown)


def _entries(key: Key) -> list[Metric]:
    """Return the rates that a key is of; none of what is no rate."""
    try:
        metric = question(key).metric
    except NoAnswerError:
        metric = key.metric.removesuffix("_ratio")
    names: tuple[str, ...] = EQUALIZED_ODDS if metric in ("equalized_odds", "average_odds") else (metric,)
    names = tuple("selection_rate" if name == "favourable_rate" else name for name in names)
    return [METRICS[name] for name in names] if all(name in METRICS for name in names) else []


def _is_closed(entry: Metric) -> bool:
    """Return whether a rate counts rows of both truths alike."""
    both = (set(entry.numerator), set(entry.denominator))
    return bool(entry.denominator) and all((1 - true, decided) in cells for cells in both for true, decided in cells)
