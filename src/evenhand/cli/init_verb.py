"""``evenhand init``: the three files a project begins with, from a table or without one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.cli.summary import is_quiet, quiet_flag, summarize
from evenhand.headlines import alarms
from evenhand.output.printing import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data.proposing import Part, Proposal

LOOKED_AT: Final = 100_000
"""Rows of a table that are enough to know its columns."""


@click.command(name="init")
@click.argument("table", type=PATH, required=False)
@click.option("--label", help="Column with the truth.  [default: proposed from TABLE, else label]")
@click.option("--pos-label", help="Value of the label that counts as positive.")
@click.option("--favourable", help="Value of the label that is good for the person.")
@click.option("--sensitive", multiple=True, help="Sensitive feature; may be repeated.")
@click.option("--exclude", multiple=True, help="Column that is not a model input; may be repeated.")
@click.option(
    "--template",
    type=click.Choice(["generic", "hiring", "credit", "medical"]),
    default="generic",
    show_default=True,
    help="Field whose limits to start from, each with its reason and source.",
)
@file_flag("--folder", default=Path(), show_default=False, help="Where the files are written.")
@click.option("--yes", "-y", is_flag=True, help="Take what is proposed without asking.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@quiet_flag
def command(
    table: Path | None,
    label: str | None,
    pos_label: str | None,
    favourable: str | None,
    sensitive: tuple[str, ...],
    exclude: tuple[str, ...],
    template: str,
    folder: Path,
    yes: bool,
    force: bool,
) -> None:
    """Write evenhand.toml (roles, settings), policy.toml (limits) and responsibility.toml to begin with.

    With TABLE, its first 100,000 rows are looked at, and each column is proposed a role, with a reason: the label and
    its values, columns that look protected, edges for ages, scores and decisions, ids, dates and texts. On a terminal
    you are asked; elsewhere the proposals are written, and what was assumed is said.

    \b
    Examples:
      evenhand init loans.csv
      evenhand init --label approve --favourable 1 --sensitive race --sensitive sex
    """
    from evenhand.cli.settings_text import settings_text
    from evenhand.declarations import skeleton
    from evenhand.errors import OutputError
    from evenhand.output.writing import write_text
    from evenhand.policy import default_policy

    places = [folder / name for name in ("evenhand.toml", "policy.toml", "responsibility.toml")]
    there = [str(place) for place in places if place.exists()]
    if there and not force:
        raise OutputError(f"{', '.join(there)}: already there. Replace with --force, or choose another --folder.")
    given: dict[str, object] = {"label": label, "positive": pos_label, "favourable": favourable, "exclude": exclude}
    given |= {"sensitive": sensitive or None}
    chosen = _without_table(given) if table is None else _looked_at(table, given, ask=not yes)
    policy = default_policy(
        chosen.named("sensitive"), template=template, label=chosen.label or "", task=chosen.task,
        positive="" if chosen.positive is None else str(chosen.positive),
    )  # fmt: skip
    for place, text in zip(places, (settings_text(chosen), policy, skeleton()), strict=True):
        write_text(place, text)
    wrote = f"Wrote {', '.join(map(str, places))}"
    if table is not None and not is_quiet():
        for sentence in _alarms(table, chosen):
            say(sentence)
    summarize([*_told(chosen), wrote] if table is not None else [wrote], _following(chosen, table, places[0]))


def _without_table(given: dict[str, object]) -> Proposal:
    """Return the roles that the flags name."""
    from evenhand.data.proposing import Proposal, ProposedColumn

    parts: tuple[Part, ...] = ("sensitive", "exclude")
    columns = [ProposedColumn(str(column), part, "") for part in parts for column in given[part] or ()]  # type: ignore[attr-defined]
    values = {name: _number(given[name]) for name in ("positive", "favourable")}
    return Proposal("", 0, tuple(columns), str(given["label"] or "label"), **values)  # type: ignore[arg-type]


def _number(value: object) -> object:
    """Return whole numbers that were written as such; the label may hold texts or numbers."""
    return int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() else value


def _looked_at(table: Path, given: dict[str, object], ask: bool) -> Proposal:
    """Return the roles that are proposed for a table, asked for where somebody can answer."""
    from evenhand.cli.asking import ask_about, can_ask
    from evenhand.data.proposing import propose
    from evenhand.data.tables import first_rows

    proposing = partial(propose, first_rows(table, LOOKED_AT), table.name)
    return ask_about(proposing, given) if ask and can_ask() else proposing(**given)  # type: ignore[arg-type]


def _told(chosen: Proposal) -> Iterator[str]:
    """Yield what was assumed, and what a person has to decide."""
    from evenhand.data.values import listed

    first = "the first " if chosen.rows == LOOKED_AT else ""
    yield f"{chosen.name}: from the names and values of {first}{chosen.rows:,} rows, for you to check:"
    label = f"label {chosen.label or '(none found)'}"
    values = {"positive": chosen.positive, "good for a person": chosen.favourable}
    yield "; ".join([label, *(f"{what} {listed([value])}" for what, value in values.items() if value is not None)])
    groups = ", ".join(_group(chosen, column) for column in chosen.named("sensitive"))
    yield f"sensitive features: {groups or 'none found'}"
    if unused := chosen.named("possible", "area"):
        yield f"protected-looking or proxies, not compared: {', '.join(unused)}"
    roles = {"decisions": chosen.one("prediction"), "scores": chosen.one("score"), "id": chosen.one("id")}
    roles["never inputs"] = ", ".join(chosen.named("exclude", "weight"))
    if named := "; ".join(f"{what} {column}" for what, column in roles.items() if column):
        yield named
    if undecided := [*_undecided(chosen)]:
        yield f"decide in evenhand.toml: {', '.join(undecided)}"


def _alarms(table: Path, chosen: Proposal) -> tuple[str, ...]:
    """Return what makes the rows doubtful: columns that restate the label, repeated rows and people, names of rows."""
    from evenhand.audits import audit_data
    from evenhand.data.tables import first_rows
    from evenhand.errors import EvenhandError

    if chosen.label is None:
        return ()
    roles: dict[str, Any] = {"label": chosen.label, "task": chosen.task, "positive": chosen.positive}
    roles["exclude"] = chosen.named("exclude", "weight", "id", "prediction", "score")
    try:
        record = audit_data(first_rows(table, LOOKED_AT), check_data=False, **roles)
    except EvenhandError:  # what is wrong with the roles is said by the verb that uses them
        return ()
    return alarms(record.findings)


def _group(chosen: Proposal, column: str) -> str:
    edges = chosen.bins.get(column)
    return f"{column} (at {', '.join(map(str, edges))})" if edges else column


def _undecided(chosen: Proposal) -> Iterator[str]:
    if chosen.label is None:
        yield "label"
    elif chosen.task is None and chosen.positive is None:
        yield "pos_label"
    if chosen.label is not None and chosen.task is None and chosen.favourable is None:
        yield "favourable"
    scored = chosen.one("score") is not None and chosen.one("prediction") is None
    if scored and chosen.task is None and chosen.threshold is None:
        yield "threshold"


def _following(chosen: Proposal, table: Path | None, settings: Path) -> list[object]:
    model = [] if chosen.one("prediction") or chosen.one("score") else ["--model", "MODEL"]
    config = [] if settings.parent == Path() else ["--config", settings]
    return ["evenhand", "audit", table or "TABLE", *model, *config]
