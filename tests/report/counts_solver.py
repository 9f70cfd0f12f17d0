"""An attacker who solves for counts: every number of public copies as a constraint on the true counts.

The unknowns are the counts (group, truth, decision) of each group of each grouping, of one version or several. What a
copy shows is an equation; that groups add up to their totals is an equation; that nobody left between versions may
be one, too. The least and the greatest value of a count, over whole numbers, are what the attacker knows of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from evenhand.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evenhand.findings import AuditRecord

Cell = tuple[tuple[str, str], ...]
LEAVES = ((0, 0), (0, 1), (1, 0), (1, 1))
ROUNDING = 1e-6


def true_counts(record: AuditRecord) -> dict[Cell, np.ndarray]:
    """Return the counts (truth, decision) of every group of a full record, all rows under the empty tuple."""
    return {
        tuple(zip(counts.columns, group, strict=True)): np.asarray(counts.counts[at], dtype=int)  # type: ignore[index]
        for counts in record.tallies
        if counts.model == "subject"
        for at, group in enumerate(counts.groups)
    }


def lines(cells: Iterable[Cell]) -> Iterable[tuple[Cell, list[Cell]]]:
    """Yield each total with the cells that add up to it."""
    known = set(cells)
    for total in sorted(known):
        columns = {column for cell in known if len(cell) == len(total) + 1 and {*cell} > {*total} for column, _ in cell}
        for column in sorted(columns - {name for name, _ in total}):
            yield (
                total,
                [c for c in known if len(c) == len(total) + 1 and {*c} > {*total} and column in dict(c)],
            )


@dataclass
class Solver:
    """What is known of the counts of one or several versions."""

    most: int
    """No count is greater."""
    at: dict[tuple[int, Cell], int] = field(default_factory=dict)
    """The place of the first of four counts of a group in a version."""
    rows: list[dict[int, float]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    told: set[object] = field(default_factory=set)
    """Constraints that were added, once each."""
    whole: LinearConstraint | None = None
    """All constraints, made when they are first needed."""

    def add(self, version: int, cells: Iterable[Cell], public: AuditRecord) -> None:
        """Add what the public copy of a version says of groups that are known to exist."""
        for cell in sorted(cells):
            self.at[version, cell] = 4 * len(self.at)
        for total, parts in lines([cell for known, cell in self.at if known == version]):
            for leaf in LEAVES:
                whole = {self._place(version, total, leaf): -1.0}
                self._equal({**whole, **{self._place(version, part, leaf): 1.0 for part in parts}}, 0)
        for counts in public.tallies:
            for group, rows in zip(counts.groups, counts.counts, strict=True):  # type: ignore[arg-type]
                self._rate(version, tuple(zip(counts.columns, group, strict=True)), LEAVES, float(rows))  # type: ignore[arg-type]
        for finding in public.findings:
            if finding.estimate is None or [name for name, _ in finding.key.qualifiers if name != "vs"]:
                continue
            if len(finding.key.group) == len(finding.key.columns) and not finding.key.qualifiers:
                cell = tuple(sorted(finding.key.group))
                self._said(version, cell, finding.key.metric, finding.estimate, finding.support)
            for value in finding.all_groups:
                named = self._named(version, finding.key.columns, value.group)
                if named:
                    self._rate(version, named, LEAVES, value.rows)
                    if value.estimate is not None:
                        self._said(version, named, finding.component, value.estimate, value.support)

    def nobody_left(self) -> None:
        """Add that the rows of each version are among those of the next, with the same decisions."""
        for version, cell in [*self.at]:
            if (version + 1, cell) in self.at:
                for leaf in LEAVES:
                    more = {self._place(version + 1, cell, leaf): 1.0, self._place(version, cell, leaf): -1.0}
                    self._between(more, 0, float(self.most))

    def range(self, parts: Mapping[tuple[int, Cell], float], leaves: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """Return the least and the greatest whole number that a sum of counts can be, by what is known."""
        cost = np.zeros(4 * len(self.at))
        for (version, cell), sign in parts.items():
            for leaf in leaves:
                cost[self._place(version, cell, leaf)] += sign
        return round(self._least(cost)), round(-self._least(-cost))

    def _least(self, cost: np.ndarray) -> float:
        if self.whole is None:
            values = [value for row in self.rows for value in row.values()]
            at = ([n for n, row in enumerate(self.rows) for _ in row], [place for row in self.rows for place in row])
            matrix = csr_array((values, at), shape=(len(self.rows), len(cost)))
            self.whole = LinearConstraint(matrix, np.array(self.low), np.array(self.high))
        found = milp(cost, constraints=self.whole, integrality=np.ones(len(cost)), bounds=Bounds(0, self.most))
        assert found.status == 0, found.message
        return float(found.fun)

    def _said(self, version: int, cell: Cell, metric: str, estimate: float, support: int) -> None:
        if (version, cell) not in self.at:
            return
        if metric == "favourable_rate":
            metric = "selection_rate"  # in these tables the positive decision is the good one
        if metric == "f1":
            parts = {(1, 1): 2 - 2 * estimate, (0, 1): -estimate, (1, 0): -estimate}
            self._equal({self._place(version, cell, leaf): value for leaf, value in parts.items()}, 0)
        elif metric in METRICS and METRICS[metric].denominator:
            self._rate(version, cell, METRICS[metric].denominator, support)
            self._rate(version, cell, METRICS[metric].numerator, round(estimate * support))

    def _rate(self, version: int, cell: Cell, leaves: Sequence[tuple[int, int]], value: float) -> None:
        if (version, cell) in self.at:
            self._equal({self._place(version, cell, leaf): 1.0 for leaf in leaves}, value)

    def _equal(self, row: dict[int, float], value: float) -> None:
        self._between(row, value - ROUNDING, value + ROUNDING)

    def _between(self, row: dict[int, float], low: float, high: float) -> None:
        told = (tuple(sorted(row.items())), low, high)
        if told in self.told:
            return
        self.told.add(told)
        self.rows.append(row)
        self.whole = None
        self.low.append(low)
        self.high.append(high)

    def _place(self, version: int, cell: Cell, leaf: tuple[int, int]) -> int:
        return self.at[version, cell] + 2 * leaf[0] + leaf[1]

    def _named(self, version: int, columns: tuple[str, ...], name: str) -> Cell | None:
        for known, cell in self.at:
            spelled = (", ".join(value for _, value in cell), ", ".join(f"{c}={v}" for c, v in cell))
            if known == version and tuple(column for column, _ in cell) == columns and name in spelled:
                return cell
        return None
