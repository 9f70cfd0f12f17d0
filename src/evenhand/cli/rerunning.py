"""Auditing again: does a record come out the same?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from evenhand.cli.console import progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord, Finding
    from evenhand.provenance import Provenance, SubjectFacts
    from evenhand.subjects import Subject

Files: TypeAlias = "tuple[Path | None, Path | None, Path | None, Path | None]"
"""The model, the original, the background, and the rows that the model was fitted on."""
USUAL: Final = 0.5
"""The threshold on record where none was given."""
SAID: Final = ("declared", "policy", "code", "predictions")
"""What the command line adds to a record: people's answers, the policy, the code, where predictions are kept."""
TIMED: Final = frozenset({"size_ratio"})
"""Metrics whose notes tell measured times, which differ from run to run."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison."""

    same: bool | None
    """None when there is nothing to compare with."""
    what: str
    """What was compared, and how it differs."""

    def __str__(self) -> str:
        word = "not given" if self.same is None else "same" if self.same else "differs"
        return f"{word:<9}  {self.what}"


def again(
    record: AuditRecord, rows: EvaluationSet | None, files: Files, how: dict[str, object], tolerance: float
) -> Iterator[Check]:
    """Audit again and compare every finding: measurements such as times within a factor, all else exactly.

    Parameters
    ----------
    files : paths
        Of the model, the original, the background, and the rows that the model was fitted on.
    tolerance : float
        By which factor volatile measurements may differ.
    """
    from evenhand.errors import InputError

    if rows is None:
        raise InputError("--rerun needs the rows that were audited: add --data.")
    fresh = _audit(record, rows, files, how)
    found = {finding.key: finding for finding in fresh.findings}
    for finding in record.findings:
        now = found.pop(finding.key, None)
        if not finding.volatile and now is None:
            yield Check(False, f"{finding.name}: not found again")
        elif not finding.volatile and now is not None and _values(now) != _values(finding):
            yield Check(False, f"{finding.name}: {_values(now)}, recorded as {_values(finding)}")
    new = [finding for finding in found.values() if not finding.volatile]
    if new:
        yield Check(False, f"{len(new)} findings are not in the record, {new[0].name} first")
    yield Check(True, f"{sum(not finding.volatile for finding in record.findings):,} findings were computed again")
    yield from _volatile(record, fresh, tolerance)
    yield _whole(record, fresh)


def _volatile(record: AuditRecord, fresh: AuditRecord, tolerance: float) -> Iterator[Check]:
    """Compare times, memory and energy, which differ from run to run, within a factor."""
    pairs = [(f, now) for f in record.findings if f.volatile and (now := fresh.get(f.key)) is not None]
    for finding, now in pairs:
        if not _within(finding.estimate, now.estimate, tolerance):
            factor = f"more than a factor of {tolerance:g}"
            yield Check(False, f"{finding.name}: {now.estimate}, recorded as {finding.estimate}: {factor}")
    if pairs:
        said = f"{len(pairs)} volatile measurements were repeated, compared within a factor of {tolerance:g}"
        yield Check(True, said)


def _within(one: float | None, other: float | None, tolerance: float) -> bool:
    if one is None or other is None or one == other:
        return one is other or one == other
    return one * other > 0 and 1 / tolerance <= one / other <= tolerance


def _whole(record: AuditRecord, fresh: AuditRecord) -> Check:
    """Compare everything but the measurements byte by byte; name the part that differs."""
    from evenhand.records import digest

    said: Provenance = {**fresh.provenance}
    for name in SAID:
        if name in record.provenance:
            said[name] = record.provenance[name]
    told = {finding.key: finding.note for finding in record.findings}
    findings = [
        replace(each, note=told.get(each.key, each.note)) if each.key.metric in TIMED else each
        for each in fresh.findings
    ]
    now = replace(fresh, provenance=said, findings=tuple(findings))
    if digest(now) == digest(record):
        return Check(True, "record: the same to the byte outside its measurements")
    names = sorted({*record.provenance, *now.provenance})
    apart = [name for name in names if record.provenance.get(name) != now.provenance.get(name)]
    parts = [name for name in ("sections", "tallies") if getattr(record, name) != getattr(now, name)]
    return Check(False, f"record: not the same to the byte; it differs in {', '.join([*parts, *apart]) or 'findings'}")


def _audit(record: AuditRecord, rows: EvaluationSet, files: Files, how: dict[str, object]) -> AuditRecord:
    from evenhand.audits import audit, audit_given
    from evenhand.data import read_evaluation_set
    from evenhand.errors import InputError

    options = {name: value for name, value in record.provenance.get("options", {}).items() if value is not None}
    subject = record.provenance.get("subject", {})
    names = [section.audit for section in record.sections if not (section.audit == "custom" and section.ran)]
    options["explain"] = any(section.audit == "explanation" and section.ran for section in record.sections)
    with progress("Auditing again") as step:
        if subject.get("kind") == "predictions":
            threshold, kind = subject.get("threshold"), subject.get("score_kind")
            if rows.roles.prediction is not None and threshold == USUAL:
                threshold = None  # nobody gave it, and the decisions need not be those of the scores at it
            given = {"threshold": threshold} | ({} if kind == "label" else {"score_kind": kind})
            given = given if rows.task in ("binary", "multilabel") else {}
            return audit_given(rows, **given, settings=options, audits=names, progress=step)  # type: ignore[arg-type]
        model = _open(files[0], "model", subject, how)
        original = _open(files[1], "original", record.provenance.get("original"), how)
        background, members = (None if file is None else read_evaluation_set(file, like=rows) for file in files[2:])
        if members is None and "members" in record.provenance:
            raise InputError("--rerun needs the rows that the model was fitted on, as the audit had: add --privacy.")
        assert model is not None and files[0] is not None  # checked by _open
        if files[0].is_file():
            options["searched_files"] = [str(files[0])]
        more: dict[str, Any] = {"original": original, "background": background, "members": members, **options}
        return audit(model, rows, audits=names, progress=step, **more)


def _open(file: Path | None, name: str, facts: SubjectFacts | None, how: dict[str, object]) -> Subject | None:
    """Open a model of the record, at the audited threshold unless that is the model's own."""
    from evenhand.compression import open_model
    from evenhand.errors import InputError
    from evenhand.subjects import as_subject

    if not facts:
        return None
    if file is None:
        raise InputError(f"--rerun needs the {name} of the record, '{facts.get('name')}': add --{name}.")
    model = open_model(file, **how)  # type: ignore[arg-type]  # checked by click
    threshold, given = facts.get("threshold"), facts.get("decided_by", "given") == "given"
    alone = "own_threshold" in facts  # nothing but the threshold was given of a model that says what its scores are
    said: dict[str, Any] = {"score_kind": facts.get("output")} if hasattr(model, "declared") and not alone else {}
    if given and threshold is not None and threshold != float(model.threshold):
        said["threshold"] = float(threshold)
    return as_subject(model, **said)


def _values(finding: Finding) -> tuple[float | None, ...]:
    interval = finding.interval
    ends = (None, None) if interval is None else (interval.low, interval.high)
    return (finding.estimate, *ends)
