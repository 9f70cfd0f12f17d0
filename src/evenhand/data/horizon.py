"""By when an event makes a row positive, of rows that were followed in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from evenhand.data.roles import Roles

CensoringCurve: TypeAlias = Literal["by group", "overall"]
"""Whether each group has a censoring curve of its own, or all rows have one."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """By when an event makes a row positive, and how rows of unknown outcome are stood for."""

    at: float
    """In the unit of the time."""
    censoring: CensoringCurve
    """Whose censoring curve gives the weights."""
    weight: str | None
    """The column of sampling weights that was declared."""

    def declared(self, roles: Roles) -> Roles:
        """Return the roles as they were declared: the label is made of time and event, the weight of censoring."""
        spared = tuple(column for column in roles.exclude if column != self.weight)
        return replace(roles, label=None, sample_weight=self.weight, exclude=spared)
