"""Refuse limits that cannot fail, cannot be met, or point the wrong way, by each metric's range and direction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from evenhand.keys import Key, KeySyntaxError
from evenhand.metrics import canonical, describe
from evenhand.metrics.catalogue.names import split_name
from evenhand.policy.limits import DECLARED, REQUIRED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.metrics.catalogue.entry import Metric

SIDES: Final = ("at_most", "at_least")
LARGEST: Final = 1e300
"""Limits beyond this are none."""


def is_finite(value: object) -> bool:
    """Return whether a value is a number that a limit can have: no bool, not infinite, not NaN, not of 400 digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -LARGEST < value < LARGEST and not math.isnan(value)


def bound_problems(text: str, values: Mapping[str, object], where: str) -> Iterator[str]:
    """Yield why a limit makes no sense for its metric; nothing where its metric is not known."""
    entry = _entry(text)
    if entry is None:
        return
    for side in SIDES:
        bound = values.get(side)
        if is_finite(bound):
            yield from _side_problems(entry, side, bound, where)  # type: ignore[arg-type]  # a number, it is finite
    drop = values.get("max_drop")
    if is_finite(drop):
        yield from _drop_problems(entry, drop, where)  # type: ignore[arg-type]  # a number, it is finite


def accepted_problems(text: str, accept_to: object, where: str) -> Iterator[str]:
    """Yield why what a waiver accepts is beyond all values of the metric, so that it would cover for ever."""
    entry = _entry(text)
    if entry is None or not is_finite(accept_to):
        return
    least, most = entry.range
    if not least < accept_to < most:  # type: ignore[operator]  # a number, it is finite
        yield f"{where}: accept_to = {accept_to} accepts every {entry.name}, which is {_span(entry)}. Leave it out."


def _entry(text: str) -> Metric | None:
    try:
        metric = Key.parse(text).metric
    except KeySyntaxError:
        return None
    known = canonical(metric)
    if known in (DECLARED, REQUIRED) or (known is None and split_name(metric)[1] is None):
        return None
    return describe(metric)


def _side_problems(entry: Metric, side: str, bound: float, where: str) -> Iterator[str]:
    usual = {"higher_is_better": "at_least", "lower_is_better": "at_most"}.get(entry.direction, side)
    least, most = entry.range
    if side != usual:
        better = "higher" if usual == "at_least" else "lower"
        yield (
            f"{where}: {side} = {bound:g} points the wrong way: {entry.name} is better the {better} it is. "
            f"Write {usual} = {bound:g}."
        )
    elif bound <= least if side == "at_least" else bound >= most:
        yield f"{where}: {side} = {bound:g} cannot fail: {entry.name} is {_span(entry)}. {_inside(entry, bound)}"
    elif bound > most or bound < least:
        yield f"{where}: {side} = {bound:g} cannot be met: {entry.name} is {_span(entry)}. {_inside(entry, bound)}"


def _drop_problems(entry: Metric, drop: float, where: str) -> Iterator[str]:
    least, most = entry.range
    if entry.direction == "neutral":
        yield (
            f"{where}: max_drop cannot be judged: neither a higher nor a lower {entry.name} is better, so it cannot "
            "get worse. Limit the value, or its difference between groups."
        )
    elif drop >= most - least:
        yield f"{where}: max_drop = {drop:g} cannot fail: {entry.name} is {_span(entry)}. Write a smaller one."


def _span(entry: Metric) -> str:
    """Return the range of a metric in words."""
    least, most = entry.range
    if math.isinf(most):
        return f"{least:g} or above"
    return f"{most:g} or below" if math.isinf(least) else f"between {least:g} and {most:g}"


def _inside(entry: Metric, bound: float) -> str:
    """Return what to write."""
    least, most = entry.range
    if (least, most) == (0, 1) and 1 < bound <= 100:
        return f"Write {bound / 100:g} for {bound:g} %." if bound < 100 else "Write a share, such as 0.95."
    return "Write a value that it may miss."
