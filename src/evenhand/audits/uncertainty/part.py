"""Some rows of the evidence, and what is counted and averaged over them for each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.metrics import Tally, means, measure, measured_mean
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding, Unit
    from evenhand.metrics import Measured
    from evenhand.metrics.catalogue.entry import How

NAME: Final = "uncertainty"


@dataclass(frozen=True, slots=True)
class UncertaintyOptions(Declared):
    """Options of this audit."""

    uncertainty: bool = setting(
        False, "Whether it is measured what scores are worth: calibration beside chance, prediction sets, who would be "
        "refused an answer.",
    )  # fmt: skip
    coverage: float = setting(0.9, "Chance with which prediction sets are to hold the truth.", above=0, below=1)
    others: Mapping[str, object] = setting(
        {}, "Other models by name, as good as this one, such as fits with other seeds: whom they decide otherwise.",
        recorded="never", only="Models are not written in a file or on a command line.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of the evidence, by position."""

    evidence: Evidence
    rows: NDArray[np.intp]

    def codes(self, grouping: Grouping | None) -> tuple[NDArray[np.int32], int]:
        """Return the group of each row, and the number of groups."""
        if grouping is None:
            return np.zeros(len(self.rows), dtype=np.int32), 1
        return grouping.codes[self.rows], len(grouping.labels)

    def share(self, metric: str, hits: NDArray[np.bool_]) -> Callable[[Grouping | None], Measured]:
        """Return what counts the share of rows that are hits."""
        marks = hits.astype(np.int8)

        def measured(grouping: Grouping | None) -> Measured:
            data, (codes, groups) = self.evidence.data, self.codes(grouping)
            worth = self._of_rows(data.sample_weight), None, self._of_rows(data.clusters)
            tally = Tally.count(marks, marks, codes, groups, *worth)
            return replace(measure("selection_rate", tally, self.evidence.options.level), metric=metric)

        return measured

    def mean(self, metric: str, numbers: NDArray[np.float64]) -> Callable[[Grouping | None], Measured]:
        """Return what averages a number of each row."""

        def measured(grouping: Grouping | None) -> Measured:
            data, (codes, groups) = self.evidence.data, self.codes(grouping)
            weight, clusters = self._of_rows(data.sample_weight), self._of_rows(data.clusters)
            return measured_mean(metric, means(numbers, codes, groups, weight, clusters), self.evidence.options.level)

        return measured

    def change(
        self, metric: str, before: NDArray[np.bool_], after: NDArray[np.bool_]
    ) -> Callable[[Grouping | None], Measured]:
        """Return what counts how much greater the share of hits is afterwards, paired."""
        one = np.ones(len(self.rows), dtype=np.int8)

        def measured(grouping: Grouping | None) -> Measured:
            data, (codes, groups) = self.evidence.data, self.codes(grouping)
            worth = self._of_rows(data.sample_weight), None, self._of_rows(data.clusters)
            joint = JointTally.count(one, before, after, codes, groups, *worth)
            return replace(measure_change("selection_rate", joint, self.evidence.options.level), metric=metric)

        return measured

    def stated(
        self,
        metric: str,
        measured: Callable[[Grouping | None], Measured],
        unit: Unit = "share",
        hows: tuple[How, ...] = ("difference",),
        over: Sequence[Grouping | None] | None = None,
        **qualifiers: str,
    ) -> Iterator[Finding]:
        """State a metric over all rows, for each group of every grouping, and between groups."""
        level = self.evidence.options.level
        for grouping in (None, *self.evidence.groupings) if over is None else over:
            found = measured(grouping)
            yield from values(NAME, metric, found, grouping, level, unit, **qualifiers)
            if grouping is not None:
                yield from between(NAME, metric, found, hows, grouping, level, unit, **qualifiers)

    def _of_rows(self, column: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if column is None else column[self.rows]
