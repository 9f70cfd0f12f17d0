"""``evenhand gate``: judge a record by a policy. Loads no model and none of the heavy packages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, file_flag, format_flag, refuse_idle
from evenhand.cli.places import NEAREST, usual_policy

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.signing import SignedRecord


@click.command(name="gate")
@click.argument("audit", type=PATH)
@file_flag(
    "--policy",
    "-p",
    default=usual_policy,
    show_default=NEAREST,
    help="The limits; a policy.toml, or a pyproject.toml with [tool.evenhand].",
)
@file_flag("--baseline", help="An earlier audit.json, for limits with max_drop.")
@file_flag("--predictions", help="File written by --keep-predictions for AUDIT.")
@file_flag("--baseline-predictions", help="The same for the earlier audit.")
@file_flag("--signature", help="The signature of AUDIT that evenhand sign wrote; it must be good.")
@file_flag("--allowed-signers", help="File of trusted keys: a name and a key per line.")
@click.option("--signer", help="The name that must have signed; any allowed signer when not given.")
@click.option("--new-only", is_flag=True, help="Stop only for limits with a better outcome in the baseline.")
@click.option("--new-threshold", is_flag=True, help="Compare decisions at two thresholds: it was changed on purpose.")
@format_flag(
    "text, json, markdown, summary, junit, sarif, github, gitlab, csv, model-card, cyclonedx, html, pdf; may be "
    "repeated, with a file for all but one.  [default: text]",
)
@file_flag("--output", "-o", help="Write the one format here instead of stdout.")
def command(
    audit: Path,
    policy: Path,
    baseline: Path | None,
    predictions: Path | None,
    baseline_predictions: Path | None,
    signature: Path | None,
    allowed_signers: Path | None,
    signer: str | None,
    new_only: bool,
    new_threshold: bool,
    forms: tuple[str, ...],
    output: Path | None,
) -> int:
    """Judge AUDIT (audit.json) by a policy, one line a limit, worst first.

    \b
    Exit codes: 0 passed, 1 failed, 2 could not run, 3 undecided.
    Examples:
      evenhand gate audit.json --policy policy.toml
      evenhand gate audit.json -f text -f junit=gate.xml -f sarif=gate.sarif
      evenhand gate audit.json --signature audit.json.sig --allowed-signers signers
    """
    from evenhand.cli.outputs import put, wanted_outputs
    from evenhand.cli.pairs import paired
    from evenhand.policy import judge, load_policy
    from evenhand.records import read_record

    refuse_idle("--baseline", baseline, "new_threshold")
    read = (audit, policy, baseline, predictions, baseline_predictions, signature, allowed_signers)
    wanted = wanted_outputs(forms or ("text",), output, read)
    signed = _signed(audit, signature, allowed_signers, signer)
    record = read_record(audit) if signed is None else signed.record
    earlier = None if baseline is None else read_record(baseline)
    pairs = paired(record, predictions, earlier, baseline_predictions)
    verdict = judge(
        record, load_policy(policy), baseline=earlier, pairs=pairs, new_only=new_only, new_threshold=new_threshold,
        signed_by=signed,
    )  # fmt: skip
    put(record, verdict, wanted)
    if "github" in wanted:
        _summarize(record, verdict, wanted.get("html"))
    return verdict.exit_code


def _signed(
    audit: Path, signature: Path | None, allowed_signers: Path | None, signer: str | None
) -> SignedRecord | None:
    """Read the record and check the signature of the same bytes; None where no signature was given."""
    from evenhand.errors import InputError

    if signature is not None and allowed_signers is not None:
        from evenhand.signing import read_signed_record

        return read_signed_record(audit, signature, allowed_signers, signer)
    if signature is not None:
        raise InputError("Anyone can sign: name the keys that are trusted with --allowed-signers.")
    if allowed_signers is not None or signer is not None:
        raise InputError("--allowed-signers and --signer check a signature: name it with --signature.")
    return None


def _summarize(record: AuditRecord, verdict: Verdict, page: Path | None) -> None:
    """Append the short summary to the step's page, where GitHub Actions names a file for it."""
    from evenhand.errors import OutputError
    from evenhand.output.printing import say
    from evenhand.report import render
    from evenhand.report.formats.step_summary import append_summary, page_line

    named = os.environ.get("GITHUB_STEP_SUMMARY")
    if named:
        try:
            append_summary(named, render(record, verdict, "summary") + page_line(page, os.environ))
        except OutputError as wrong:
            say(f"evenhand: {wrong}")  # the verdict counts, whether or not its summary is shown
