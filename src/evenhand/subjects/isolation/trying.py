"""Model files whose package reads them by code of its own: tried in a process with limits before this one opens them.

What ends that process, a cycle among the nodes of a tree or a number of rows that no memory holds, does not reach
this one. What came through is opened here, so that its trees can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.subjects.isolation.limits import Limits

ROWS = 64
"""Rows that a model is asked for."""


def try_elsewhere(path: Path, kind: str, limits: Limits) -> None:
    """Open a file and ask it for rows in another process.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        The name of its kind.
    limits : Limits
        Of that process.

    Raises
    ------
    ModelError
        When it cannot be opened or asked within the limits, or ends the process.
    """
    from evenhand.subjects.isolation.process import Process

    process = Process(f"'{path}'", limits, path.stat().st_size)
    told, _ = process.ask({"do": "try", "path": str(path.absolute()), "kind": kind}, [], 1)
    if "error" in told:
        raise ModelError(f"'{path}' could not be opened: {told['error']}")


def rows_to_try(columns: int) -> NDArray[np.float64]:
    """Return rows (ROWS, columns) that reach far into trees: small and large numbers, zeros and missing ones."""
    import numpy as np

    rng = np.random.default_rng(0)
    made = rng.normal(size=(ROWS, columns)) * 10.0 ** rng.integers(-2, 6, size=(ROWS, 1))
    made[0], made[1], made[2], made[3] = 0.0, np.nan, 1e30, -1e30
    return made
