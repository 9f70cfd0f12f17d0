"""What a metric is: one declared entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from evenhand.findings import Direction, Task

Kind: TypeAlias = Literal["rate", "composite", "score", "statement", "disparity", "change"]
Cells: TypeAlias = tuple[tuple[int, int], ...]
"""Cells (truth, decision) of the confusion table, 1 = positive."""

TN, FP, FN, TP = (0, 0), (0, 1), (1, 0), (1, 1)
ALL = (TN, FP, FN, TP)


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared metric."""

    name: str
    """The canonical name."""
    label: str
    """Its name for people."""
    kind: Kind
    """How it is computed: a rate of cells, a composite of rates, from scores, or stated by one audit; a
    ``change`` is what compression did to a rate, and can be compared between groups."""
    direction: Direction
    """Which way is better."""
    formula: str
    """The formula, in the letters of the confusion table."""
    meaning: str
    """What it says, in one line."""
    misleads: str = ""
    """When it misleads."""
    source: str = ""
    """Where it is defined."""
    aliases: tuple[str, ...] = ()
    """Other accepted names."""
    numerator: Cells = ()
    """The cells that are counted."""
    denominator: Cells = ()
    """The cells they are a share of."""
    lowest: float | None = 0.0
    """The least value it can have; None without a bound."""
    highest: float | None = 1.0
    """The greatest value it can have; None without a bound."""
    task: Task = "binary"
    """What kind of label it is about."""
