"""Types of arrays, by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Marks: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.intp]
Column: TypeAlias = NDArray[np.generic]
"""Of any type."""
Side: TypeAlias = tuple[Floats, Floats, Floats]
"""The estimate, the low end and the high end of what is compared, (G,) each."""


class Worth(TypedDict, total=False):
    """What each row is worth; absent or None where rows do not differ in it."""

    weight: ArrayLike | None
    """(n,) sampling weights; errors are then linearised."""
    frequency: ArrayLike | None
    """(n,) the number of rows that each row represents."""
    clusters: ArrayLike | None
    """(n,) what belongs together: errors are then those between clusters."""
