"""``evenhand verify``: does a record still speak of this model and these rows, and does the audit come out the same?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord, Finding, Plain
    from evenhand.subjects import Subject


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    same: bool | None
    """None when nothing was given to compare with."""
    what: str
    """What was looked at, and how it differs."""

    def __str__(self) -> str:
        word = "not given" if self.same is None else "same" if self.same else "differs"
        return f"{word:<9}  {self.what}"


@click.command(name="verify")
@click.argument("audit", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The rows that were audited.")
@click.option("--model", "-m", type=click.Path(path_type=Path), help="The model that was audited.")
@click.option("--original", type=click.Path(path_type=Path), help="The model it was compared with.")
@click.option("--background", type=click.Path(path_type=Path), help="The rows it was explained against, if other ones.")
@click.option("--signature", type=click.Path(path_type=Path), help="The signature that evenhand sign wrote.")
@click.option(
    "--allowed-signers", type=click.Path(path_type=Path), help="Whose keys are trusted: a name and key a line."
)
@click.option("--signer", help="The name that must have signed; any of the allowed when not given.")
@click.option("--rerun", is_flag=True, help="Audit again and compare every finding; needs --data, and --model if any.")
@click.option("--trust-pickle", is_flag=True, help="Load a pickled model. It can run any code on this machine.")
def command(
    audit: Path,
    data: Path | None,
    model: Path | None,
    original: Path | None,
    background: Path | None,
    signature: Path | None,
    allowed_signers: Path | None,
    signer: str | None,
    rerun: bool,
    trust_pickle: bool,
) -> int:
    """Say whether AUDIT is unchanged and speaks of these files; with --rerun, whether it comes out the same.

    \b
    Exit codes: 0 nothing differs, 1 something differs, 2 could not run.
    Example:    evenhand verify audit.json --data test.parquet --model credit.safetensors --rerun
    """
    from evenhand.records import digest, read_record

    record = read_record(audit)
    checks = [Check(True, f"record: digest {digest(record)[:16]}")]
    if signature is not None:
        checks.append(_signed(audit, signature, allowed_signers, signer))
    rows = None if data is None else _rows(data, record)
    checks.append(
        _hash("data", None if rows is None else rows.content_hash(), _block(record, "data").get("content_hash"))
    )
    for name, file in (("subject", model), ("original", original)):
        if _block(record, name):
            checks.append(_hash(name, None if file is None else _sha256(file), _block(record, name).get("sha256")))
    if rerun:
        checks += _again(record, rows, model, original, background, trust_pickle)
    for check in checks:
        click.echo(str(check))
    return int(any(check.same is False for check in checks))


def _signed(audit: Path, signature: Path, allowed_signers: Path | None, signer: str | None) -> Check:
    from evenhand.signing import check_signature

    found = check_signature(audit, signature, allowed_signers, signer)
    return Check(found.good, f"signature: {found.reason}")


def _hash(name: str, found: str | None, recorded: Plain) -> Check:
    if recorded is None:
        return Check(None, f"{name}: the record knows no hash of it")
    if found is None:
        return Check(None, f"{name}: recorded as {str(recorded)[:16]}")
    same = found == recorded
    return Check(same, f"{name}: {found[:16]}" + ("" if same else f", recorded as {str(recorded)[:16]}"))


def _sha256(file: Path) -> str:
    import hashlib

    from evenhand.subjects.loading import read_model_file

    return hashlib.sha256(read_model_file(file)).hexdigest()


def _rows(file: Path, record: AuditRecord) -> EvaluationSet:
    """Read the rows with the roles that the record names."""
    from evenhand.data import read_evaluation_set

    data = _block(record, "data")
    roles = data.get("roles")
    named: dict[str, Plain] = dict(roles) if isinstance(roles, dict) else {}
    inputs = record.provenance.get("sensitive_inputs")
    return read_evaluation_set(
        file,
        **{name: value for name, value in named.items() if value not in (None, [])},  # type: ignore[arg-type]
        missing=data.get("missing", "error"),  # type: ignore[arg-type]
        use_sensitive=bool(inputs),
    )


def _again(
    record: AuditRecord,
    rows: EvaluationSet | None,
    model: Path | None,
    original: Path | None,
    background: Path | None,
    trust_pickle: bool,
) -> Iterator[Check]:
    """Audit again and compare every finding that does not measure time."""
    from evenhand.errors import InputError

    if rows is None:
        raise InputError("--rerun needs the rows that were audited: add --data.")
    fresh = {finding.key: finding for finding in _audit(record, rows, (model, original, background), trust_pickle)}
    for finding in record.findings:
        if finding.volatile:
            continue
        now = fresh.pop(finding.key, None)
        if now is None:
            yield Check(False, f"{finding.name}: not found again")
        elif _values(now) != _values(finding):
            yield Check(False, f"{finding.name}: {_values(now)}, recorded as {_values(finding)}")
    new = [finding for finding in fresh.values() if not finding.volatile]
    if new:
        yield Check(False, f"{len(new)} findings are not in the record, {new[0].name} first")
    yield Check(True, f"{sum(not finding.volatile for finding in record.findings):,} findings were computed again")


def _audit(
    record: AuditRecord, rows: EvaluationSet, files: tuple[Path | None, ...], trust_pickle: bool
) -> tuple[Finding, ...]:
    from evenhand.audits import audit, audit_given
    from evenhand.data import read_evaluation_set

    options = {name: value for name, value in _block(record, "options").items() if value is not None}
    subject = _block(record, "subject")
    names = [section.audit for section in record.sections if section.audit != "custom"]
    options["explain"] = any(section.audit == "explanation" and section.ran for section in record.sections)
    with progress("Auditing again") as step:
        if subject.get("kind") == "predictions":
            threshold, kind = subject.get("threshold"), subject.get("score_kind")
            given = {"threshold": threshold} | ({} if kind == "label" else {"score_kind": kind})
            return audit_given(rows, **given, settings=options, progress=step).findings  # type: ignore[arg-type]
        model, original = (_open(file, name, record, trust_pickle) for file, name in zip(files, _NAMES, strict=False))
        background = None if files[2] is None else read_evaluation_set(files[2], like=rows)
        assert model is not None  # asked for by _open
        return audit(
            model,
            rows,
            original=original,
            background=background,
            audits=names,
            progress=step,
            **options,  # type: ignore[arg-type]
        ).findings


_NAMES = ("subject", "original")


def _open(file: Path | None, name: str, record: AuditRecord, trust_pickle: bool) -> Subject | None:
    """Open a model that the record speaks of, at the threshold that was audited."""
    from evenhand.compression import open_model
    from evenhand.errors import InputError
    from evenhand.subjects import as_subject

    facts = _block(record, name)
    if not facts:
        return None
    if file is None:
        flag = "--model" if name == "subject" else "--original"
        raise InputError(f"--rerun needs the {name} of the record, '{facts.get('name')}': add {flag}.")
    positive = _block(record, "data").get("positive")
    model = open_model(file, trust_pickle=trust_pickle, positive=positive)
    threshold = facts.get("threshold")
    if isinstance(threshold, (int, float)) and float(threshold) != float(model.threshold):
        return as_subject(model, threshold=float(threshold))
    return model


def _values(finding: Finding) -> tuple[float | None, ...]:
    interval = finding.interval
    ends = (None, None) if interval is None else (interval.low, interval.high)
    return (finding.estimate, *ends)


def _block(record: AuditRecord, name: str) -> Mapping[str, Plain]:
    found = record.provenance.get(name)
    return found if isinstance(found, dict) else {}
