"""What a judgement rests on, and who bears it: the records, without how they are found or told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from evenhand.findings import GroupValue

if TYPE_CHECKING:
    from evenhand.keys import Key

End: TypeAlias = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class CountedGroup(GroupValue):
    """A group that decided, with the rows that its rate counts."""

    counted: int | None = None
    """The rows in the numerator; None where rows have weights, and for what is no share of rows."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a judgement rests on."""

    key: Key
    """What decided: the key that was judged, or the rate, class or stratum of it whose bound is the worst."""
    metric: str
    """The metric of the groups' values."""
    end: End
    """The end of the interval that decided, or keeps the limit open."""
    groups: tuple[CountedGroup, ...]
    """The groups behind that end, the one harmed first where that is known; one without a name for all rows."""
    reference: CountedGroup | None = None
    """What a group is compared with where the key names it: the rest, all rows, or a group."""
    open: tuple[tuple[str, ...], ...] = ()
    """Of an undecided limit: the groups, or pairs of them, whose own bound crosses it, the furthest first; at most
    twenty."""
    more: int = 0
    """How many more of these there are."""
    sentence: str = ""
    """The groups' values in words."""


@dataclass(frozen=True, slots=True)
class Burden:
    """The excess of people of one group who are harmed: (rate - reference rate) x n."""

    group: str
    """The group, with its column."""
    excess: float
    """How many more than at the reference rate."""
    low: float
    """The low end; both ends hold for all groups at once, at the policy's confidence."""
    high: float
    """The high end."""
    rows: int
    """n: the rows that the rate is of."""
    reference: str
    """Whose rate it is compared with; empty for the limit itself."""
    clustered: bool = False
    """Whether people have several rows, so that rows are counted, and not people."""

    @property
    def shown(self) -> bool:
        """Whether the data show that anybody is harmed."""
        return self.low > 0
