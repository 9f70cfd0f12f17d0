"""Summaries of attributions over all rows, by group, and of the gap between two groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.errors import InputError
from evenhand.explaining.blocks import (
    block_errors,
    jackknife_third,
    jackknife_variance,
    t_quantile,
    unbiased_third,
    without_each,
)
from evenhand.messages import message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.attributions import Attributions
    from evenhand.explaining.scores import Link

    Floats: TypeAlias = NDArray[np.float64]
    Spread: TypeAlias = tuple[Floats, float, Floats]
    """Variance of an estimate, its degrees of freedom, and the third cumulant."""


LEAST_ROWS: Final = 20
"""Explained rows of a group from which on intervals of its means cover."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _ByFeature:
    """A figure of each feature, with its interval."""

    feature_names: tuple[str, ...]
    """The features, in the order of the columns."""
    estimate: Floats
    """(m,): in units of `link`."""
    low: Floats
    """(m,): lower ends; nan where there is no interval, as where a group has one row."""
    high: Floats
    """(m,): upper ends; nan where there is no interval."""
    standard_errors: Floats
    """(m,): of the rows and of the background together; nan where there is none."""
    link: Link
    """The scale of the values."""
    level: float
    """The confidence."""
    method: str
    """What the interval covers, in words."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Importance(_ByFeature):
    """The mean absolute Shapley value of each feature: the mean of ``|phi|``, at least 0 as its lower end is.

    See Also
    --------
    evenhand.explaining.importance : Makes it.
    """

    rows: int
    """The rows averaged over."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GapParts(_ByFeature):
    """The gap between two groups' mean scores: mean phi in group a less that in group b, which sum to `gap`.

    See Also
    --------
    evenhand.explaining.gap_parts : Makes them.
    """

    gap: float
    """Mean score of group a less that of group b, in units of `link`."""
    gap_low: float
    """The lower end of its interval, over rows; nan where a group has one row."""
    gap_high: float
    """The upper end."""
    residual: float
    """``|sum of estimate - gap|``."""
    rows: tuple[int, int]
    """The rows of a and of b."""

    @property
    def uncovered(self) -> str:
        """Why the intervals do not cover, empty where they do: of few rows a rare value is often not seen at all."""
        few = min(self.rows)
        said = message("{n} explained rows of a group are too few; {least} are needed.", n=few, least=LEAST_ROWS)
        return said if few < LEAST_ROWS else ""


def importance(
    attributions: Attributions,
    weights: NDArray[np.float64] | None = None,
    *,
    rows: NDArray[np.bool_] | NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> Importance:
    """Return ``sum_i w_i |phi_ij| / sum_i w_i`` for each feature, with an interval.

    The variance is that of a mean over the rows plus a jackknife over the blocks of the background, which holds what
    another background and other random orders would have changed.

    Parameters
    ----------
    attributions : Attributions
        n rows.
    weights : (n,) array, optional
        Row weights, at least 0.
    rows : mask or indices, optional
        The rows to average over.
    level : float
        The confidence.

    Returns
    -------
    Importance

    Raises
    ------
    InputError
        When no row is chosen or the weights do not fit.

    Examples
    --------
    >>> import pandas as pd
    >>> from evenhand.explaining import explain
    >>> rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [0.0, 0.0, 0.0, 0.0]})
    >>> found = importance(explain(lambda X: X["a"] / 4, rows, rows, link="identity"))
    >>> dict(zip(found.feature_names, found.estimate.round(2).tolist()))
    {'a': 0.25, 'b': 0.0}
    """
    chosen = _chosen(attributions, rows)
    share = _shares(attributions, weights, chosen)
    sizes = np.abs(attributions.values[chosen])
    estimate = share @ sizes
    by_blocks, third, blocks = None, np.zeros_like(estimate), _blocks(attributions)
    if attributions.block_values is not None and attributions.block_rows is not None and blocks > 1:
        left_out = without_each(attributions.block_values[:, chosen], attributions.block_rows)
        without = np.abs(left_out).transpose(0, 2, 1) @ share
        by_blocks, third = jackknife_variance(without), jackknife_third(without)
    by_rows, freedom, skew = _row_spread(sizes, share)
    errors, below, above = _joined((by_rows, freedom, skew + third), by_blocks, blocks, level)
    high = estimate * np.exp(above / np.where(estimate > 0, estimate, 1.0))  # no size is below 0: on the logarithm
    return Importance(
        feature_names=attributions.feature_names, estimate=estimate, low=np.maximum(estimate - below, 0.0),
        high=high, standard_errors=errors, link=attributions.link, level=level, method=_words(by_blocks),
        rows=len(chosen),
    )  # fmt: skip


def group_importance(
    attributions: Attributions,
    codes: NDArray[np.integer],
    n_groups: int | None = None,
    weights: NDArray[np.float64] | None = None,
    *,
    level: float = 0.95,
) -> tuple[Importance | None, ...]:
    """Return the importance within each group; None for a group without rows.

    Parameters
    ----------
    attributions : Attributions
        n rows.
    codes : (n,) array
        The group of each row, from 0.
    n_groups : int, optional
        How many groups there are; as many as the codes show when not given.
    weights, level
        As in `importance`.

    Returns
    -------
    tuple of Importance or None

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from evenhand.explaining import explain
    >>> rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    >>> parts = group_importance(explain(lambda X: X["a"] / 4, rows, rows, link="identity"), np.array([0, 0, 1, 1]))
    >>> [part.rows for part in parts]
    [2, 2]
    """
    codes = _checked_codes(attributions, codes)
    groups = int(codes.max()) + 1 if n_groups is None else n_groups
    return tuple(
        importance(attributions, weights, rows=codes == group, level=level) if (codes == group).any() else None
        for group in range(groups)
    )


def gap_parts(
    attributions: Attributions,
    codes: NDArray[np.integer],
    a: int,
    b: int,
    weights: NDArray[np.float64] | None = None,
    *,
    level: float = 0.95,
) -> GapParts:
    """Return mean phi of group `a` less that of group `b`, which sum over the features to the gap in the mean score.

    ``mean_a f - mean_b f = sum_j (mean_a phi_j - mean_b phi_j)``: the base value is the same in both and drops out.

    Parameters
    ----------
    attributions : Attributions
        n rows.
    codes : (n,) array
        The group of each row.
    a, b : int
        The two groups.
    weights : (n,) array, optional
        Row weights.
    level : float
        The confidence of the intervals.

    Returns
    -------
    GapParts

    Raises
    ------
    InputError
        When a group has no rows.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from evenhand.explaining import explain
    >>> rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [0.0, 0.0, 0.0, 0.0]})
    >>> found = explain(lambda X: X["a"] / 4, rows, rows, link="identity")
    >>> parts = gap_parts(found, np.array([0, 0, 1, 1]), 1, 0)
    >>> round(parts.gap, 2), parts.estimate.round(2).tolist()
    (0.5, [0.5, 0.0])
    """
    codes = _checked_codes(attributions, codes)
    sides = [_chosen(attributions, codes == group) for group in (a, b)]
    parts = [(side, _shares(attributions, weights, side)) for side in sides]
    a_mean, b_mean = (share @ attributions.values[side] for side, share in parts)
    estimate = a_mean - b_mean
    first, second = (float(share @ attributions.predictions[side]) for side, share in parts)
    gap = first - second
    by_rows = _added(*(_row_spread(attributions.values[side], share) for side, share in parts))
    by_blocks = _gap_block_variance(attributions, parts)
    errors, below, above = _joined(by_rows, by_blocks, _blocks(attributions), level)
    # The base is the same in both groups and drops out, and the background with it: only rows are drawn here.
    whole = _added(*(_row_spread(attributions.predictions[side][:, None], share) for side, share in parts))
    _, *reach = _joined(whole, None, 0, level)
    return GapParts(
        feature_names=attributions.feature_names, estimate=estimate, low=estimate - below, high=estimate + above,
        standard_errors=errors, link=attributions.link, level=level, method=_words(by_blocks),
        gap=gap, gap_low=gap - float(reach[0][0]), gap_high=gap + float(reach[1][0]),
        residual=abs(float(estimate.sum()) - gap), rows=(len(sides[0]), len(sides[1])),
    )  # fmt: skip


def _gap_block_variance(attributions: Attributions, sides: list[tuple[NDArray[np.int64], Floats]]) -> Floats | None:
    if attributions.block_values is None or attributions.block_rows is None:
        return None
    parts = [np.einsum("n,knm->km", share, attributions.block_values[:, side]) for side, share in sides]
    errors = block_errors((parts[0] - parts[1])[:, None, :], attributions.block_rows)
    return None if errors is None else errors[0] ** 2


def _blocks(attributions: Attributions) -> int:
    return 0 if attributions.block_rows is None else len(attributions.block_rows)


def _chosen(attributions: Attributions, rows: NDArray[np.bool_] | NDArray[np.int64] | None) -> NDArray[np.int64]:
    every = np.arange(len(attributions.values))
    if rows is None:
        return every
    picked: NDArray[np.generic] = np.asarray(rows)
    if picked.dtype == np.bool_ and picked.shape != every.shape:
        raise InputError(f"The mask has shape {picked.shape} and there are {len(every)} explained rows.")
    chosen = every[rows]
    if len(chosen) == 0:
        raise InputError("No explained row is chosen, so there is nothing to average over.")
    return chosen


def _shares(attributions: Attributions, weights: Floats | None, chosen: NDArray[np.int64]) -> Floats:
    if weights is None:
        return np.full(len(chosen), 1.0 / len(chosen))
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (len(attributions.values),):
        raise InputError(
            f"The weights have shape {weights.shape} and there are {len(attributions.values)} explained rows."
        )
    part = weights[chosen]
    if not np.isfinite(part).all() or (part < 0).any() or part.sum() <= 0:
        raise InputError("The weights must be finite, at least 0, and not all 0 among the chosen rows.")
    return np.asarray(part / part.sum(), dtype=np.float64)


def _checked_codes(attributions: Attributions, codes: NDArray[np.integer]) -> NDArray[np.integer]:
    codes = np.asarray(codes)
    if codes.shape != (len(attributions.values),):
        raise InputError(
            f"The group codes have shape {codes.shape} and there are {len(attributions.values)} explained rows."
        )
    return codes


def _added(one: Spread, other: Spread) -> Spread:
    """Return the spread of a difference."""
    return one[0] + other[0], min(one[1], other[1]), one[2] - other[2]


def _row_spread(values: Floats, share: Floats) -> Spread:
    """Return the spread of the weighted mean over rows, linearised: the explained rows are a sample of all rows."""
    effective = 1.0 / float(np.sum(share**2))
    used = int((share > 0).sum())
    if used < 2:
        return np.full(values.shape[1], np.nan), 1.0, np.zeros(values.shape[1])
    off = values - share @ values
    variance = used / (used - 1) * ((share**2) @ off**2)
    third = unbiased_third(used) * ((share**3) @ off**3)
    return np.asarray(variance, dtype=np.float64), max(effective - 1.0, 1.0), np.asarray(third, dtype=np.float64)


def _joined(rows: Spread, by_blocks: Floats | None, blocks: int, level: float) -> tuple[Floats, Floats, Floats]:
    """Return the standard errors, and how far the ends are below and above.

    Each end is the farther one of Student's, with Welch and Satterthwaite's degrees of freedom, and of Hall's (1992,
    JRSS B 54), which corrects for the skewness of the rows.
    """
    by_rows, freedom, third = rows
    other = np.zeros_like(by_rows) if by_blocks is None else by_blocks
    total = by_rows + other
    errors = np.sqrt(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        joint = total**2 / (by_rows**2 / freedom + other**2 / max(blocks - 1, 1))
        skew = np.nan_to_num(third / errors**3)
    critical = np.array([t_quantile(level, value) if np.isfinite(value) else 0.0 for value in joint])
    below, above = (np.maximum(critical, sign * _bent(sign * critical, skew)) * errors for sign in (1.0, -1.0))
    return errors, below, above


def _bent(quantile: Floats, skew: Floats) -> Floats:
    """Return the quantile of Student's statistic of a skew estimate: Hall's cubic transformation, inverted."""
    some = np.where(np.abs(skew) > 1e-9, skew, 1.0)
    return np.where(np.abs(skew) > 1e-9, 3 / some * (np.cbrt(1 + some * (quantile - some / 6)) - 1), quantile)


def _words(by_blocks: NDArray[np.float64] | None) -> str:
    return "t, rows only" if by_blocks is None else "t, rows and blocks of the background"
