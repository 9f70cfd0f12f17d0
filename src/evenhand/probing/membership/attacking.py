"""All attacks on one model, from what it and its references answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.probing.membership.scores import lira, rmia

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evenhand.probing.membership.pool import Pool
    from evenhand.probing.membership.references import Asked

__all__ = ["STANDARD", "attack_scores"]

STANDARD: Final = "rmia"
"""The attack of which everything is stated; chosen before any row is seen, so its interval needs no correction."""


def attack_scores(
    pool: Pool, target: NDArray[np.float64], asked: Asked, *, deep: bool = False
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of each attack for the attacked rows, greater for members.

    Parameters
    ----------
    pool : Pool
        The rows.
    target : (N,) array
        The model's confidences in the truth of all rows of the pool.
    asked : Asked
        Those of the references.
    deep : bool
        Whether LiRA is made, too, which needs many references.

    Returns
    -------
    dict
        ``rmia`` (online, the standard), ``rmia_offline``, ``loss``, and ``lira`` where it was asked for.

    Examples
    --------
    >>> import evenhand as eh
    >>> import numpy as np
    >>> from evenhand.probing.membership.pool import draw
    >>> from evenhand.probing.membership.proxies import Proxy
    >>> from evenhand.probing.membership.references import ask_references
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> pool = draw(parts["train"], parts["test"], parts["test"].features, "table", 400, 0)
    >>> asked = ask_references(pool, {"proxy": Proxy(parts["test"].features)}, 2, 0)
    >>> list(attack_scores(pool, np.full(len(pool.rows), 0.5), asked))
    ['rmia', 'rmia_offline', 'loss']
    """
    rows = pool.attacked
    mine, references = target[:rows], asked.answers[:, :rows]
    beyond = (target[rows:], asked.answers[:, rows:])
    found = {
        STANDARD: rmia(mine, references, asked.saw, *beyond),
        "rmia_offline": rmia(mine, references, asked.saw, *beyond, online=False),
        "loss": mine,
    }
    return found | ({"lira": lira(mine, references, asked.saw)} if deep else {})
