"""Which cells of tables that add up to each other have to be withheld together, in one version and after another.

A cell that is too small is withheld. If it alone were missing in a line whose total is shown, the total would give it
back; so others go with it (complementary suppression; Willenborg & de Waal 2001, section 5.4). Of a second version,
what the first one showed is known too: a number that changed by fewer people than the limit would tell about those who
came or went, and so would what is left of a total without the cells that are shown in both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cell: TypeAlias = "tuple[tuple[str, str], ...]"
"""A group of any grouping: pairs of column and value; empty for all rows."""
Line: TypeAlias = "tuple[Cell, tuple[Cell, ...]]"
"""A total, and the cells that add up to it."""
Rather: TypeAlias = "set[Cell] | frozenset[Cell]"
Counts: TypeAlias = "tuple[float, ...]"
"""Numbers of people of a cell, such as those selected and those not."""


def lines_of(cells: Mapping[Cell, object]) -> list[Line]:
    """Return each total among some cells, with the cells that add up to it, in a fixed order."""
    found: dict[tuple[Cell, tuple[str, ...]], list[Cell]] = {}
    for cell in sorted(cells):
        for column, _ in cell:
            total = tuple(pair for pair in cell if pair[0] != column)
            if total in cells:
                found.setdefault((total, tuple(name for name, _ in cell)), []).append(cell)
    return [(total, tuple(parts)) for (total, _), parts in found.items()]


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers of people by cell, in this version and, where they were shown, in the one before."""

    now: Mapping[Cell, Counts]
    """Of this version, for every cell."""
    below: int
    """The fewest people that a number may be about."""
    before: Mapping[Cell, Counts] = field(default_factory=dict)
    """Of the version before, for the cells that it showed."""

    def least(self, cell: Cell) -> float:
        """Return the smallest number of a cell."""
        return min(self.now[cell])

    def isolates(self, now: Counts, before: Counts) -> bool:
        """Return whether a number differs from the one before by somebody, but by fewer people than the limit."""
        return any(0 < abs(one - other) < self.below for one, other in zip(now, before, strict=True))

    def withheld(self, seed: set[Cell], rather: Rather = frozenset()) -> set[Cell]:
        """Return the cells of a seed, and those that have to go with them.

        Parameters
        ----------
        seed : set of cells
            What is withheld for itself; cells that are not in the table play no part.
        rather : set of cells
            Those that are chosen first where there is a choice.
        """
        hidden = {cell for cell in seed if cell in self.now}
        hidden |= {
            cell for cell in self.before if cell in self.now and self.isolates(self.now[cell], self.before[cell])
        }
        lines, size = lines_of(self.now), len(hidden) - 1
        while size < len(hidden):
            size = len(hidden)
            for total, cells in lines:
                self._protect(total, cells, hidden, rather)
                self._protect_change(total, cells, hidden, rather)
        return hidden

    def _protect(self, total: Cell, cells: tuple[Cell, ...], hidden: set[Cell], rather: Rather) -> None:
        """Withhold more of a line until subtraction from its total tells of no group below the limit."""
        while True:
            away = [cell for cell in cells if cell in hidden]
            if (away and (total in hidden or self._enough(away))) or (not away and total not in hidden):
                return
            shown = [cell for cell in cells if cell not in hidden]
            if not shown:
                hidden.add(total)
                return
            hidden.add(
                min(shown, key=lambda cell: (cell not in rather, not self._enough([*away, cell]), *self._size(cell)))
            )

    def _enough(self, away: list[Cell]) -> bool:
        """Return whether what subtraction tells of some cells together is about enough people, in each number."""
        return len(away) > 1 and min(map(sum, zip(*(self.now[cell] for cell in away), strict=True))) >= self.below

    def _size(self, cell: Cell) -> tuple[float, Cell]:
        return sum(self.now[cell]), cell

    def _protect_change(self, total: Cell, cells: tuple[Cell, ...], hidden: set[Cell], rather: Rather) -> None:
        """Withhold more of a line until what is left of its total changed by nobody, or by enough people."""
        while total in self.before and total not in hidden:
            both = [cell for cell in cells if cell in self.before and cell not in hidden]
            rest, was = (
                tuple(whole - sum(parts) for whole, *parts in zip(table[total], *(table[c] for c in both), strict=True))
                for table in (self.now, self.before)
            )
            if not both or not self.isolates(rest, was):
                return
            hidden.add(min(both, key=lambda cell: (cell not in rather, *self._size(cell))))


def withheld_in_all(tables: Sequence[Table], seed: set[Cell], rather: Rather = frozenset()) -> set[Cell]:
    """Return the cells of a seed, and those that have to go with them beside every earlier version."""
    hidden, before = {*seed}, -1
    while before < len(hidden):
        before = len(hidden)
        for table in tables:
            hidden |= table.withheld(hidden, rather)
    return hidden
