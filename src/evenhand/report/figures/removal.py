"""The score while what an explanation ranks first is taken away, against a random order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.figures.findings import described
from evenhand.report.figures.lines import line_figure
from evenhand.report.figures.scales import nice_step
from evenhand.report.numbers import with_interval

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import Finding
    from evenhand.report.view import Block

ORDERS: Final = {"values": message("greatest value first"), "random": message("in a random order")}


def removal(found: Iterable[Finding], scale: str, name: str = "removal") -> tuple[Block, ...]:
    """Draw the score as features are removed, by attribution and in random order."""
    lines: dict[str, dict[int, Finding]] = {}
    for f in found:
        if f.key.metric == "score_after_removal" and f.estimate is not None:
            lines.setdefault(f.key.qualifier("of") or "", {})[int(f.key.qualifier("at") or 0)] = f
    places = sorted(set.intersection(*(set(line) for line in lines.values()))) if lines else []
    if len(places) < 2:
        return ()
    drawn = [(ORDERS.get(name, name), [line[at].estimate or 0.0 for at in places]) for name, line in lines.items()]
    values = [value for _, series in drawn for value in series]
    spread = max(values) - min(values)
    step = nice_step((spread if spread > 1e-6 else 1.0) / 3)
    bottom = min(values) // step * step
    title = message("Mean score while features are taken from the background")
    cells = tuple((str(place), *(with_interval(line[place], 3) for line in lines.values())) for place in places)
    head = (message("features taken away"), *(label for label, _ in drawn))
    table = Table(f"{name}-table", title, head, cells, frozenset(range(1, len(head))))
    told = described(title, [(label, f"{series[0]:.2f} … {series[-1]:.2f}") for label, series in drawn])
    at = [float(place) for place in places]
    axes = (head[0], message("mean, {scale}", scale=scale))
    return (line_figure(name, title, told, at, drawn, table, axes=axes, top=bottom + 4 * step, bottom=bottom),)


def followed(found: Iterable[Finding]) -> str | None:
    """Return whether the score follows what is ranked first, as a sentence; None where that was not measured."""
    gaps = {
        f.key.qualifier("of"): with_interval(f)
        for f in found
        if f.key.metric == "deletion_insertion_gap" and not f.key.group
    }
    if len(gaps) < len(ORDERS):
        return None
    return message(
        "With the features ranked first put in, the score is {values} higher than with them taken away; "
        "in a random order, {random}.",
        values=gaps["values"], random=gaps["random"],
    )  # fmt: skip
