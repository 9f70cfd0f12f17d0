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

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        rows = problem.training_rows if candidate.trains else problem.fit
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


def best_first(tried: list[Tried], performance: Key) -> Iterator[Tried]:
    """Yield what was made, the one to choose first.

    First those that pass: of these, the ones whose performance is within a standard error of the best (the rule of
    Breiman et al. 1984), the one farthest inside its limits first, as what passes barely here passes on other rows
    about every second time; then the other ones that pass, by performance. Then those that do not, the one that fails
    least first: by how many limits fail and stay undecided, then by how far they are missed.

    Parameters
    ----------
    tried : list of Tried
        All of them.
    performance : Key
        The measure of performance.
    """
    sign = -1.0 if describe(performance.metric).direction == "lower_is_better" else 1.0
    made = sorted((each for each in tried if each.verdict is not None), key=lambda each: _order(each, sign))
    passing = [each for each in made if each.passed]
    if passing:
        least = _worth(passing[0], sign) - _error(passing[0])
        near = [each for each in passing if _worth(each, sign) >= least]
        yield from sorted(near, key=lambda each: (_farthest(each), -_worth(each, sign)))
        yield from passing[len(near) :]
    yield from made[len(passing) :]


def _order(tried: Tried, sign: float) -> tuple[float, ...]:
    assert tried.verdict is not None  # only what was made is ordered
    if tried.passed:
        return 0.0, 0.0, 0.0, 0.0, -_worth(tried, sign)
    stops = [judgement for judgement in tried.verdict.blocking if judgement.stops]
    failed = sum(judgement.status == "failed" for judgement in stops)
    far = sum(judgement.severity for judgement in stops)
    return 1.0, float(failed), float(len(stops)), far, -_worth(tried, sign)


def _worth(tried: Tried, sign: float) -> float:
    """Return how good the performance is; the worst of all where it is undefined."""
    value = None if tried.performance is None else tried.performance.estimate
    return -np.inf if value is None else sign * value


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
