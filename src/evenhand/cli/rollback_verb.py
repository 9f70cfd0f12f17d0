"""``evenhand rollback``: make the release before the current one the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.deciding import by_flag, link_flag, who
from evenhand.cli.summary import quiet_flag, summarize

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="rollback")
@link_flag("--as")
@by_flag
@click.option("--reason", default="", help="Why, for the record.")
@quiet_flag
def command(link: Path, by: str | None, reason: str) -> None:
    """Go back to the release before the current one; the link changes at once or not at all.

    \b
    Exit codes: 0 rolled back, 2 not.
    Example:    evenhand rollback --as deployed/current --reason "appeals of group F are won twice as often"
    """
    from evenhand.monitoring.releasing import rollback

    done = rollback(link, by=who(by), reason=reason)
    summarize([f"{link} is {done.decision.model[:12]} again, in place of {str(done.decision.before)[:12]}"])
