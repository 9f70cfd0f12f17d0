"""``evenhand baseline``: what live batches are compared with, from an audit and its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evenhand.cli.flags import PATH, file_flag, opening, opening_flags
from evenhand.cli.roles import file_of, role_flags


@click.command(name="baseline")
@click.argument("table", type=PATH)
@file_flag("--audit", "-a", required=True, help="The audit.json of the released model.")
@file_flag("--model", "-m", help="The model's file; the column of scores or decisions when not given.")
@opening_flags
@role_flags
@file_flag("--output", "-o", default=Path("baseline.json"))
def command(table: Path, audit: Path, model: Path | None, output: Path, **flags: object) -> None:
    """Write the baseline of a released model: the counts of its audit and of the audited rows in TABLE.

    It holds bins and counts, and no rows. Columns are those of the settings file, of flags, and else of the audit; so
    are edges and names of groups. A table of other rows than the audited ones is refused, and so is another model.

    \b
    Exit codes: 0 written, 2 could not run.
    Examples:
      evenhand baseline test.parquet --audit audit.json --model credit.safetensors -o baseline.json
      evenhand baseline scored.csv --audit audit.json --score score -o baseline.json
    """
    from evenhand.cli.outputs import check_places
    from evenhand.cli.roles import role_values
    from evenhand.data import read_evaluation_set
    from evenhand.monitoring import make_baseline, write_baseline
    from evenhand.monitoring.baseline import refuse_other_rows
    from evenhand.output.printing import remark
    from evenhand.records import read_record

    check_places([output], (table, audit, model))
    settings, how = file_of(flags), opening(flags)
    record = read_record(audit)
    values: dict[str, Any] = {**_of_audit(record.provenance), **role_values(settings, flags)}
    rows = read_evaluation_set(table, **{**_of_groups(record.provenance, values), **values})
    refuse_other_rows(rows, record)
    made = make_baseline(rows, record, subject=None if model is None else _subject(model, rows, how))
    write_baseline(output, made)
    watched = len(made.columns)
    remark(f"Wrote {output}: {made.rows:,} audited rows, {watched:,} column{'s' * (watched != 1)} watched for drift")


def _of_audit(provenance: Any) -> dict[str, Any]:
    """Return the roles that an audit of a table was made with; none where it was made from arrays."""
    from evenhand.data.following import as_read

    facts = provenance.get("data", {})
    if facts.get("source") == "arrays":
        return {}
    names = ("label", "sensitive_features", "control_features", "favourable", "id", "prediction", "score", "exclude")
    found = {name: value for name in names if (value := facts.get("roles", {}).get(name))}
    more = {name: facts.get(name) for name in ("positive", "missing", "task")}
    more["use_sensitive"] = bool(provenance.get("sensitive_inputs")) or None
    followed = as_read(facts)
    told = {name: value for name, value in more.items() if value is not None}
    return {name: value for name, value in {**found, **told, **followed}.items() if value is not None}


def _of_groups(provenance: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return how the audit made groups of the columns that make them here: edges, names of values, codes."""
    facts = provenance.get("data", {})
    given = [values.get(name) or () for name in ("sensitive_features", "control_features")]
    columns = {column for names in given for column in ([names] if isinstance(names, str) else names)}
    roles = facts.get("roles", {})
    found: dict[str, Any] = {
        name: {column: value for column, value in (told or {}).items() if column in columns}
        for name, told in (("bins", facts.get("bins")), ("value_labels", roles.get("value_labels")))
    }
    found["codes"] = tuple(column for column in roles.get("codes") or () if column in columns)
    return {name: value for name, value in found.items() if value}


def _subject(model: Path, rows: Any, how: dict[str, Any]) -> Any:
    from evenhand.compression import open_model
    from evenhand.evidence.predictions import proven
    from evenhand.subjects import as_subject

    return proven(as_subject(open_model(model, **how)), rows)
