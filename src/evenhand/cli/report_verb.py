"""``evenhand report``: draw a record. Needs no model."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="report")
@click.argument("audit", type=click.Path(path_type=Path))
@click.option("--policy", "-p", type=click.Path(path_type=Path), help="Judge by this policy and put the verdict first.")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("report.html"), show_default=True)
@click.option("--format", "form", help="See: evenhand list formats. Told from the ending of --output otherwise.")
@click.option("--public-summary", type=click.Choice(["ll144"]), help="The summary that a law asks to be published.")
def command(audit: Path, policy: Path | None, output: Path, form: str | None, public_summary: str | None) -> None:
    """Draw AUDIT (audit.json) as one self-contained page.

    \b
    Example: evenhand report audit.json --policy policy.toml -o report.html
    """
    from evenhand.cli.console import say
    from evenhand.policy import judge, load_policy
    from evenhand.records import read_record
    from evenhand.report import write_report
    from evenhand.writing import check_writable

    check_writable(output)
    record = read_record(audit)
    verdict = judge(record, load_policy(policy)) if policy is not None else None
    write_report(output, record, verdict, format=public_summary or form)
    say(f"Wrote {output}")
