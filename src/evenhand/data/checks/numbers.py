"""Numbers that are something else: marks for what is not known, and values in another unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.data.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MARKS: Final = (-1, -8, -9, -88, -99, -999, -9999, -99999, 98, 99, 998, 999, 9998, 9999, 99998, 99999, 999999)
"""Numbers that people write where none is known."""
FACTORS: Final = (1000.0, 100.0, 60.0, 12.0, 10.0, 2.54, 2.2046)
"""Units apart: thousands, percent, minutes, months, a comma, inches, pounds."""
LEAST: Final = 5
"""Rows that make a group of values."""
LEAST_SLIPPED: Final = 8
"""Rows that make values in another unit."""
RARE: Final = 0.2
"""Share of the rows above which values are no slip."""
GAP: Final = 3.0
"""How many times as wide as the gaps among the rest the gap beside the slipped values is."""


@dataclass(frozen=True, slots=True)
class Slip:
    """Values of a column that seem to be in another unit, or to be marks.

    See Also
    --------
    evenhand.data.checks.sentinels : Makes it.
    """

    column: str
    """The column."""
    rows: int
    """Rows with such values."""
    of: int
    """Rows with a value."""
    factor: float = 1.0
    """How many times as large as the other values these are, of values in another unit."""
    mark: float | None = None
    """The value, of a mark."""


def _numbers(column: pd.Series) -> Floats | None:
    if not is_number(column) or column.dtype == object:
        return None
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = values[np.isfinite(values)]
    return values if len(values) >= 10 * LEAST else None


def sentinels(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[Slip]:
    """Yield numbers such as -9 or 99999 that stand far from all others, and again and again.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns that are looked at.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"income": [*range(200, 300), *[99999] * 6]})
    >>> [(found.mark, found.rows) for found in sentinels(rows, rows.columns)]
    [(99999.0, 6)]
    """
    for name in columns:
        values = _numbers(table[name])
        if values is None:
            continue
        known, times = np.unique(values, return_counts=True)
        if len(known) < 4:
            continue
        for at, beside, rest in ((-1, -2, known[:-1]), (0, 1, known[1:])):
            mark, spread = float(known[at]), float(rest[-1] - rest[0])
            alone = abs(mark - float(known[beside]))
            lower = mark < 0 <= float(rest[0])  # a negative one of a column that has no others
            if mark in MARKS and times[at] >= LEAST and (lower if at == 0 else alone > spread):
                yield Slip(str(name), int(times[at]), len(values), mark=mark)


def unit_slips(table: pd.DataFrame, columns: Iterable[str]) -> Iterator[Slip]:
    """Yield columns in which a few values are apart from all others, and fit them when divided by a usual factor.

    Parameters
    ----------
    table : pandas.DataFrame
        (n, m) the rows.
    columns : iterable of str
        The columns that are looked at.

    Notes
    -----
    Of the positive values' logarithms, those beyond a gap that is wider than any among the others are a group where
    there are at least eight, five of them different, and at most a fifth. Divided by the factor that their median is
    nearest to, they have to be distributed as the others are: the distance of Kolmogorov and Smirnov is that of chance
    (1 %). Values in another unit that lie among the others are not seen.

    Examples
    --------
    >>> import pandas as pd
    >>> height = np.random.default_rng(0).normal(170, 8, 500)
    >>> height[:20] /= 2.54
    >>> [(found.rows, found.factor) for found in unit_slips(pd.DataFrame({"height": height}), ["height"])]
    [(20, 0.3937)]
    """
    for name in columns:
        values = _numbers(table[name])
        if values is None:
            continue
        positive = values[values > 0]
        if len(positive) < 10 * LEAST or len(np.unique(positive)) < 12:
            continue
        logs = np.sort(np.log(positive))
        for sign in (1.0, -1.0):
            found = _beyond(np.sort(sign * logs))
            if found is not None:
                rows, factor = found
                yield Slip(str(name), rows, len(values), float(f"{factor if sign > 0 else 1 / factor:.4g}"))


def _beyond(logs: Floats) -> tuple[int, float] | None:
    """Return how many values are beyond the widest gap above the others, and the factor that brings them back."""
    n = len(logs)
    start = int(n * (1 - RARE))
    steps = np.diff(logs)
    if start >= n - LEAST_SLIPPED:
        return None
    cut = start + int(np.argmax(steps[start : n - LEAST_SLIPPED]))
    inside, beyond = logs[: cut + 1], logs[cut + 1 :]
    low = float(np.quantile(inside, 0.01))
    within = float(steps[:cut][inside[1:] > low].max(initial=0.0))
    if len(beyond) < LEAST_SLIPPED or steps[cut] < max(GAP * within, 0.2) or len(np.unique(beyond)) < LEAST:
        return None
    shift, spread = float(np.median(beyond) - np.median(inside)), float(inside.std())
    factor = min(FACTORS, key=lambda each: abs(np.log(each) - shift))
    near = abs(np.log(factor) - shift) <= 0.03 * np.log(factor) + 3 * spread / np.sqrt(len(beyond))
    return (len(beyond), factor) if near and _alike(beyond - np.log(factor), inside) else None


def _alike(values: Floats, others: Floats) -> bool:
    """Return whether values have the distribution of others, as far as the greatest distance of the two tells."""
    values = np.sort(values)
    at = np.searchsorted(others, values, side="right") / len(others)
    own = np.arange(1, len(values) + 1) / len(values)
    apart = float(np.maximum(np.abs(own - at), np.abs(own - 1 / len(values) - at)).max())
    return apart <= 1.63 / np.sqrt(len(values)) and bool(np.std(values) >= 0.4 * np.std(others))
