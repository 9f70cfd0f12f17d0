"""``evenhand report``: draw a record, or a timeline of monitoring. Needs no model."""

from __future__ import annotations

from pathlib import Path

import click

from evenhand.cli.flags import PATH, file_flag, format_flag, refuse_idle
from evenhand.cli.places import LIMITS, has_policy
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.words import languages

PAGE = Path("report.html")
PUBLIC = 10
"""The fewest rows that a number of the public profile rests on."""


@click.command(name="report")
@click.argument("audit", type=PATH)
@file_flag("--policy", "-p", help="Judge by this policy and put the verdict first.")
@file_flag("--output", "-o", help="[default: report.html]")
@format_flag(
    "See: evenhand list formats; may be repeated, with a file for each. Inferred from the suffix of --output "
    "otherwise; a format without any file goes to stdout.",
)
@click.option("--lang", type=click.Choice(languages()), default="en", show_default=True, help="Language of the text.")
@click.option(
    "--template-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with a page.html.j2 and an extra.css.",
)
@click.option(
    "--assets",
    type=click.Choice(["inline", "external"]),
    default="inline",
    show_default=True,
    help="Where to put the CSS; external for hosts that forbid inline styles.",
)
@click.option("--omit-empty", is_flag=True, help="Leave out sections without figures.")
@click.option(
    "--suppress-below",
    type=click.IntRange(min=2),
    metavar="ROWS",
    help="A copy for publication: withhold what rests on fewer rows, and what would reveal it.",
)
@click.option(
    "--profile",
    type=click.Choice(["internal", "public"]),
    default="internal",
    show_default=True,
    help="Whom it is for; public withholds what rests on fewer than 10 rows, or --suppress-below.",
)
@click.option(
    "--since",
    type=PATH,
    multiple=True,
    help="The JSON of a copy that was published before; of each, the latest last: all together reveal no more.",
)
@file_flag("--baseline", help="An earlier audit.json, to compare each limit with.")
@click.option("--new-threshold", is_flag=True, help="Compare decisions at two thresholds: it was changed on purpose.")
@click.option(
    "--to",
    "places",
    multiple=True,
    metavar="PLACE",
    help="Log it to mlflow or wandb, or add it to a model's repository: hub=OWNER/NAME; may be repeated.",
)
@click.option("--public-summary", type=click.Choice(["ll144"]), help="The summary that a law requires to be published.")
@quiet_flag
def command(
    audit: Path,
    policy: Path | None,
    baseline: Path | None,
    new_threshold: bool,
    output: Path | None,
    forms: tuple[str, ...],
    public_summary: str | None,
    places: tuple[str, ...],
    profile: str,
    since: tuple[Path, ...],
    suppress_below: int | None,
    **look: object,
) -> None:
    """Draw AUDIT (audit.json) as one self-contained page; a monitor.json as the page of what is live.

    \b
    Examples:
      evenhand report audit.json --policy policy.toml -o report.html
      evenhand report audit.json -f html=report.html -f model-card=README.md
      evenhand report audit.json --policy policy.toml --to mlflow
      evenhand report audit.json --profile public --since public-1.json -f html=public.html -f json=public-2.json
      evenhand report monitor.json -o monitor.html
    """
    from evenhand.cli.outputs import put, wanted_outputs
    from evenhand.cli.sharing import check_destinations, send
    from evenhand.cli.timeline_pages import is_timeline, refuse_flags_of_audits, report_timeline
    from evenhand.errors import InputError
    from evenhand.policy import judge, load_policy
    from evenhand.policy.headline import headline
    from evenhand.records import read_record

    if is_timeline(audit):
        refuse_flags_of_audits()
        done = report_timeline(audit, wanted_outputs(*_asked(forms, output, None), (audit,)), str(look["lang"]))
        summarize(done, ["evenhand", "view", audit])
        return
    check_destinations(places)
    only_sent = bool(places) and not (forms or output or public_summary)
    asked = _asked(forms, output, public_summary)
    wanted = {} if only_sent else wanted_outputs(*asked, (audit, policy, baseline, *since))
    below = suppress_below or (PUBLIC if profile == "public" else None)
    refuse_idle("--profile public", below, "since")
    refuse_idle("--baseline", baseline, "new_threshold")
    refuse_idle("-f html", only_sent or {"html", "pdf"} & {*wanted}, "template_dir", "assets", "omit_empty")
    if look["assets"] == "external" and not only_sent and wanted.get("html") is None:
        raise click.UsageError("--assets external writes a separate file: name the page's with --output.")
    record = read_record(audit)
    if baseline is not None and policy is None:
        raise InputError("What became of each limit needs limits: add --policy to --baseline.")
    before = [read_record(copy) for copy in since] or None
    earlier = None if baseline is None else read_record(baseline)
    verdict = (
        None if policy is None else judge(record, load_policy(policy), baseline=earlier, new_threshold=new_threshold)
    )
    look |= {"suppress_below": below, "since": before}
    put(record, verdict, wanted, **look)  # type: ignore[arg-type]  # the flags above, by their names
    send(record, verdict, places, look)
    wrote = [f"Wrote {place}" for place in wanted.values() if place is not None]
    judged = [] if verdict is None else [f"{headline(verdict, record).text}."]
    limits = [] if policy is None and has_policy() else ["--policy", policy or LIMITS]
    summarize([*judged, *wrote], ["evenhand", "gate", audit, *limits])


def _asked(forms: tuple[str, ...], output: Path | None, public_summary: str | None) -> tuple[list[str], Path | None]:
    """Return the formats and the one file: a page by default, else by the flags or the suffix."""
    from evenhand.report import format_of

    named = [*([public_summary] if public_summary else []), *forms]
    if named == ["html"] or (public_summary and not forms):
        return named, output or PAGE
    if named:
        return named, output
    place = output or PAGE
    return [format_of(place)], place
