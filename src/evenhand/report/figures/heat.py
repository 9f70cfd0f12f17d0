"""Heat grids: values in cells, darker where they are greater."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined
from evenhand.report.drawings import Heat, Table
from evenhand.report.figures.findings import described
from evenhand.report.figures.scales import fitting
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

LABEL: Final = 60
MOST_CELLS: Final = 60
"""The most cells drawn; the others are in the table."""
SHADES: Final = 5


def heat_figure(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None], Sequence[str]]],
    corner: str = "",
) -> Heat:
    """Return a grid of shares, with its table twin; `corner` heads the column of row labels.

    A row is a label, values from 0 to 1 (None: not defined), and the same values as text.
    """
    most = min(
        MOST_CELLS // len(columns),
        fitting([(cut(label, LABEL), label, *texts) for label, _, texts in rows], 60 + 40 * len(columns)),
    )
    shown = rows[: max(1, most)]
    head = (corner, *columns)
    told_rows = tuple((label, *texts) for label, _, texts in rows)
    table = Table(f"{name}-table", title, head, told_rows, frozenset(range(1, len(head)))).bounded()
    told = [
        (cut(label, 60), joined("; ", (joined(": ", pair) for pair in zip(columns, texts, strict=True))))
        for label, _, texts in rows[:2]
    ]
    grid = tuple(
        (cut(label, LABEL), tuple(zip(map(shade, values), texts, strict=True))) for label, values, texts in shown
    )
    return Heat(name, title, described(title, told, len(rows) - 2), table, head, grid)


def shade(value: float | None) -> int:
    """Return how dark a share is drawn: 0 for none or unknown, 5 for all.

    Examples
    --------
    >>> shade(None), shade(0.0), shade(0.01), shade(0.5), shade(1.0)
    (0, 0, 1, 3, 5)
    """
    return 0 if value is None or value <= 0 else min(SHADES, int(value * SHADES) + 1)
