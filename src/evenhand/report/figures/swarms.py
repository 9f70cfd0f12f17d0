"""Swarm of the explained rows, drawn from counts: bounded in size, without individual rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.figures.dots import dots_each, swarm_figure
from evenhand.report.figures.explained import explained_scale
from evenhand.report.figures.findings import described
from evenhand.report.numbers import cut, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord
    from evenhand.report.drawings import Swarm

ENDS: Final = message("mean of the lowest … highest fifth")
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
    names = [cut(name, 200) for name, *_ in found.groups]
    means = [[_mean(value) for value in row] for row in record.provenance.get("attribution_means", [])]
    rows = []
    for place, (name, fifths) in enumerate(zip(names, counts, strict=True)):
        places = len(fifths[0])
        values = [(2 * (place + 0.5) / places - 1) * far for place in range(places)]
        dots = [
            (value, SHADES[fifth])
            for fifth, row in enumerate(fifths)
            for value, count in zip(values, row, strict=True)
            for _ in range(count)
        ]
        rows.append((name, dots, _ends(means[place]) if means else ""))
    explained = sum(sum(row) for row in counts[0])
    drawn = min(dots_each(rows, MOST_DOTS), explained)
    title = message(
        "Attributions of {drawn} of {rows:,} explained rows, by the feature's own value", drawn=drawn, rows=explained
    )
    words = message("Mean attribution by the feature's own value")
    head = (message("feature"), *FIFTHS)
    cells = tuple((name, *row) for name, row in zip(names, means, strict=bool(means)))
    twin = Table("swarm-table", words, head, cells, frozenset(range(1, 6)), silent=not means)
    told = described(title, [(cut(name, 60), text) for name, _, text in rows[:4] if text])
    frame = ("swarm", title, told, rows, twin, ENDS if means else "")
    return swarm_figure(*frame, axis=explained_scale(record), key=KEY, shares=False, zero=0.0, most=MOST_DOTS)


def _mean(value: float | None) -> str:
    return "–" if value is None else show(value, "share", 3)


def _ends(means: Sequence[str]) -> str:
    """Return the means of the lowest and the highest fifth that have rows."""
    known = [mean for mean in means if mean != "–"]
    return f"{known[0]} … {known[-1]}"
