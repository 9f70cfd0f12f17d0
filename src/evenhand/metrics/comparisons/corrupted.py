"""What a corruption changes, group by group and between groups: on the same rows, at several severities at once.

The rows as they are and corrupted are two decisions of one row, as those of an original and a compressed model are, so
the paired intervals are theirs (`changes`, `disparity_changes`). The error is shared between the severities
(Bonferroni): what is said of all of them together errs as seldom as stated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from evenhand.messages import message
from evenhand.metrics.catalogue.robustness import CORRUPTED_GAPS
from evenhand.metrics.comparisons.changes import flips, measure_change
from evenhand.metrics.comparisons.disparity_changes import Moved, changed_gap, moved, worse_changed
from evenhand.metrics.inference.intervals import z_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.metrics.comparisons.disparities import Disparity
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.metrics.values.rates import Measured

Found = TypeVar("Found", "Measured", "Disparity")

__all__ = ["corrupted_flips", "gap_changes", "shared_level", "told_together", "worst"]

TOGETHER: Final = "{method}, bonferroni over {parts}"
"""How the method of an interval is named."""
PARTS: Final = ("recall", "false_positive_rate")
"""The rates of equalized odds."""


def shared_level(level: float, parts: int) -> float:
    """Return the confidence of each of several intervals that hold together.

    Parameters
    ----------
    level : float
        The confidence of all of them.
    parts : int
        How many there are.

    Examples
    --------
    >>> round(shared_level(0.94, 3), 4)
    0.98
    """
    return 1 - (1 - level) / max(parts, 1)


def corrupted_flips(joint: JointTally, level: float) -> Measured:
    """Return the share of rows that are decided otherwise.

    Parameters
    ----------
    joint : JointTally
        Truth, decision on the row as it is, decision on the corrupted row; G groups.
    level : float
        Two-sided confidence.

    Examples
    --------
    >>> from evenhand.metrics.counts.joint import JointTally
    >>> corrupted_flips(JointTally.count([1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]), 0.95).estimate.tolist()
    [0.25]
    """
    return replace(flips("flip_rate", joint, level), metric="corrupted_flip_rate")


def gap_changes(joint: JointTally, level: float) -> Iterator[tuple[str, Disparity]]:
    """Yield the change of each gap between groups, with the name of its metric.

    Parameters
    ----------
    joint : JointTally
        Truth, decision on the row as it is, decision on the corrupted row; G groups.
    level : float
        Two-sided confidence.

    Examples
    --------
    >>> from evenhand.metrics.counts.joint import JointTally
    >>> joint = JointTally.count([1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 0], codes=[0, 0, 1, 1], n_groups=2)
    >>> dict(gap_changes(joint, 0.95))["corrupted_recall_difference_change"].estimate
    0.5
    """
    rates: dict[str, Moved] = {}
    gaps: dict[str, Disparity] = {}
    for name in CORRUPTED_GAPS:
        if name == "equalized_odds":
            found = worse_changed([gaps[rate] for rate in PARTS], [rates[rate] for rate in PARTS])
        else:
            rates[name] = moved(name, joint, measure_change(name, joint, level), level)
            found = gaps[name] = changed_gap("difference", [rates[name]], level)
        yield f"corrupted_{name}_difference_change", found


def told_together(found: Found, parts: int) -> Found:
    """Return values, or a gap, whose method says that they hold together with those of other severities.

    Parameters
    ----------
    found : Measured or Disparity
        What was found at the level of one part.
    parts : int
        How many there are.

    Examples
    --------
    >>> from evenhand.metrics import mean_score
    >>> told_together(mean_score([0, 1], [0.2, 0.4], [0, 0], 1), 3).method
    'hall, one more row, bonferroni over 3'
    """
    return replace(found, method=TOGETHER.format(method=found.method, parts=parts))


def worst(parts: Sequence[Measured], level: float, severities: int) -> Measured:
    """Return the greatest value over several corruptions of the same rows, for each group.

    Its high end is the greatest of their high ends, for the greatest true value is below its own (intersection-union).
    Its low end is the greatest of their low ends, between which the error is shared.

    Parameters
    ----------
    parts : sequence of Measured
        One metric of the same groups under each corruption.
    level : float
        The confidence over all severities.
    severities : int
        How many there are.

    Examples
    --------
    >>> from evenhand.metrics.counts.joint import JointTally
    >>> said = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    >>> made = [corrupted_flips(JointTally.count([1, 1, 0, 0], said[0], each), 0.95) for each in said[1:]]
    >>> worst(made, 0.95, 3).estimate.tolist()
    [0.5]
    """
    first, plain = parts[0], z_of(shared_level(level, severities))
    strict = z_of(shared_level(level, severities * len(parts)))
    low = np.max([part.ends(strict)[0] for part in parts], axis=0)
    high = np.max([part.ends(plain)[1] for part in parts], axis=0)
    method = TOGETHER.format(method=first.method, parts=severities * len(parts))
    marks = [part.uncovered for part in parts if part.uncovered]
    uncovered = tuple(next(filter(None, each), "") for each in zip(*marks, strict=True))
    estimate = np.max([part.estimate for part in parts], axis=0)
    return replace(first, estimate=estimate, low=low, high=high, method=method, binomial=None, uncovered=uncovered)


NEARNESS: Final = 0.9
"""The share of scores that mild noise moves by less than the distance."""
NO_MOVE: Final = message("Mild noise moves less than one score in ten, so no distance follows from it.")
