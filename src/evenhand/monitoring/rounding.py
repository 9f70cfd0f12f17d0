"""Figures as the state keeps them for the page."""

from __future__ import annotations

import math
from typing import Final

DIGITS: Final = 6
"""Nothing is judged by rounded figures."""


def rounded(value: float | None) -> float | None:
    """Return a figure with six digits; None where it is undefined."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")
