"""Two parts of the evaluation rows: one to fit on, one to judge on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.data.splitting import parts_of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet

__all__ = ["halves"]


def halves(data: EvaluationSet, seed: int = 0) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of the rows to fit on and of those to judge on: one half each.

    Classes and groups are shared out alike, and rows of one cluster stay together.

    Parameters
    ----------
    data : EvaluationSet
        The rows.
    seed : int
        The same seed gives the same halves.

    Returns
    -------
    fitted, judged : (k,) arrays of int

    Examples
    --------
    >>> import evenhand as eh
    >>> fitted, judged = halves(eh.load_loanapp())
    >>> len(fitted), len(judged), len(set(fitted) & set(judged))
    (986, 985, 0)
    """
    part = parts_of_rows(data, [0.5, 0.5], seed)
    return np.flatnonzero(part == 0), np.flatnonzero(part == 1)
