"""What measures the values that keys ask for: once for the rows that there are, or with intervals at all times."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from evenhand.messages import Message, message
from evenhand.metrics.comparisons.changes import discordant, excess_change, flips, measure_change
from evenhand.metrics.comparisons.changes_always import flips_always, measure_change_always
from evenhand.metrics.comparisons.disparities import disparity, worst_of
from evenhand.metrics.comparisons.disparity_changes import changed_gap
from evenhand.metrics.inference.sequences import ROUGHLY
from evenhand.metrics.values.rates import measure
from evenhand.metrics.values.sequences import FEWEST, TOO_FEW, measure_always, named_roughly
from evenhand.metrics.values.undefined import of_one_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.comparisons.changes import ChangeOf
    from evenhand.metrics.comparisons.disparities import Disparity, Measuring
    from evenhand.metrics.comparisons.disparity_changes import Moved
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.values.rates import Measured


class Ways(NamedTuple):
    """What measures values, their changes between two models, and flips."""

    measure: Measuring
    change: ChangeOf
    flips: Callable[[str, JointTally, float, int | None], Measured]
    always_valid: bool

    def worst(self, name: str, parts: list[Tally], how: How, level: float) -> Disparity:
        """Return the worst of the same disparity in several tallies of the same groups."""
        return worst_of([partial(disparity, name, part, by=self.measure) for part in parts], how, level)

    def excess(self, joint: JointTally, level: float) -> Measured:
        """Return by how much the change of recall of each group exceeds that of all."""
        found = _noted(excess_change("recall", joint, level, self.change), joint)
        return named_roughly(found) if self.always_valid else found

    def changed_gap(self, how: How, moved: Sequence[Moved], level: float) -> Disparity:
        """Return the change of a disparity."""
        found = changed_gap(how, moved, level)
        return roughly_compared(found) if self.always_valid else found


def _noted(found: Measured, joint: JointTally) -> Measured:
    """Return changes that say of which groups all rows are of one cluster."""
    clusters, rows = joint.tally.clusters, joint.tally.rows
    return found if clusters is None else replace(found, note=of_one_cluster(clusters, rows))


def _change(rate: str, joint: JointTally, level: float = 0.95) -> Measured:
    return _noted(measure_change(rate, joint, level), joint)


def _change_always(rate: str, joint: JointTally, level: float = 0.95) -> Measured:
    return _noted(measure_change_always(rate, joint, level), joint)


USUAL: Final = Ways(measure, _change, flips, always_valid=False)
"""Intervals of the rows that there are."""
ALWAYS: Final = Ways(measure_always, _change_always, flips_always, always_valid=True)
"""Intervals that hold at all times."""


def roughly_compared(found: Disparity) -> Disparity:
    """Return a comparison whose margins are put together by squares, named so; of few rows no limit rests on it."""
    values = found.values
    few = TOO_FEW if (values.support[values.defined] < FEWEST).any() else ""
    return replace(found, method=f"{ROUGHLY}; {found.method}", uncovered=found.uncovered or few)


def differing(rate: str, joint: JointTally) -> Callable[[int], Message]:
    """Return what tells of a group on how many rows two models differ."""
    gained, lost, _ = discordant(rate, joint)
    return lambda at: message(
        "{gained:,} rows count only with the compressed model, {lost:,} only with the original.",
        gained=int(gained[at]),
        lost=int(lost[at]),
    )
