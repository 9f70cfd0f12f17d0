"""A swarm of the explained rows, drawn from counts: bounded, and nobody's row among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from evenhand.report.figures.dots import swarm_figure
from evenhand.report.numbers import cut, show
from evenhand.report.view import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord
    from evenhand.report.drawings import Swarm

MOST_DOTS: Final = 400
"""Dots of the whole figure."""
SHADES: Final = (0, 0, 1, 2, 2)
"""The shade of each fifth of a feature's values."""
FIFTHS: Final = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")


def swarm(record: AuditRecord) -> Swarm | None:
    """Return the swarm of the explained rows, None where the record has none."""
    found = next((part for part in record.tallies if part.model == "attributions"), None)
    reach = None if found is None else re.search(r"to ([0-9.e+-]+)$", found.axes[-1])
    if found is None or reach is None:
        return None
    far = float(reach[1])
    counts = cast("list[list[list[int]]]", found.counts)
    title = "Attributions of the explained rows, darker where the feature's own value is higher"
    rows, cells = [], []
    for (name, *_), fifths in zip(found.groups, counts, strict=True):
        values = _values(far, len(fifths[0]))
        dots = [
            (value, SHADES[fifth])
            for fifth, row in enumerate(fifths)
            for value, count in zip(values, row, strict=True)
            for _ in range(count)
        ]
        means = _means(fifths, values)
        known = [mean for mean in means if mean != "–"]
        rows.append((cut(name, 200), dots, f"{known[0]} … {known[-1]}" if known else ""))
        cells.append((cut(name, 200), *means))
    few = "; ".join(f"{cut(name, 60)}: {text}" for name, _, text in rows[:4])
    head = ("feature", *FIFTHS)
    twin = Table(
        "swarm-table", "Mean attribution by the feature's own value", head, tuple(cells), frozenset(range(1, 6))
    )
    return swarm_figure("swarm", title, f"{title}. {few}.", rows, twin, shares=False, zero=0.0, most=MOST_DOTS)


def _values(far: float, places: int) -> list[float]:
    return [(2 * (place + 0.5) / places - 1) * far for place in range(places)]


def _means(fifths: Sequence[Sequence[int]], values: Sequence[float]) -> list[str]:
    """Return the mean attribution of each fifth of the rows as text, a dash where it has no row."""
    return [
        show(sum(count * value for count, value in zip(row, values, strict=True)) / sum(row), "share", 3)
        if sum(row)
        else "–"
        for row in fifths
    ]
