"""``evenhand view``: explore a record on a local page, or watch a timeline of monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.words import languages

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="view")
@click.argument("audits", type=PATH, nargs=-1, required=True, metavar="[OLD] AUDIT")
@file_flag("--policy", "-p", help="Judge by this policy, and begin to edit with it; the file is not changed.")
@click.option("--lang", type=click.Choice(languages()), default="en", show_default=True, help="Language of the pages.")
@click.option("--port", type=click.IntRange(0, 65535), help="0: any free one.  [default: 8417, else any free one]")
@click.option("--no-open", is_flag=True, help="Only print the address; a browser is opened on a terminal otherwise.")
def command(audits: tuple[Path, ...], policy: Path | None, lang: str, port: int | None, no_open: bool) -> None:
    """Explore AUDIT (audit.json) on a local page: groups, metrics, thresholds, a policy edited in place.

    With two records the page shows them side by side, the earlier one first. Nothing but what the records hold is
    shown, and no other machine can reach the page. Ctrl-C ends it. A monitor.json is drawn anew when it changes.

    \b
    Examples:
      evenhand view audit.json --policy policy.toml
      evenhand view last_release.json audit.json
      evenhand view monitor.json
    """
    from evenhand.cli.timeline_pages import is_timeline
    from evenhand.documents import read_bytes
    from evenhand.errors import PolicyError, need
    from evenhand.output.printing import on_terminal
    from evenhand.policy import load_policy
    from evenhand.policy.reading import PYPROJECT
    from evenhand.records import read_record

    if len(audits) > 2:
        raise click.UsageError("Two records are compared at most: the earlier one, then the one to explore.")
    for package in ("starlette", "uvicorn"):
        need(package, "view")
    if any(map(is_timeline, audits)):
        _watch(audits, lang, port, browser=on_terminal() and not no_open)
        return
    from evenhand.serving.viewing.running import serve
    from evenhand.serving.viewing.session import Session

    text = ""
    if policy is not None:
        if policy.name == PYPROJECT:
            raise PolicyError(f"{policy}: a policy that is edited here is a file of its own, such as policy.toml.")
        load_policy(policy)  # its problems are told here, all together
        text = read_bytes(policy, kind=PolicyError).decode("utf-8-sig")
    records = [read_record(place) for place in audits]
    earlier = records[0] if len(records) == 2 else None
    name, folder = ("policy.toml", None) if policy is None else (policy.name, policy.parent)
    session = Session(records[-1], earlier, policy=text, name=name, folder=folder, lang=lang)
    serve(session, port, browser=on_terminal() and not no_open)


def _watch(places: tuple[Path, ...], lang: str, port: int | None, *, browser: bool) -> None:
    """Serve the page of one timeline."""
    from evenhand.cli.timeline_pages import refuse_flags_of_audits
    from evenhand.serving.viewing.running import serve_watched
    from evenhand.serving.viewing.watching import Watched

    if len(places) > 1:
        raise click.UsageError("A timeline of evenhand monitor is watched alone: name one file.")
    refuse_flags_of_audits(("audits", "lang", "port", "no_open"))
    serve_watched(Watched(places[0], lang), port, browser=browser)
