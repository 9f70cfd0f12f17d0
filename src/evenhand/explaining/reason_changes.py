"""Reasons that another model, or another half of the background, would have stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.explaining.comparing import background_halves
from evenhand.explaining.reasons import reasons_against

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.attributions import Attributions

    Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ReasonChanges:
    """How the reasons of rows that two models decide against differ; see `reason_changes`."""

    first: Marks
    """(n,): whether the first reason is another."""
    stated: Marks
    """(n,): whether the set of stated reasons is another."""
    clear: Marks | None
    """(n,): whether the first reason goes from the same feature to the same other one against either half of the
    background; None where there are no halves."""
    by_chance: Marks | None
    """(n,): whether the later model's own first reason differs between the halves."""


def reason_changes(
    after: Attributions, before: Attributions, rows: NDArray[np.int64], *, low_is_bad: bool = True
) -> ReasonChanges:
    """Return how the reasons of some rows differ between two models that were explained against the same rows.

    Parameters
    ----------
    after, before : Attributions
        Of the same rows, features and background.
    rows : (n,) array of int
        Rows that both decide against.
    low_is_bad : bool
        Whether a low score is the one that is bad for the person.
    """
    new, old = (reasons_against(found.values[rows], low_is_bad=low_is_bad) for found in (after, before))
    stated = (np.sort(new, axis=1) != np.sort(old, axis=1)).any(axis=1)
    halves = [background_halves(found) for found in (after, before)]
    clear = by_chance = None
    if halves[0] is not None and halves[1] is not None:
        later, earlier = (
            [reasons_against(half[rows], low_is_bad=low_is_bad)[:, 0] for half in pair]
            for pair in halves if pair is not None
        )  # fmt: skip
        by_chance = later[0] != later[1]
        clear = ~by_chance & (earlier[0] == earlier[1]) & (later[0] != earlier[0])
    return ReasonChanges(new[:, 0] != old[:, 0], stated, clear, by_chance)
