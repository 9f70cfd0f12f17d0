"""Split an evaluation set into similar parts, keeping clusters together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evenhand.data.evaluation_set import needed
from evenhand.data.following import at_horizon
from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data.evaluation_set import EvaluationSet


SHARES: Mapping[str, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}
"""The parts of a split, by default."""


def split(data: EvaluationSet, shares: Mapping[str, float] = SHARES, seed: int = 0) -> dict[str, EvaluationSet]:
    """Split at random, stratified by label and sensitive groups.

    Rows are sorted by label (numbers: by the tenth that they are in), then group (intersection of all sensitive
    features), then at random, and the parts take turns along that order, evenly. So every label x group cell is shared
    out to within about a row, a cell too small for that is shared out with its neighbours of the same label, and the
    sizes are exact. Rows of one cluster (or, without a cluster column, of one list of a ranking, or of one repeated id)
    stay together; then the sizes hold for clusters.

    Parameters
    ----------
    data : EvaluationSet
        What to split.
    shares : mapping of name to share
        Shares above 0 whose sum is 1.
    seed : int
        The same seed gives the same parts.

    Returns
    -------
    dict[str, EvaluationSet]
        The parts by name, disjoint and complete, rows in their first order.

    Raises
    ------
    InputError
        When the shares do not add up, or a part would have rows of one class only.

    Examples
    --------
    >>> import evenhand as eh
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> {name: len(part.y_true) for name, part in parts.items()}
    {'train': 1380, 'test': 591}
    """
    _check_shares(needed(data, "split"), shares)
    if data.follow_up is not None and data.horizon is not None:
        horizon, everyone = data.horizon, replace(data.follow_up.everyone, name=data.name)
        return {
            name: at_horizon(part, horizon.at, horizon.censoring)
            for name, part in split(everyone, shares, seed).items()
        }
    if seed < 0:
        raise InputError(f"{data.name}: the seed of a split is a whole number, 0 or above, not {seed!r}.")
    part_of_row = parts_of_rows(data, list(shares.values()), seed)
    parts = {
        name: _part(data, np.flatnonzero(part_of_row == at), name, share, seed)
        for at, (name, share) in enumerate(shares.items())
    }
    _check_parts(data, parts)
    return parts


def parts_of_rows(data: EvaluationSet, shares: list[float], seed: int) -> NDArray[np.intp]:
    """Return (n,) the part of each row, from 0, as `split` shares them out; a part may be without a class."""
    units = _units(data)
    turns = _turns(len(units.label), shares, seed)
    chance = np.random.default_rng(seed).permutation(len(units.label))
    part_of_unit = np.empty(len(units.label), dtype=np.intp)
    part_of_unit[np.lexsort((chance, units.size, units.group, units.label))] = turns
    return part_of_unit[units.of_row]


class _Units:
    """A unit that is not split: a row, or all rows of a cluster."""

    def __init__(self, of_row: NDArray[np.intp], label: NDArray[np.int64], group: NDArray[np.int32], rows: int) -> None:
        counts = np.bincount(of_row)
        self.of_row = of_row
        """(n,) the unit of each row."""
        self.label = np.rint(np.bincount(of_row, weights=label) / counts * (1 if len(counts) == rows else 4))
        """(u,) the label of the unit; for clusters the positive share, in quarters."""
        self.group = group[np.unique(of_row, return_index=True)[1]]
        """(u,) the group of the unit's first row."""
        self.size = np.floor(np.log2(counts))
        """(u,) so that large clusters are shared out too."""


def _units(data: EvaluationSet) -> _Units:
    column = data.roles.cluster or (data.roles.query if data.task == "ranking" else None) or data.roles.id
    rows = len(data)
    of_row = np.arange(rows, dtype=np.intp) if column is None else pd.factorize(data.table[column])[0].astype(np.intp)
    sensitive = data.roles.sensitive_features
    return _Units(of_row, strata(data), data.grouping(*sensitive).codes, rows)


def strata(data: EvaluationSet) -> NDArray[np.int64]:
    """Return (n,) what rows are sorted by: the class, or the tenth of the rows that a number is in."""
    if data.task not in ("regression", "ranking"):
        return np.asarray(data.y_true.astype(np.int64))
    edges = np.quantile(data.y_true, np.linspace(0.1, 0.9, 9)) if len(data) else np.zeros(9)
    return np.searchsorted(edges, data.y_true, side="right").astype(np.int64)


def _turns(units: int, shares: list[float], seed: int) -> NDArray[np.intp]:
    """Return (u,) the part of each unit: part k has exactly its size, spread evenly.

    The sequence is turned by a random number of places, so that every place is part k's with a chance of its share.
    """
    exact = np.asarray(shares) / sum(shares) * units
    sizes = np.floor(exact).astype(int)
    sizes[np.argsort(-(exact - sizes), kind="stable")[: units - sizes.sum()]] += 1
    at = np.concatenate([(np.arange(size) + 0.5) / max(size, 1) for size in sizes])
    turns = np.repeat(np.arange(len(shares)), sizes)[np.argsort(at, kind="stable")]
    return np.roll(turns, np.random.default_rng([seed, 1]).integers(units))


def _part(data: EvaluationSet, rows: NDArray[np.intp], name: str, share: float, seed: int) -> EvaluationSet:
    return data.take(
        rows,
        f"{data.name} ({name})",
        split={"part": name, "share": float(share), "seed": seed, "of_rows": len(data)},
    )


def _check_shares(data: EvaluationSet, shares: Mapping[str, float]) -> None:
    if not shares or any(not share > 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        told = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise InputError(f"{data.name}: the shares of a split are above 0 and add up to 1, and these are: {told}.")


def _check_parts(data: EvaluationSet, parts: Mapping[str, EvaluationSet]) -> None:
    poor = [name for name, part in parts.items() if not len(part) or part.y_true.min() == part.y_true.max()]
    if poor and data.task in ("regression", "ranking"):
        raise InputError(
            f"{data.name}: with {len(data):,} rows the split leaves {', '.join(poor)} without rows of different "
            "labels. Use more rows, larger shares or fewer parts."
        )
    if poor:
        raise InputError(
            f"{data.name}: with {len(data):,} rows, {int(data.y_true.sum()):,} of them positive, the split leaves "
            f"{', '.join(poor)} without rows of both classes. Use more rows, larger shares or fewer parts."
        )
