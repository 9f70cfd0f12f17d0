"""Whether any thresholds by group can meet all limits on the rows, and which limits exclude each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.metrics import canonical, parse_disparity
from evenhand.mitigation.curves import curves
from evenhand.mitigation.programme import excluding
from evenhand.mitigation.ruling import Ruled
from evenhand.policy.wording import limit_text

if TYPE_CHECKING:
    from evenhand.keys import Key
    from evenhand.mitigation.candidate import Problem

SELECTION: Final = frozenset({"selection_rate", "favourable_rate"})
ERRORS: Final = frozenset({
    "recall", "false_negative_rate", "false_positive_rate", "specificity", "equalized_odds", "average_odds",
})  # fmt: skip
PREDICTIVE: Final = frozenset({
    "precision", "negative_predictive_value", "false_discovery_rate", "false_omission_rate",
})  # fmt: skip


def infeasible(problem: Problem) -> str:
    """Return the sentence that no thresholds meet some limits together on the rows of a problem; empty where some do.

    All thresholds by group are asked about, randomized ones too, by a linear programme over the ROC curves of the
    groups. It says nothing of models with other scores.

    Parameters
    ----------
    problem : Problem
        Its rows to fit on are those that are asked about.
    """
    if problem.predictions.y_score is None:
        return ""
    ruled = Ruled(problem)
    keys = excluding(curves(problem.fit, problem.scores, ruled.cells), ruled.demands)
    if not keys:
        return ""
    told = joined("; ", tuple(_limit(problem, key) for key in keys))
    if len(keys) == 1:
        said = message("No thresholds by group meet {limit} on these rows, whatever else they do.", limit=told)
    elif len(keys) == 2:
        said = message("No threshold meets both limits on these rows, by group or not: {limits}.", limits=told)
    else:
        said = message(
            "No threshold meets these {n} limits together on these rows, by group or not: {limits}.",
            n=len(keys), limits=told,
        )  # fmt: skip
    return sentences(said, *definitions(keys))


def definitions(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """Return what is known of definitions of fairness that exclude each other, where limits are on such ones.

    Parameters
    ----------
    keys : tuple of Key
        What the limits are on.
    """
    compared = (parse_disparity(canonical(key.metric) or key.metric) for key in keys)
    kinds = {each[0] for each in compared if each is not None and each[1] in ("difference", "ratio")}
    found = []
    if kinds & SELECTION and kinds & ERRORS:
        found.append(message(
            "Where the groups' base rates differ, equal selection rates and equal error rates hold together only for "
            "decisions that tell nothing about the truth (Barocas, Hardt and Narayanan 2023, chapter 3)."
        ))  # fmt: skip
    if kinds & PREDICTIVE and kinds & ERRORS:
        found.append(message(
            "Where the groups' base rates differ, equal precision and equal error rates exclude each other unless the "
            "model is never wrong (Chouldechova 2017; Kleinberg, Mullainathan and Raghavan 2016)."
        ))  # fmt: skip
    return tuple(found)


def _limit(problem: Problem, key: Key) -> str:
    limit = next(limit for limit, asked in problem.wanted if asked == key)
    return message("{key} {limit}", key=str(key), limit=limit_text(limit))
