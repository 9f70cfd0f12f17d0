"""How well an attack tells members from others: area, corrected advantage, and hits at few false alarms."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.messages import message
from evenhand.metrics.counts.sums import rows_by
from evenhand.metrics.inference.intervals import clopper_pearson, difference_interval, share_difference_interval, z_of
from evenhand.metrics.inference.paired import paired_auc_change
from evenhand.metrics.values.means import finished, told
from evenhand.metrics.values.ranking_curves import roc_auc

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Marks
    from evenhand.metrics.values.rates import Measured

__all__ = ["advantage", "attack_auc", "attack_auc_change", "excess", "hits_at"]

LEAST: Final = 10
"""Members, and others, below which no threshold is chosen on half of them."""
TOGETHER: Final = 1.1
"""By how much critical values of an advantage are greater than of two shares: where nothing is told, a threshold that
happens to be good in both halves is chosen in both, so that their errors are correlated by .2."""
NEEDED: Final = 10
"""False alarms to be expected at a share of them, below which no hits at that share are stated."""


def attack_auc(
    metric: str, member: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95
) -> Measured:
    """Measure the area under the ROC curve of an attack in every group, under the name of another metric.

    Parameters
    ----------
    metric : str
        The declared metric that it is.
    member : (n,) array of 0 and 1
        1 for rows that the model was fitted on.
    score : (n,) array
        What the attack says, the greater the likelier a member.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.

    Returns
    -------
    Measured
        Of which ``support`` are members and others together.

    Examples
    --------
    >>> attack_auc("membership_auc", [0, 1, 0, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 0, 0]).estimate.tolist()
    [0.75]
    """
    found = roc_auc(member, score, codes, n_groups, level)
    reasons = told(found.defined, message("Members or others have no row here: telling them apart needs both."))
    return replace(found, metric=metric, reason=reasons)


def excess(
    metric: str, member: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int, level: float = 0.95
) -> Measured:
    """Measure each group's area less that of all other rows, which are others than its own, so the two are independent.

    Parameters
    ----------
    metric : str
        The declared metric that it is.
    member, score, codes : (n,) arrays
        As for `attack_auc`.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.

    Returns
    -------
    Measured

    Examples
    --------
    >>> scores = [0.1, 0.9, 0.2, 0.8, 0.5, 0.4, 0.5, 0.4]
    >>> excess("membership_excess", [0, 1] * 4, scores, [0, 0, 0, 0, 1, 1, 1, 1], 2).estimate.tolist()
    [1.0, -1.0]
    """
    member, score, codes = np.asarray(member), np.asarray(score), np.asarray(codes)
    own = roc_auc(member, score, codes, n_groups, level)
    rest = [roc_auc(member, score, (codes == group).astype(np.int32), 2, level) for group in range(n_groups)]
    others = np.array([float(part.estimate[0]) for part in rest])

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = own.ends(z)
        sides = [part.ends(z) for part in rest]
        below, above = (np.array([float(side[end][0]) for side in sides]) for end in (0, 1))
        return difference_interval((own.estimate, low, high), (others, below, above))

    reasons = told(np.isfinite(own.estimate - others), message("Members or others have no row here, or elsewhere."))
    return finished(metric, own.estimate - others, own.rows, reasons, f"mover, {own.method}", ends, level)


def attack_auc_change(
    metric: str, member: ArrayLike, before: ArrayLike, after: ArrayLike, codes: ArrayLike, n_groups: int, level: float
) -> Measured:
    """Measure, in every group, an attack's area on one model less that on another, by the same rows.

    Parameters
    ----------
    metric : str
        The declared metric that it is.
    member : (n,) array of 0 and 1
        1 for rows that the model was fitted on.
    before, after : (n,) arrays
        What the attack says of the two models.
    codes : (n,) integer array
        The group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.

    Returns
    -------
    Measured

    References
    ----------
    DeLong et al. (1988), Biometrics 44, for two areas of the same rows.

    Examples
    --------
    >>> scores = [0.1, 0.5, 0.3, 0.8, 0.2, 0.9]
    >>> attack_auc_change("membership_auc_change", [0, 1] * 3, scores, scores, [0] * 6, 1, 0.95).estimate.tolist()
    [0.0]
    """
    member, before, after = (np.asarray(part) for part in (member, before, after))
    codes = np.asarray(codes)
    estimate, known = np.full(n_groups, np.nan), np.zeros(n_groups, dtype=bool)
    parts = [codes == group for group in range(n_groups)]
    for group, mine in enumerate(parts):
        sizes = np.bincount(member[mine].astype(np.intp), minlength=2)
        known[group] = bool(sizes.min() > 1)
        if known[group]:
            estimate[group] = paired_auc_change(member[mine], before[mine], after[mine], level)[0]

    def ends(z: float) -> tuple[Floats, Floats]:
        from statistics import NormalDist

        confidence = 2 * NormalDist().cdf(z) - 1
        found = np.full((2, n_groups), np.nan)
        for group, mine in enumerate(parts):
            if known[group]:
                found[:, group] = paired_auc_change(member[mine], before[mine], after[mine], confidence)[1:]
        return found[0], found[1]

    reasons = told(known, message("Fewer than two members or others have a row here."))
    return finished(metric, estimate, rows_by(codes, n_groups), reasons, "delong, paired", ends, level)


def advantage(
    metric: str, member: ArrayLike, score: ArrayLike, codes: ArrayLike, n_groups: int = 1, level: float = 0.95,
    seed: int = 0,
) -> Measured:  # fmt: skip
    """Measure the share of members found less that of others taken for one, at a threshold chosen on other rows.

    The greatest difference over all thresholds is too large by chance: .19 on 500 rows where it is .09 on 10,000. Here
    rows are cut into halves; each half is judged by the threshold that is best on the other one. So it is what an
    attacker reaches who chose the threshold on half of the rows, and 0 on average where nothing can be told.

    Parameters
    ----------
    metric : str
        The declared metric that it is.
    member, score, codes : (n,) arrays
        As for `attack_auc`.
    n_groups : int
        The number of groups; each has a threshold of its own.
    level : float
        Two-sided confidence.
    seed : int
        Of the halves.

    Returns
    -------
    Measured

    Examples
    --------
    >>> import numpy as np
    >>> member = np.arange(400) % 2
    >>> found = advantage("membership_advantage", member, member + np.arange(400) % 3 / 3, np.zeros(400, dtype=int))
    >>> found.estimate.tolist()
    [1.0]
    """
    inside: Marks = np.asarray(member) == 1
    score, codes = np.asarray(score, dtype=np.float64), np.asarray(codes)
    order = np.random.default_rng([seed, 17]).permutation(len(inside))
    sizes, hits = np.zeros((2, n_groups)), np.zeros((2, n_groups))  # members, others
    for group in range(n_groups):
        mine = order[codes[order] == group]
        sides = [mine[inside[mine]], mine[~inside[mine]]]
        sizes[:, group] = [len(side) for side in sides]
        if sizes[:, group].min() < LEAST:
            continue
        for half in (0, 1):
            (chosen_in, chosen_out), (judged_in, judged_out) = (
                [score[side[start::2]] for side in sides] for start in (half, 1 - half)
            )
            threshold = best_threshold(chosen_in, chosen_out)
            hits[0, group] += int((judged_in >= threshold).sum())
            hits[1, group] += int((judged_out >= threshold).sum())
    known = sizes.min(axis=0) >= LEAST
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(known, hits / sizes, np.nan)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = clopper_pearson(hits.ravel(), np.maximum(sizes, 1).ravel(), TOGETHER * z)
        low, high = low.reshape(2, -1), high.reshape(2, -1)
        return share_difference_interval((shares[0], low[0], high[0]), (shares[1], low[1], high[1]))

    reasons = told(known, message("Fewer than {least} members or others: no threshold is chosen on half of them.",
                                  least=LEAST))  # fmt: skip
    method = "newcombe over exact limits, threshold from the other half"
    return finished(metric, shares[0] - shares[1], rows_by(codes, n_groups), reasons, method, ends, level)


def best_threshold(members: Floats, others: Floats) -> float:
    """Return the score from which on the share of members least the share of others is greatest."""
    values = np.unique(np.concatenate([members, others]))
    reached = [1 - np.searchsorted(np.sort(part), values, "left") / len(part) for part in (members, others)]
    return float(values[int(np.argmax(reached[0] - reached[1]))])


def hits_at(metric: str, false_alarms: float, member: ArrayLike, score: ArrayLike, level: float = 0.95) -> Measured:
    """Measure the share of members found where a given share of others is taken for one.

    The interval counts that the threshold is estimated, too: it is moved up and down to where the share of false alarms
    is beyond doubt below and above the one given (order statistics, exact), and the members there are counted with
    exact limits; each of the two errs on half of the chance (Bonferroni), so it covers whatever the scores are.

    Parameters
    ----------
    metric : str
        The declared metric that it is.
    false_alarms : float
        The share of others above the threshold.
    member : (n,) array of 0 and 1
        1 for rows that the model was fitted on.
    score : (n,) array
        What the attack says.
    level : float
        Two-sided confidence.

    Returns
    -------
    Measured
        Not defined with fewer others than ``10 / false_alarms``.

    Examples
    --------
    >>> import numpy as np
    >>> member = np.arange(4000) % 2
    >>> found = hits_at("membership_tpr", 0.01, member, np.random.default_rng(0).random(4000))
    >>> bool(found.low[0] < 0.01 < found.high[0])
    True
    """
    inside: Marks = np.asarray(member) == 1
    scores = np.asarray(score, dtype=np.float64)
    members, others = np.sort(scores[inside]), np.sort(scores[~inside])[::-1]
    enough = len(others) >= NEEDED / false_alarms * (1 - 1e-9) and len(members) > 0
    why = message(
        "{n:,} rows that the model never saw are too few: at this share of false alarms {least:,} are needed.",
        n=len(others), least=round(NEEDED / false_alarms),
    )  # fmt: skip
    estimate = np.array([np.nan])
    if enough:
        allowed = int(np.floor(false_alarms * len(others) + 1e-9))
        estimate = np.array([_above(members, others[allowed]) / len(members)])
    ends = partial(_hit_ends, members, others, false_alarms) if enough else _no_ends
    rows = np.array([len(members)])
    return finished(
        metric, estimate, rows, ("" if enough else why,), "order statistics and exact, bonferroni", ends, level
    )


def _above(members: Floats, threshold: float) -> int:
    return int(len(members) - np.searchsorted(members, threshold, "right"))


def _hit_ends(members: Floats, others: Floats, false_alarms: float, z: float) -> tuple[Floats, Floats]:
    from scipy.stats import binom, norm

    each = float(norm.sf(z)) / 2
    strict = float(z_of(1 - 2 * each))
    n = len(others)
    # others above the true threshold are binomial: at least `fewest` and at most `most` of them
    fewest, most = int(binom.ppf(each, n, false_alarms)), int(binom.isf(each, n, false_alarms))
    least = _above(members, others[fewest - 1]) if fewest else 0
    greatest = len(members) if most >= n else len(members) - int(np.searchsorted(members, others[most], "left"))
    size = np.array([len(members)])
    low, _ = clopper_pearson(np.array([least]), size, strict)
    _, high = clopper_pearson(np.array([greatest]), size, strict)
    return low, high


def _no_ends(_: float) -> tuple[Floats, Floats]:
    return np.array([np.nan]), np.array([np.nan])
