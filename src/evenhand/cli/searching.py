"""What ``evenhand compress --search`` does: a study, its record, its page, and a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress
from evenhand.cli.summary import summarize
from evenhand.output.printing import on_terminal, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenhand.compression import Recipe
    from evenhand.findings import AuditRecord
    from evenhand.policy import Policy
    from evenhand.studies import Plan

RECORD, PAGE = "study.json", "study.html"


def run_search(plan: Plan, policy: Policy | None) -> AuditRecord:
    """Run a study, write its record and page into its folder, and print the result.

    Raises
    ------
    OutputError
        When the folder cannot be written to.
    """
    from evenhand.output.writing import check_writable
    from evenhand.records import write_record
    from evenhand.report import write_report
    from evenhand.studies import study

    plan.folder.mkdir(parents=True, exist_ok=True)
    check_writable(plan.folder / RECORD)
    with progress("Searching") as step:
        record = study(_with_progress(plan, step), policy)
    write_record(plan.folder / RECORD, record)
    write_report(plan.folder / PAGE, record)
    summarize(summary(record))
    return record


def _with_progress(plan: Plan, step: Callable[[int, int, str], None]) -> Plan:
    """Return the plan with a progress bar, or with lines for a log."""
    from dataclasses import replace

    if on_terminal():
        return replace(plan, progress=step)
    return replace(plan, progress=lambda done, total, text: say(f"{done}/{total} {text}") if text else None)


def summary(record: AuditRecord) -> list[str]:
    """Return the summary of a search."""
    told = record.provenance["study"]
    front, candidates = record.measurements["study"]["front"], told["candidates"]
    lines = [f"{len(candidates)} candidates, {len(front)} of them on the Pareto front: {', '.join(front)}"]
    lines += [f"{each['name']}: could not be made. {each['failure']}" for each in candidates if each["failure"]]
    if told.get("policy") is not None:
        smallest = told.get("smallest")
        lines.append(f"Smallest that passes: {smallest}" if smallest else "None passes the policy.")
    lines += [f"{section.audit}: {section.reason}" for section in record.sections if section.reason]
    return lines


def plan_of(
    model: Path,
    tables: tuple[object, object],
    recipes: tuple[str, ...],
    parse: Callable[[str], Recipe],
    folder: Path,
    **settings: object,
) -> Plan:
    """Return the plan that flags describe."""
    from evenhand.studies import USUAL, Plan, expand
    from evenhand.training import load_model

    balance = settings.pop("balance")
    chosen = expand(recipes or USUAL, parse, balance or None)  # type: ignore[arg-type]  # names of columns
    return Plan(load_model(model), chosen, *tables, folder, **settings)  # type: ignore[arg-type]  # flags, checked by click


def refuse_halves(search: bool, test: object, recipes: tuple[str, ...], others: dict[str, object]) -> None:
    """Refuse flags of a search without ``--search``, and a search without rows to compare on.

    Raises
    ------
    click.UsageError
    """
    if not search:
        given = [f"--{name}" for name, value in others.items() if value is not None]
        if given:
            raise click.UsageError(f"{', '.join(given)} goes with --search.")
        if not recipes:
            raise click.UsageError("Missing option '--recipe' / '-r'; or try several with --search.")
    elif test is None:
        raise click.UsageError("--search compares models on rows they were not trained on: name them with --test.")
