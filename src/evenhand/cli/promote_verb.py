"""``evenhand promote``: release a model whose audit passes a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.deciding import CURRENT, by_flag, link_flag, who
from evenhand.cli.flags import PATH, file_flag
from evenhand.cli.places import NEAREST, usual_policy
from evenhand.cli.summary import quiet_flag, summarize

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="promote")
@click.argument("model", type=PATH)
@file_flag("--audit", "-a", required=True, help="The record of its audit.")
@file_flag("--policy", "-p", default=usual_policy, show_default=NEAREST, help="The limits that it must pass.")
@link_flag("--as")
@by_flag
@click.option("--despite", default="", metavar="REASON", help="Release although it did not pass; the reason is kept.")
@quiet_flag
def command(model: Path, audit: Path, policy: Path, link: Path, by: str | None, despite: str) -> None:
    """Release MODEL: copy it with its audit and policy into a folder of its own, and make the link name that.

    The link changes at once or not at all. Every decision, also a refusal, is kept in decisions.jsonl beside it.

    \b
    Exit codes: 0 promoted, 2 not promoted.
    Example:    evenhand promote credit.safetensors --audit audit.json --policy policy.toml --as deployed/current
    """
    from evenhand.monitoring.releasing import promote

    if link == CURRENT:
        link.parent.mkdir(exist_ok=True)
    done = promote(model, audit, policy, link, by=who(by), despite=despite)
    before = done.decision.before
    lines = [f"{link} is {done.decision.model[:12]} now, {done.decision.verdict}"]
    if before is not None:
        lines.append(f"Before: {before[:12]}. To go back: evenhand rollback --as {link}")
    summarize(lines)
