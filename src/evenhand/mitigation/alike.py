"""Deciding alike for everybody: what a candidate must be better than, as it meets most limits on gaps and is of no use.

Who selects everybody, or nobody, treats groups alike. A policy that limits gaps alone passes that, and among many
candidates those pass most easily that come near it. So of the gain that the deployed model has over the better of the
two, in the measure of performance, a candidate must keep a share. A decision that the policy itself rules out is
nothing to compare with: then the policy says what is of use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.auditing import run
from evenhand.evidence import Evidence
from evenhand.mitigation.recommending import change_of_measure
from evenhand.mitigation.trying import COUNTED, Tried, best_first, found, sign, worth
from evenhand.policy import judge
from evenhand.subjects.predictions import PredictionsSubject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key
    from evenhand.mitigation.trying import Court
    from evenhand.subjects import Subject

KEEP: Final = 0.5
"""The share of the gain that a candidate must keep unless another is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """The better decision that is the same for everybody, of those that the policy does not rule out."""

    positive: bool
    """Which one it is."""
    performance: Finding
    """What it comes to on the rows that candidates are chosen on."""
    least: float
    """What the performance of a candidate must reach there; it must be better than that of this decision, too."""

    def leaves_out(self, tried: Tried) -> bool:
        """Return whether a candidate was made and keeps too little.

        Parameters
        ----------
        tried : Tried
            The candidate, on the same rows.
        """
        key = self.performance.key
        value, least = worth(tried.performance, key), sign(key) * self.least
        return tried.verdict is not None and not (value >= least and value > worth(self.performance, key))

    def is_beaten(self, model: Subject, rows: EvaluationSet, court: Court) -> bool:
        """Return whether rows show, row by row, that a model performs better.

        Parameters
        ----------
        model : Subject
            The model.
        rows : EvaluationSet
            Rows that it was not chosen on.
        court : Court
            The measure of performance, and the options.
        """
        key, same = court.performance, decided_alike(rows, self.positive)
        record = run(Evidence(model, rows, original=same, options=court.options), COUNTED)
        shown, over = found(record, change_of_measure(str(key))), 0.0
        if shown is None or shown.interval is None:  # a measure without a paired interval
            shown, other = found(record, key), found(_counted(same, rows, court), key)
            if other is None or other.estimate is None:
                return False
            over = other.estimate
        interval = None if shown is None else shown.interval
        end = None if interval is None else interval.low if sign(key) > 0 else interval.high
        return end is not None and sign(key) * (end - over) > 0


def alike(court: Court, deployed: Tried, keep: float) -> Alike | None:
    """Return the decision for everybody to compare candidates with.

    None where the policy rules out both, or where counts of decisions do not say the measure of performance.

    Parameters
    ----------
    court : Court
        The rows that candidates are chosen on, the policy and the measure of performance.
    deployed : Tried
        The deployed model there.
    keep : float
        The share of its gain that a candidate must keep, in [0, 1].
    """
    key = court.performance
    both = {each: _measured(decided_alike(court.rows, each), court.rows, court) for each in (False, True)}
    known = {positive: each for positive, each in both.items() if each is not None and each.estimate is not None}
    if not known:
        return None
    positive = max(known, key=lambda each: worth(known[each], key))
    same = known[positive]
    assert same.estimate is not None  # it is known
    now = None if deployed.performance is None else deployed.performance.estimate
    ahead = worth(deployed.performance, key) > worth(same, key)
    least = same.estimate + keep * (now - same.estimate) if ahead and now is not None else same.estimate
    return Alike(positive, same, least)


def chosen(tried: Sequence[Tried], same: Alike | None, performance: Key) -> Tried:
    """Return the candidate that is chosen: the best of those that keep enough, the first of all where none does.

    Parameters
    ----------
    tried : sequence of Tried
        All of them, the unchanged model first.
    same : Alike, optional
        The decision for everybody.
    performance : Key
        The measure of performance.
    """
    useful = [each for each in tried if same is None or not same.leaves_out(each)]
    return next(best_first(useful, performance), tried[0])


def _measured(same: Subject, rows: EvaluationSet, court: Court) -> Finding | None:
    """Return the performance of one decision for everybody; None where the policy rules it out."""
    record = _counted(same, rows, court)
    return None if judge(record, court.policy).status == "failed" else found(record, court.performance)


def _counted(same: Subject, rows: EvaluationSet, court: Court) -> AuditRecord:
    return run(Evidence(same, rows, options=court.options), COUNTED)


def decided_alike(rows: EvaluationSet, positive: bool) -> PredictionsSubject:
    """Return predictions that are the same for everybody: the share of the positive class, decided as is said.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    positive : bool
        Whether everybody is predicted positive.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = eh.read_evaluation_set({"x": [1, 2, 3, 4], "y": [0, 0, 0, 1]}, label="y")
    >>> same = decided_alike(rows, True)
    >>> same.scores.tolist(), same.threshold
    ([0.25, 0.25, 0.25, 0.25], 0.25)
    """
    share = float(np.mean(rows.y_true))
    threshold = share if positive else float(np.nextafter(share, 2.0))
    return PredictionsSubject(np.full(len(rows), share), name="one decision for everybody", threshold=threshold)
