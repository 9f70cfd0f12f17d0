"""``evenhand gate``: judge a record by a policy. Loads no model and none of the heavy packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict


@click.command(name="gate")
@click.argument("audit", type=click.Path(path_type=Path))
@click.option(
    "--policy",
    "-p",
    type=click.Path(path_type=Path),
    default=Path("policy.toml"),
    show_default=True,
    help="The limits; a policy.toml, or a pyproject.toml with [tool.evenhand].",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="An earlier audit.json, for limits with max_drop.")
@click.option(
    "--format",
    "-f",
    "forms",
    multiple=True,
    metavar="NAME[=FILE]",
    help="text, json, markdown, junit, sarif, github, gitlab, csv, html; may be repeated.  [default: text]",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the one format here instead of stdout.")
def command(audit: Path, policy: Path, baseline: Path | None, forms: tuple[str, ...], output: Path | None) -> int:
    """Judge AUDIT (audit.json) by a policy, one line a limit, worst first.

    \b
    Exit codes: 0 passed, 1 failed, 2 could not run, 3 undecided.
    Examples:
      evenhand gate audit.json --policy policy.toml
      evenhand gate audit.json -f text -f junit=gate.xml -f sarif=gate.sarif
    """
    from evenhand.policy import judge, load_policy
    from evenhand.records import read_record
    from evenhand.writing import check_writable

    wanted = _wanted(forms or ("text",), output)
    for place in wanted.values():
        if place is not None:
            check_writable(place)
    record = read_record(audit)
    earlier = None if baseline is None else read_record(baseline)
    verdict = judge(record, load_policy(policy), baseline=earlier)
    for form, place in wanted.items():
        _put(_render(form, record, verdict), place)
    if "github" in wanted:
        _summarize(record, verdict)
    return verdict.exit_code


def _wanted(forms: tuple[str, ...], output: Path | None) -> dict[str, Path | None]:
    """Return each format with its file, None for stdout, which one of them may have."""
    from evenhand.errors import InputError, did_you_mean, raise_all
    from evenhand.report import FORMATS

    pairs = [(name, Path(file) if file else None) for name, _, file in (form.partition("=") for form in forms)]
    problems = [
        f"There is no format '{name}'.{did_you_mean(name, FORMATS)} See: evenhand list formats"
        for name, _ in pairs
        if name not in FORMATS
    ]
    if output is not None and (len(pairs) > 1 or pairs[0][1] is not None):
        problems.append("--output names the file of one format; name each file with --format NAME=FILE.")
    if sum(file is None for _, file in pairs) > 1:
        problems.append("Only one format can go to stdout; name files for the others with --format NAME=FILE.")
    if len({name for name, _ in pairs}) < len(pairs):
        problems.append("A format is named twice.")
    raise_all(InputError, problems)
    return {name: file or output for name, file in pairs}


def _render(form: str, record: AuditRecord, verdict: Verdict) -> str:
    from evenhand.report import render

    return render(record, verdict, form)


def _put(text: str, place: Path | None) -> None:
    from evenhand.writing import write_text

    if place is None:
        sys.stdout.write(text)
    else:
        write_text(place, text)


def _summarize(record: AuditRecord, verdict: Verdict) -> None:
    """Append the summary to the step's page, where GitHub Actions names a file for it."""
    named = os.environ.get("GITHUB_STEP_SUMMARY")
    if named:
        with Path(named).open("a", encoding="utf-8") as file:
            file.write(_render("markdown", record, verdict))
