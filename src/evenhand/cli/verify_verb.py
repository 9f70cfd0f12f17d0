"""``evenhand verify``: check that a record belongs to this model and these rows, and rerun its audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, Finite, file_flag, opening, opening_flags, refuse_idle
from evenhand.cli.rerunning import Check, again
from evenhand.output.printing import put

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord


MOST_TOLD = 8
"""The most problems, and names of metrics, that are told."""


@click.command(name="verify")
@click.argument("audit", type=PATH)
@file_flag("--data", help="The rows that were audited.")
@file_flag("--model", "-m", help="The model that was audited.")
@file_flag("--original", help="The model it was compared with.")
@file_flag("--background", help="The rows it was explained against, if separate.")
@file_flag("--privacy", help="The rows the model was fitted on, if they were given.")
@file_flag("--policy", help="The policy that was recorded before the audit.")
@file_flag("--signature", help="The signature that evenhand sign wrote.")
@file_flag("--allowed-signers", help="File of trusted keys: a name and a key per line.")
@click.option("--signer", help="The name that must have signed; any allowed signer when not given.")
@click.option("--rerun", is_flag=True, help="Audit again and compare every finding; needs --data, and --model if any.")
@click.option(
    "--tolerance",
    type=Finite(min=1),
    default=5.0,
    show_default=True,
    help="Factor by which times, memory and energy of a rerun may differ.",
)
@click.option("--inputs", type=click.Path(), help="Model inputs, if not the table: .npy, .txt, or a folder.")
@opening_flags
def command(
    audit: Path,
    data: Path | None,
    model: Path | None,
    original: Path | None,
    background: Path | None,
    privacy: Path | None,
    policy: Path | None,
    signature: Path | None,
    allowed_signers: Path | None,
    signer: str | None,
    rerun: bool,
    tolerance: float,
    inputs: str | None,
    **flags: object,
) -> int:
    """Check that AUDIT is unchanged and belongs to these files; with --rerun, that it can be reproduced.

    \b
    Exit codes: 0 nothing differs, 1 something differs, 2 could not run, 3 nothing differs, but who signed is open.
    Example:    evenhand verify audit.json --data test.parquet --model credit.safetensors --rerun
    """
    from evenhand.errors import InputError
    from evenhand.policy import load_policy
    from evenhand.records import digest, open_record

    record = open_record(audit)
    refuse_idle("--signature", signature, "allowed_signers", "signer")
    refuse_idle("--allowed-signers", allowed_signers, "signer")
    refuse_idle(
        "--rerun",
        rerun,
        "background",
        "privacy",
        "tolerance",
        "trust_pickle",
        "trusted_types",
        "isolate",
        "model_signers",
    )
    refuse_idle("--data", data, "inputs")
    for name, file in (("model", model), ("original", original)):
        audited = record.provenance.get("subject") if name == "model" else record.provenance.get("original")
        if file is not None and (not audited or audited.get("kind") == "predictions"):
            raise click.UsageError(f"--{name}: {audit} is an audit without such a model; leave the flag out.")
    if rerun and "suppressed_below" in record.provenance:
        raise InputError(
            "This is a copy for publication: an audit of the rows has all that is withheld from it. Rerun the full "
            "record."
        )
    checks = [Check(True, f"record: digest {digest(record)[:16]}"), *_derived(record)]
    if signature is not None:
        checks.append(_signed(audit, signature, allowed_signers, signer))
    rows = None if data is None else _rows(data, record, inputs)
    known = record.provenance
    found = None if rows is None else rows.content_hash()
    checks.append(_hash("data", found, known.get("data", {}).get("content_hash")))
    models = {"subject": (model, known.get("subject")), "original": (original, known.get("original"))}
    for name, (file, facts) in models.items():
        if facts:
            checks.append(_hash(name, None if file is None else _sha256(file), facts.get("sha256")))
    if "policy" in known or policy is not None:
        found = None if policy is None else load_policy(policy).sha256
        checks.append(_hash("policy", found, known["policy"]["sha256"] if "policy" in known else None))
    if rerun:
        checks += again(record, rows, (model, original, background, privacy), opening(flags), tolerance)
    for check in checks:
        put(str(check))
    if any(check.same is False for check in checks):
        return 1
    return 3 if signature is not None and allowed_signers is None else 0


def _signed(audit: Path, signature: Path, allowed_signers: Path | None, signer: str | None) -> Check:
    from evenhand.signing import check_signature

    found = check_signature(audit, signature, allowed_signers, signer)
    if found.good and not found.signer:
        who = f"made with the key {found.key}, which anyone may hold. It proves nothing about who signed"
        return Check(None, f"signature: {who}; name the keys that are trusted with --allowed-signers")
    return Check(found.good, f"signature: {found.reason}")


def _derived(record: AuditRecord) -> list[Check]:
    """Compare what the record states with what its counts give, and say how much of it counts cannot say."""
    from evenhand.policy.deriving import examined
    from evenhand.records import origin_problems

    found, problems = examined(record)
    problems += origin_problems(record)
    if problems:
        return [Check(False, f"findings: {problem}") for problem in problems[:MOST_TOLD]]
    metrics = list(dict.fromkeys(key.metric for key in found.claims))
    stated = len(record.findings) - len(found.claims)
    checks = [Check(True, f"findings: {stated:,} of {len(record.findings):,} were derived from the counts")]
    if metrics:
        more = f" and {len(metrics) - MOST_TOLD} more" if len(metrics) > MOST_TOLD else ""
        told = f"{', '.join(metrics[:MOST_TOLD])}{more}"
        checks.append(Check(None, f"findings: {len(found.claims):,} are claims, which counts cannot say: {told}"))
    return checks


def _hash(name: str, found: str | None, recorded: str | None) -> Check:
    if recorded is None:
        return Check(None, f"{name}: the record knows no hash of it")
    if found is None:
        return Check(None, f"{name}: recorded as {recorded[:16]}")
    same = found == recorded
    return Check(same, f"{name}: {found[:16]}" + ("" if same else f", recorded as {recorded[:16]}"))


def _sha256(file: Path) -> str:
    from evenhand.subjects.model_file import file_facts

    return str(file_facts(file)["sha256"])


def _rows(file: Path, record: AuditRecord, inputs: str | None) -> EvaluationSet:
    """Read the rows with the roles that the record names."""
    from evenhand.data import read_evaluation_set
    from evenhand.data.following import as_read

    data = record.provenance.get("data", {})
    read = {name: data.get(name) for name in ("task", "spelling")}  # which values alone need not tell
    roles = {**data.get("roles", {}), **read, **as_read(data)}
    return read_evaluation_set(
        file,
        **{name: value for name, value in roles.items() if value not in (None, [])},
        missing=data.get("missing", "error"),  # type: ignore[arg-type]
        bins=data.get("bins", {}),
        use_sensitive=bool(record.provenance.get("sensitive_inputs")),
        inputs=inputs,
    )
