"""The best randomized thresholds under linear demands, and whether there are any: a linear programme.

Any share of a cell's positives and negatives that randomized thresholds select is a mix of ROC points, so all of them
together are the convex hull of the curve (Hardt, Price and Srebro 2016, section 4). Demands and performance are linear
in these shares; so the programme says exactly what no rule over frozen scores can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.subjects.rules import Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.keys import Key
    from evenhand.mitigation.curves import Curve
    from evenhand.mitigation.demands import Demand
    from evenhand.mitigation.rates import Linear

ROUNDING: Final = 1e-9
"""A mix of less than this is none; demands are met to within it."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The best mix of thresholds of each cell."""

    steps: tuple[Steps, ...]
    """Of each cell, the chance of a positive decision by score."""
    shares: NDArray[np.float64]
    """(2 k,) what they select."""


def solve(curves: Sequence[Curve], demands: Sequence[Demand], goal: Linear | None = None) -> Solution | None:
    """Return the randomized thresholds that meet all demands with the greatest goal; None where none do.

    Parameters
    ----------
    curves : sequence of Curve
        Of each cell.
    demands : sequence of Demand
        What is to be met.
    goal : Linear, optional
        What is to be great; without it any that meet the demands are returned.

    Raises
    ------
    RuntimeError
        When the solver ends without an answer.
    """
    from scipy.optimize import linprog

    hulls = [curve.hull() for curve in curves]
    to_shares = _matrix(curves, hulls)
    cost = np.zeros(to_shares.shape[1]) if goal is None else -(goal.weights @ to_shares)
    found = linprog(
        cost,
        A_ub=np.array([demand.number.weights @ to_shares for demand in demands]) if demands else None,
        b_ub=np.array([demand.bound - demand.number.constant + ROUNDING for demand in demands]) if demands else None,
        A_eq=_one_each(hulls),
        b_eq=np.ones(len(hulls)),
        bounds=(0, 1),
        method="highs",
    )
    if found.status == 2:
        return None
    if found.status != 0:
        raise RuntimeError(f"The linear programme of thresholds ended without an answer: {found.message}")
    parts = np.split(found.x, np.cumsum([len(hull) for hull in hulls])[:-1])
    steps = tuple(_steps(curve, hull, mix) for curve, hull, mix in zip(curves, hulls, parts, strict=True))
    return Solution(steps, to_shares @ found.x)


def excluding(curves: Sequence[Curve], demands: Sequence[Demand]) -> tuple[Key, ...]:
    """Return limits that no randomized thresholds meet together, none of which can be left out; none where all can be.

    Limits are left out one after another, and stay out where the others exclude each other without them (the deletion
    filter of Chinneck and Dravnieks 1991).

    Parameters
    ----------
    curves : sequence of Curve
        Of each cell.
    demands : sequence of Demand
        What the limits demand.
    """
    if solve(curves, demands) is not None:
        return ()
    left = list(dict.fromkeys(demand.key for demand in demands))
    for key in tuple(left):
        rest = [demand for demand in demands if demand.key in left and demand.key != key]
        if solve(curves, rest) is None:
            left.remove(key)
    return tuple(left)


def _matrix(curves: Sequence[Curve], hulls: Sequence[NDArray[np.intp]]) -> NDArray[np.float64]:
    """Return (2 k, m) the shares that each corner of each cell selects."""
    found = np.zeros((2 * len(curves), sum(len(hull) for hull in hulls)))
    at = 0
    for cell, (curve, hull) in enumerate(zip(curves, hulls, strict=True)):
        found[cell, at : at + len(hull)] = curve.shares[hull, 0]
        found[len(curves) + cell, at : at + len(hull)] = curve.shares[hull, 1]
        at += len(hull)
    return found


def _one_each(hulls: Sequence[NDArray[np.intp]]) -> NDArray[np.float64]:
    """Return (k, m) which corners are of which cell: those of each add up to 1."""
    owner = np.repeat(np.arange(len(hulls)), [len(hull) for hull in hulls])
    return np.asarray(owner == np.arange(len(hulls))[:, None], dtype=np.float64)


def _steps(curve: Curve, hull: NDArray[np.intp], mix: NDArray[np.float64]) -> Steps:
    """Return the rule that mixes thresholds: the chance rises at each by its part of the mix."""
    kept = mix > 1e-7
    order = np.argsort(curve.thresholds[hull[kept]])
    edges, parts = curve.thresholds[hull[kept]][order], mix[kept][order]
    chances = np.clip(np.cumsum(parts) / parts.sum(), 0.0, 1.0)
    chances[-1] = 1.0
    return Steps(tuple(map(float, edges)), (0.0, *map(float, chances)))
