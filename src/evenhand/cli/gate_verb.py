"""``evenhand gate``: judge a record by a policy. Loads no model and none of the heavy packages."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(name="gate")
@click.argument("audit", type=click.Path(path_type=Path))
@click.option("--policy", "-p", type=click.Path(path_type=Path), default=Path("policy.toml"), show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the result here instead of stdout.")
def command(audit: Path, policy: Path, form: str, output: Path | None) -> int:
    """Judge AUDIT (audit.json) by a policy, one line a limit, worst first.

    \b
    Exit codes: 0 passed, 1 failed, 2 could not run, 3 undecided.
    Example:    evenhand gate audit.json --policy policy.toml
    """
    from evenhand.policy import judge, load_policy
    from evenhand.records import read_record
    from evenhand.report import render
    from evenhand.writing import check_writable, write_text

    if output is not None:
        check_writable(output)
    record = read_record(audit)
    verdict = judge(record, load_policy(policy))
    if form == "text":
        from evenhand.policy import lines

        text = "\n".join([*lines(verdict), verdict.sentence]) + "\n"
    else:
        text = render(record, verdict, form)
    if output is not None:
        write_text(output, text)
    else:
        sys.stdout.write(text)
    return verdict.exit_code
