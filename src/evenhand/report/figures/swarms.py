"""Swarm of the explained rows, drawn from counts: bounded in size, without individual rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.figures.dots import swarm_figure
from evenhand.report.figures.findings import described
from evenhand.report.numbers import cut, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord
    from evenhand.report.drawings import Swarm

MOST_DOTS: Final = 200
"""Dots of the whole figure."""
SHADES: Final = (0, 0, 1, 2, 2)
"""The shade of each fifth of a feature's values."""
KEY: Final = ((0, message("lower two fifths")), (1, message("middle fifth")), (2, message("upper two fifths")))
"""What the shades mean."""
FIFTHS: Final = (
    message("lowest fifth"), message("second fifth"), message("middle fifth"), message("fourth fifth"),
    message("highest fifth"),
)  # fmt: skip


def swarm(record: AuditRecord) -> Swarm | None:
    """Return the swarm of the explained rows, None where the record has none."""
    found = next((part for part in record.tallies if part.model == "attributions"), None)
    far = record.provenance.get("attribution_reach")
    if found is None or not isinstance(far, float):
        return None
    counts = cast("list[list[list[int]]]", found.counts)
    title = message("Attributions of the explained rows, by the feature's own value")
    rows, cells = [], []
    for (name, *_), fifths in zip(found.groups, counts, strict=True):
        places = len(fifths[0])
        values = [(2 * (place + 0.5) / places - 1) * far for place in range(places)]
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
    told = described(title, [(cut(name, 60), text) for name, _, text in rows[:4]])
    head = (message("feature"), *FIFTHS)
    words = message("Mean attribution by the feature's own value")
    twin = Table("swarm-table", words, head, tuple(cells), frozenset(range(1, 6)))
    axis = message("attribution, in units of the score")
    return swarm_figure("swarm", title, told, rows, twin, axis=axis, key=KEY, shares=False, zero=0.0, most=MOST_DOTS)


def _means(fifths: Sequence[Sequence[int]], values: Sequence[float]) -> list[str]:
    """Return the mean attribution of each fifth of the rows as text, a dash where it has no row."""
    return [
        show(sum(count * value for count, value in zip(row, values, strict=True)) / sum(row), "share", 3)
        if sum(row)
        else "–"
        for row in fifths
    ]
