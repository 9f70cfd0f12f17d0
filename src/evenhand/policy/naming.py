"""Keys as people say them: ``recall[city=Dijon]`` is "Recall, Dijon"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message
from evenhand.metrics import describe
from evenhand.policy.wording import cut

if TYPE_CHECKING:
    from evenhand.keys import Feature, Key

SHORTEST: Final = 3
"""A group with fewer letters is a code, and is said with its column."""
MOST_NAME: Final = 40
UNSAID: Final = frozenset({("of", "original"), ("vs", "baseline"), ("since", "baseline")})
"""Qualifiers that the metric's own label says."""
YES_OR_NO: Final = frozenset({"yes", "no", "true", "false", "none", "other", "unknown"})
"""Groups that need their column as codes do."""


def named(key: Key) -> str:
    """Return a key in words: the metric, then the groups or the columns, then what else the key names.

    Examples
    --------
    >>> from evenhand.keys import Key
    >>> print(named(Key.parse("recall[city=Dijon]")), named(Key.parse("recall[sex=F]")), sep="; ")
    Recall, Dijon; Recall, sex=F
    >>> print(named(Key.parse("selection_rate_ratio[race,sex]")))
    Selection rate ratio, race, sex
    """
    further = (f"{name}={cut(value, MOST_NAME)}" for name, value in key.qualifiers if (name, value) not in UNSAID)
    of = (*map(_feature, key.features), *further)
    label = describe(key.metric).label
    return message("{metric}, {groups}", metric=label, groups=joined(", ", of)) if of else label


def _feature(feature: Feature) -> str:
    column, group = cut(feature.column, MOST_NAME), feature.group
    if group is None:
        return f"{column}=*" if feature.each else column
    letters = sum(char.isalpha() for char in group)
    bare = letters >= SHORTEST and group.casefold() not in YES_OR_NO
    return cut(group, MOST_NAME) if bare or not group.isascii() else f"{column}={cut(group, MOST_NAME)}"
