"""Candidates made, and judged on rows that none of them was fitted on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits import AUDITS
from evenhand.audits.auditing import run
from evenhand.errors import EvenhandError, shorten
from evenhand.evidence import Evidence
from evenhand.messages import message
from evenhand.metrics import describe
from evenhand.policy import judge
from evenhand.policy.severity import beyond

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from evenhand.audits import AuditOptions
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key
    from evenhand.mitigation.candidate import Candidate, Problem
    from evenhand.policy import Limit, Policy, Verdict
    from evenhand.subjects import Subject

COUNTED: Final[tuple[str, ...]] = ()
"""The audits that most limits need: none, as counts answer them."""


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A candidate, and what it came to on the rows that it is chosen on."""

    candidate: Candidate
    """The candidate."""
    subject: Subject | None = None
    """Its model; None where it could not be made."""
    failure: str = ""
    """Why it could not."""
    verdict: Verdict | None = None
    """By the policy."""
    performance: Finding | None = None
    """The measure of performance."""
    decided: NDArray[np.generic] | None = None
    """(n,) its decisions."""

    @property
    def passed(self) -> bool:
        """Whether the policy is met."""
        return self.verdict is not None and self.verdict.status == "passed"


class Court:
    """Rows on which candidates are judged, by the limits that can be judged of a candidate.

    Parameters
    ----------
    rows : EvaluationSet
        The rows.
    policy : Policy
        The policy, as `of_candidates` gives it.
    performance : Key
        The measure of performance.
    options : AuditOptions
        Confidence, seed and sizes.
    audits : sequence of str
        The audits that say what the limits are on.
    """

    def __init__(
        self, rows: EvaluationSet, policy: Policy, performance: Key, options: AuditOptions, audits: tuple[str, ...]
    ) -> None:
        self.rows, self.policy, self.performance, self.options, self.audits = rows, policy, performance, options, audits

    def tried(self, candidate: Candidate, problem: Problem) -> Tried:
        """Return a candidate made and judged; why not, where it cannot be made.

        Parameters
        ----------
        candidate : Candidate
            The candidate.
        problem : Problem
            The rows to fit on.
        """
        rows = problem.rows_of(candidate)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = candidate.make(rows, problem.seed)
            return self.judged(candidate, made)
        except EvenhandError as wrong:
            return Tried(candidate, failure=wrong.problems[0] if wrong.problems else str(wrong))
        except Exception as wrong:  # libraries that fit can raise anything
            kind = type(wrong).__name__
            told = message("{kind}: {why}", kind=kind, why=shorten(" ".join(str(wrong).split()), 200))
            return Tried(candidate, failure=told)

    def judged(self, candidate: Candidate, subject: Subject) -> Tried:
        """Return a model judged on the rows.

        Parameters
        ----------
        candidate : Candidate
            Whose it is.
        subject : Subject
            The model.
        """
        evidence = Evidence(subject, self.rows, options=self.options)
        record = run(evidence, self.audits)
        verdict = judge(record, self.policy)
        decided = evidence.predictions.y_pred
        return Tried(candidate, evidence.subject, "", verdict, found(record, self.performance), decided)


def found(record: AuditRecord, key: Key) -> Finding | None:
    """Return the finding of a key; None where the record neither has it nor can answer it.

    Parameters
    ----------
    record : AuditRecord
        The record.
    key : Key
        The key.
    """
    try:
        return record[str(key)]
    except (KeyError, EvenhandError):
        return None


def of_candidates(policy: Policy) -> Policy:
    """Return a policy without what no candidate can meet yet: declarations, signatures, and comparisons with a release.

    Parameters
    ----------
    policy : Policy
        The policy.
    """
    limits = tuple(limit for limit in policy.limits if not limit.required and not limit.against)
    return replace(policy, limits=limits, requirements=())


def wanted(verdict: Verdict | None) -> tuple[tuple[Limit, Key], ...]:
    """Return the blocking limits of a verdict, each with the finding that it is judged on.

    Parameters
    ----------
    verdict : Verdict, optional
        The verdict; there are none of none.
    """
    return () if verdict is None else tuple((judgement.limit, judgement.key) for judgement in verdict.blocking)


def audits_of(subject: Subject, rows: EvaluationSet, policy: Policy, options: AuditOptions) -> tuple[str, ...]:
    """Return the audits that say what a policy's limits are on, where counts do not.

    Parameters
    ----------
    subject : Subject
        The deployed model.
    rows : EvaluationSet
        Some rows.
    policy : Policy
        The policy.
    options : AuditOptions
        Confidence, seed and sizes.
    """
    record = run(Evidence(subject, rows, options=options), COUNTED)
    missing = {judgement.key for judgement in judge(record, policy).blocking if judgement.finding is None}
    if not missing:
        return COUNTED
    whole = run(Evidence(subject, rows, options=options))
    more = {finding.audit for finding in whole.findings if finding.key in missing} - {"compression"}
    return tuple(name for name in AUDITS if name in more)


def crossed(policy: Policy, options: AuditOptions) -> AuditOptions:
    """Return the options of an audit that crosses no more features than the limits of a policy do.

    Parameters
    ----------
    policy : Policy
        The policy.
    options : AuditOptions
        Confidence, seed and sizes.
    """
    over = max(2 if limit.over == "intersections" else len(limit.key.columns) for limit in policy.limits)
    return replace(options, intersections=max(1, min(over, options.intersections)))


def best_first(tried: Iterable[Tried], performance: Key) -> Iterator[Tried]:
    """Yield what was made, the one to choose first.

    First those that pass, then those whose estimates alone are within all limits: of either, the ones whose performance
    is within a standard error of the best (the rule of Breiman et al. 1984) first, the one farthest inside its limits
    before the others, as what passes barely here passes on other rows about every second time; then the rest of them,
    by performance. Last those that are outside, the one that is outside least first: by how many limits fail and stay
    undecided, then by how far they are missed.

    Parameters
    ----------
    tried : iterable of Tried
        All of them.
    performance : Key
        The measure of performance.
    """
    made = [each for each in tried if each.verdict is not None]
    for inside in (_passes, _estimated_inside):
        yield from _best(list(filter(inside, made)), performance)
        made = [each for each in made if not inside(each)]
    yield from sorted(made, key=lambda each: (*_missed(each), -worth(each.performance, performance)))


def worth(measured: Finding | None, performance: Key) -> float:
    """Return how good a performance is, the greater the better; the worst of all where it is undefined.

    Parameters
    ----------
    measured : Finding, optional
        The performance.
    performance : Key
        Its measure.
    """
    value = None if measured is None else measured.estimate
    return -np.inf if value is None else sign(performance) * value


def sign(performance: Key) -> float:
    """Return 1 where more of a measure is better, -1 where less is.

    Parameters
    ----------
    performance : Key
        The measure.
    """
    return -1.0 if describe(performance.metric).direction == "lower_is_better" else 1.0


def _best(tried: list[Tried], performance: Key) -> Iterator[Tried]:
    """Yield those near the best in performance, the farthest inside first, then the rest by performance."""
    ordered = sorted(tried, key=lambda each: -worth(each.performance, performance))
    if not ordered:
        return
    least = worth(ordered[0].performance, performance) - _error(ordered[0])
    near = [each for each in ordered if worth(each.performance, performance) >= least]
    yield from sorted(near, key=lambda each: (_farthest(each), -worth(each.performance, performance)))
    yield from ordered[len(near) :]


def _passes(tried: Tried) -> bool:
    return tried.passed


def _estimated_inside(tried: Tried) -> bool:
    """Return whether the estimates alone meet all blocking limits."""
    assert tried.verdict is not None  # only what was made is asked about
    values = [(_estimate(judgement.finding), judgement.limit) for judgement in tried.verdict.blocking]
    return all(value is not None and beyond(value, limit) <= 0 for value, limit in values)


def _estimate(finding: Finding | None) -> float | None:
    return None if finding is None else finding.estimate


def _missed(tried: Tried) -> tuple[int, int, float]:
    assert tried.verdict is not None  # only what was made is ordered
    stops = [judgement for judgement in tried.verdict.blocking if judgement.stops]
    failed = sum(judgement.status == "failed" for judgement in stops)
    return failed, len(stops), sum(judgement.severity for judgement in stops)


def _error(tried: Tried) -> float:
    """Return the standard error of the performance, from its interval."""
    interval = None if tried.performance is None else tried.performance.interval
    if interval is None or interval.low is None or interval.high is None:
        return 0.0
    from scipy.stats import norm

    return float((interval.high - interval.low) / 2 / norm.ppf((1 + interval.level) / 2))


def _farthest(tried: Tried) -> float:
    """Return how near the policy comes to being missed: the limit that is nearest."""
    return max((judgement.severity for judgement in tried.verdict.blocking), default=0.0) if tried.verdict else np.inf
