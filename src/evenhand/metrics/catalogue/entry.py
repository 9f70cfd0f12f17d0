"""What a metric is: one declared entry."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal, TypeAlias

from evenhand.messages import Message, message

if TYPE_CHECKING:
    from evenhand.findings import Direction, Task
    from evenhand.metrics.catalogue.places import Place

How: TypeAlias = Literal["difference", "ratio", "group_min", "group_max"]
"""How the values of groups become one."""
Kind: TypeAlias = Literal["rate", "composite", "score", "statement", "disparity", "change"]
Cells: TypeAlias = tuple[tuple[int, int], ...]
"""Cells (truth, decision) of the confusion table, 1 = positive."""

TN, FP, FN, TP = (0, 0), (0, 1), (1, 0), (1, 1)
ALL = (TN, FP, FN, TP)
EXAMPLE = {TN: 30, FP: 20, FN: 10, TP: 40}
"""The table of a hundred rows that examples count."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared metric.

    See Also
    --------
    evenhand.metrics.describe : Returns one.
    """

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
    """What it measures, in one line."""
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
    changes: bool = True
    """Of a rate of cells: whether its change by compression is a metric, too."""
    pairs: tuple[tuple[int, int, int], ...] = ()
    """The cells (truth, decision of the original, decision of the compressed model) that are counted among all rows."""
    of_classes: bool = False
    """Whether a composite of two classes is one of several classes, too."""
    lowest: float | None = 0.0
    """The least value it can have; None without a bound."""
    highest: float | None = 1.0
    """The greatest value it can have; None without a bound."""
    task: Task = "binary"
    """What kind of label it is about."""
    shown: tuple[Place, ...] = ()
    """Where it is stated and shown, with the metrics listed there. When empty, a rate of another package is shown
    overall, for each group and as every gap."""
    volatile: bool = False
    """Whether it differs from run to run, as times, memory and energy do: it is kept outside a record's digest."""
    example: str = ""
    """The formula with figures, in signs that need no translation; a rate of cells has one from its cells."""

    def __post_init__(self) -> None:
        """Make the texts translatable messages; an unknown metric has a name only."""
        for field in ("label", "meaning", "misleads"):
            text = getattr(self, field)
            if text and not isinstance(text, Message) and text != self.name:
                object.__setattr__(self, field, message(text))

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest value it can have, infinite without a bound."""
        return -inf if self.lowest is None else self.lowest, inf if self.highest is None else self.highest

    @property
    def counted(self) -> bool:
        """Whether counts of truth and decision are all that it needs."""
        return bool(self.denominator) or self.kind == "composite"

    @property
    def decision(self) -> int | None:
        """The decision, 1 for positive, that a rate counts among all rows of the same truths; None for other rates.

        What such a rate is to the person follows from whether that decision is favourable. Precision is none of them:
        it is counted among rows of one decision.
        """
        truths, decided = {true for true, _ in self.numerator}, {decision for _, decision in self.numerator}
        whole = set(self.denominator) == {(true, decision) for true in truths for decision in (0, 1)}
        return min(decided) if len(decided) == 1 and whole else None

    @property
    def family(self) -> str:
        """The fairness criterion that demands equality of this rate of cells; empty for none."""
        if len({truth for truth, _ in self.denominator}) == 1:
            return "separation"
        decided = {decision for _, decision in self.denominator}
        if len(decided) == 1:
            return "sufficiency"
        alike = {truth for truth, _ in self.numerator} == {0, 1} and len({d for _, d in self.numerator}) == 1
        return "independence" if alike else ""

    @property
    def worked(self) -> str:
        """The example: of a rate, ``40 / (10 + 40) = 0.80``, from a table of 30 TN, 20 FP, 10 FN and 40 TP."""
        if self.example or not self.denominator:
            return self.example
        upper, lower = ([EXAMPLE[cell] for cell in cells] for cells in (self.numerator, self.denominator))
        return f"{_sum(upper)} / {_sum(lower)} = {sum(upper) / sum(lower):.2f}"


def _sum(counts: list[int]) -> str:
    if len(counts) in (1, len(ALL)):
        return str(sum(counts))
    return f"({' + '.join(map(str, counts))})"
