"""The metrics of a place: those that are listed for it, and those whose own entry names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import extra_metrics, hows_of
from evenhand.metrics.catalogue.places import LISTS

if TYPE_CHECKING:
    from evenhand.metrics.catalogue.places import Place

LIKE: Final = {"stereotype_rate": "selection_rate"}
"""The metric whose places one that is not listed has."""


def stated(place: Place, *, graded: str = "") -> tuple[str, ...]:
    """Return the metrics, or disparities, of a place: those that are listed, then each whose entry names the place.

    Parameters
    ----------
    place : Place
        Where they are stated or shown.
    graded : str
        The metric that alone says something, of rows whose truth is one for all: ``accuracy`` of graded answers,
        ``stereotype_rate`` of preferred sentences; empty of other rows.

    Examples
    --------
    >>> stated("figure")
    ('selection_rate', 'recall', 'false_positive_rate', 'word_error_rate', 'character_error_rate')
    """
    extra_metrics()
    named = (metric for metric in METRICS.values() if place in metric.shown)
    if place == "gap":
        more = [f"{metric.name}_{how}" for metric in named for how in hows_of(metric)]
    else:
        more = [metric.name for metric in named]
    found = (*LISTS[place].split(), *more)
    if not graded:
        return found
    like = LIKE.get(graded, graded)
    return tuple(graded + name.removeprefix(like) for name in found if name.startswith(like))
