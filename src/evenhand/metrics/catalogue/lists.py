"""The metrics of a place: those that are listed for it, and those whose own entry names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import extra_metrics, hows_of
from evenhand.metrics.catalogue.places import LISTS

if TYPE_CHECKING:
    from evenhand.metrics.catalogue.places import Place


def stated(place: Place, *, graded: bool = False) -> tuple[str, ...]:
    """Return the metrics, or disparities, of a place: those that are listed, then each whose entry names the place.

    Parameters
    ----------
    place : Place
        Where they are stated or shown.
    graded : bool
        Whether rows are graded answers, of which the truth is to be right: then accuracy alone says something.

    Examples
    --------
    >>> stated("figure")
    ('selection_rate', 'recall', 'false_positive_rate')
    """
    extra_metrics()
    named = (metric for metric in METRICS.values() if place in metric.shown)
    if place == "gap":
        more = [f"{metric.name}_{how}" for metric in named for how in hows_of(metric)]
    else:
        more = [metric.name for metric in named]
    found = (*LISTS[place].split(), *more)
    return tuple(name for name in found if name.startswith("accuracy")) if graded else found
