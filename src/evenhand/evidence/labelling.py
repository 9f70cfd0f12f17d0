"""Strata of rows by group and by the decisions of two models: which rows to label, and whether the labelled ones are
those that were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.errors import InputError, raise_all, shorten
from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.inference.labelled import DIFFERING, labels_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence.evidence import Evidence

    Marks = NDArray[np.bool_]
    Rows = NDArray[np.int64]

COLUMNS: Final = ("row", "why", "weight", "share")
"""The columns that are added to the chosen rows."""
REASONS: Final = {True: "the models differ", False: "a sample of those on which they agree"}
SLACK: Final = 1e-6
"""Relative: weights are written with some sixteen digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The strata of rows."""

    codes: Rows
    """(n,) 4 x group + 2 x the original's decision + the other's."""
    groups: tuple[str, ...]
    """The groups: each combination of values of all sensitive features."""

    @property
    def rows(self) -> Rows:
        """(G, 2, 2) rows of [group, original's decision, the other's]."""
        return rows_by(self.codes, 4 * len(self.groups)).reshape(-1, 2, 2)

    def name(self, code: int) -> str:
        """Return how sentences call a stratum."""
        group, pair = divmod(code, 4)
        decided = f"decided {pair // 2} by the original and {pair % 2} by the compressed model"
        return f"{shorten(self.groups[group])}, {decided}" if self.groups[group] else decided


def strata(evidence: Evidence) -> Strata:
    """Return the strata of the rows of evidence.

    Raises
    ------
    InputError
        When there is no original model, or decisions are not of two classes.
    """
    data = evidence.data
    if data.task != "binary":
        raise InputError(f"{data.name}: rows are chosen by decisions of two classes; the label is one of {data.task}.")
    if evidence.original_predictions is None:
        raise InputError(f"{data.name}: rows are chosen by the decisions of two models; name the original, too.")
    pair = 2 * evidence.original_predictions.y_pred.astype(np.int64) + evidence.predictions.y_pred
    features = sorted(data.roles.sensitive_features)
    if not features:
        return Strata(pair, ("",))
    grouping = data.grouping(*features)
    return Strata(4 * grouping.codes.astype(np.int64) + pair, tuple(grouping.names))


def chosen(found: Strata, known: Marks, most: int | None, seed: int) -> pd.DataFrame:
    """Return the rows to label, and those that have a label.

    Parameters
    ----------
    known : (n,)
        Whether a row has a label; where the models agree, these are taken for a random sample.
    most : int, optional
        The most new labels.

    Returns
    -------
    pandas.DataFrame
        The columns ``row``, its position; ``why``; ``weight``, the rows that it stands for; and ``share``, the share of
        all rows that are in its stratum. Rows to label come first, those on which the models differ before others.
    """
    rows, size = found.rows, 4 * len(found.groups)
    there = rows_by(found.codes[known], size).reshape(-1, 2, 2)
    wanted = labels_wanted(rows, there, most).ravel()
    drawn = np.random.default_rng(seed).random(len(found.codes))
    order = np.lexsort((drawn, ~known, found.codes))  # in each stratum those with a label, then at random
    first = np.r_[0, np.cumsum(rows.ravel())[:-1]]
    place = np.arange(len(order)) - first[found.codes[order]]
    taken = order[place < wanted[found.codes[order]]]
    codes = found.codes[taken]
    differ = DIFFERING.ravel()[codes % 4]
    table = pd.DataFrame(
        {
            "row": taken,
            "why": [REASONS[bool(apart)] for apart in differ],
            "weight": rows.ravel()[codes] / wanted[codes],
            "share": rows.ravel()[codes] / len(found.codes),
        }
    )
    return table.iloc[np.lexsort((taken, ~differ, known[taken]))].reset_index(drop=True)


def refuse_other_rows(evidence: Evidence) -> None:
    """Refuse labelled rows that are not the chosen ones: some left out or there twice, or chosen for other models.

    Raises
    ------
    InputError
    """
    share, weight = evidence.data.stratum_share, evidence.data.sample_weight
    if share is not None and weight is not None:
        raise_all(InputError, _other_rows(evidence.data.name, strata(evidence), weight, share))


def _other_rows(name: str, found: Strata, weight: NDArray[np.float64], share: NDArray[np.float64]) -> Iterator[str]:
    if (light := int((weight < 1 - SLACK).sum())) > 0:
        yield f"{name}: {light:,} rows weigh less than 1, and each row that was chosen stands for one row at least."
        return
    present, first, at, size = np.unique(found.codes, return_index=True, return_inverse=True, return_counts=True)
    weights, shares = weight[first], share[first]
    uneven = (np.abs(weight / weights[at] - 1) > SLACK) | (np.abs(share / shares[at] - 1) > SLACK)
    if uneven.any():
        yield (
            f"{name}: rows of one stratum have several weights or shares ({found.name(int(found.codes[uneven][0]))}). "
            "They were chosen for other models or sensitive features, or mixed with others."
        )
        return
    table = size * weights / shares  # the rows that were chosen from, by each stratum
    usual = float(np.median(table))
    worst = int(np.argmax(np.abs(table / usual - 1)))
    if abs(table[worst] / usual - 1) > SLACK:
        meant = round(float(shares[worst] * usual / weights[worst]))
        yield (
            f"{name}: {int(size[worst]):,} rows of the stratum {found.name(int(present[worst]))} are there, and "
            f"{meant:,} were chosen. Label each row that was chosen, once, and no other."
        )
    elif (left := 1 - float(shares.sum())) > SLACK:
        yield (
            f"{name}: strata of {left:.1%} of all rows have no labelled row. Label the sample of rows on which the "
            "models agree, too."
        )
