"""``evenhand data``: audit a table before there is a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from evenhand.audits.options import options
from evenhand.cli.console import progress
from evenhand.cli.flags import PATH, file_flag, said, setting_flags
from evenhand.cli.outputs import check_places
from evenhand.cli.places import NEAREST, usual_file, usual_policy
from evenhand.cli.roles import file_of, role_flags, role_values
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.headlines import alarms
from evenhand.output.printing import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.cli.settings import Settings
    from evenhand.findings import AuditRecord

SHEET: Final = "datasheet.toml"
"""The usual name of what people have said of the rows."""
OF_ALL: Final = ("level", "seed", "intersections")
"""Options of every audit that matter here."""
OPTIONS = {
    name: declared
    for name, (audit, declared) in options().items()
    if name in OF_ALL or (audit == "data_quality" and name != "check_data")
}
LOOKED_AT: Final = 100_000
"""Rows that are enough to propose a label."""


@click.command(name="data")
@click.argument("table", type=PATH)
@file_flag("--train", help="Rows a model is fitted on, where TABLE holds those it is evaluated on.")
@role_flags
@setting_flags(OPTIONS)
@file_flag("--datasheet", help=f"What only people know of the rows.  [default: {SHEET}, here or in a folder above]")
@file_flag("--policy", "-p", help="Record the hash of this policy; judge with --gate.")
@click.option(
    "--gate", is_flag=True, help=f"Judge at once by --policy ({NEAREST}), with the exit code of evenhand gate."
)
@file_flag("--output", "-o", default=Path("audit.json"))
@quiet_flag
def command(
    table: Path, train: Path | None, datasheet: Path | None, policy: Path | None, gate: bool, output: Path,
    **flags: object,
) -> int:  # fmt: skip
    """Audit TABLE before there is a model, and write audit.json, for a report and a gate like any other.

    Looked for are columns that restate the label, rows and people that occur again, rows that are in --train as well,
    missing values and for whom, numbers in another unit, drift, proxies of groups, and how far wrong labels reach.

    \b
    Examples:
      evenhand data loans.csv --label approve --sensitive race
      evenhand data test.csv --train train.csv --label approve --sensitive race --gate
      evenhand data loans.csv --label approve --sensitive sex --population 'sex={f=0.51, m=0.49}'
    """
    from evenhand.audits import audit_data
    from evenhand.cli.circumstances import with_circumstances
    from evenhand.data import read_evaluation_set
    from evenhand.declarations import read_datasheet, with_datasheet
    from evenhand.policy import judge, load_policy
    from evenhand.records import write_record

    check_places([output], [table, train, datasheet, flags.get("config")])
    policy = policy or (usual_policy() if gate else None)
    limits = None if policy is None else load_policy(policy)
    sheet = datasheet or usual_file(SHEET)
    answers = {} if sheet is None else read_datasheet(sheet)
    settings = file_of(flags)
    roles = _with_label(table, role_values(settings, flags))
    more: dict[str, Any] = {**_options(settings), **said(flags, OPTIONS)}
    rows = read_evaluation_set(table, **roles)  # type: ignore[arg-type]  # names and values are checked there
    members = None if train is None else read_evaluation_set(train, like=rows)
    with progress("Checking") as step:
        record = audit_data(rows, members=members, progress=step, **more)
    record = with_datasheet(record, answers)
    write_record(output, with_circumstances(record, policy))
    for sentence in alarms(record.findings):
        say(sentence)
    verdict = None
    if gate and limits is not None:
        from evenhand.cli.outputs import put

        verdict = judge(record, limits)
        put(record, verdict, {"text": None})
    summarize(_lines(record, output), ["evenhand", "report", output])
    return 0 if verdict is None else verdict.exit_code


def _options(settings: Settings) -> dict[str, object]:
    """Return the options of the settings file that matter here."""
    return {name: value for name, value in settings.audit.items() if name in OPTIONS}


def _with_label(table: Path, roles: dict[str, object]) -> dict[str, object]:
    """Return the roles; where no label is named, with the one that is proposed, which is said."""
    if roles.get("label") or roles.get("labels") or roles.get("event"):
        return roles
    from evenhand.data.proposing import propose
    from evenhand.data.tables import first_rows

    found = propose(first_rows(table, LOOKED_AT), table.name)
    if found.label is None:
        return roles
    say(f"No --label was named; '{found.label}' looks like it.")
    named: dict[str, object] = {"label": found.label}
    if found.positive is not None:
        named["positive"] = found.positive
    return {**roles, **named}


def _lines(record: AuditRecord, output: Path) -> Iterator[str]:
    """Yield the lines that the command ends with."""
    data = record.provenance.get("data", {})
    yield f"{data.get('name', 'data')}: {data.get('rows', 0):,} rows, without a model"
    noted = [found for found in record.of_audit("data_quality") if found.note]
    yield f"{len(noted):,} findings to look at" if noted else "No check raised a question"
    yield f"Wrote {output}: {len(record.findings):,} findings"
