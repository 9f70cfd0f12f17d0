"""The constraints of Fairlearn that stand for a policy's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.metrics import canonical, parse_disparity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.mitigation.candidate import Problem

OF: Final[Mapping[str, str]] = {
    "selection_rate": "demographic_parity",
    "favourable_rate": "demographic_parity",
    "recall": "true_positive_rate_parity",
    "false_negative_rate": "true_positive_rate_parity",
    "false_positive_rate": "false_positive_rate_parity",
    "specificity": "false_positive_rate_parity",
    "equalized_odds": "equalized_odds",
    "average_odds": "equalized_odds",
}
"""The constraint that narrows the gap in each rate."""
USUAL: Final = ("demographic_parity", "equalized_odds")
"""Where no limit names a gap that Fairlearn knows."""


def constraints(problem: Problem) -> dict[str, float]:
    """Return the constraints of a problem, each with the greatest gap that its limits allow; both odds for two rates.

    Parameters
    ----------
    problem : Problem
        The problem.
    """
    found: dict[str, float] = {}
    for limit, key in problem.wanted:
        compared = parse_disparity(canonical(key.metric) or key.metric)
        name = OF.get(compared[0]) if compared is not None else OF.get(key.metric)
        if name is None or limit.required:
            continue
        gap = limit.at_most if compared is not None and compared[1] == "difference" else None
        found[name] = min(found.get(name, 1.0), 0.05 if gap is None else gap)
    pair = {"true_positive_rate_parity", "false_positive_rate_parity"}
    if pair <= found.keys():
        found["equalized_odds"] = min([*(found[name] for name in pair), found.get("equalized_odds", 1.0)])
    return found or dict.fromkeys(USUAL, 0.05)


def moment(name: str, gap: float) -> object:
    """Return a constraint as Fairlearn's reductions take it.

    Parameters
    ----------
    name : str
        Of the constraint.
    gap : float
        The greatest gap.
    """
    from fairlearn import reductions

    kinds = {
        "demographic_parity": reductions.DemographicParity,
        "true_positive_rate_parity": reductions.TruePositiveRateParity,
        "false_positive_rate_parity": reductions.FalsePositiveRateParity,
        "equalized_odds": reductions.EqualizedOdds,
    }
    return kinds[name](difference_bound=max(gap, 1e-3))
