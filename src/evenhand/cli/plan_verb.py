"""``evenhand plan``: how many rows of each group a policy needs, before any audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.cli.places import usual_policy

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.policy.advice.planning import LimitPlan, Plan


@click.command(name="plan")
@click.argument("policy", type=PATH, default=usual_policy)
@file_flag("--rates", help="Assumed rates of groups: a TOML file with a table for each feature.")
@file_flag("--like", help="An audit.json of groups like those to come, in place of --rates.")
@click.option("--rows", type=click.IntRange(1), help="What can so many rows show?")
@click.option("--proportional", is_flag=True, help="Groups come by their shares of all rows; none is sampled more.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@file_flag("--output", "-o", help="Write a page with the chance to decide each limit, by rows (.html).")
def command(
    policy: Path,
    rates: Path | None,
    like: Path | None,
    rows: int | None,
    proportional: bool,
    seed: int,
    as_json: bool,
    output: Path | None,
) -> None:
    """Say how many rows of each group decide the limits of POLICY with a chance of 80 %.

    \b
    Examples:
      evenhand plan policy.toml --rates rates.toml
      evenhand plan policy.toml --like audit.json --rows 5000 -o plan.html
    """
    from evenhand.cli.outputs import check_places
    from evenhand.errors import OutputError, shorten
    from evenhand.output.printing import put, put_document, remark
    from evenhand.output.writing import write_text
    from evenhand.policy.advice.planning import plan
    from evenhand.records import dump, read_record

    check_places([output], (policy, rates, like))
    if output is not None and output.suffix.lower() not in ("", ".htm", ".html"):
        raise OutputError(f"{shorten(output)}: a plan is written as a page; name it .html, or use --json.")
    record = None if like is None else read_record(like)
    found = plan(policy, rates=rates, like=record, rows=rows, proportional=proportional, seed=seed)
    lines = said(found)
    if as_json:
        put_document(dump(found.to_plain()))
    else:
        for line in lines:
            put(line)
    if output is not None:
        from evenhand.report.planned import plan_page

        write_text(output, plan_page(found, lines))
        remark(f"Wrote {output}")


def said(found: Plan) -> list[str]:
    """Return a plan in lines."""
    lines = [line for one in found.limits for line in _of_limit(one, found.given)]
    if sum(bool(one.rows) for one in found.limits) > 1:
        named = ", ".join(f"{rows:,} of {name}" if name else f"{rows:,} in all" for name, rows in found.together)
        lines.append(f"Rows for all limits that have a plan: {named}.")
    return lines


def _of_limit(one: LimitPlan, given: int | None) -> list[str]:
    value = "" if one.value is None else f", {one.value:.3g} assumed"
    head = f"{one.key} {one.limit.sign} {one.limit.bound:g}{value}:"
    if one.why:
        return [f"{head} no plan. {one.why}"]
    if one.rows:
        lines = [f"{head} {_groups(one.rows)} have a chance of 80 % to decide it."]
    else:
        lines = [f"{head} no practical number of rows decides it; the value is too near."]
    if given is not None and one.chance is not None:
        shown = f"  {given:,} rows decide it with a chance of {100 * one.chance:.0f} %"
        sign, other = one.limit.sign, ">" if one.limit.at_most is not None else "<"
        if one.passes_from is not None:
            shown += f"; with 80 % they can show {sign} {one.passes_from:g}"
        if one.fails_from is not None:
            shown += f"; with 80 % they can show {other} {one.fails_from:g}"
        lines.append(f"{shown}.")
    return lines


def _groups(rows: tuple[tuple[str, int], ...]) -> str:
    if rows[0][0] == "" and len(rows) == 1:
        return f"{rows[0][1]:,} rows"
    total = sum(number for _, number in rows)
    if len(rows) == 1:
        return f"{total:,} rows of {rows[0][0]}"
    return f"{total:,} rows ({', '.join(f'{number:,} of {name}' for name, number in rows)})"
