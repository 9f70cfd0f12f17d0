"""What can be done to meet a policy: candidates fitted, chosen and judged on three parts of the rows."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Unpack

from evenhand.audits.arguments import AuditSettings, background_of, opened, rows_of, sorted_out
from evenhand.audits.auditing import chosen_options, run
from evenhand.audits.catalogue import AUDITS
from evenhand.audits.options import options as options_by_name
from evenhand.data import split
from evenhand.errors import InputError, PolicyError, argument, raise_all
from evenhand.evidence import Evidence
from evenhand.evidence.predictions import proven
from evenhand.keys import Key
from evenhand.messages import message_to_plain
from evenhand.metrics import canonical, describe
from evenhand.mitigation.alike import KEEP, alike, chosen
from evenhand.mitigation.candidate import Candidate, Problem
from evenhand.mitigation.catalogue import MITIGATIONS
from evenhand.mitigation.feasibility import infeasible
from evenhand.mitigation.judged import Mitigated, judged
from evenhand.mitigation.recording import candidates as recorded
from evenhand.mitigation.recording import decided_alike
from evenhand.mitigation.seen import remember
from evenhand.mitigation.trying import Court, Tried, audits_of, crossed, of_candidates, wanted
from evenhand.policy import Policy, judge, load_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from evenhand.audits import AuditOptions
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord
    from evenhand.messages import PlainMessage
    from evenhand.policy import Verdict
    from evenhand.provenance import MitigationFacts
    from evenhand.subjects import Subject

SHARES: Final = (0.4, 0.3, 0.3)
"""The shares of the rows that candidates are fitted, chosen and judged on."""
PARTS: Final = ("fit", "choose", "judge")
UNCHANGED: Final = "unchanged"
"""The name of the deployed model among the candidates."""


def mitigate(
    model: object,
    data: object,
    policy: Policy | str | Path | Mapping[str, object],
    *,
    performance: str = "accuracy",
    shares: Sequence[float] = SHARES,
    candidates: str | Iterable[str | Candidate] | None = None,
    group_blind: bool = False,
    keep: float = KEEP,
    train: object = None,
    audits: str | Iterable[str] | None = None,
    options: AuditOptions | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    **settings: Unpack[AuditSettings],
) -> AuditRecord:
    """Try what can be done for a model to meet a policy, and audit what was chosen on rows that took no part in that.

    Candidates are fitted on one part of the rows. On a second part each is judged by the policy, and of those that
    pass with a performance within a standard error of the best, the one farthest inside its limits is chosen; where
    none passes, the one that is nearest to it. What performs hardly better than one decision for everybody is left out
    of the choice. On a third part the chosen one is audited beside the deployed model, row by
    row, and judged by the same policy. It is recommended only where these rows bear it out; see
    `evenhand.mitigation.recommending`.

    Parameters
    ----------
    model : Subject, scikit-learn estimator, torch module, folder or callable
        The deployed model, as for `audit`. It stays as it is.
    data : path, pandas, Polars or PyArrow table, mapping of columns, or EvaluationSet
        Rows that the model was not fitted on, with the truth and the columns that make the groups.
    policy : Policy, path or mapping
        The limits that are to be met. Of its requirements, and of limits on changes since a release, a candidate meets
        none yet: they are left to the gate.
    performance : str
        What is to be as good as can be while the limits are met: the key of a measure.
    shares : three numbers
        The shares of the rows that candidates are fitted, chosen and judged on.
    candidates : names, or Candidate, optional
        Kinds of candidates, of `evenhand list mitigations`, or candidates of your own; all kinds when absent.
    group_blind : bool
        Whether candidates are left out that must be told the sensitive features when they decide.
    keep : float
        The share of the deployed model's gain in performance, over one decision for everybody, that a candidate must
        keep to be chosen, in [0, 1]; a decision for everybody that the policy rules out does not count.
    train : table or EvaluationSet, optional
        Rows on which models are fitted again, such as those the deployed model was fitted on; the first part when
        absent.
    audits : name or names, optional
        Which audits the chosen one goes through; all when absent. The comparison with the deployed model is always
        made.
    options : AuditOptions, optional
        Confidence, seed and sizes; single options may be given as keywords. The seed decides splits, fits and lots.
    progress : callable, optional
        Called before each candidate as ``progress(step, steps, name)``.
    **settings
        As for `audit`: roles of the columns of a table, options, and what the model's output is.

    Returns
    -------
    AuditRecord
        Of the chosen candidate, on the third part, compared with the deployed model. ``provenance["mitigation"]`` says
        what was tried, what it came to, who gains and who loses, and whether it is recommended.

    Raises
    ------
    InputError, ModelError, PolicyError
        When the label is not one of two classes, the rows are too few for three parts, the policy has no limit that a
        candidate could meet, or model and rows cannot be audited as they are.

    See Also
    --------
    evenhand.mitigation.mitigated : The same, with the model of the candidate.

    Examples
    --------
    >>> import evenhand as eh
    >>> policy = {"limits": {"demographic_parity_difference[sex]": {"at_most": 0.1}}}
    >>> rows = {"income": [20, 31, 42, 56] * 200, "sex": ["f", "m"] * 400, "paid": ["no", "no", "yes", "yes"] * 200}
    >>> roles = {"label": "paid", "pos_label": "yes", "sensitive_features": "sex"}
    >>> record = eh.mitigate(
    ...     lambda X: X["income"] / 60, rows, policy, candidates=["threshold", "group_thresholds"], explain=False,
    ...     **roles,
    ... )
    >>> facts = record.provenance["mitigation"]
    >>> facts["rows"]
    {'fit': 320, 'choose': 240, 'judge': 240}
    """
    return mitigated(
        model, data, policy, performance=performance, shares=shares, candidates=candidates, group_blind=group_blind,
        keep=keep, train=train, audits=audits, options=options, progress=progress, **settings,
    ).record  # fmt: skip


def mitigated(
    model: object,
    data: object,
    policy: Policy | str | Path | Mapping[str, object],
    *,
    performance: str = "accuracy",
    shares: Sequence[float] = SHARES,
    candidates: str | Iterable[str | Candidate] | None = None,
    group_blind: bool = False,
    keep: float = KEEP,
    train: object = None,
    audits: str | Iterable[str] | None = None,
    options: AuditOptions | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    **settings: Unpack[AuditSettings],
) -> Mitigated:
    """Return what `evenhand.mitigate` does, with the model of the chosen candidate.

    Parameters
    ----------
    model, data, policy, performance, shares, candidates, group_blind, keep, train, audits, options, progress
        As for `evenhand.mitigate`.
    **settings
        As for `evenhand.mitigate`.

    Raises
    ------
    InputError, ModelError, PolicyError
        As `evenhand.mitigate`.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.mitigation import mitigated
    >>> rows = {"income": [20, 31, 42, 56] * 200, "sex": ["f", "m"] * 400, "paid": ["no", "no", "yes", "yes"] * 200}
    >>> made = mitigated(
    ...     lambda X: X["income"] / 60, rows, {"limits": {"accuracy": {"at_least": 0.9}}}, candidates="threshold",
    ...     label="paid", pos_label="yes", audits="performance",
    ... )
    >>> made.recommended, made.subject.name, made.record["accuracy"].estimate
    (True, 'one threshold, 0 SE inside', 1.0)
    """
    from evenhand.subjects import as_subject

    roles, said, rest = sorted_out(settings, {*options_by_name(), *AUDITS})
    model = opened(model)
    rows, chosen_by = rows_of(model, data, roles), chosen_options(options, rest)
    limits = of_candidates(policy if isinstance(policy, Policy) else load_policy(policy))
    goal = Key.parse(performance)
    goal = goal.renamed(canonical(goal.metric) or goal.metric)
    raise_all(InputError, _problems(rows, shares, keep, goal))
    if not limits.blocking:
        raise PolicyError(f"{limits.name}: no blocking limit is left that a candidate could meet. Add one.")
    parts = split(rows, dict(zip(PARTS, map(float, shares), strict=True)), seed=chosen_by.seed)
    base = proven(as_subject(model, **said), rows)  # type: ignore[arg-type]
    few = crossed(limits, chosen_by)
    names = audits_of(base, parts["fit"], limits, few)
    court = Court(parts["choose"], limits, goal, few, names)
    problem = _problem(base, parts["fit"], limits, goal, few, names, background_of(train, rows, "train"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about each candidate; the audit keeps those about the chosen one
        proposed = _proposed(problem, candidates, group_blind)
        tried = _all_tried(problem, court, proposed, progress)
    if tried[0].performance is None:
        raise InputError(f"{argument('performance')}: no audit of these rows measures '{performance}'.")
    same = alike(court, tried[0], keep)
    first = chosen(tried, same, goal)
    facts: MitigationFacts = {
        "candidates": recorded(tried, first, parts["choose"], same),
        "performance": str(goal),
        "rows": {name: part.rows for name, part in parts.items()},
        "policy": {"name": limits.name, "sha256": limits.sha256},
        "seed": chosen_by.seed,
        "infeasible": _infeasible(problem, tried[0], parts["choose"]),
    }
    if problem.train is not None and any(each.trains for each in proposed):
        facts["rows"] = {**facts["rows"], "train": len(problem.train)}
    if same is not None:
        facts["alike"] = decided_alike(same)
    other = None if first is tried[0] else first
    if other is not None and other.subject is not None:
        remember(other.subject, problem.rows_of(other.candidate), parts["choose"])
    return judged(base, other, same, court, parts["judge"], facts, audits, chosen_by)


def _infeasible(problem: Problem, unchanged: Tried, rows: EvaluationSet) -> PlainMessage | None:
    """Return the sentence that no thresholds meet the policy on the rows to choose on; None where some do."""
    sentence = infeasible(replace(problem, fit=rows, wanted=wanted(unchanged.verdict)))
    return message_to_plain(sentence) if sentence else None


def _problems(rows: EvaluationSet, shares: Sequence[float], keep: float, goal: Key) -> Iterable[str]:
    if rows.task != "binary":
        yield f"{rows.name}: candidates are about a label of two classes; this one is of {rows.task}."
    if len(shares) != 3 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        told = ", ".join(map(str, shares))
        yield f"{argument('shares')}: three shares above 0 that add up to 1 are needed, as in 0.4,0.3,0.3, not {told}."
    if not 0 <= keep <= 1:
        yield f"{argument('keep')}: a share from 0 to 1 is needed, not {keep}."
    if describe(goal.metric).direction == "neutral":
        yield f"{argument('performance')}: of {goal.metric} neither more nor less is better."


def _problem(
    base: Subject,
    rows: EvaluationSet,
    policy: Policy,
    goal: Key,
    options: AuditOptions,
    audits: tuple[str, ...],
    train: EvaluationSet | None,
) -> Problem:
    verdict = judge(run(Evidence(base, rows, options=options), audits), policy)
    raise_all(PolicyError, _unmeasured(verdict))
    return Problem(base, rows, policy, goal, options.seed, train, wanted(verdict))


def _unmeasured(verdict: Verdict) -> Iterable[str]:
    """Yield the limits of which these rows can say nothing, whatever the model."""
    for judgement in verdict.blocking:
        if judgement.finding is None:
            yield f"{judgement.key} cannot be measured on these rows, so no candidate can meet it: {judgement.reason}"


def _proposed(problem: Problem, asked: str | Iterable[str | Candidate] | None, group_blind: bool) -> list[Candidate]:
    """Return the candidates that were asked for, each name once."""
    listed: list[str | Candidate] = [*MITIGATIONS] if asked is None else [asked] if isinstance(asked, str) else [*asked]
    kinds = MITIGATIONS.chosen([each for each in listed if isinstance(each, str)])
    found: dict[str, Candidate] = {}
    for each in listed:
        for candidate in kinds[each].propose(problem) if isinstance(each, str) else (each,):
            if not (group_blind and candidate.needs_sensitive):
                found.setdefault(candidate.name, candidate)
    if not found:
        told = ", ".join(each if isinstance(each, str) else each.name for each in listed)
        blind = f" that meets {argument('group_blind', True)}" if group_blind else ""
        raise InputError(f"{told}: none has a candidate{blind} for this model, these rows and this policy.")
    return [*found.values()]


def _all_tried(
    problem: Problem,
    court: Court,
    proposed: Sequence[Candidate],
    progress: Callable[[int, int, str], None] | None,
) -> list[Tried]:
    """Return every candidate made and judged, the deployed model first."""
    unchanged = Candidate(UNCHANGED, UNCHANGED, lambda rows, seed: problem.model)
    found = [court.judged(unchanged, problem.model)]
    for step, candidate in enumerate(proposed):
        if progress is not None:
            progress(step, len(proposed) + 1, candidate.name)
        found.append(court.tried(candidate, problem))
    if progress is not None:
        progress(len(proposed), len(proposed) + 1, "judging")
    return found
