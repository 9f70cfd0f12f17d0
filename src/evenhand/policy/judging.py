"""Judge a record by a policy. The only place where findings meet limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.errors import PolicyError, check_kind, nearest, raise_all, shorten
from evenhand.findings import SAME_LEVEL, Absent, AuditRecord, Finding
from evenhand.messages import continued, joined, message, sentences
from evenhand.policy.advice.advising import Advised
from evenhand.policy.always import always_remark
from evenhand.policy.baseline import RANK, Baseline, Pairs, refuse_other_subject, with_baseline
from evenhand.policy.burden import burden_of
from evenhand.policy.deciding import compare, ends_of
from evenhand.policy.deriving import derive
from evenhand.policy.evidence import evidence_of
from evenhand.policy.families import fail_together, family_remark
from evenhand.policy.limits import DECLARED, REQUIRED, Policy
from evenhand.policy.matching import instances, own_key
from evenhand.policy.meeting import claim_remarks, judge_requirements
from evenhand.policy.reading import load_policy
from evenhand.policy.regression_limits import drop_key
from evenhand.policy.severity import severity
from evenhand.policy.verdict import Judgement, Verdict, tally
from evenhand.policy.waiving import is_blank, waive, waiver_remarks
from evenhand.policy.wording import limit_text, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from evenhand.keys import Key
    from evenhand.metrics.answers.compared import Behind
    from evenhand.policy.deriving import Derived
    from evenhand.policy.limits import Effect, Limit, Status
    from evenhand.signing import SignedRecord

LOW_CONFIDENCE: Final = 0.9
"""A verdict says so where its confidence is below this."""
ADVISED: Final = 5
"""Undecided limits of which a verdict says what would decide them, worst first; `evenhand plan` says it of all."""
NOT_COVERED: Final = message("Not covered here: no limit passes or fails on it.")
"""Why a limit is undecided on a finding that no interval covers."""
NOWHERE: Final = {
    "features": message("The record names no sensitive feature to apply it to."),
    "intersections": message("The record names no two sensitive features to cross."),
    "groups": message("The record has no group to apply it to."),
}


def judge(
    record: AuditRecord,
    policy: Policy | str | Path | Mapping[str, object],
    *,
    baseline: AuditRecord | None = None,
    pairs: Pairs | None = None,
    new_only: bool = False,
    new_threshold: bool = False,
    today: date | None = None,
    signed_by: SignedRecord | None = None,
) -> Verdict:
    """Judge a record by a policy.

    What counts can say is derived from the counts of the record first; see `evenhand.policy.deriving`. Where the policy
    asks for another confidence than the record has, intervals are recomputed from its counts.

    A limit passes when the whole interval is inside it, fails when the whole interval is outside, and is undecided
    otherwise; what is undefined or missing is undecided, too, never passed.

    Parameters
    ----------
    record : AuditRecord
    policy : Policy, path or mapping
        A policy, its file, or its limits: ``{"accuracy": {"at_least": 0.7}}``.
    baseline : AuditRecord, optional
        An earlier audit, such as of the last release; limits with `max_drop` compare with it.
    pairs : PairedPredictions, optional
        The rows that both audits share; then limits with `max_drop` are judged row by row.
    new_only : bool
        Whether limits that were as bad in the baseline do not stop; needs `baseline`.
    new_threshold : bool
        Whether the threshold was changed on purpose since the baseline. Otherwise limits with `max_drop` on decisions
        at two thresholds are undecided.
    today : date, optional
        The day on which waivers are checked; today when absent.
    signed_by : SignedRecord, optional
        The record with its signature, as `evenhand.read_signed_record` returns both. One that is given must be good,
        whether or not the policy requires it.

    Returns
    -------
    Verdict

    Raises
    ------
    PolicyError
        When the baseline is of another label or positive value, an interval cannot be recomputed at the policy's
        confidence, the signature is of another record, or the record or the baseline is a copy for publication.
    RecordError
        When what the record states is not what its counts give, or its counts contradict each other.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 200, [1, 0] * 200)
    >>> verdict = eh.judge(record, {"accuracy": {"at_least": 0.8}})
    >>> verdict.status, verdict.exit_code
    ('passed', 0)
    """
    check_kind("judge(record, policy)", record, AuditRecord, "audit and read_record return", policy)
    policy = policy if isinstance(policy, Policy) else load_policy(policy)
    _refuse_copy(record)
    if new_only and baseline is None:
        raise PolicyError("What is new is told from an earlier audit: add --baseline.")
    if baseline is not None:
        if "suppressed_below" in baseline.provenance:
            raise PolicyError(
                "The earlier audit is a copy for publication: what it withholds cannot be compared. Name its full "
                "record."
            )
        refuse_other_subject(record, baseline)
    if signed_by is not None and signed_by.record != record:
        raise PolicyError("The signature is of another record: judge the one that read_signed_record returned with it.")
    earlier = None if baseline is None else Baseline(derive(baseline).record, pairs, new_threshold)
    return judge_derived(derive(record), policy, earlier, new_only=new_only, today=today, signed_by=signed_by)


def judge_derived(
    proven: Derived,
    policy: Policy,
    earlier: Baseline | None = None,
    *,
    new_only: bool = False,
    today: date | None = None,
    signed_by: SignedRecord | None = None,
) -> Verdict:
    """Judge a record that was derived once by as many policies as there are to try; the rest is as `judge` has it."""
    record, baseline = proven.record, None if earlier is None else earlier.record
    _refuse_copy(record)
    day = today or datetime.now(UTC).date()
    found = [judgement for limit in policy.limits for judgement in judge_limit(limit, record, policy, earlier)]
    raise_all(PolicyError, sorted(set(_level_problems(found, policy))))
    found = fail_together(found, policy, partial(_again, record, policy, earlier))
    found = list(_explained(found, record, policy))
    if earlier is not None:
        steady = [limit for limit in policy.limits if not limit.against]
        were = [judgement for limit in steady for judgement in judge_limit(limit, earlier.record, policy, None)]
        were = fail_together(were, policy, partial(_again, earlier.record, policy, None))
        before = [judgement for judgement in were if not earlier.other_groups(judgement.key, record)]
        found = with_baseline(found, before, new_only)
    found += judge_requirements(record, policy, None if signed_by is None else signed_by.signature, baseline)
    covered = [waive(judgement, policy, day) for judgement in found]
    ordered = tuple(_first_advised(sorted(covered, key=_worst_first)))
    status = _status(ordered)
    remarks = (
        *family_remark(found, policy), *always_remark(found),
        *waiver_remarks(found, policy, day), *_low_confidence(policy), *_small_groups(record, policy), *proven.remarks,
        *claim_remarks(record, policy, proven.claims),
    )  # fmt: skip
    return Verdict(
        status, _sentence(status, ordered), ordered, policy.name, policy.sha256, policy.confidence, policy.path,
        remarks, policy.help_url, policy,
    )  # fmt: skip


def _refuse_copy(record: AuditRecord) -> None:
    """Refuse a copy for publication: what is withheld from it may be what a limit is about."""
    if "suppressed_below" in record.provenance:
        raise PolicyError(
            f"This is a copy for publication: figures that rest on fewer than {record.provenance['suppressed_below']} "
            "rows are withheld from it. Judge the full record."
        )


def judge_limit(limit: Limit, record: AuditRecord, policy: Policy, earlier: Baseline | None) -> Iterator[Judgement]:
    """Yield a judgement for each finding that a limit applies to."""
    if limit.required:
        yield _judge_declaration(limit, record)
        return
    keys = instances(limit, record, policy)
    if keys is None:
        yield _open(limit, own_key(limit), None, limit.missing, sentences(NOWHERE[limit.over], limit.note))
    for key in keys or ():
        finding = record.find(key, policy.confidence, always_valid=limit.always_valid)
        if not limit.against:
            yield _judge_finding(limit, key, finding, policy, record)
        elif earlier is None:
            yield _open(
                limit, drop_key(key), None, limit.missing, message("max_drop needs an earlier audit: add --baseline.")
            )
        elif apart := earlier.apart(key, record):
            yield _open(limit, drop_key(key), None, limit.undecided, apart)
        else:
            before = earlier.record.find(key, policy.confidence, always_valid=limit.always_valid)
            absent = next((found for found in (finding, before) if isinstance(found, Absent)), None)
            now, then = (None if isinstance(found, Absent) else found for found in (finding, before))
            dropped = earlier.drop(key, now, then, policy.confidence, always_valid=limit.always_valid) or absent
            assert dropped is not None  # it is there where both are
            yield _judge_finding(limit, drop_key(key), dropped, policy, record)


def _again(
    record: AuditRecord, policy: Policy, earlier: Baseline | None, judgement: Judgement, level: float
) -> Finding | None:
    """Return the finding of a judgement at another level."""
    others = judge_limit(judgement.limit, record, replace(policy, confidence=level), earlier)
    return next((other.finding for other in others if other.key == judgement.key), None)


def _judge_declaration(limit: Limit, record: AuditRecord) -> Judgement:
    """Judge a required declaration; it has no estimate, since nothing was measured."""
    name = limit.key.columns[0]
    given = record.provenance.get(DECLARED, {})
    declared = {known: value.strip() for known, value in given.items() if not is_blank(value)}
    if name not in declared:
        near = nearest(name, declared)
        hint = message("Did you mean '{name}'?", name=near) if near else ""
        nobody = message("Nobody has declared '{name}'.", name=shorten(name))
        return _open(limit, limit.key, None, limit.missing, sentences(sentences(nobody, hint), limit.note))
    said, words = declared[name], message("It is declared, not measured.")
    found = Finding(limit.key, DECLARED, None, unit="number", undefined=words, note=said)
    return Judgement(limit, limit.key, "passed", found, message("declared: {text}", text=shorten(said, 200)))


def _judge_finding(limit: Limit, key: Key, finding: Finding | Absent, policy: Policy, record: AuditRecord) -> Judgement:
    if isinstance(finding, Absent):
        return _open(limit, key, None, limit.missing, sentences(finding.reason, limit.note))
    if finding.estimate is None:
        return _open(limit, key, finding, limit.undefined, finding.undefined or message("It has no value."))
    if finding.uncovered:
        return _open(limit, key, finding, limit.undecided, sentences(NOT_COVERED, finding.uncovered))
    status = compare(finding, limit, policy)
    if status == "undecided":
        return _undecided(limit, key, finding, policy, record)
    note = limit.note if status == "failed" else ""
    return Judgement(limit, key, status, finding, note, stops=status == "failed" and not limit.advisory)


def _explained(found: list[Judgement], record: AuditRecord, policy: Policy) -> Iterator[Judgement]:
    """Yield judgements with the groups that decided, the people harmed, and how far the limit is missed."""
    of = {always: _behind(record, policy.confidence, always) for always in {one.limit.always_valid for one in found}}
    for judgement in found:
        finding, limit, status = judgement.finding, judgement.limit, judgement.status
        behind = of[limit.always_valid]
        if finding is None or finding.estimate is None or finding.uncovered:
            yield judgement
            continue
        evidence = evidence_of(finding, limit, status, record, behind)
        burden = burden_of(evidence, limit, record, behind, policy.confidence)
        who = message("n={rows:,}", rows=finding.support) if evidence is None else evidence.sentence
        words = continued(who, judgement.reason)
        far = severity(ends_of(finding, limit, policy), limit, status)
        yield replace(judgement, evidence=evidence, burden=burden, reason=words, severity=far)


def _behind(record: AuditRecord, level: float, always_valid: bool) -> Behind | None:
    """Return what the counts of a record say of groups; None where it keeps none."""
    if not record.tallies:
        return None
    from evenhand.metrics.answers.compared import Behind

    return Behind(record, level, always_valid=always_valid)


def _open(limit: Limit, key: Key, finding: Finding | None, effect: Effect, sentence: str) -> Judgement:
    return Judgement(limit, key, "undecided", finding, sentence, stops=effect == "stop" and not limit.advisory)


def _undecided(limit: Limit, key: Key, finding: Finding, policy: Policy, record: AuditRecord) -> Judgement:
    reason = ""
    if finding.undefined_groups:
        groups = tuple(shorten(group) for group in finding.undefined_groups)
        reason = finding.note or message("No value for {groups}.", groups=groups)
    advice = Advised(replace(finding, key=key), limit, record, policy.failing_bound, policy.confidence)
    stops = limit.undecided == "stop" and not limit.advisory
    return Judgement(limit, key, "undecided", finding, reason, stops, advice=advice)


def _first_advised(found: Iterable[Judgement]) -> Iterator[Judgement]:
    """Yield judgements with advice for the first that stop only: it is simulated, and that takes time."""
    left = ADVISED
    for judgement in found:
        given = judgement.advice is not None and judgement.stops and left > 0
        left -= given
        yield judgement if given or judgement.advice is None else replace(judgement, advice=None)


def _level_problems(found: list[Judgement], policy: Policy) -> Iterator[str]:
    for judgement in found:
        interval = judgement.finding.interval if judgement.finding is not None else None
        if interval is not None and abs(interval.level - policy.confidence) > SAME_LEVEL:
            yield (
                f"{policy.name}: defaults.confidence is {policy.confidence:g}; {judgement.key} has an interval of "
                f"{interval.level:g}, which cannot be computed again from the record's counts. "
                f"Audit with --level {policy.confidence:g}, or set confidence = {interval.level:g}."
            )


def _low_confidence(policy: Policy) -> Iterator[str]:
    if policy.confidence < LOW_CONFIDENCE:
        yield message("Limits are judged at a confidence of {level}; 0.95 is usual.", level=f"{policy.confidence:g}")


def _small_groups(record: AuditRecord, policy: Policy) -> Iterator[str]:
    if not policy.minimum_group_size:
        return
    sizes = {
        shorten(", ".join(f"{column}={group}" for column, group in finding.key.group)): finding.groups[0].rows
        for finding in record.findings
        if finding.key.metric == "selection_rate" and finding.key.group and finding.groups
    }
    least = policy.minimum_group_size
    small = [message("{group} ({rows})", group=group, rows=rows) for group, rows in sizes.items() if rows < least]
    if small:
        yield message(
            "Groups with fewer than {least} rows, none left out: {groups}.", least=least, groups=joined("; ", small)
        )


def _worst_first(judgement: Judgement) -> tuple[bool, int, bool, float, float, str]:
    """Order by what stops, then by how far a limit is missed, then by the people harmed."""
    first = judgement.limit.advisory, RANK[judgement.status], not judgement.stops
    return *first, -judgement.severity, -judgement.people, str(judgement.key)


def _status(found: tuple[Judgement, ...]) -> Status:
    stopping = {judgement.status for judgement in found if judgement.stops}
    if "failed" in stopping:
        return "failed"
    return "undecided" if stopping else "passed"


def _sentence(status: Status, found: tuple[Judgement, ...]) -> str:
    first = next((judgement for judgement in found if judgement.stops and judgement.status == status), None)
    if first is None:
        return tally(status, found)
    if first.limit.key.metric == REQUIRED:
        told = message("First: {key} is required. {why}", key=str(first.key), why=first.sentence)
        return sentences(tally(status, found), told)
    if first.limit.required:
        told = message("First: {key} is required and was not declared.", key=str(first.key))
        return sentences(tally(status, found), told)
    shown = message("missing") if first.finding is None else _shown(first.finding, first.limit.bound)
    told = message(
        "First: {key} is {value}, the limit is {limit}.", key=str(first.key), value=shown, limit=limit_text(first.limit)
    )
    why = "" if first.evidence is None else message("{why}.", why=first.evidence.sentence)
    return sentences(sentences(tally(status, found), told), why)


def _shown(finding: Finding, bound: float) -> str:
    return number(finding.estimate, bound) if finding.defined else finding.absence
